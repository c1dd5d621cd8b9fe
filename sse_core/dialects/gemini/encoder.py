"""Block events to Gemini's streamed responses.

Each event is a whole response with what is new: a part of text for each delta, a call when it is whole,
the finish reasons and the usage at the end.  A part that says more than its text waits for its end,
since what it says is for all of the text.

What Gemini has no form for is left out: redacted thinking, tools that another provider ran itself, citations,
signatures and extra fields of other protocols.

Source: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...blocks import Block, TextBlock, ThinkingBlock, ToolUseBlock, strict_json
from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSONObject
from ...errors import LocalProtocolError
from ...framing import ServerSentEvent
from ..base import OUR_ENDS, cannot_take_back
from ..budget import Budget
from ..fields import repeatable
from ..portable_block import AnsweredCalls, is_translated, portable_event
from .errors import VOCABULARY, write_error
from .parts import extra_of, part_of, whole_args
from .response import is_blocked, placed, unsigned
from .vocabulary import NAME, finish_reason, usage

_Growing = TextBlock | ThinkingBlock | ToolUseBlock
#: What an open block costs beside its text, in bytes.
_BLOCK_BYTES = 200


class _Answer:
    """What is known of one candidate while it is written."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._waiting: dict[int, _Growing] = {}  # calls, and texts with more than themselves, until their end
        self._kinds: dict[int, type[Block]] = {}  # open blocks whose text goes out as it comes
        self._sizes: dict[int, int] = {}
        self._calls = False  # one has come that the client runs
        self._broken = False  # a call has come that can't be sent
        self.answered = AnsweredCalls()

    def finish_reason(self, stop_reason: str | None) -> str:
        """Why the candidate ended."""
        waiting = any(isinstance(block, ToolUseBlock) for block in self._waiting.values())
        return finish_reason(
            stop_reason, calls=self._calls, cut_call=waiting or self._broken or self.answered.seen
        )

    def block_start(self, event: e.BlockStart) -> list[JSONObject]:
        return self.begin(event.index, event.block)

    def begin(self, index: int, block: Block) -> list[JSONObject]:
        """The parts that a block begins with."""
        if isinstance(block, ToolUseBlock):
            return self._begin_call(index, block)
        if not isinstance(block, TextBlock | ThinkingBlock):
            part = part_of(block)
            return [] if part is None else [part]
        if extra_of(block):
            return self._wait(index, block)
        self._count(index, "")
        self._kinds[index] = type(block)
        return self._grow(index, block.text if isinstance(block, TextBlock) else block.thinking)

    def _begin_call(self, index: int, block: ToolUseBlock) -> list[JSONObject]:
        # The client would run it: what the provider runs itself is not sent.
        if block.type != "tool_use":
            return []
        self._calls = True
        return self._wait(index, block)

    def _wait(self, index: int, block: _Growing) -> list[JSONObject]:
        self._waiting[index] = block.copy()
        self._count(index, strict_json.dumps(block.values()))
        return []

    def text(self, event: e.TextDelta) -> list[JSONObject]:
        return self._grow(event.index, event.text)

    def thinking(self, event: e.ThinkingDelta) -> list[JSONObject]:
        return self._grow(event.index, event.text)

    def arguments(self, event: e.ArgumentsDelta) -> list[JSONObject]:
        return self._grow(event.index, event.text)

    def _grow(self, index: int, text: str) -> list[JSONObject]:
        block = self._waiting.get(index)
        if block is not None:
            self._count(index, text)
            block.append(text)
        return [self._text(index, text)] if index in self._kinds and text else []

    def _text(self, index: int, text: str) -> JSONObject:
        """A part of an open text."""
        return {"text": text, "thought": True} if self._kinds[index] is ThinkingBlock else {"text": text}

    def replaced(self, event: e.TextReplaced) -> list[JSONObject]:
        block = self._waiting.get(event.index)
        # What has been sent can't be taken back; what waits has not been.
        if block is not None:
            self._count(event.index, event.text)
            block.replace(event.text)
        return []

    def signature(self, event: e.SignatureDelta) -> list[JSONObject]:
        return self._add(event.index, {"thoughtSignature": event.signature})

    def fields(self, event: e.FieldsDelta) -> list[JSONObject]:
        return self._add(event.index, event.fields)

    def _add(self, index: int, fields: JSONObject) -> list[JSONObject]:
        """Fields of an open block that come late."""
        block = self._waiting.get(index)
        if block is not None:
            self._count(index, strict_json.dumps(fields))
            block.extra.update(fields)
        return [{**self._text(index, ""), **fields}] if index in self._kinds else []

    def block_stop(self, event: e.BlockStop) -> list[JSONObject]:
        return self.end(event.index)

    def end(self, index: int) -> list[JSONObject]:
        """The part that a block is which waited for its end."""
        self._budget.add(-self._sizes.pop(index, 0))
        self._kinds.pop(index, None)
        block = self._waiting.pop(index, None)
        if isinstance(block, ToolUseBlock) and not _finish(block):
            self._broken = True
            return []
        part = None if block is None else part_of(block)
        return [] if part is None else [part]

    def rest(self) -> list[JSONObject]:
        """What is left at the end of the message: texts whose blocks have not stopped."""
        left = [index for index, block in self._waiting.items() if not isinstance(block, ToolUseBlock)]
        return [part for index in left for part in self.end(index)]

    def _count(self, index: int, text: str) -> None:
        size = len(text.encode("utf-8", "surrogatepass"))
        size += 0 if index in self._sizes else _BLOCK_BYTES
        self._budget.add(size)
        self._sizes[index] = self._sizes.get(index, 0) + size


