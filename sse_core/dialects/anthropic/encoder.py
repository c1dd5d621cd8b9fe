"""Block events to Anthropic's events.

What comes in another protocol is translated first (``translation``), so that all that is written
here is Anthropic's own.

Source: https://docs.claude.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...blocks import ToolUseBlock, strict_json
from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSONObject
from ...errors import LocalProtocolError
from ...framing import ServerSentEvent
from ..base import cannot_take_back
from ..budget import Budget
from ..fields import rest
from ..portable_block import AnsweredCalls, ArgumentsText, is_translated
from .blocks import write_block
from .errors import VOCABULARY, write_error
from .translation import Translation
from .vocabulary import NAME, stop_reason

#: What an ``event:`` field can hold.
_EVENT_NAME = re.compile(r"[^\r\n\0]+")
#: What an open call costs, in bytes.
_CALL_BYTES = 100
#: What has no form in this protocol.
_UNSAID = (e.ItemsDelta, e.TextReplaced)


class Encoder:
    """Block events to Anthropic's events.  One for each stream.

    - ``verbatim``: the block events come from an Anthropic decoder; where one has a ``source``, that is sent
      on as it is, once for all that was made of it.

    A message that comes in another protocol (``MessageStart.dialect``) is put in Anthropic's terms
    and order.  ``max_held_bytes`` bounds what waits then, calls that grow beside another, and the arguments
    of open calls.
    """

    def __init__(self, *, verbatim: bool = False, max_held_bytes: int = 64 * 2**20) -> None:
        self.max_held_bytes = max_held_bytes
        self._verbatim = verbatim
        self._began = verbatim  # whose message it is, is known
        self._translation: Translation | None = None
        self._budget = Budget(max_held_bytes)
        self._last: ServerSentEvent | None = None  # that was sent on as it came
        self._is_own = verbatim  # the message goes on as its provider sent it
        self._calls: dict[int, ArgumentsText | None] = {}  # that are open, for the client to run
        self._answered = AnsweredCalls()
        self._outdated: set[int] = set()  # of these: what was said of their arguments is not what they are
        self._cut_call = False  # a call has ended that may not be reported as whole
        self._ends = False  # the stop reason has been sent
        self._late = e.MessageDelta()  # what came after it, to be sent with the message's stop

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        """The events that stand for ``event``; none for what Anthropic has no form for.

        Raises ``LocalProtocolError`` for what is no block event and for a ``MessageReset``,
        ``LimitExceeded`` beyond ``max_held_bytes``.
        """
        if self._verbatim and event.source is not None:
            is_sent, self._last = event.source is self._last, event.source
            return [] if is_sent else [event.source]
        if isinstance(event, e.MessageReset):
            raise cannot_take_back(NAME)
        if not isinstance(event, _UNSAID) and type(event) not in _WRITERS:
            raise LocalProtocolError(f"{type(event).__name__} is no block event")
        if event.choice != 0:
            return []  # Anthropic gives one answer.
        return [self._written(each) for each in self._translated(event) if not isinstance(each, _UNSAID)]

    def _translated(self, event: BlockEvent) -> list[BlockEvent]:
        if isinstance(event, e.MessageStart):
            self._began = True
            self._is_own = event.dialect == NAME
            translated = is_translated(event.dialect, NAME)
            self._translation = Translation(self.max_held_bytes) if translated else None
        elif isinstance(event, e.UnknownEvent) and not self._began:
            return []  # nobody has said whose it is
        if isinstance(event, e.StreamError):
            event = VOCABULARY.in_own_words(event, translated=self._translation is not None)
        return self._own(event) if self._translation is None else self._translation.translate(event)

    def _own(self, event: BlockEvent) -> list[BlockEvent]:
        """``event``, but there are calls that nobody may run.

        Those whose arguments are no JSON, unless Anthropic sends them so itself, or were replaced never stop;
        for them, and for calls whose result came, there is a stop reason.
        """
        self._answered.note(event)
        if isinstance(event, e.BlockStart) and isinstance(event.block, ToolUseBlock):
            if event.block.type == "tool_use" and event.index not in self._calls:
                self._budget.add(_CALL_BYTES)
                self._calls[event.index] = None if self._is_own else ArgumentsText(event.block, self._budget)
        elif isinstance(event, e.ArgumentsDelta):
            arguments = self._calls.get(event.index)
            if arguments is not None:
                arguments.append(event.text)
        elif isinstance(event, e.TextReplaced) and event.index in self._calls:
            self._outdated.add(event.index)
        elif isinstance(event, e.BlockStop) and event.index in self._calls:
            return self._own_call_stop(event)
        elif isinstance(event, e.MessageDelta):
            return self._own_facts(event)
        elif isinstance(event, e.StreamError | e.MessageCut) and self._late != e.MessageDelta():
            return [self._late, event]
        return [event]

    def _own_facts(self, event: e.MessageDelta) -> list[BlockEvent]:
        if self._ends and event.stop_reason is None:
            # Anthropic's SDKs believe the last `message_delta`: without a reason it would take it back.
            self._budget.add(len(strict_json.dumps([event.usage, event.extra])))
            self._late.usage.update(event.usage)
            self._late.extra.update(event.extra)
            return []
        self._ends = self._ends or event.stop_reason is not None
        if not (self._has_cut_call() or self._answered.seen):
            return [event]
        return [replace(event, stop_reason=stop_reason(event.stop_reason, calls=True, cut_call=True))]

    def _own_call_stop(self, event: e.BlockStop) -> list[BlockEvent]:
        arguments = self._calls.pop(event.index)
        is_whole = (arguments is None or arguments.is_whole()) and event.index not in self._outdated
        self._budget.add(-_CALL_BYTES)
        self._outdated.discard(event.index)
        self._cut_call = self._cut_call or not is_whole
        return [event] if is_whole else []

    def _written(self, event: BlockEvent) -> ServerSentEvent:
        data = _WRITERS[type(event)](event)
        if isinstance(event, e.MessageStop):
            usage = {"usage": self._late.usage} if self._late.usage else {}
            data = {**self._late.extra, **usage, **data}
        return ServerSentEvent(_event_name(data), strict_json.dumps(data))

    def _has_cut_call(self) -> bool:
        # All blocks have stopped when `message_delta` comes: a call that is open then never does.
        is_open = bool(self._calls) and not self._is_own
        return self._cut_call or bool(self._outdated) or is_open


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
    e.ThinkingDelta: lambda event: _delta(event.index, "thinking_delta", {"thinking": event.text}),
    e.SignatureDelta: lambda event: _delta(event.index, "signature_delta", {"signature": event.signature}),
    e.ArgumentsDelta: lambda event: _delta(event.index, "input_json_delta", {"partial_json": event.text}),
    e.CitationDelta: lambda event: _delta(event.index, "citations_delta", {"citation": event.citation}),
    e.FieldsDelta: lambda event: _delta(event.index, "compaction_delta", event.fields),
    e.UnknownDelta: _write_unknown_delta,
    e.BlockStop: lambda event: {"type": "content_block_stop", "index": event.index},
    e.MessageDelta: _write_message_delta,
    e.MessageStop: lambda _: {"type": "message_stop"},
    e.Ping: lambda _: {"type": "ping"},
    e.StreamError: write_error,
    e.MessageCut: VOCABULARY.cut,
    e.UnknownEvent: lambda event: event.data,
}
