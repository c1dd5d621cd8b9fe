"""What the machines cost that stand between a provider's bytes and its readers'.

Three parts.  ``turn``: an event from the provider's bytes to one subscriber's, parsed and accumulated,
numbered and kept, one event of 120 bytes a chunk; the floor beside it decodes the event and encodes it
anew, and does nothing else.  ``readers``: what one more reader of the same log costs an event, with a
thousand of them.  ``memory``: what an idle turn and an idle subscription hold, in bytes.

Times are nanoseconds of CPU time an event, the median of interleaved rounds, without the garbage
collector's.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from framing_measure import Sample, side_by_side

from sse_core import EventStreamDecoder, ServerSentEvent, dialects, encode_event
from sse_core.headers import Headers
from sse_core.lifecycle import HTTPRequest, Subscription, Turn, TurnLog

EVENTS = 10_000
READERS = 1000
ANTHROPIC = dialects.get("anthropic")
REQUEST = HTTPRequest("https://provider.test/v1/messages", "POST", body=b"{}")
EVENT_STREAM = Headers({"content-type": "text/event-stream"})


def frame(data: dict[str, object]) -> bytes:
    """An event as Anthropic frames it."""
    return encode_event(json.dumps(data, separators=(",", ":")), event=str(data["type"]))


def delta(number: int) -> bytes:
    """A delta of text, of 120 bytes."""
    text = {"type": "text_delta", "text": f" w{number % 1000:03d}"}
    return frame({"type": "content_block_delta", "index": 0, "delta": text})


MESSAGE = {"id": "m", "type": "message", "role": "assistant", "model": "c", "content": [], "usage": {}}
BLOCK = {"type": "text", "text": ""}
CHUNKS = [
    frame({"type": "message_start", "message": MESSAGE}),
    frame({"type": "content_block_start", "index": 0, "content_block": BLOCK}),
    *map(delta, range(EVENTS)),
]


def accepted() -> Turn:
    """A turn whose provider has begun to answer."""
    turn = Turn(REQUEST, ANTHROPIC)
    turn.start(0.0)
    turn.connected(0.0)
    turn.response_started(200, EVENT_STREAM, 0.0)
    return turn


def whole_way() -> int:
    """From the provider's bytes to a subscriber's; how many bytes that were."""
    turn, log = accepted(), TurnLog("turn-1", delta=ANTHROPIC.delta)
    reader, encoder = Subscription(log, 0.0), ANTHROPIC.Encoder(verbatim=True)
    sent, now = 0, 0.0
    for chunk in CHUNKS:
        now += 0.02
        turn.receive_data(chunk, now)
        while (event := turn.next_event()) is not None:
            for sse in encoder.send(event):
                log.append(sse)
        log.announce(now)
        sent += len(reader.data_to_send(now))
    return sent


def floor() -> int:
    """Decode and encode."""
    decoder, sent = EventStreamDecoder(), 0
    for chunk in CHUNKS:
        for sse in decoder.receive_data(chunk):
            sent += len(encode_event(sse.data, event=sse.type, id="turn-1-1"))
    return sent


def fan_out(readers: int, events: int) -> Callable[[], None]:
    """A log that so many readers follow, event by event."""
    sse = ServerSentEvent("content_block_delta", delta(0).decode().split("\n")[1][len("data: ") :])

    def step() -> None:
        log = TurnLog("turn-1")
        subscriptions = [Subscription(log, 0.0) for _ in range(readers)]
        now = 0.0
        for _ in range(events):
            now += 0.02
            log.append(sse)
            log.announce(now)
            for subscription in subscriptions:
                subscription.data_to_send(now)

    return step


def memory_of(make: Callable[[], object], count: int = 1000) -> float:
    """Bytes that one of these holds."""
    warm = [make() for _ in range(10)]
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = [make() for _ in range(count)]
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del warm
    return (after - before) / len(kept)


def measure(rounds: int) -> dict[str, object]:
    """All figures."""
    ways: dict[str, Sample] = side_by_side({"turn": whole_way, "floor": floor}, rounds, len(CHUNKS))
    events = 100
    fans = side_by_side({"many": fan_out(READERS, events), "one": fan_out(1, events)}, rounds, events)
    log = TurnLog("turn-1")
    return {
        "turn": asdict(ways["turn"]),
        "floor": asdict(ways["floor"]),
        "one more reader": (fans["many"].median - fans["one"].median) / (READERS - 1),
        "turn bytes": memory_of(accepted),
        "subscription bytes": memory_of(lambda: Subscription(log, 0.0)),
    }


def main() -> None:
    """Print the figures; with ``--json FILE`` write them too."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--json", metavar="FILE")
    chosen = parser.parse_args()
    figures = measure(chosen.rounds)
    print(f"Python {sys.version.split()[0]}, {len(CHUNKS[-1])} bytes an event")
    for name, figure in figures.items():
        shown = (
            f"{figure['median']:,.0f} (+-{figure['spread']:,.0f})"
            if isinstance(figure, dict)
            else f"{figure:,.0f}"
        )
        print(f"  {name:<20}{shown:>20}")
    if chosen.json:
        Path(chosen.json).write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
