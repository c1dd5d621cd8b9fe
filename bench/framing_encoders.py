"""Encoders side by side: ours, FastAPI's bare formatter, and an f-string that checks nothing."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

from framing_peers import OURS

from sse_core import ServerSentEvent, encode_event, encode_events

EVENTS = 5_000
DATA = '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" streaming"}}'
LINES = "\n".join(["a line of text in an event of eight lines"] * 8)

#: Shapes of events, by what differs.
SHAPES: dict[str, dict[str, Any]] = {
    "data": {"data": DATA},
    "event, data": {"data": DATA, "event": "content_block_delta"},
    "event, data, id": {"data": DATA, "event": "content_block_delta", "id": "4f2a9c11-1234"},
    "8 lines": {"data": LINES, "event": "text"},
}

Step = Callable[[], object]


def _repeat(encode: Callable[..., bytes], arguments: dict[str, Any]) -> Step:
    def step() -> None:
        for _ in range(EVENTS):
            encode(**arguments)

    return step


#: The floor: what is given, and nothing looked at (so the lines of the last shape are no lines of data).
UNCHECKED: dict[str, Callable[..., bytes]] = {
    "data": lambda data: f"data: {data}\n\n".encode(),
    "event, data": lambda data, event: f"event: {event}\ndata: {data}\n\n".encode(),
    "event, data, id": lambda data, event, id: f"event: {event}\ndata: {data}\nid: {id}\n\n".encode(),
    "8 lines": lambda data, event: f"event: {event}\ndata: {data}\n\n".encode(),
}


def encode_steps() -> dict[str, tuple[dict[str, Step], int]]:
    """For each shape: who encodes it, and how many events that is."""
    steps: dict[str, tuple[dict[str, Step], int]] = {}
    for shape, arguments in SHAPES.items():
        by_name = {OURS: _repeat(encode_event, arguments), "f-string": _repeat(UNCHECKED[shape], arguments)}
        try:
            fastapi = importlib.import_module("fastapi.sse").format_sse_event
        except ImportError:
            pass
        else:
            named = {"data_str" if name == "data" else name: text for name, text in arguments.items()}
            by_name["fastapi"] = _repeat(fastapi, named)
        events = [ServerSentEvent(arguments.get("event", "message"), arguments["data"])] * EVENTS
        if "id" not in arguments:
            by_name["sse-core, in one call"] = partial(encode_events, events)
        steps[shape] = by_name, EVENTS
    return steps
