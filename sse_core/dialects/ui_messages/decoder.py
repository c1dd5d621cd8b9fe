"""A UI message stream to block events.

Theory.  A stream is a row of chunks, each an object with a ``type``.  ``start`` begins the message; its
steps, each one answer of a model, are between ``start-step`` and ``finish-step``; ``finish`` says why it
ended, ``[DONE]`` that nothing more comes.  What has a start, deltas and an end is a block; everything else
that becomes a part of the message is a block that is whole at once.

``reset-step`` takes back all parts of the step, so nothing of it is whole before ``finish-step``: until
then its blocks stay open.  The exception is a call whose outcome is reported: it has been run.

Source: https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol and ``processUIMessageStream`` of the npm package
``ai``
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from ...blocks import Block, ResultBlock, TextBlock, ThinkingBlock, UnknownBlock
from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSONObject
from ...framing import ServerSentEvent
from ..budget import Budget
from ..fields import optional, parsed_object, required, rest
from ..stream_decoder import StreamDecoder
from .calls import Calls
from .chunk_types import (
    ANSWER,
    CALL,
    DATA,
    OUTPUTS,
    PARTS,
    START_STEP,
    check_fields,
    check_output,
    check_part,
)
from .errors import read_error
from .vocabulary import DONE, DROPPED, INTERRUPTED, METADATA, NAME, STEPLESS

#: What a block that can still be taken back counts for, in bytes.
_BLOCK = 100


class Decoder(StreamDecoder):
    """Chunks to block events.  One for each stream.

    ``earlier_ids`` are the ids of calls, and of questions whether they may be run, in the message that the
    stream goes on, if it goes on one.  ``max_held_bytes`` bounds what is kept between two events: which parts
    are open, which calls there are, and the text of a call's arguments until its value comes.

    An error comes out at the stream's end, since parts may end between the two.  What can't come now: a delta
    of a part or an output of a call that has not begun, a second message within the stream.
    """

    def __init__(self, *, earlier_ids: Iterable[str] = (), max_held_bytes: int = 64 * 2**20) -> None:
        super().__init__()
        self._budget = Budget(max_held_bytes)
        self._calls = Calls(self._budget, earlier_ids)
        self._id = ""
        self._started = False  # the message has begun
        self._stepped = False  # a step has begun, or a part without one
        self._finished = False  # a chunk has announced the end
        self._cut: Literal["truncated", "stopped"] | None = None  # and that end is a cut
        self._error: e.StreamError | None = None  # what ends the message, when the stream has ended
        self._next = 0  # the next block's index
        self._texts: dict[tuple[str, str], int] = {}  # kind and id -> index: what grows
        self._step: dict[int, bool] = {}  # blocks of the step: whether they are open
        self._kept = 0  # what of max_held_bytes they count for

    def receive_eof(self) -> list[BlockEvent]:
        """The stream has ended: with an error, completely if a chunk announced its end, else it was cut."""
        if self._ended:
            return []
        if self._error is not None or (self._finished and not self._broken):
            return self._end()
        self._ended = True
        return [e.MessageCut("truncated")]

    def _read(self, sse: ServerSentEvent) -> list[BlockEvent]:
        return self._receive(sse.data.strip()) or [e.Ping()]

    def _receive(self, data: str) -> list[BlockEvent]:
        if not data:
            return []
        if data.startswith(DONE):
            return self._end() if self._started or self._error is not None else []
        chunk = parsed_object(data)
        if required(chunk, "type", str) == "error":
            self._error = self._error or read_error(chunk)
            return []
        return [*self._begin(chunk), *self._chunk(chunk, chunk["type"])]

    def _chunk(self, chunk: JSONObject, kind: str) -> list[BlockEvent]:
        check_fields(chunk)
        read = _READERS.get(kind)
        if read is not None:
            return read(self, chunk)
        if kind in OUTPUTS:
            return self._output(chunk)
        if kind in PARTS or kind.startswith(DATA):
            return self._part(chunk)
        return [e.UnknownEvent(chunk)]

    def _begin(self, chunk: JSONObject) -> list[BlockEvent]:
        """The message's start, if it has not been; its id is in its first chunk, if it has one."""
        if self._started:
            return []
        self._started = True
        self._id = (optional(chunk, "messageId", str) or "") if chunk["type"] == "start" else ""
        return [e.MessageStart(self._id, "", dialect=NAME)]

    def _start(self, chunk: JSONObject) -> list[BlockEvent]:
        id_ = optional(chunk, "messageId", str)
        if id_ is not None and id_ != self._id:
            raise ValueError("a second message begins within the stream")
        return self._metadata(chunk)

    def _metadata(self, chunk: JSONObject) -> list[BlockEvent]:
        added = chunk.get(METADATA)
        return [] if added is None else [e.ItemsDelta(METADATA, [added])]

    def _start_step(self, chunk: JSONObject) -> list[BlockEvent]:
        # Every message has a first step; only a further one is worth a block.
        if self._stepped:
            return [*self._finish_step(), *self._whole(UnknownBlock(chunk))]
        self._stepped = True
        return []

    def _finish_step(self, _: JSONObject | None = None) -> list[BlockEvent]:
        """All blocks of the step are whole, but for calls whose arguments are not."""
        unfinished = self._calls.unfinished()
        events: list[BlockEvent] = [
            e.BlockStop(index) for index, is_open in self._step.items() if is_open and index not in unfinished
        ]
        self._calls.finish_step()
        self._forget_step()
        return events

    def _reset_step(self, _: JSONObject) -> list[BlockEvent]:
        """What is open loses its text and never ends; what is whole, as an outcome is, is named."""
        if not self._step:
            return []
        events: list[BlockEvent] = [e.ItemsDelta(DROPPED, list(self._step))]
        events += [e.TextReplaced(index, "") for index, is_open in self._step.items() if is_open]
        self._calls.reset_step()
        self._forget_step()
        return events

    def _forget_step(self) -> None:
        self._keep(-self._kept)
        self._step.clear()
        self._texts.clear()

    def _finish(self, chunk: JSONObject) -> list[BlockEvent]:
        reason = optional(chunk, "finishReason", str)
        self._finished = True
        if reason == INTERRUPTED:
            self._cut = "truncated"
        return [*([e.MessageDelta(reason)] if reason else []), *self._metadata(chunk)]

    def _abort(self, _: JSONObject) -> list[BlockEvent]:
        self._finished, self._cut = True, "stopped"
        return []

    def _end(self) -> list[BlockEvent]:
        self._ended = True
        if self._error is not None:
            return [self._error]
        if self._cut is not None:
            return [e.MessageCut(self._cut)]
        return [*self._finish_step(), e.MessageStop()]

    def _text_start(self, chunk: JSONObject) -> list[BlockEvent]:
        kind, _, _ = chunk["type"].partition("-")
        id_ = required(chunk, "id", str)
        extra = rest(chunk, "type")
        block: Block = TextBlock(extra=extra) if kind == "text" else ThinkingBlock(extra=extra)
        self._keep(len(id_))
        self._texts[kind, id_] = self._next
        return self._open(block)

    def _text_delta(self, chunk: JSONObject) -> list[BlockEvent]:
        kind, index = self._growing(chunk)
        text = required(chunk, "delta", str)
        delta = e.TextDelta(index, text) if kind == "text" else e.ThinkingDelta(index, text)
        return [delta, *_fields(index, rest(chunk, "type", "id", "delta"))]

    def _text_end(self, chunk: JSONObject) -> list[BlockEvent]:
        kind, index = self._growing(chunk)
        del self._texts[kind, chunk["id"]]
        cited = optional(chunk, "citations", list) or []
        if not all(isinstance(citation, dict) for citation in cited):
            raise ValueError("a citation is no object")
        fields = {**rest(chunk, "type", "id", "citations"), "state": "done"}
        citations = [e.CitationDelta(index, citation) for citation in cited] if kind == "text" else []
        return [*citations, *_fields(index, fields)]

    def _growing(self, chunk: JSONObject) -> tuple[str, int]:
        kind, _, _ = chunk["type"].partition("-")
        id_ = required(chunk, "id", str)
        index = self._texts.get((kind, id_))
        if index is None:
            raise ValueError(f"{kind} {id_!a:.100} has not begun")
        return kind, index

    def _call_start(self, chunk: JSONObject) -> list[BlockEvent]:
        return self._open(self._calls.start(chunk, self._next))

    def _call_delta(self, chunk: JSONObject) -> list[BlockEvent]:
        return self._calls.delta(chunk)

    def _call_available(self, chunk: JSONObject) -> list[BlockEvent]:
        started: list[BlockEvent] = []
        if not self._calls.knows(chunk):
            started = self._open(self._calls.start(chunk, self._next))
            chunk = {name: chunk[name] for name in ("toolCallId", "input") if name in chunk}
        events = [*started, *self._calls.available(chunk)]
        id_ = chunk["toolCallId"]
        return [*events, *self._close(id_)] if self._calls.is_running(id_) else events

    def _close(self, id_: str) -> list[BlockEvent]:
        """The end of a whole call's block, if it is to come."""
        index = self._calls.close(id_)
        if index is None:
            return []
        self._step[index] = False
        return [e.BlockStop(index)]

    def _output(self, chunk: JSONObject) -> list[BlockEvent]:
        """What became of a call: it is whole, and nobody else has to run it."""
        check_output(chunk)
        before: list[BlockEvent] = []
        id_ = chunk["toolCallId"]
        if chunk["type"] == "tool-input-error" and not self._calls.is_whole(id_):
            before = self._call_available(rest(chunk, "providerMetadata"))  # that is of the error
        else:
            self._calls.check_outcome(chunk)
        return [*before, *self._close(id_), *self._whole(ResultBlock({**chunk, CALL: id_}))]

    def _part(self, chunk: JSONObject) -> list[BlockEvent]:
        check_part(chunk)
        if chunk["type"] == ANSWER:
            self._calls.check_answer(chunk)
        return self._whole(UnknownBlock(chunk))

    def _whole(self, block: Block) -> list[BlockEvent]:
        index = self._next
        started = self._open(block)
        self._step[index] = False
        return [*started, e.BlockStop(index)]

    def _open(self, block: Block) -> list[BlockEvent]:
        index, self._next = self._next, self._next + 1
        self._keep(_BLOCK)
        self._step[index] = True
        start = e.BlockStart(index, block)
        if self._stepped:
            return [start]
        self._stepped = True
        return [e.MessageDelta(extra={STEPLESS: True}), start]

    def _keep(self, count: int) -> None:
        self._kept += count
        self._budget.add(count)


_READERS: dict[str, Callable[[Decoder, JSONObject], list[BlockEvent]]] = {
    "start": Decoder._start,
    START_STEP: Decoder._start_step,
    "finish-step": Decoder._finish_step,
    "reset-step": Decoder._reset_step,
    "finish": Decoder._finish,
    "abort": Decoder._abort,
    "message-metadata": Decoder._metadata,
    "text-start": Decoder._text_start,
    "text-delta": Decoder._text_delta,
    "text-end": Decoder._text_end,
    "reasoning-start": Decoder._text_start,
    "reasoning-delta": Decoder._text_delta,
    "reasoning-end": Decoder._text_end,
    "tool-input-start": Decoder._call_start,
    "tool-input-delta": Decoder._call_delta,
    "tool-input-available": Decoder._call_available,
}


def _fields(index: int, fields: JSONObject) -> list[BlockEvent]:
    return [e.FieldsDelta(index, fields)] if fields else []
