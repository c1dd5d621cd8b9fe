"""openai: the decoder inside the SDK.

No public interface of the SDK shows events: its streams parse each event's data as JSON, and end at
``[DONE]``.  So this calls the decoder as those streams do, which spares it what they do beyond it.
``sse.id`` is the last event ID in force; ``sse.retry`` is the event's own.
"""

from __future__ import annotations

from importlib.metadata import version

from openai._streaming import SSEDecoder
from protocol import Run, serve


def decode(run: Run) -> None:
    """As ``openai.Stream`` does it."""
    for sse in SSEDecoder().iter_bytes(run.chunks()):
        run.event(sse.event, sse.data, lastEventId=sse.id or "", retry=sse.retry)


if __name__ == "__main__":
    serve("openai", version("openai"), ["event.lastEventId", "event.retry"], decode)
