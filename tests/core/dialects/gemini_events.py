"""Gemini's responses for tests, and what is made of them."""

from __future__ import annotations

import json
from typing import Any

from sse_core import Message, ServerSentEvent, dialects
from sse_core.blocks import BlockEvent
from sse_core.testing import message_of

GEMINI = dialects.get("gemini")


def sse(data: Any) -> ServerSentEvent:
    """An event with this data."""
    return ServerSentEvent("message", json.dumps(data))


def parts(*parts: Any, index: int = 0, **fields: Any) -> ServerSentEvent:
    """A response whose one candidate has these parts; ``fields`` are the candidate's."""
    candidate = {"content": {"parts": list(parts), "role": "model"}, "index": index, **fields}
    return sse({"candidates": [candidate], "modelVersion": "m", "responseId": "r1"})


def texts(*texts: str) -> ServerSentEvent:
    """A response with these texts."""
    return parts(*({"text": text} for text in texts))


def call(**fields: Any) -> ServerSentEvent:
    """A response with a function call."""
    return parts({"functionCall": fields})


def args(*values: Any, **fields: Any) -> ServerSentEvent:
    """More arguments of a call that goes on: pairs of a path and a value."""
    return call(partialArgs=[arg(path, value) for path, value in values], **{"willContinue": True, **fields})


def arg(path: str, value: Any) -> dict[str, Any]:
    """One value with its path."""
    kinds = {str: "stringValue", bool: "boolValue", int: "numberValue", float: "numberValue"}
    return {"jsonPath": path, kinds.get(type(value), "nullValue"): value}


def end(reason: str = "STOP", index: int = 0) -> ServerSentEvent:
    """The response with the finish reason."""
    return parts({"text": ""}, index=index, finishReason=reason)


def decode(*stream: ServerSentEvent, eof: bool = False) -> list[BlockEvent]:
    """The block events of a stream, and of its end if it ends."""
    decoder = GEMINI.Decoder()
    events = [event for received in stream for event in decoder.receive_event(received)]
    return events + (decoder.receive_eof() if eof else [])


def read(*stream: ServerSentEvent) -> Message:
    """The message of a stream and its end."""
    return message_of(decode(*stream, eof=True))


def response_parts(*stream: ServerSentEvent) -> Any:
    """The parts of the whole response of a stream."""
    return GEMINI.to_response(read(*stream))["candidates"][0]["content"]["parts"]
