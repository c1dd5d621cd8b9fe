"""Events of Responses for tests, and what is made of them."""

from __future__ import annotations

import json
from typing import Any

from sse_core import Message, ServerSentEvent, dialects
from sse_core.blocks import BlockEvent
from sse_core.dialects.openai_responses import Decoder
from sse_core.testing import message_of

RESPONSES = dialects.get("openai-responses")
DONE = ServerSentEvent("message", "[DONE]")


def sse(data: Any, name: str = "message") -> ServerSentEvent:
    """An event with this data."""
    return ServerSentEvent(name, json.dumps(data))


def event(kind: str, **fields: Any) -> ServerSentEvent:
    """An event of the type ``response.`` and ``kind``."""
    return sse({"type": f"response.{kind}", **fields})


def response(status: str = "in_progress", **fields: Any) -> dict[str, Any]:
    """A response object."""
    return {"id": "r", "object": "response", "status": status, "model": "m", "output": [], **fields}


def created(**fields: Any) -> ServerSentEvent:
    """The event that begins a response; ``fields`` are the response's."""
    return event("created", response=response(**fields))


def end(status: str = "completed", **fields: Any) -> ServerSentEvent:
    """The event that ends a response; ``fields`` are the response's."""
    return event(status, response=response(status, **fields))


def added(item: Any, index: int | None = 0) -> ServerSentEvent:
    """An item begins."""
    return event("output_item.added", item=item, **({} if index is None else {"output_index": index}))


def done(item: Any, index: int | None = 0) -> ServerSentEvent:
    """An item is whole."""
    return event("output_item.done", item=item, **({} if index is None else {"output_index": index}))


def message(*parts: Any, **fields: Any) -> dict[str, Any]:
    """A message item."""
    return {"type": "message", "id": "i", "role": "assistant", "content": list(parts), **fields}


def output_text(text: str, **fields: Any) -> dict[str, Any]:
    """A part that is text."""
    return {"type": "output_text", "text": text, "annotations": [], **fields}


def call(arguments: Any = "", **fields: Any) -> dict[str, Any]:
    """A function call item."""
    return {
        "type": "function_call",
        "id": "i",
        "call_id": "c",
        "name": "f",
        "arguments": arguments,
        **fields,
    }


def text(delta: Any, index: int | None = 0, place: int | None = 0, kind: str = "output_text.delta") -> Any:
    """A delta of a part's text."""
    places = {"output_index": index, "content_index": place}
    return event(kind, delta=delta, **{name: value for name, value in places.items() if value is not None})


def arguments(delta: Any, index: int = 0) -> ServerSentEvent:
    """A delta of a function call's arguments."""
    return event("function_call_arguments.delta", delta=delta, output_index=index)


def numbered(*stream: ServerSentEvent, first: int = 0) -> list[ServerSentEvent]:
    """The stream with sequence numbers."""
    return [
        sse({**json.loads(one.data), "sequence_number": number}) for number, one in enumerate(stream, first)
    ]


def decode(*stream: ServerSentEvent, eof: bool = False, decoder: Decoder | None = None) -> list[BlockEvent]:
    """The block events of a stream, and of its end if it ends."""
    decoder = decoder or Decoder()
    events = [made for received in stream for made in decoder.receive_event(received)]
    return events + (decoder.receive_eof() if eof else [])


def read(*stream: ServerSentEvent) -> Message:
    """The message of a stream and its end."""
    return message_of(decode(*stream, eof=True))


STARTED = [created()]
PLACE = {"output_index": 0, "content_index": 0}


def after(*stream: ServerSentEvent) -> list[Any]:
    """The block events of these events, after a response began."""
    return decode(*STARTED, *stream)[1:]


def part(kind: str, data: Any, index: int = 0, place: int = 0) -> ServerSentEvent:
    """A part of an item begins or ends."""
    return event(f"content_part.{kind}", part=data, output_index=index, content_index=place)