def _finish(tool: ToolUseBlock) -> bool:
    """Let a call be whole; false where its arguments are none that Gemini has a form for."""
    raw = tool.raw_arguments
    try:
        parsed = tool.start_input if strict_json.is_blank(raw) else strict_json.loads(raw)
    except ValueError:
        parsed = None
    tool.arguments = raw if tool.input_encoding == "text" else parsed
    tool.state = "complete"
    return whole_args(tool) is not None


_WRITERS: dict[type[BlockEvent], Callable[[_Answer, Any], list[JSONObject]]] = {
    e.BlockStart: _Answer.block_start,
    e.TextDelta: _Answer.text,
    e.ThinkingDelta: _Answer.thinking,
    e.ArgumentsDelta: _Answer.arguments,
    e.SignatureDelta: _Answer.signature,
    e.FieldsDelta: _Answer.fields,
    e.TextReplaced: _Answer.replaced,
    e.BlockStop: _Answer.block_stop,
}
#: What has no form in a response.
_UNSAID = (e.CitationDelta, e.UnknownDelta, e.UnknownEvent, e.Ping)


class Encoder:
    """Block events to responses.  One for each stream.

    - ``verbatim``: the block events come from a decoder of this dialect; where one has a ``source``, that is
      sent on as it is, and what else was made of it is not sent again.
    - ``max_held_bytes``: bounds what waits for its block's end.
    """

    def __init__(self, *, verbatim: bool = False, max_held_bytes: int = 64 * 2**20) -> None:
        self._verbatim = verbatim
        self._budget = Budget(max_held_bytes)
        self._named: JSONObject = {"modelVersion": "", "responseId": ""}
        self._is_translated = False
        self._answers: dict[int, _Answer] = {}
        self._reasons: dict[int, str] = {}
        self._feedback: JSONObject = {}
        self._usage: JSONObject = {}

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        """The events that stand for ``event``; none for what Gemini has no form for.

        Raises ``LocalProtocolError`` for what is no block event and for a ``MessageReset``,
        ``LimitExceeded`` beyond ``max_held_bytes``.
        """
        if not isinstance(event, BlockEvent):
            raise LocalProtocolError(f"{type(event).__name__} is no block event")
        if self._verbatim and event.source is not None:
            return [event.source]
        if isinstance(event, e.MessageReset):
            raise cannot_take_back(NAME)
        if self._verbatim and not isinstance(event, OUR_ENDS):
            return []
        return [ServerSentEvent("message", strict_json.dumps(data)) for data in self._write(event)]

    def _write(self, event: BlockEvent) -> list[JSONObject]:
        if isinstance(event, e.MessageStart) and event.choice == 0:
            self._is_translated = is_translated(event.dialect, NAME)
        if isinstance(event, e.BlockStart) or (isinstance(event, e.MessageStart) and event.blocks):
            self._answer(event.choice).answered.note(event)
        portable = self._translated(event) if self._is_translated else event
        return [] if portable is None else self._write_own(portable)

    def _translated(self, event: BlockEvent) -> BlockEvent | None:
        """An event of another protocol with what Gemini has a form for."""
        if isinstance(event, e.SignatureDelta):
            return None
        plain = portable_event(event)
        if isinstance(plain, e.MessageStart):
            plain.blocks = [unsigned(block) for block in plain.blocks]
        elif isinstance(plain, e.BlockStart):
            plain.block = unsigned(plain.block)
        return plain

    def _write_own(self, event: BlockEvent) -> list[JSONObject]:
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            return handler(self, event)
        write = _WRITERS.get(type(event))
        if write is not None:
            return self._parts(event.choice, write(self._answer(event.choice), event))
        if isinstance(event, _UNSAID):
            return []
        raise LocalProtocolError(f"{type(event).__name__} is no block event")

    def _start(self, event: e.MessageStart) -> list[JSONObject]:
        if event.choice == 0:
            self._named = {"modelVersion": event.model, "responseId": event.id}
        sent = self._facts(e.MessageDelta(event.stop_reason, event.usage, event.extra, choice=event.choice))
        for index, block in enumerate(event.blocks):
            answer = self._answer(event.choice)
            sent += self._parts(event.choice, [*answer.begin(index, block), *answer.end(index)])
        return sent

    def _facts(self, event: e.MessageDelta) -> list[JSONObject]:
        if event.stop_reason is not None:
            self._reasons[event.choice] = event.stop_reason
        for name, value in event.usage.items():
            self._usage[name] = self._usage.get(name) if value is None else value
        return self._beside(event.choice, event.extra)

    def _items(self, event: e.ItemsDelta) -> list[JSONObject]:
        return self._beside(event.choice, {event.name: event.items})

    def _beside(self, choice: int, extra: JSONObject) -> list[JSONObject]:
        """Extra fields."""
        if not extra:
            return []
        top, fields, content = placed(extra)
        self._feedback.update({name: top[name] for name in ("promptFeedback",) if name in top})
        if not fields and not content:
            return [self._response([], top)]
        self._answer(choice)
        inner = {**fields, "content": {"parts": [], "role": "model", **content}, "index": choice}
        return [self._response([inner], top)]

    def _parts(self, choice: int, parts: list[JSONObject]) -> list[JSONObject]:
        """A response for each part."""
        return [
            self._response([{"content": {"parts": [part], "role": "model"}, "index": choice}])
            for part in parts
        ]

    def _stop(self, _: e.MessageStop) -> list[JSONObject]:
        indexes = self._answers.keys() | self._reasons.keys() or {0}
        # A prompt that was blocked has no candidate.
        if 0 not in self._answers and is_blocked(self._reasons.get(0), self._feedback):
            indexes -= {0}
        candidates: list[JSONObject] = []
        for index in sorted(indexes):
            reason = self._answer(index).finish_reason(self._reasons.get(index))
            content = {"parts": [{"text": ""}], "role": "model"}
            candidates.append({"content": content, "finishReason": reason, "index": index})
        figures = self._figures()
        ends = [self._response(candidates, figures)] if candidates or figures else []
        return [*self._rest(), *ends]

    def _error(self, event: e.StreamError) -> list[JSONObject]:
        return [
            *self._facts_of_cut(),
            write_error(VOCABULARY.in_own_words(event, translated=self._is_translated)),
        ]

    def _cut(self, event: e.MessageCut) -> list[JSONObject]:
        return [*self._facts_of_cut(), VOCABULARY.cut(event)]

    def _facts_of_cut(self) -> list[JSONObject]:
        """What is known of a message that does not come to its end, though none of it may have been said."""
        figures = self._figures()
        facts = [self._response([], figures)] if figures or any(self._named.values()) else []
        return [*self._rest(), *facts]

    def _rest(self) -> list[JSONObject]:
        answers = sorted(self._answers.items())
        return [response for index, answer in answers for response in self._parts(index, answer.rest())]

    def _figures(self) -> JSONObject:
        return {"usageMetadata": usage(self._usage)} if self._usage else {}

    def _answer(self, choice: int) -> _Answer:
        if choice not in self._answers:
            self._answers[choice] = _Answer(self._budget)
        return self._answers[choice]

    def _response(self, candidates: list[JSONObject], top: JSONObject | None = None) -> JSONObject:
        body: JSONObject = {"candidates": candidates} if candidates else {}
        named, self._named = self._named, repeatable(self._named)
        return {**body, **named, **(top or {})}


_HANDLERS: dict[type[BlockEvent], Callable[[Encoder, Any], list[JSONObject]]] = {
    e.MessageStart: Encoder._start,
    e.MessageDelta: Encoder._facts,
    e.ItemsDelta: Encoder._items,
    e.MessageStop: Encoder._stop,
    e.StreamError: Encoder._error,
    e.MessageCut: Encoder._cut,
}
