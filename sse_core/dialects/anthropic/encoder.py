"""Block events to Anthropic's events.

Source: https://docs.claude.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ...blocks import events as e
from ...blocks import strict_json
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSONObject
from ...errors import LocalProtocolError
from ...framing import ServerSentEvent
from ..fields import rest
from .blocks import write_block
from .errors import write_cut, write_error

#: What an ``event:`` field can hold.
_EVENT_NAME = re.compile(r"[^\r\n\0]+")
#: What has no form in this protocol.
_UNSAID = (e.ItemsDelta, e.MessageReset, e.TextReplaced)


class Encoder:
    """Block events to Anthropic's events.  One for each stream.

    ``verbatim``: the block events come from an Anthropic decoder; where one has a ``source``, that
    is sent on as it is.
    """

    def __init__(self, *, verbatim: bool = False) -> None:
        self._verbatim = verbatim

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        """The event that stands for ``event``; none for what Anthropic has no form for.

        Raises ``LocalProtocolError`` for what is no block event.
        """
        if self._verbatim and event.source is not None:
            return [event.source]
        if isinstance(event, _UNSAID):
            return []
        write = _WRITERS.get(type(event))
        if write is None:
            raise LocalProtocolError(f"{type(event).__name__} is no block event")
        if event.choice != 0:
            return []  # Anthropic gives one answer.
        data = write(event)
        return [ServerSentEvent(_event_name(data), strict_json.dumps(data))]


def _event_name(data: JSONObject) -> str:
    # An unknown event's type is a peer's text, and may be none that an `event:` field can hold.
    name = data.get("type")
    return name if isinstance(name, str) and _EVENT_NAME.fullmatch(name) else "message"


def _write_message_start(event: e.MessageStart) -> JSONObject:
    message = {
        "id": event.id,
        "type": "message",
        "role": event.role,
        "model": event.model,
        "content": [write_block(block) for block in event.blocks],
        "stop_reason": event.stop_reason,
        "stop_sequence": None,
        "usage": event.usage,
        **event.extra,
    }
    return {"type": "message_start", "message": message}


def _write_block_start(event: e.BlockStart) -> JSONObject:
    return {"type": "content_block_start", "index": event.index, "content_block": write_block(event.block)}


def _write_message_delta(event: e.MessageDelta) -> JSONObject:
    beside = {name: value for name, value in event.extra.items() if name == "context_management"}
    delta = {"stop_reason": event.stop_reason, "stop_sequence": None, **rest(event.extra, *beside)}
    return {"type": "message_delta", "delta": delta, "usage": event.usage, **beside}


def _delta(index: int, kind: str, fields: JSONObject) -> JSONObject:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def _write_unknown_delta(event: e.UnknownDelta) -> JSONObject:
    return {"type": "content_block_delta", "index": event.index, "delta": event.delta}


_WRITERS: dict[type[BlockEvent], Callable[[Any], JSONObject]] = {
    e.MessageStart: _write_message_start,
    e.BlockStart: _write_block_start,
    e.TextDelta: lambda event: _delta(event.index, "text_delta", {"text": event.text}),
    e.ThinkingDelta: lambda event: _delta(event.index, "thinking_delta", {"thinking": event.thinking}),
    e.SignatureDelta: lambda event: _delta(event.index, "signature_delta", {"signature": event.signature}),
    e.ArgumentsDelta: lambda event: _delta(event.index, "input_json_delta", {"partial_json": event.fragment}),
    e.CitationDelta: lambda event: _delta(event.index, "citations_delta", {"citation": event.citation}),
    e.FieldsDelta: lambda event: _delta(event.index, "compaction_delta", event.fields),
    e.UnknownDelta: _write_unknown_delta,
    e.BlockStop: lambda event: {"type": "content_block_stop", "index": event.index},
    e.MessageDelta: _write_message_delta,
    e.MessageStop: lambda _: {"type": "message_stop"},
    e.Ping: lambda _: {"type": "ping"},
    e.StreamError: write_error,
    e.MessageCut: write_cut,
    e.UnknownEvent: lambda event: event.data,
}
