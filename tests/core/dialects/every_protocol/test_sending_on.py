"""The law of sending on: text and calls are the same in every protocol that they can be written in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import LimitExceeded, Message, MessageAccumulator, RemoteProtocolError, dialects
from sse_core.blocks import (
    ArgumentsDelta,
    Block,
    BlockEvent,
    BlockStart,
    BlockStop,
    ItemsDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    ResultBlock,
    SignatureDelta,
    TextBlock,
    TextDelta,
    TextReplaced,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
)
from sse_core.blocks.stop_reasons import MEANINGS
from sse_core.dialects import Dialect
from sse_core.testing import block_events_of, events_of, message_of, strategies

EVENTS = strategies.block_events()
FIELDS = strategies.json_objects()
TEXTS = strategies.texts()
VALUES = strategies.json_values()

#: What a browser gets, `ui-messages`, is no way from one provider's protocol to another's.
WRITTEN = st.sampled_from([dialects.get(name) for name in dialects.names() if name != "ui-messages"])
#: Any protocol that a message can come in: those, their own, and another.
DIALECTS = st.sampled_from(["", *dialects.names(), "a-future-one"])
REASONS = st.sampled_from(
    [*(words[0] for words in MEANINGS.values() if words), "stop", "tool_calls", "length", "SAFETY", "x"]
)


#: What each protocol says of the tokens that a message took.
USAGES: dict[str, dict[str, Any]] = {
    "anthropic": {"input_tokens": 7, "output_tokens": 5, "cache_read_input_tokens": 2},
    "gemini": {"promptTokenCount": 9, "candidatesTokenCount": 4, "thoughtsTokenCount": 1},
    "openai-chat": {
        "prompt_tokens": 9,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 2},
    },
    "openai-responses": {"input_tokens": 9, "output_tokens": 5, "total_tokens": 14},
    "ui-messages": {},
}


@dataclass
class Writer:
    """A message as a provider writes it: text and thinking one after the other, calls side by side."""

    draw: st.DrawFn
    has_free_text: bool = False  # calls whose arguments are no JSON
    events: list[BlockEvent] = field(default_factory=list)
    open: dict[int, Block] = field(default_factory=dict)
    next: int = 0

    def start(self) -> None:
        """Another block begins; text and thinking that were open stop."""
        kinds: dict[str, Callable[[], Block]] = {
            "text": lambda: TextBlock(extra=self.draw(FIELDS)),
            "refusal": lambda: TextBlock(extra={"field": "refusal"}),
            "thinking": lambda: ThinkingBlock(extra=self.draw(FIELDS)),
            "result": lambda: ResultBlock({**self.draw(FIELDS), "type": "x_tool_result"}),
            "tool": lambda: ToolUseBlock(f"t{self.next}", "f", extra=self.draw(FIELDS)),
            "server": lambda: ToolUseBlock(f"t{self.next}", "f", "server_tool_use"),
        }
        if self.has_free_text:
            kinds["free text"] = lambda: ToolUseBlock(f"t{self.next}", "f", input_encoding="text")
        for index in [index for index, block in self.open.items() if not isinstance(block, ToolUseBlock)]:
            self.stop(index)
        self.next += self.draw(st.integers(0, 2))  # indexes may have gaps
        self.open[self.next] = block = kinds[self.draw(st.sampled_from(sorted(kinds)))]()
        self.events.append(BlockStart(self.next, block))
        self.next += 1

    def grow(self, index: int) -> None:
        """An open block grows."""
        deltas = {TextBlock: TextDelta, ThinkingBlock: ThinkingDelta, ResultBlock: TextDelta}
        delta = deltas.get(type(self.open[index]), ArgumentsDelta)
        if delta is ThinkingDelta and self.draw(st.booleans()):
            self.events.append(SignatureDelta(index, self.draw(TEXTS)))
        self.events.append(delta(index, self.draw(TEXTS | st.just('{"a":'))))

    def stop(self, index: int) -> None:
        """A block is whole."""
        self.events.append(BlockStop(index))
        del self.open[index]


@st.composite
def messages(draw: st.DrawFn, *, has_free_text: bool = False) -> list[BlockEvent]:
    """A message that is complete."""
    writer = Writer(draw, has_free_text)
    for _ in range(draw(st.integers(0, 12))):
        step = draw(st.sampled_from(["start", "grow", "grow", "grow", "stop"]))
        if step == "start" or not writer.open:
            writer.start()
            continue
        index = draw(st.sampled_from(sorted(writer.open)))
        (writer.grow if step == "grow" else writer.stop)(index)
    for index in [index for index in writer.open if draw(st.booleans())]:
        writer.stop(index)
    start = MessageStart("m", "c", extra=draw(FIELDS), dialect=draw(DIALECTS))
    return [start, *writer.events, MessageDelta(draw(st.none() | REASONS)), MessageStop()]


def through(dialect: Dialect, events: list[BlockEvent]) -> Message:
    """The message that is read after it was written."""
    return message_of(block_events_of(dialect, events_of(dialect, events)))


def said(message: Message, dialect: Dialect) -> Any:
    thinking = "".join(block.thinking for block in message.blocks if isinstance(block, ThinkingBlock))
    calls = [tool for tool in message.tools if tool.type == "tool_use"]
    if dialect.name == "gemini":  # it has no form for arguments that are no object
        objects = {tool.id: tool.arguments for tool in calls if isinstance(tool.arguments, dict)}
        return message.text, thinking, objects
    # Where no arguments came, chat completions still have to say what they are.
    raw = {tool.id: (tool.name, tool.raw_arguments if tool.raw_arguments.strip() else "{}") for tool in calls}
    return message.text, thinking, raw


@given(WRITTEN, messages())
def test_text_thinking_and_calls_are_the_same_in_every_protocol(
    dialect: Dialect, events: list[BlockEvent]
) -> None:
    after = through(dialect, events)
    assert after.completeness == "complete"
    assert said(after, dialect) == said(message_of(events), dialect)


@pytest.mark.parametrize("name", dialects.names())
@given(messages(has_free_text=True), st.data())
def test_the_whole_response_is_what_the_stream_says(
    name: str, events: list[BlockEvent], data: st.DataObject
) -> None:
    """Of a message from any other protocol: what was sent and read again makes the same response."""
    dialect, start = dialects.get(name), events[0]
    assert isinstance(start, MessageStart)
    start.dialect = data.draw(st.sampled_from([*({*USAGES} - {name}), "a-future-one"]))
    events.insert(-1, MessageDelta(usage=data.draw(st.sampled_from([{}, *USAGES.values()]))))
    before, after = message_of(events), through(dialect, events)
    ours, theirs = dialect.to_response(before), dialect.to_response(after)
    if name == "openai-chat":
        theirs.pop("created", None)  # a chunk needs one, if the provider has none
    assert comparable(ours) == comparable(theirs)


def comparable(response: Any) -> Any:
    """A response without what need not be the same."""
    for choice in response.get("choices", []):
        # Where no arguments came, chat completions still have to say what they are.
        for call in choice["message"].get("tool_calls", []):
            for function in [call["function"]] if "function" in call else []:
                function["arguments"] = function["arguments"].strip(" \t\r\n") or "{}"
    for candidate in response.get("candidates", []):
        # Gemini sends a call when it is whole, so it may come after what follows it.
        parts = candidate["content"].pop("parts")
        candidate["calls"] = sorted(json.dumps(part) for part in parts if "functionCall" in part)
        for thought in (True, False):
            texts = [part for part in parts if "text" in part and bool(part.get("thought")) is thought]
            candidate[thought] = "".join(part["text"] for part in texts)
    return response


@given(WRITTEN, messages())
def test_no_call_becomes_executable_by_being_sent_on(dialect: Dialect, events: list[BlockEvent]) -> None:
    before, after = message_of(events), through(dialect, events)
    allowed = {tool.id for tool in before.executable_tools}
    assert {tool.id for tool in after.executable_tools} <= allowed


@given(WRITTEN, DIALECTS, st.lists(EVENTS | st.builds(TextReplaced, st.integers(0, 3), TEXTS), max_size=12))
def test_whatever_is_accepted_can_be_written(dialect: Dialect, name: str, events: list[BlockEvent]) -> None:
    """Any block events that an accumulator accepts, in any order; what is written is readable."""
    accumulator, encoder, decoder = MessageAccumulator(), dialect.Encoder(), dialect.Decoder()
    items = ItemsDelta("message.reasoning_details", [1])
    for event in [MessageStart("m", "c", dialect=name), *events, items]:
        try:
            accumulator.receive(event)
        except (RemoteProtocolError, LimitExceeded):
            continue
        for sse in encoder.send(event):
            decoder.receive_event(sse)


@given(WRITTEN, st.sampled_from(["", "a-future-one"]), st.lists(EVENTS, max_size=6), VALUES)
def test_anything_has_a_whole_response(
    dialect: Dialect, name: str, events: list[BlockEvent], value: Any
) -> None:
    accumulator = MessageAccumulator()
    for event in [MessageStart("m", "c", extra={"x": value}, dialect=name), *events]:
        try:
            accumulator.receive(event)
        except (RemoteProtocolError, LimitExceeded):
            continue
    response = dialect.to_response(accumulator.message)
    assert ("x" in response) == (name == "")
