"""sseclient-py: ``SSEClient`` over an iterator of chunks.

``event.id`` is the block's own.  ``event.retry`` is the field's text, which its caller must understand, so
that no reconnection time is offered.
"""

from __future__ import annotations

from importlib.metadata import version

from protocol import Run, serve
from sseclient import SSEClient


def decode(run: Run) -> None:
    """As its README shows it for httpx."""
    for event in SSEClient(run.chunks()).events():
        run.event(event.event, event.data, id=event.id)


if __name__ == "__main__":
    serve("sseclient-py", version("sseclient-py"), ["event.id"], decode)
