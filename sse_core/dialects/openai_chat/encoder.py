"""Block events to OpenAI's chat completion chunks.

A chunk says nothing of where a block begins or ends, so much of what other protocols say has no form
here: signatures, redacted thinking, tools that the provider ran itself and their results.  They are
left out.  Thinking goes out as ``reasoning_content``, the name that most hosts use.  Of a message that
comes in another protocol, what is in that protocol's own words is left out too (``translated``), but for the
stop reason: it stands as ``native_finish_reason`` beside ours, where OpenRouter has it.

Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...blocks import Block, TextBlock, ThinkingBlock, ToolUseBlock, strict_json
from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSON, JSONObject
from ...errors import LocalProtocolError
from ...framing import ServerSentEvent
from ..base import OUR_ENDS, cannot_take_back
from ..budget import Budget
from ..fields import repeatable, rest
from ..openai_errors import VOCABULARY, write_error
from ..portable_block import AnsweredCalls, ArgumentsText, is_translated, portable_event
from .choice import AUDIO, CHOICE, LOGPROBS, MESSAGE
from .reasoning import DETAILS, REASONING
from .vocabulary import NAME, finish_reason, native_reason, usage

#: How a thinking block names a field -> its name in a delta.
_NAMES = {field: name for name, field in REASONING.items()}


class _Tool:
    """A call that is written: its place among the calls, and whether any arguments were."""

    __slots__ = ("arguments", "block", "index", "outdated", "said")

    def __init__(self, block: ToolUseBlock, index: int, arguments: ArgumentsText | None) -> None:
        self.block = block
        self.arguments = arguments  # None where the provider itself says whether they are whole
        self.index = index
        self.said = False
        self.outdated = False  # what was said of its arguments is not what they are

    def begin(self) -> JSONObject:
        """The call begins."""
        extra = _beside(self.block.extra)
        kind = "custom" if self._takes_text else "function"
        return self.delta({"type": kind, **extra, "id": self.block.id, **self._body(name=self.block.name)})

    def more(self, arguments: str) -> JSONObject:
        """More of its arguments."""
        return self.delta(self._body(arguments))

    def end(self) -> list[JSONObject]:
        """The call is whole: what it has not said yet."""
        arguments = self.block.raw_arguments
        if not self._takes_text:
            arguments = arguments or strict_json.dumps(self.block.start_input)
        return [] if self.said or not arguments else [self.more(arguments)]

    def delta(self, fields: JSONObject) -> JSONObject:
        """Fields of the call."""
        if self.block.extra.get("type") == "function_call":
            return {"function_call": fields["function"]} if "function" in fields else {}
        return {"tool_calls": [{"index": self.index, **fields}]}

    @property
    def _takes_text(self) -> bool:
        return self.block.input_encoding == "text"

    def _body(self, arguments: str = "", **named: str) -> JSONObject:
        if self._takes_text:
            return {"custom": {**named, "input": arguments}}
        return {"function": {**named, "arguments": arguments}}


class _Answer:
    """What is known of one choice while it is written.  ``dialect`` is what its message came in."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.dialect = ""
        self.stop_reason: str | None = None
        self._names: dict[int, str] = {}  # open blocks of text and thinking: the field they are written to
        self._tools: dict[int, _Tool] = {}  # calls that are not whole yet
        self._calls = 0
        self._annotations = 0
        self._said: JSONObject = {}  # fields that have no name here, as they were sent last
        self.answered = AnsweredCalls()

    def news(self, message: JSONObject) -> JSONObject:
        """What is new in fields of the message that are sent as a whole: a reader adds it to what it has."""
        new = {name: _news(self._said.get(name), value) for name, value in message.items()}
        self._said.update(message)
        return {name: value for name, value in new.items() if value is not None or message[name] is None}

    def end(self) -> JSONObject:
        """Why the choice ended, as fields of it; none where nobody has said.

        A call that is not whole may not look so.
        """
        reason, cut_call = self.stop_reason, bool(self._tools) or self.answered.seen
        if self.dialect != NAME or cut_call:
            reason = finish_reason(reason, calls=self._calls > 0, cut_call=cut_call)
        native = (
            native_reason(self.stop_reason, cut_call=cut_call) if is_translated(self.dialect, NAME) else None
        )
        words = {"finish_reason": reason, "native_finish_reason": native}
        return {name: word for name, word in words.items() if word is not None}

    def start(self, event: e.MessageStart) -> list[JSONObject]:
        self.dialect, self.stop_reason = event.dialect, event.stop_reason
        deltas: list[JSONObject] = [{"role": event.role, "content": None}]
        for index, block in enumerate(event.blocks):
            deltas += [*self._begin(index, block), *self._end(index)]
        return deltas

    def block_start(self, event: e.BlockStart) -> list[JSONObject]:
        return self._begin(event.index, event.block)

    def _begin(self, index: int, block: Block) -> list[JSONObject]:
        if isinstance(block, ToolUseBlock):
            return self._begin_tool(index, block)
        if isinstance(block, TextBlock):
            self._names[index] = "refusal" if block.extra.get("field") == "refusal" else "content"
            return [*self._say(index, block.text), *self._cite(block.citations or [])]
        if isinstance(block, ThinkingBlock):
            field = block.extra.get("field")
            # Where the text came in the details, it goes out with them.
            if field != DETAILS:
                self._names[index] = _NAMES.get(str(field)) or next(iter(REASONING))
            return self._say(index, block.thinking)
        return []

    def _begin_tool(self, index: int, block: ToolUseBlock) -> list[JSONObject]:
        # The client would run it: what the provider runs itself is not sent.
        if block.type != "tool_use":
            return []
        arguments = None if self.dialect == NAME else ArgumentsText(block, self._budget)
        tool = self._tools[index] = _Tool(block, self._calls, arguments)
        self._calls += 1
        return [tool.begin()]

    def text(self, event: e.TextDelta) -> list[JSONObject]:
        return self._say(event.index, event.text)

    def thinking(self, event: e.ThinkingDelta) -> list[JSONObject]:
        return self._say(event.index, event.text)

    def _say(self, index: int, text: str) -> list[JSONObject]:
        name = self._names.get(index)
        return [{name: text}] if name is not None and text else []

    def arguments(self, event: e.ArgumentsDelta) -> list[JSONObject]:
        tool = self._tools.get(event.index)
        if tool is None or not event.text:
            return []
        if tool.arguments is not None:
            tool.arguments.append(event.text)
        tool.said = tool.said or not strict_json.is_blank(event.text)
        return [tool.more(event.text)]

    def replaced(self, event: e.TextReplaced) -> list[JSONObject]:
        # What was said can't be taken back: so the call is never whole, and nobody runs it.
        tool = self._tools.get(event.index)
        if tool is not None:
            tool.outdated = True
        return []

    def citation(self, event: e.CitationDelta) -> list[JSONObject]:
        return self._cite([event.citation])

    def _cite(self, citations: list[JSONObject]) -> list[JSONObject]:
        # The official SDK raises on an item of a list that has no index.
        first, self._annotations = self._annotations, self._annotations + len(citations)
        numbered = [{**citation, "index": first + place} for place, citation in enumerate(citations)]
        return [{"annotations": numbered}] if numbered else []

    def fields(self, event: e.FieldsDelta) -> list[JSONObject]:
        tool = self._tools.get(event.index)
        return [] if tool is None else [delta for delta in [tool.delta(_beside(event.fields))] if delta]

    def block_stop(self, event: e.BlockStop) -> list[JSONObject]:
        return self._end(event.index)

    def _end(self, index: int) -> list[JSONObject]:
        self._names.pop(index, None)
        tool = self._tools.get(index)
        if tool is None or tool.outdated:
            return []
        if tool.arguments is not None and not tool.arguments.is_whole():
            tool.outdated = True  # it is never whole, and nobody runs it
            return []
        del self._tools[index]
        return tool.end()


