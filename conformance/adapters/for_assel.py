"""assel: ``Parser.receive_bytes``.  ``event.id`` and ``event.retry`` are the block's own."""

from __future__ import annotations

from importlib.metadata import version

from assel import Parser
from protocol import Run, serve


def decode(run: Run) -> None:
    """As its docstrings say."""
    parser = Parser()
    for chunk in run.chunks():
        for event in parser.receive_bytes(chunk):
            run.event(event.event, event.data, id=event.id, retry=event.retry)


if __name__ == "__main__":
    serve("assel", version("assel"), ["event.id", "event.retry"], decode)
