"""What one text delta costs on its way through a dialect and an accumulator, in nanoseconds.

The figures are the best of several rounds, in CPU time.  ``json`` is the parsing alone: what is
left is ours.  The last lines show that the cost of a delta doesn't grow with the message.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

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


def best(work: Callable[[], None], count: int) -> float:
    """Nanoseconds for each of ``count`` steps."""
    times = []
    for _ in range(ROUNDS):
        started = time.process_time_ns()
        work()
        times.append(time.process_time_ns() - started)
    return min(times) / count


def accumulate(count: int) -> MessageAccumulator:
    """A message of ``count`` deltas."""
    accumulator = MessageAccumulator()
    accumulator.receive(MessageStart("m", "claude"))
    accumulator.receive(BlockStart(0, TextBlock()))
    delta = TextDelta(0, " streaming")
    for _ in range(count):
        accumulator.receive(delta)
    return accumulator


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
        print(f"  {name:<24}{best(lambda step=step: [step() for _ in range(DELTAS)], DELTAS):>8.0f}")  # type: ignore[misc]
    for count in (DELTAS, 10 * DELTAS, 50 * DELTAS):
        print(
            f"  {f'accumulate {count:,} deltas':<24}{best(lambda count=count: str(accumulate(count).message.text), count):>8.0f}"
        )  # type: ignore[misc]


if __name__ == "__main__":
    main()
