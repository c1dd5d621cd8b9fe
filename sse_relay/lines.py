"""The relay's log lines: one a turn, and one a tool call at debug level.

What a peer wrote is escaped as JSON text, so that it can't forge a line.  No text of the answer,
no arguments, no credentials are ever in them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sse_core.blocks import ToolUseBlock

if TYPE_CHECKING:
    from .turns import RelayedTurn


def turn_line(relayed: RelayedTurn) -> str:
    """How a turn went.  Times are in seconds; a value that isn't known is ``-``."""
    turn, message = relayed.turn, relayed.turn.message
    tokens = message.usage.get("output_tokens")
    known_tokens = tokens if isinstance(tokens, int) else None
    timing = turn.timing
    fields = {
        "turn": relayed.id,
        "outcome": turn.outcome.value if turn.outcome else "-",
        "attempts": str(turn.attempts),
        "ttft": _seconds(timing.time_to_first_token),
        "tpot": _seconds(timing.time_per_output_token(known_tokens or 0), digits=5),
        "tokens": "-" if known_tokens is None else str(known_tokens),
        "outputs": str(timing.outputs),
        "duration": _seconds(timing.duration),
        "stop_reason": json.dumps(message.stop_reason) if message.stop_reason else "-",
    }
    if turn.failure is not None:
        fields["failure"] = json.dumps(f"{turn.failure.status} {turn.failure.error.type}"[:200])
    return " ".join(f"{name}={value}" for name, value in fields.items())


def tool_line(turn_id: str, index: int, block: ToolUseBlock) -> str:
    """That a tool's arguments were parsed: once, when the protocol said that they are whole."""
    return (
        f"turn={turn_id} tool={json.dumps(block.name[:200])} index={index} "
        f"arguments parsed once at content_block_stop: "
        f"characters={len(block.raw_arguments)} state={block.state}"
    )


def _seconds(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
