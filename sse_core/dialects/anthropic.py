"""Anthropic's Messages streaming, both ways.

Theory.  A stream is ``message_start``, then for each content block ``content_block_start``,
deltas and ``content_block_stop``, then ``message_delta`` and ``message_stop``; ``ping`` and
``error`` may come anywhere.  ``data.type`` says what an event is; the ``event:`` field only
repeats it, and some proxies drop it.  There is no ``[DONE]``.  The documentation says that new
kinds of events and deltas may come: they pass through.

Source: https://docs.claude.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from ..blocks import events as e
from ..blocks import strict_json
from ..blocks.events import BlockEvent, JSONObject
from ..blocks.model import (
    Block,
    Message,
    RedactedThinkingBlock,
    ResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolType,
    ToolUseBlock,
    UnknownBlock,
)
from ..errors import RemoteProtocolError
from ..framing import ServerSentEvent
from .anthropic_errors import error_response, error_status, parse_error, read_error, write_error
from .base import Dialect

_TOOL_TYPES = frozenset(get_args(ToolType))


class Decoder:
    """Anthropic's events to block events.  One for each stream."""

    def __init__(self) -> None:
        self._id: str | None = None
        self._ended = False

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        """The block events that ``sse`` stands for; none after the message's end.

        Raises ``RemoteProtocolError`` (status 502) for data that is no JSON object or lacks a
        field that it needs.
        """
        if self._ended:
            return []
        try:
            data = strict_json.loads(sse.data)
            read = _READERS.get(data.get("type", sse.type))
            event = e.UnknownEvent(data) if read is None else read(data)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _unreadable(sse, error) from None
        event.source = sse
        if isinstance(event, e.MessageStart):
            return self._first_start(event)
        self._ended = isinstance(event, e.MessageStop | e.StreamError)
        return [event]

    def receive_eof(self) -> list[BlockEvent]:
        """The stream has ended: a ``MessageCut("truncated")`` if the message had not."""
        if self._ended:
            return []
        self._ended = True
        return [e.MessageCut("truncated")]

    def _first_start(self, event: e.MessageStart) -> list[BlockEvent]:
        if self._id is None:
            self._id = event.id
            return [event]
        if event.id != self._id:
            raise RemoteProtocolError("a second message begins within the stream", status=502)
        return []


def _unreadable(sse: ServerSentEvent, error: Exception) -> RemoteProtocolError:
    return RemoteProtocolError(f"unreadable event: {sse.data[:100]!a} ({error!a:.100})", status=502)


def _rest(data: JSONObject, *known: str) -> JSONObject:
    return {key: value for key, value in data.items() if key not in known}