_WRITERS: dict[type[BlockEvent], Callable[[_Answer, Any], list[JSONObject]]] = {
    e.BlockStart: _Answer.block_start,
    e.TextDelta: _Answer.text,
    e.ThinkingDelta: _Answer.thinking,
    e.ArgumentsDelta: _Answer.arguments,
    e.TextReplaced: _Answer.replaced,
    e.CitationDelta: _Answer.citation,
    e.FieldsDelta: _Answer.fields,
    e.BlockStop: _Answer.block_stop,
}
#: What has no form in a chunk.
_UNSAID = (e.SignatureDelta, e.UnknownDelta, e.UnknownEvent, e.Ping)


class Encoder:
    """Block events to chunks.  One for each stream.

    - ``verbatim``: the block events come from a decoder of this dialect; where one has a ``source``, that is
      sent on as it is, and what else was made of it is not sent again.
    - ``max_held_bytes``: bounds the arguments of calls that go on: a call whose arguments are no JSON is
      never sent as whole.
    """

    def __init__(self, *, verbatim: bool = False, max_held_bytes: int = 64 * 2**20) -> None:
        self._verbatim = verbatim
        self._budget = Budget(max_held_bytes)
        self._base: JSONObject = {"id": "", "object": "chat.completion.chunk", "created": 0, "model": ""}
        self._answers: dict[int, _Answer] = {}
        self._usage: JSONObject = {}
        self._dialect = ""

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        """The chunks that stand for ``event``; none for what a chunk has no form for.

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
        if isinstance(event, e.MessageStart) and event.choice == 0:
            self._dialect = event.dialect
        if isinstance(event, e.BlockStart) or (isinstance(event, e.MessageStart) and event.blocks):
            self._answer(event.choice).answered.note(event)
        plain = portable_event(event) if is_translated(self._dialect, NAME) else event
        return [] if plain is None else [ServerSentEvent("message", data) for data in self._write(plain)]

    def _write(self, event: BlockEvent) -> list[str]:
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            return handler(self, event)
        write = _WRITERS.get(type(event))
        if write is not None:
            return [self._chunk(event.choice, delta) for delta in write(self._answer(event.choice), event)]
        if isinstance(event, _UNSAID):
            return []
        raise LocalProtocolError(f"{type(event).__name__} is no block event")

    def _start(self, event: e.MessageStart) -> list[str]:
        top, choice, message = _placed(event.extra)
        if event.choice == 0:
            created = top.pop("created", 0)
            self._base.update(id=event.id, model=event.model, created=created if type(created) is int else 0)
            self._usage.update(event.usage)
        answer = self._answer(event.choice)
        first, *others = answer.start(event)
        chunk = self._chunk(event.choice, {**first, **answer.news(message)}, choice, top)
        self._base = repeatable(self._base)
        return [chunk, *(self._chunk(event.choice, delta) for delta in others)]

    def _facts(self, event: e.MessageDelta) -> list[str]:
        answer = self._answer(event.choice)
        answer.stop_reason = event.stop_reason or answer.stop_reason
        for name, value in event.usage.items():
            self._usage[name] = self._usage.get(name) if value is None else value
        top, choice, message = _placed(event.extra)
        message = answer.news(message)
        return [self._chunk(event.choice, message, choice, top)] if event.extra else []

    def _items(self, event: e.ItemsDelta) -> list[str]:
        if event.name.startswith(f"{LOGPROBS}."):
            name = event.name.removeprefix(f"{LOGPROBS}.")
            logprobs = {"content": None, "refusal": None, name: event.items}
            return [self._chunk(event.choice, {}, {"logprobs": logprobs})]
        if event.name == AUDIO:
            return [self._chunk(event.choice, {"audio": item}) for item in event.items]
        top, choice, message = _placed({event.name: event.items})
        return [self._chunk(event.choice, message, choice, top)]

    def _stop(self, _: e.MessageStop) -> list[str]:
        ends = []
        for index, answer in sorted(self._answers.items()):
            end = answer.end()
            if end:
                ends.append(self._chunk(index, {}, end))
        return [*ends, *self._figures(), "[DONE]"]

    def _error(self, event: e.StreamError) -> list[str]:
        event = VOCABULARY.in_own_words(event, translated=is_translated(self._dialect, NAME))
        return [*self._figures(), strict_json.dumps(write_error(event))]

    def _cut(self, event: e.MessageCut) -> list[str]:
        return [*self._figures(), strict_json.dumps(VOCABULARY.cut(event))]

    def _figures(self) -> list[str]:
        """The chunk with the usage, if there is any."""
        figures = self._usage if self._dialect == NAME else usage(self._usage)
        return [strict_json.dumps({**self._base, "choices": [], "usage": figures})] if figures else []

    def _answer(self, choice: int) -> _Answer:
        return self._answers.setdefault(choice, _Answer(self._budget))

    def _chunk(
        self, index: int, delta: JSONObject, fields: JSONObject | None = None, top: JSONObject | None = None
    ) -> str:
        choice = {**(fields or {}), "index": index, "delta": delta}
        choice.setdefault("finish_reason", None)
        return strict_json.dumps({**(top or {}), **self._base, "choices": [choice]})


_HANDLERS: dict[type[BlockEvent], Callable[[Encoder, Any], list[str]]] = {
    e.MessageStart: Encoder._start,
    e.MessageDelta: Encoder._facts,
    e.ItemsDelta: Encoder._items,
    e.MessageStop: Encoder._stop,
    e.StreamError: Encoder._error,
    e.MessageCut: Encoder._cut,
}


def _beside(fields: JSONObject) -> JSONObject:
    """Fields of a call that stand beside those that say which it is and what it calls."""
    return rest(fields, "id", "index", "function", "custom")


def _news(known: JSON, value: JSON) -> JSON:
    """What ``value`` has beyond what is known of it; ``None`` where that is nothing."""
    if isinstance(known, str) and isinstance(value, str) and value.startswith(known):
        return value[len(known) :] or None
    if isinstance(known, list) and isinstance(value, list) and value[: len(known)] == known:
        return value[len(known) :] or None
    if isinstance(known, dict) and isinstance(value, dict):
        new = {name: _news(known.get(name), inner) for name, inner in value.items()}
        return {name: inner for name, inner in new.items() if inner is not None or name not in known} or None
    return None if known == value and type(known) is type(value) else value


def _placed(extra: JSONObject) -> tuple[JSONObject, JSONObject, JSONObject]:
    """Extra fields as they stand in a chunk: in itself, in its choice, in the delta."""
    choice = {name.removeprefix(CHOICE): value for name, value in extra.items() if name.startswith(CHOICE)}
    message = {name.removeprefix(MESSAGE): value for name, value in extra.items() if name.startswith(MESSAGE)}
    top: dict[str, JSON] = {name: v for name, v in extra.items() if not name.startswith((CHOICE, MESSAGE))}
    return top, choice, message
