"""The relay's log lines: one a turn, one a request that is refused, and one a tool call at debug level.

What a peer wrote is escaped as JSON text, so that it can't forge a line.  No text of the answer,
no arguments, no credentials are ever in them.
"""

from __future__ import annotations

import logging
import shlex

from sse_http import Refusal
from sse_http.refusal import quoted

from .records import Record, ToolCalled, TurnEnded

_log = logging.getLogger("sse_relay")
_tool_log = logging.getLogger("sse_relay.turns")

#: What an operator can say to let a request in that a setting refused.
_FLAGS = {"peers.hosts": "--allow-host", "peers.origins": "--allow-origin"}
#: What no flag takes: no Host at all, and the Origin of a page that has none of its own.
_NEVER_LET_IN = frozenset({"", "null"})
#: More tokens than any answer has; beyond it a provider's figure is a mistake.
_MAX_TOKENS = 10**12


def log_record(record: Record) -> None:
    """Write a record's line, at the level that fits it."""
    if isinstance(record, TurnEnded):
        _log.info("%s", turn_line(record))
    elif isinstance(record, ToolCalled):
        if _tool_log.isEnabledFor(logging.DEBUG):
            _tool_log.debug("%s", tool_line(record))
    else:
        _log.log(logging.WARNING if record.setting else logging.INFO, "%s", refusal_line(record))


def turn_line(ended: TurnEnded) -> str:
    """How a turn went.  Times are in seconds; a value that isn't known is ``-``."""
    turn = ended.turn
    timing, tokens = turn.timing, turn.output_tokens
    if tokens is not None and tokens > _MAX_TOKENS:
        tokens = None
    fields = {
        "turn": ended.turn_id,
        "outcome": turn.outcome.value,
        "attempts": str(turn.attempts),
        "ttft": _seconds(timing.time_to_first_token),
        "reasoning": _seconds(timing.reasoning_time),
        "tpot": _seconds(timing.time_per_output_token(tokens or 0), digits=5),
        "tokens": "-" if tokens is None else str(tokens),
        "outputs": str(timing.outputs),
        "duration": _seconds(timing.duration),
        "stop_reason": quoted(turn.stop_reason) if turn.stop_reason else "-",
    }
    if turn.failure is not None:
        fields["failure"] = quoted(f"{turn.failure.status} {turn.failure.error.type}")
    if turn.reason is not None:
        fields["reason"] = quoted(turn.reason)
    return " ".join(f"{name}={value}" for name, value in fields.items())


def refusal_line(refusal: Refusal) -> str:
    """That a request was refused, and which flag would let it in, if one would."""
    flag = _FLAGS.get(refusal.setting)
    if flag is None or refusal.value in _NEVER_LET_IN:
        return f"refused {refusal}"
    # It may be pasted into a shell, and the value is a stranger's.
    return f"refused {refusal} flag={quoted(f'{flag} {shlex.quote(refusal.value)}')}"


def tool_line(call: ToolCalled) -> str:
    """That a tool's arguments were parsed."""
    what = "arguments parsed once" if call.characters else "no arguments"
    return (
        f"turn={call.turn_id} tool={quoted(call.name)} index={call.index} "
        f"{what} at content_block_stop: characters={call.characters} state={call.state}"
    )


def _seconds(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