def _text(data: JSONObject, name: str) -> str:
    value = data[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is not text")
    return value


def _object(data: JSONObject, name: str) -> JSONObject:
    value = data[name]
    if not isinstance(value, dict):
        raise TypeError(f"{name} is not an object")
    return value


def _index(data: JSONObject) -> int:
    index = data["index"]
    if type(index) is not int or index < 0:
        raise TypeError("index is not a number")
    return index


def _read_message_start(data: JSONObject) -> BlockEvent:
    message = _object(data, "message")
    extra = _rest(message, "id", "type", "model", "role", "content", "usage", "stop_reason")
    if extra.get("stop_sequence", "") is None:
        del extra["stop_sequence"]
    return e.MessageStart(
        _text(message, "id"),
        _text(message, "model"),
        message.get("role") or "assistant",
        message.get("usage") or {},
        [_read_block(block) for block in message.get("content") or []],
        message.get("stop_reason"),
        extra,
    )


def _read_block(data: JSONObject) -> Block:
    kind = _text(data, "type")
    if kind == "text":
        return TextBlock(data.get("text") or "", data.get("citations"), _rest(data, "type", "text", "citations"))
    if kind == "thinking":
        extra = _rest(data, "type", "thinking", "signature")
        return ThinkingBlock(data.get("thinking") or "", data.get("signature"), extra)
    if kind in _TOOL_TYPES:
        extra = _rest(data, "type", "id", "name", "input")
        return ToolUseBlock(
            _text(data, "id"), _text(data, "name"), kind, start_input=data.get("input"), extra=extra  # type: ignore[arg-type]
        )
    if kind == "redacted_thinking":
        return RedactedThinkingBlock(_text(data, "data"), _rest(data, "type", "data"))
    return ResultBlock(data) if kind.endswith("_tool_result") else UnknownBlock(data)


def _read_block_start(data: JSONObject) -> BlockEvent:
    block = _object(data, "content_block")
    model = _object(block, "to").get("model") if block.get("type") == "fallback" else None
    return e.BlockStart(_index(data), _read_block(block), model)


def _read_delta(data: JSONObject) -> BlockEvent:
    index = _index(data)
    delta = _object(data, "delta")
    kind = delta["type"]
    if kind == "text_delta":
        return e.TextDelta(index, _text(delta, "text"))
    if kind == "input_json_delta":
        return e.ArgumentsDelta(index, _text(delta, "partial_json"))
    if kind == "thinking_delta":
        return e.ThinkingDelta(index, _text(delta, "thinking"))
    if kind == "signature_delta":
        return e.SignatureDelta(index, _text(delta, "signature"))
    if kind == "citations_delta":
        return e.CitationDelta(index, _object(delta, "citation"))
    if kind == "compaction_delta":
        return e.FieldsDelta(index, _rest(delta, "type"))
    return e.UnknownDelta(index, delta)


def _read_message_delta(data: JSONObject) -> BlockEvent:
    delta = _object(data, "delta")
    extra = _rest(data, "type", "delta", "usage")
    extra.update(_rest(delta, "stop_reason"))
    if extra.get("stop_sequence", "") is None:
        del extra["stop_sequence"]
    return e.MessageDelta(delta.get("stop_reason"), data.get("usage") or {}, extra)


_READERS: dict[Any, Callable[[JSONObject], BlockEvent]] = {
    "message_start": _read_message_start,
    "content_block_start": _read_block_start,
    "content_block_delta": _read_delta,
    "content_block_stop": lambda data: e.BlockStop(_index(data)),
    "message_delta": _read_message_delta,
    "message_stop": lambda data: e.MessageStop(),
    "ping": lambda data: e.Ping(),
    "error": read_error,
}


class Encoder:
    """Block events to Anthropic's events.  One for each stream.

    ``verbatim``: the block events come from an Anthropic decoder; where one has a ``source``, that
    is sent on unchanged.
    """

    def __init__(self, *, verbatim: bool = False) -> None:
        self._verbatim = verbatim

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        """The events that stand for ``event``: always one."""
        if self._verbatim and event.source is not None:
            return [event.source]
        data = _WRITERS[type(event)](event)
        return [ServerSentEvent(str(data["type"]), strict_json.dumps(data))]


def _write_message_start(event: e.MessageStart) -> JSONObject:
    message = {
        "id": event.id,
        "type": "message",
        "role": event.role,
        "model": event.model,
        "content": [_write_block(block) for block in event.blocks],
        "stop_reason": event.stop_reason,
        "stop_sequence": None,
        "usage": event.usage,
        **event.extra,
    }
    return {"type": "message_start", "message": message}


def _write_block(block: Block) -> JSONObject:
    if isinstance(block, TextBlock):
        citations = {} if block.citations is None else {"citations": block.citations}
        return {"type": "text", "text": block.text, **citations, **block.extra}
    if isinstance(block, ThinkingBlock):
        signature = {} if block.signature is None else {"signature": block.signature}
        return {"type": "thinking", "thinking": block.thinking, **signature, **block.extra}
    if isinstance(block, RedactedThinkingBlock):
        return {"type": "redacted_thinking", "data": block.data, **block.extra}
    if isinstance(block, ToolUseBlock):
        return {"type": block.type, "id": block.id, "name": block.name, "input": block.start_input, **block.extra}
    return block.data


def _write_block_start(event: e.BlockStart) -> JSONObject:
    return {"type": "content_block_start", "index": event.index, "content_block": _write_block(event.block)}


def _delta(index: int, kind: str, **fields: Any) -> JSONObject:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def _write_message_delta(event: e.MessageDelta) -> JSONObject:
    beside = {key: value for key, value in event.extra.items() if key == "context_management"}
    delta = {"stop_reason": event.stop_reason, "stop_sequence": None, **_rest(event.extra, *beside)}
    return {"type": "message_delta", "delta": delta, "usage": event.usage, **beside}


#: completeness -> (error type, what a reader is told)
_CUTS = {
    "truncated": ("stream_truncated", "The stream ended before the message was complete."),
    "stopped": ("turn_stopped", "The turn was stopped before the message was complete."),
    "failed": ("turn_failed", "The turn failed before the message was complete."),
}


def _write_cut(event: e.MessageCut) -> JSONObject:
    kind, message = _CUTS[event.completeness]
    # No cut stream may look complete: Anthropic's clients raise on an error event, and would
    # take a bare end of the stream for the end of the message.
    return {"type": "error", "error": {"type": kind, "message": message}, "outcome": event.completeness}


_WRITERS: dict[type[BlockEvent], Callable[[Any], JSONObject]] = {
    e.MessageStart: _write_message_start,
    e.BlockStart: _write_block_start,
    e.TextDelta: lambda event: _delta(event.index, "text_delta", text=event.text),
    e.ThinkingDelta: lambda event: _delta(event.index, "thinking_delta", thinking=event.thinking),
    e.SignatureDelta: lambda event: _delta(event.index, "signature_delta", signature=event.signature),
    e.ArgumentsDelta: lambda event: _delta(event.index, "input_json_delta", partial_json=event.fragment),
    e.CitationDelta: lambda event: _delta(event.index, "citations_delta", citation=event.citation),
    e.FieldsDelta: lambda event: _delta(event.index, "compaction_delta", **event.fields),
    e.UnknownDelta: lambda event: {
        "type": "content_block_delta",
        "index": event.index,
        "delta": event.delta,
    },
    e.BlockStop: lambda event: {"type": "content_block_stop", "index": event.index},
    e.MessageDelta: _write_message_delta,
    e.MessageStop: lambda event: {"type": "message_stop"},
    e.Ping: lambda event: {"type": "ping"},
    e.StreamError: write_error,
    e.MessageCut: _write_cut,
    e.UnknownEvent: lambda event: event.data,
}


def to_response(message: Message) -> dict[str, Any]:
    """The response object that Anthropic would have sent without streaming."""
    return {
        "id": message.id,
        "type": "message",
        "role": message.role,
        "model": message.model,
        "content": [_whole_block(block) for block in message.blocks],
        "stop_reason": message.stop_reason,
        "stop_sequence": None,
        **message.extra,
        "usage": message.usage,
    }


def _whole_block(block: Block) -> JSONObject:
    data = _write_block(block)
    if isinstance(block, ToolUseBlock):
        data["input"] = _input(block)
    return data


def _input(tool: ToolUseBlock) -> Any:
    if tool.state == "complete":
        return tool.arguments
    # The documentation of fine-grained tool streaming: invalid JSON is passed on wrapped in an
    # object, so that what is no input can't be taken for one.
    return {"INVALID_JSON": tool.raw_arguments} if tool.raw_arguments else tool.start_input


DIALECT = Dialect(
    "anthropic", Decoder, Encoder, to_response, error_response, error_status, parse_error
)
