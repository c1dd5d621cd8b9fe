"""sse-core, from this checkout: nothing needs to be installed."""

from __future__ import annotations

import sys
from pathlib import Path

from protocol import Run, serve

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sse_core import EventStreamDecoder


def decode(run: Run) -> None:
    """As docs/framing.md shows it."""
    decoder = EventStreamDecoder(run.initial_last_event_id or "")
    for chunk in run.chunks():
        for event in decoder.receive_data(chunk):
            run.event(event.type, event.data, lastEventId=event.last_event_id)
    decoder.receive_eof()
    run.end(lastEventId=decoder.last_event_id, reconnectionTime=decoder.reconnection_time)


if __name__ == "__main__":
    serve(
        "sse-core",
        "this checkout",
        ["event.lastEventId", "end.lastEventId", "end.reconnectionTime", "initialLastEventId"],
        decode,
    )
