"""Chat completion chunks for tests, and what is made of them."""

from __future__ import annotations

import json
from typing import Any

from sse_core import Message, ServerSentEvent, dialects
from sse_core.blocks import BlockEvent
from sse_core.testing import message_of

CHAT = dialects.get("openai-chat")
DONE = ServerSentEvent("message", "[DONE]")


def sse(data: Any, name: str = "message") -> ServerSentEvent:
    """An event with this data."""
    return ServerSentEvent(name, json.dumps(data))


def chunk(delta: Any = None, *, index: int = 0, **fields: Any) -> ServerSentEvent:
    """A chunk with one choice; ``fields`` are the choice's."""
    choice = {"index": index, "delta": delta, **fields}
    return sse({"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": [choice]})


def tool(*fragments: Any) -> ServerSentEvent:
    """A chunk with fragments of tool calls."""
    return chunk({"tool_calls": list(fragments)})


def fragment(arguments: Any = None, *, name: Any = None, **fields: Any) -> dict[str, Any]:
    """A fragment of a tool call; ``fields`` are those beside its function."""
    return {"function": {"name": name, "arguments": arguments}, **fields}


def end(reason: str | None = "stop", index: int = 0) -> ServerSentEvent:
    """The chunk with the finish reason."""
    return chunk({}, index=index, finish_reason=reason)


def decode(*stream: ServerSentEvent, eof: bool = False) -> list[BlockEvent]:
    """The block events of a stream, and of its end if it ends."""
    decoder = CHAT.Decoder()
    events = [event for received in stream for event in decoder.receive_event(received)]
    return events + (decoder.receive_eof() if eof else [])


def read(*stream: ServerSentEvent) -> Message:
    """The message of a stream and its end."""
    return message_of(decode(*stream, eof=True))
