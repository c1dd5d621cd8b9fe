"""What one text delta costs on its way through a dialect and an accumulator, in nanoseconds.

The figures are the best of several rounds, in CPU time.  ``json`` is the parsing alone: what is
left is ours.  The last lines show that the cost of a delta doesn't grow with the message.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial

from sse_core.blocks import (
    BlockEvent,
    BlockStart,
    MessageAccumulator,
    MessageStart,
    TextBlock,
    TextDelta,
    strict_json,
)
from sse_core.dialects import get
from sse_core.framing import ServerSentEvent

ROUNDS = 7
DELTAS = 20_000
DATA = '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" streaming"}}'
ANTHROPIC = get("anthropic")


def best(step: Callable[[], object], count: int, deltas: int = 1) -> float:
    """Nanoseconds for each delta, where ``count`` calls of ``step`` take ``deltas`` each."""
    times = []
    for _ in range(ROUNDS):
        started = time.process_time_ns()
        for _ in range(count):
            step()
        times.append(time.process_time_ns() - started)
    return min(times) / count / deltas


def accumulate(count: int) -> str:
    """The text of a message of ``count`` deltas."""
    accumulator = MessageAccumulator()
    accumulator.receive(MessageStart("m", "claude"))
    accumulator.receive(BlockStart(0, TextBlock()))
    delta = TextDelta(0, " streaming")
    for _ in range(count):
        accumulator.receive(delta)
    return accumulator.message.text


def main() -> None:
    """Print the figures."""
    sse = ServerSentEvent("content_block_delta", DATA)
    decoder, encoder = ANTHROPIC.Decoder(), ANTHROPIC.Encoder()
    verbatim = ANTHROPIC.Encoder(verbatim=True)
    event: BlockEvent = decoder.receive_event(sse)[0]
    steps: dict[str, Callable[[], object]] = {
        "json": lambda: strict_json.loads(DATA),
        "decode (json included)": lambda: decoder.receive_event(sse),
        "encode": lambda: encoder.send(event),
        "encode verbatim": lambda: verbatim.send(event),
    }
    print(f"Python {sys.version.split()[0]}, nanoseconds a text delta")
    for name, step in steps.items():
        print(f"  {name:<30}{best(step, DELTAS):>8.0f}")
    for count in (DELTAS, 10 * DELTAS, 50 * DELTAS):
        print(f"  {f'accumulate {count:,} deltas':<30}{best(partial(accumulate, count), 1, count):>8.0f}")


if __name__ == "__main__":
    main()
