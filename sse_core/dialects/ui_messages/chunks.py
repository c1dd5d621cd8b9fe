"""Block events to the objects that a UI message stream is made of.

Theory.  A message is ``start``, its one step, ``finish``; the step is a row of parts.  A text is begun,
grows and ends; a call is begun, its arguments grow as text, and then are available as a value.

The browser's side runs a client's tool as soon as its arguments are available.  So they are so at the end
of the message only, and if it is one after which tools may run: nothing is run for a message that is
cut, fails, or is too long.  Calls that the provider runs itself are sent when they are whole.

Every event may come in any order; what does not fit the protocol is left out, since the browser's side
gives up on the whole stream at the first chunk that it can't place.

Source: ``processUIMessageStream`` of the npm package ``ai``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...blocks import (
    Block,
    RedactedThinkingBlock,
    ResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    UnknownBlock,
    VerbatimBlock,
    strict_json,
)
from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.stop_reasons import tools_may_run_after
from ...blocks.strict_json import JSON, JSONObject
from ..budget import Budget
from ..fields import MAX_REPEATED
from .chunk_types import OUTPUTS, START_STEP
from .errors import cut_text, write_error
from .open_parts import CallPart, TextPart, WholePart
from .origins import origin_of
from .step_calls import StepCalls
from .vocabulary import DROPPED, INTERRUPTED, METADATA, STEPLESS, finish_reason


class Chunks:
    """The chunks of one message.

    - ``began``: the message's first chunks were sent by others.
    - ``max_held_bytes``: bounds what is kept: the arguments of calls until they are sent, and which calls and
      sources there are.
    """

    def __init__(self, *, began: bool, max_held_bytes: int) -> None:
        self.ended: bool = False
        self._max_held_bytes = max_held_bytes
        self._began = began
        self._count = 0  # parts begun: the next one's id
        self._reset()

    def _reset(self) -> None:
        self._budget = Budget(self._max_held_bytes)
        self._start_sent = False
        self._origin = origin_of("", self._budget)
        self._stop_reason: str | None = None
        self._open: dict[int, TextPart | CallPart | WholePart] = {}
        self._late: list[TextPart] = []  # texts whose blocks have ended, and that may go on
        self._ids: set[str] = set()  # of open texts
        self._calls = StepCalls(self._budget)

    def write(self, event: BlockEvent) -> list[JSONObject] | None:
        """The chunks for ``event``; ``None`` for what is no block event."""
        write = _WRITERS.get(type(event))
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
        if self._start_sent:
            return []
        self._start_sent = True
        self._origin, self._stop_reason = origin_of(event.dialect, self._budget), event.stop_reason
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
        self._budget.add(_PART)
        joined = self._joined(block)
        if joined is not None:
            return self._go_on(index, joined, block)
        chunks = self._flush(block)
        if isinstance(block, TextBlock | ThinkingBlock):
            chunks += self._start_text(index, block)
        elif isinstance(block, ToolUseBlock):
            item = self._origin.item(block)
            chunks += self._start_call(index, block) if item is None else self._start_whole(index, item)
        elif isinstance(block, RedactedThinkingBlock):
            chunks += self._redacted(block)
        else:
            chunks += self._start_whole(index, block)
        self._count += 1
        return chunks

    def _joined(self, block: Block) -> TextPart | None:
        """The text that a block goes on, if it goes on one."""
        last = self._late[-1] if self._late else None
        return last if last is not None and self._origin.goes_on(last.block, block) else None

    def _go_on(self, index: int, part: TextPart, block: Any) -> list[JSONObject]:
        self._late.pop()
        self._open[index] = part
        part.join(block)
        return self._said(part, block)

    def _flush(self, before: Block) -> list[JSONObject]:
        """What could not be sent before another block begins."""
        return [*self._end_late(), *self._with_ids(self._origin.begin(before))]

    def _end_late(self) -> list[JSONObject]:
        chunks = [part.end() for part in self._late]
        self._ids.difference_update(part.id for part in self._late)
        self._late.clear()
        return chunks

    def _with_ids(self, chunks: list[JSONObject]) -> list[JSONObject]:
        """The chunks of texts that are sent at once, with an id for each text."""
        sent, id_ = [], ""
        for chunk in chunks:
            if chunk["type"] in ("text-start", "reasoning-start"):
                id_ = self._text_id()
                self._count += 1
            sent.append({**chunk, "id": id_} if chunk["type"] in _TEXT_CHUNKS else chunk)
        return sent

    def _start_text(self, index: int, block: TextBlock | ThinkingBlock) -> list[JSONObject]:
        own = block.extra.get("id") if self._origin.is_own else None
        part = TextPart(block, self._text_id(own), self._origin)
        self._open[index] = part
        self._ids.add(part.id)
        return [part.start(), *self._said(part, block)]

    def _said(self, part: TextPart, block: TextBlock | ThinkingBlock) -> list[JSONObject]:
        """The text that a block begins with, and what it cites."""
        if isinstance(block, ThinkingBlock):
            return part.delta(block.thinking)
        sources = [chunk for citation in block.citations or [] for chunk in self._origin.cited(citation)]
        return [*part.delta(block.text), *sources]

    def _text_id(self, own: JSON = None) -> str:
        id_ = own if isinstance(own, str) and len(own) <= MAX_REPEATED else str(self._count)
        while id_ in self._ids:
            self._count += 1
            id_ = str(self._count)
        return id_

    def _redacted(self, block: RedactedThinkingBlock) -> list[JSONObject]:
        metadata = self._origin.metadata(block)
        chunks: list[JSONObject] = [{"type": "reasoning-start", **metadata}, {"type": "reasoning-end"}]
        return self._with_ids(chunks) if metadata else []

    def _start_call(self, index: int, block: ToolUseBlock) -> list[JSONObject]:
        part = CallPart(block, self._calls.begin(block.id), self._origin)
        self._open[index] = part
        self._keep(part, block.raw_arguments)
        self._keep(part, strict_json.dumps(block.start_input))
        return [part.start(), *part.delta(block.raw_arguments)]

    def _start_whole(self, index: int, block: ResultBlock | UnknownBlock) -> list[JSONObject]:
        part = self._open[index] = WholePart(block)
        self._budget.add(part.kept)
        return self._place_all(part, self._origin.start(part.block))

    def _place_all(self, part: WholePart, chunks: list[JSONObject]) -> list[JSONObject]:
        """The chunks of a block that is kept verbatim, as far as the browser can place them."""
        return [placed for chunk in self._with_ids(chunks) for placed in self._place(part, chunk)]

    def _place(self, part: WholePart, chunk: JSONObject) -> list[JSONObject]:
        kind = chunk["type"]
        if kind == START_STEP:
            return [*self._finish_step(), chunk]
        if kind in _CALL_CHUNKS:
            if chunk["toolCallId"] not in part.ids:
                part.ids[chunk["toolCallId"]] = self._calls.begin(chunk["toolCallId"])
            chunk["toolCallId"] = part.ids[chunk["toolCallId"]]
            return [chunk] if kind == "tool-input-start" else self._calls.available(chunk)
        if kind in OUTPUTS:
            chunk["toolCallId"] = part.ids.get(chunk["toolCallId"], chunk["toolCallId"])
            return self._calls.outcome(chunk)
        return [chunk] if self._calls.is_answer(chunk) else []

    def _text(self, event: e.TextDelta) -> list[JSONObject]:
        part = self._open.get(event.index)
        return part.delta(event.text) if isinstance(part, TextPart) and _is_text(part) else []

    def _thinking(self, event: e.ThinkingDelta) -> list[JSONObject]:
        part = self._open.get(event.index)
        return part.delta(event.text) if isinstance(part, TextPart) and not _is_text(part) else []

    def _arguments(self, event: e.ArgumentsDelta) -> list[JSONObject]:
        part = self._open.get(event.index)
        if not isinstance(part, CallPart):
            return []
        self._keep(part, event.text)
        part.block.append(event.text)
        return part.delta(event.text)

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
        self._budget.add(len(text))
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
        self._budget.add(len(strict_json.dumps(event.citation)))
        part.block.citations = part.block.citations or []
        part.block.citations.append(event.citation)
        return self._origin.cited(event.citation)

    def _fields(self, event: e.FieldsDelta) -> list[JSONObject]:
        part = self._open.get(event.index)
        if part is None:
            return []
        self._budget.add(len(strict_json.dumps(event.fields)))
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
        self._budget.add(-part.kept)
        return self._place_all(part, self._origin.whole(part.block))

    def _stop_text(self, part: TextPart) -> list[JSONObject]:
        if self._origin.goes_on(part.block):
            self._late.append(part)
            return []
        self._ids.discard(part.id)
        return [part.end()]

    def _stop_call(self, part: CallPart) -> list[JSONObject]:
        chunk = part.end()
        if chunk["type"] == "tool-input-available":
            available = self._calls.available(chunk)
            if not available:
                return []
        self._budget.add(-part.kept)
        return [chunk, *part.outcome()]

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
            self._origin.items(event.name, event.items)
            return []
        if event.name == DROPPED:
            return self._take_back(event)
        if event.name != METADATA:
            return []
        return [*self._begin(), *({"type": "message-metadata", METADATA: item} for item in event.items)]

    def _stop(self, _: e.MessageStop) -> list[JSONObject]:
        wants_tools = self._calls.waiting
        if not tools_may_run_after(self._stop_reason):
            self._calls.drop()
        reason: JSONObject = {}
        if self._stop_reason is not None:
            reason["finishReason"] = finish_reason(self._stop_reason, wants_tools=wants_tools)
        return self._end(self._finish_step(), reason)

    def _error(self, event: e.StreamError) -> list[JSONObject]:
        return self._fail(event.message)

    def _cut(self, event: e.MessageCut) -> list[JSONObject]:
        text = cut_text(event.completeness)
        if event.completeness == "failed":
            return self._fail(text)
        if event.completeness == "stopped":
            self.ended = True
            return [*self._begin(), *self._end_late(), {"type": "abort", "reason": text}]
        self._calls.drop()
        return self._end(
            [*self._end_late(), *self._end_open(), *self._finish_step()], {"finishReason": INTERRUPTED}
        )

    def _fail(self, message: str) -> list[JSONObject]:
        return self._end([*self._end_late(), write_error(message), _FINISH_STEP], {"finishReason": "error"})

    def _end(self, chunks: list[JSONObject], reason: JSONObject) -> list[JSONObject]:
        self.ended = True
        return [*self._begin(), *chunks, {"type": "finish", **reason}]

    def _finish_step(self) -> list[JSONObject]:
        """The end of all texts, the calls that are to be run, and the end of the step."""
        texts = [*self._end_late(), *self._with_ids(self._origin.finish())]
        if not self._origin.is_own:  # whose texts say themselves that they end
            texts += self._end_open()
        self._open.clear()
        self._ids.clear()
        return [*texts, *self._calls.finish_step(), _FINISH_STEP]

    def _end_open(self) -> list[JSONObject]:
        texts = {index: part for index, part in self._open.items() if isinstance(part, TextPart)}
        self._open = {index: part for index, part in self._open.items() if index not in texts}
        return [part.end() for part in texts.values()]


_WRITERS: dict[type[BlockEvent], Callable[[Chunks, Any], list[JSONObject]]] = {
    e.MessageStart: Chunks._start,
    e.BlockStart: Chunks._block_start,
    e.TextDelta: Chunks._text,
    e.ThinkingDelta: Chunks._thinking,
    e.ArgumentsDelta: Chunks._arguments,
    e.TextReplaced: Chunks._replaced,
    e.SignatureDelta: Chunks._signature,
    e.CitationDelta: Chunks._citation,
    e.FieldsDelta: Chunks._fields,
    e.BlockStop: Chunks._block_stop,
    e.MessageDelta: Chunks._facts,
    e.ItemsDelta: Chunks._items,
    e.MessageReset: Chunks._take_back,
    e.MessageStop: Chunks._stop,
    e.StreamError: Chunks._error,
    e.MessageCut: Chunks._cut,
}


#: What a part that was begun counts for, in bytes.
_PART = 100
_FINISH_STEP: JSONObject = {"type": "finish-step"}
_TEXT_CHUNKS = frozenset(
    f"{kind}-{what}" for kind in ("text", "reasoning") for what in ("start", "delta", "end")
)
_CALL_CHUNKS = frozenset({"tool-input-start", "tool-input-available"})
#: What has no form in this protocol.
_UNSAID = (e.UnknownDelta, e.UnknownEvent, e.Ping)


def _is_text(part: TextPart) -> bool:
    return isinstance(part.block, TextBlock)
