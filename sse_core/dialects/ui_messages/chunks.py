"""Block events to the objects that a UI message stream is made of.

Theory.  A message is ``start``, its one step, ``finish``; the step is a row of parts.  A text is begun,
grows and ends; a call is begun, its arguments grow as text, and then are available as a value.

The browser's side runs a client's tool as soon as its arguments are available.  So they are so at the end
of the message only, and if it is one after which tools may run: nothing is run for a message that is
cut, fails, or is too long.  Calls that the provider runs itself are told of when they are whole.

Every event may come in any order; what does not fit the protocol is left out, since the browser's side
gives up on the whole stream at the first chunk that it can't place.

Source: ``processUIMessageStream`` of the npm package ``ai``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ...blocks import events as e
from ...blocks import strict_json
from ...blocks.events import BlockEvent
from ...blocks.model import (
    Block,
    RedactedThinkingBlock,
    ResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    UnknownBlock,
    VerbatimBlock,
    tools_may_run_after,
)
from ...blocks.strict_json import JSON, JSONObject
from ..held import Held
from .chunk_types import ANSWER, START_STEP, is_part
from .errors import cut_text, write_error
from .open_parts import CallPart, TextPart, WholePart
from .origin import Origin, reasoning_item
from .results import Results, output_of_call, read_file
from .sources import Sources
from .words import DROPPED, INTERRUPTED, METADATA, STEPLESS, finish_reason


class Chunks:
    """The chunks of one message.

    ``began``: the message's first chunks were sent by others.  ``max_held_bytes`` bounds what is kept: the
    arguments of calls until they are told, and which calls and sources there are.
    """

    def __init__(self, *, began: bool, max_held_bytes: int) -> None:
        self.ended = False
        self._max_held_bytes = max_held_bytes
        self._began = began
        self._count = 0  # parts begun: the next one's id
        self._reset()

    def _reset(self) -> None:
        self._held = Held(self._max_held_bytes)
        self._told_start = False
        self._origin = Origin("", self._held)
        self._results = Results()
        self._stop_reason: str | None = None
        self._open: dict[int, TextPart | CallPart | WholePart] = {}
        self._late: list[TextPart] = []  # of which something is still to come
        self._ids: set[str] = set()  # of open texts
        self._calls: set[str] = set()
        self._calls_of_step: set[str] = set()
        self._approvals: set[str] = set()
        self._sources = Sources(self._held)
        self._waiting: dict[str, JSONObject] = {}  # whole calls for the client, to be told of at the end

    def write(self, event: BlockEvent) -> list[JSONObject] | None:
        """The chunks for ``event``; ``None`` for what is no block event."""
        write = self._WRITERS.get(type(event))
        if write is None:
            return [] if isinstance(event, _UNSAID) else None
        return [] if self.ended or event.choice != 0 else write(self, event)

    def _begin(self, id_: str = "", *, step: bool = True) -> list[JSONObject]:
        if self._began:
            return []
        self._began = True
        start = {"type": "start", **({"messageId": id_} if id_ else {})}
        return [start, {"type": START_STEP}] if step else [start]

    def _start(self, event: e.MessageStart) -> list[JSONObject]:
        if self._told_start:
            return []
        self._told_start = True
        self._origin, self._stop_reason = Origin(event.dialect, self._held), event.stop_reason
        self._origin.note(event.extra)
        chunks = self._begin(event.id, step=not (self._origin.is_own and STEPLESS in event.extra))
        for index, block in enumerate(event.blocks):
            chunks += [*self._start_block(index, block), *self._stop_block(index)]
        return chunks

    def _block_start(self, event: e.BlockStart) -> list[JSONObject]:
        return [*self._begin(), *self._start_block(event.index, event.block)]

    def _start_block(self, index: int, block: Block) -> list[JSONObject]:
        if index in self._open:
            return []
        self._held.add(_PART)
        self._origin.begin(block)
        chunks = self._flush(block)
        if isinstance(block, TextBlock | ThinkingBlock):
            chunks += self._start_text(index, block)
        elif isinstance(block, ToolUseBlock):
            chunks += self._start_call(index, block)
        elif isinstance(block, RedactedThinkingBlock):
            chunks += self._redacted(block)
        else:
            part = self._open[index] = WholePart(block)
            self._held.add(part.kept)
        self._count += 1
        return chunks

    def _flush(self, before: Block | None = None) -> list[JSONObject]:
        """What could not be told before: another block begins, or the step ends."""
        chunks = [part.end() for part in self._late]
        self._ids.difference_update(part.id for part in self._late)
        self._late.clear()
        for item in self._origin.silent_reasoning(before):
            part = TextPart(ThinkingBlock(), self._text_id(), self._origin)
            self._count += 1
            chunks += [{**part.start(), **reasoning_item(item)}, part.end()]
        return chunks

    def _start_text(self, index: int, block: TextBlock | ThinkingBlock) -> list[JSONObject]:
        own = block.extra.get("id") if self._origin.is_own else None
        part = TextPart(block, self._text_id(own), self._origin)
        self._open[index] = part
        self._ids.add(part.id)
        text, cited = (
            (block.text, block.citations) if isinstance(block, TextBlock) else (block.thinking, None)
        )
        sources = [source for citation in cited or [] for source in self._cite(citation)]
        return [part.start(), *part.delta(text), *sources]

    def _text_id(self, own: JSON = None) -> str:
        id_ = own if isinstance(own, str) else str(self._count)
        while id_ in self._ids:
            self._count += 1
            id_ = str(self._count)
        return id_

    def _redacted(self, block: RedactedThinkingBlock) -> list[JSONObject]:
        metadata = self._origin.metadata(block)
        part = TextPart(ThinkingBlock(), self._text_id(), self._origin)
        return [{**part.start(), **metadata}, part.end()] if metadata else []

    def _start_call(self, index: int, block: ToolUseBlock) -> list[JSONObject]:
        part = CallPart(block, self._call_id(block.id), self._origin)
        self._open[index] = part
        self._calls.add(part.id)
        self._calls_of_step.add(part.id)
        self._held.add(len(part.id))
        self._keep(part, block.raw_arguments)
        self._keep(part, strict_json.dumps(block.start_input))
        return [part.start(), *part.delta(block.raw_arguments)]

    def _call_id(self, id_: str) -> str:
        """The call's id; another one, where that is none or another call's of the step."""
        unique = id_
        while not unique or unique in self._calls_of_step:
            self._count += 1
            unique = f"{id_ or 'call'}-{self._count}"
        return unique

    def _result(self, block: ResultBlock) -> list[JSONObject]:
        told = [
            chunk for read in self._results.read(block.data, self._origin.dialect) for chunk in self._of(read)
        ]
        content = block.data.get("content")
        found = content if told and isinstance(content, list) else []
        return [*told, *(source for item in found for source in self._sources.new(item))]

    def _of(self, chunk: JSONObject) -> list[JSONObject]:
        """A chunk of a provider's call or result, if its call is known."""
        id_ = chunk["toolCallId"]
        if chunk["type"] == "tool-input-available":
            self._calls.add(id_)
            self._held.add(len(id_))
            return [chunk]
        if id_ not in self._calls:
            # The result of a call without an id may be any call's whose id was made up: so none is run.
            if not id_:
                self._waiting.clear()
            return []
        if chunk["type"] == "tool-approval-request":
            self._approvals.add(chunk["approvalId"])
        waiting = self._waiting.pop(id_, None)
        # A call that has failed must not look as if it were to be run.
        return [waiting, chunk] if waiting and chunk["type"] != "tool-input-error" else [chunk]

    def _unknown(self, block: UnknownBlock) -> list[JSONObject]:
        if self._origin.dialect == "gemini":
            return read_file(block.data)
        if not self._origin.is_own or not is_part(block.data):
            return []
        if block.data["type"] == START_STEP:
            self._calls_of_step.clear()
            return [*self._finish_step(), dict(block.data)]
        if block.data["type"] == ANSWER and block.data["approvalId"] not in self._approvals:
            return []
        return [dict(block.data)]

    def _text(self, event: e.TextDelta) -> list[JSONObject]:
        part = self._open.get(event.index)
        return part.delta(event.text) if isinstance(part, TextPart) and _is_text(part) else []

    def _thinking(self, event: e.ThinkingDelta) -> list[JSONObject]:
        part = self._open.get(event.index)
        return part.delta(event.thinking) if isinstance(part, TextPart) and not _is_text(part) else []

    def _arguments(self, event: e.ArgumentsDelta) -> list[JSONObject]:
        part = self._open.get(event.index)
        if not isinstance(part, CallPart):
            return []
        self._keep(part, event.fragment)
        part.block.append(event.fragment)
        return part.delta(event.fragment)

    def _replaced(self, event: e.TextReplaced) -> list[JSONObject]:
        """What was said can't be taken back; where nothing was, this is all of it."""
        part = self._open.get(event.index)
        if part is None or isinstance(part, WholePart):
            return []
        if isinstance(part, CallPart):
            self._keep(part, event.text)
            part.block.replace(event.text)
        return [] if part.said else part.delta(event.text)

    def _keep(self, part: CallPart, text: str) -> None:
        self._held.add(len(text))
        part.kept += len(text)

    def _signature(self, event: e.SignatureDelta) -> list[JSONObject]:
        part = self._open.get(event.index)
        if isinstance(part, TextPart) and isinstance(part.block, ThinkingBlock):
            part.block.signature = event.signature
        return []

    def _citation(self, event: e.CitationDelta) -> list[JSONObject]:
        part = self._open.get(event.index)
        if not isinstance(part, TextPart) or not isinstance(part.block, TextBlock):
            return []
        self._held.add(len(strict_json.dumps(event.citation)))
        part.block.citations = part.block.citations or []
        part.block.citations.append(event.citation)
        return self._cite(event.citation)

    def _cite(self, citation: JSONObject) -> list[JSONObject]:
        # In a message of this protocol, its sources are parts of their own.
        return [] if self._origin.is_own else self._sources.new(citation)

    def _fields(self, event: e.FieldsDelta) -> list[JSONObject]:
        part = self._open.get(event.index)
        if part is None:
            return []
        self._held.add(len(strict_json.dumps(event.fields)))
        block = part.block
        fields = block.data if isinstance(block, VerbatimBlock) else block.extra
        fields.update(event.fields)
        # A text of this protocol has an end of its own, long before it can't be taken back any more.
        ends = isinstance(part, TextPart) and self._origin.is_own and event.fields.get("state") == "done"
        return self._stop_block(event.index) if ends else []

    def _block_stop(self, event: e.BlockStop) -> list[JSONObject]:
        return self._stop_block(event.index)

    def _stop_block(self, index: int) -> list[JSONObject]:
        part = self._open.pop(index, None)
        if part is None:
            return []
        if isinstance(part, TextPart):
            return self._stop_text(part)
        if isinstance(part, CallPart):
            return self._stop_call(part)
        self._held.add(-part.kept)
        return self._WHOLE[type(part.block)](self, part.block)

    def _stop_text(self, part: TextPart) -> list[JSONObject]:
        if self._origin.ends_late and not _is_text(part):
            self._late.append(part)
            return []
        self._ids.discard(part.id)
        return [part.end()]

    def _stop_call(self, part: CallPart) -> list[JSONObject]:
        chunk = part.end()
        if part.for_client and chunk["type"] == "tool-input-available":
            self._waiting[part.id] = chunk
            return []
        self._held.add(-part.kept)
        return [chunk, *output_of_call(part.id, part.item)]

    def _take_back(self, _: e.MessageReset | e.ItemsDelta) -> list[JSONObject]:
        """The chunk after which the browser's side has forgotten all parts of the step."""
        if not self._began:
            return []
        self._reset()
        return [{"type": "reset-step"}]

    def _facts(self, event: e.MessageDelta) -> list[JSONObject]:
        self._stop_reason = event.stop_reason or self._stop_reason
        self._origin.note(event.extra)
        return []

    def _items(self, event: e.ItemsDelta) -> list[JSONObject]:
        if not self._origin.is_own:
            return []
        if event.name == DROPPED:
            return self._take_back(event)
        if event.name != METADATA:
            return []
        return [*self._begin(), *({"type": "message-metadata", METADATA: item} for item in event.items)]

    def _stop(self, _: e.MessageStop) -> list[JSONObject]:
        wants_tools = bool(self._waiting)
        if not tools_may_run_after(self._stop_reason):
            self._waiting.clear()
        reason: JSONObject = {}
        if self._stop_reason is not None:
            reason["finishReason"] = finish_reason(self._stop_reason, wants_tools=wants_tools)
        return self._end(self._finish_step(), reason)

    def _error(self, event: e.StreamError) -> list[JSONObject]:
        return self._end([write_error(event.message), _FINISH_STEP], {"finishReason": "error"})

    def _cut(self, event: e.MessageCut) -> list[JSONObject]:
        text = cut_text(event.completeness)
        if event.completeness == "failed":
            return self._end([write_error(text), _FINISH_STEP], {"finishReason": "error"})
        if event.completeness == "stopped":
            self.ended = True
            return [*self._begin(), {"type": "abort", "reason": text}]
        self._waiting.clear()
        return self._end(self._finish_step(), {"finishReason": INTERRUPTED})

    def _end(self, chunks: list[JSONObject], reason: JSONObject) -> list[JSONObject]:
        self.ended = True
        return [*self._begin(), *chunks, {"type": "finish", **reason}]

    def _finish_step(self) -> list[JSONObject]:
        """The end of all texts, the calls that are to be run, and the end of the step."""
        texts = self._flush()
        texts += [part.end() for part in self._open.values() if isinstance(part, TextPart)]
        calls = list(self._waiting.values())
        self._open.clear()
        self._ids.clear()
        self._waiting.clear()
        return [*texts, *calls, _FINISH_STEP]

    _WRITERS: ClassVar[dict[type[BlockEvent], Callable[[Chunks, Any], list[JSONObject]]]] = {
        e.MessageStart: _start,
        e.BlockStart: _block_start,
        e.TextDelta: _text,
        e.ThinkingDelta: _thinking,
        e.ArgumentsDelta: _arguments,
        e.TextReplaced: _replaced,
        e.SignatureDelta: _signature,
        e.CitationDelta: _citation,
        e.FieldsDelta: _fields,
        e.BlockStop: _block_stop,
        e.MessageDelta: _facts,
        e.ItemsDelta: _items,
        e.MessageReset: _take_back,
        e.MessageStop: _stop,
        e.StreamError: _error,
        e.MessageCut: _cut,
    }
    _WHOLE: ClassVar[dict[type[Block], Callable[[Chunks, Any], list[JSONObject]]]] = {
        ResultBlock: _result,
        UnknownBlock: _unknown,
    }


#: What a part that was begun counts for, in bytes.
_PART = 100
_FINISH_STEP: JSONObject = {"type": "finish-step"}
#: What has no form in this protocol.
_UNSAID = (e.UnknownDelta, e.UnknownEvent, e.Ping)


def _is_text(part: TextPart) -> bool:
    return isinstance(part.block, TextBlock)
