"""Whatever block events a message is made of, its response says the same when it is read again."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sse_core import Message, MessageAccumulator, RemoteProtocolError, ServerSentEvent, dialects
from sse_core.blocks import (
    ArgumentsDelta,
    Block,
    BlockEvent,
    BlockStart,
    BlockStop,
    CitationDelta,
    FieldsDelta,
    ItemsDelta,
    MessageCut,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    RedactedThinkingBlock,
    ResultBlock,
    SignatureDelta,
    StreamError,
    TextBlock,
    TextDelta,
    TextReplaced,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
    UnknownDelta,
    UnknownEvent,
)
from sse_core.testing import events_of, message_of, strategies
from tests.core.dialects.openai_responses.test_any_stream import DATA

EVENTS = strategies.block_events()
FIELDS = strategies.json_objects()
NAMES = strategies.field_names()
TEXTS = strategies.texts()

RESPONSES = dialects.get("openai-responses")
OWN = ("", "openai-responses")
DIALECTS = st.sampled_from(["anthropic", "openai-chat", *OWN])
WORDS = st.text(st.characters(codec=None), min_size=1, max_size=4)
ARGUMENTS = st.sampled_from(['{"a":1}', "{", "[1", ",2]", " ", "", "x", "é"])
OTHERS: list[Block] = [
    RedactedThinkingBlock("x"),
    ResultBlock({"type": "x_result"}),
    UnknownBlock({"type": "x_y", "z": 1}),
    ToolUseBlock("t", "f", "server_tool_use"),
    ToolUseBlock("t", "f", "mcp_tool_use"),
]
REASONS = st.sampled_from(
    ["end_turn", "tool_use", "max_tokens", "stop_sequence", "refusal", "pause_turn", "huh", None]
)
#: What changes nothing of what is compared.
ASIDE: st.SearchStrategy[BlockEvent] = st.one_of(
    st.builds(Ping),
    st.builds(UnknownEvent, FIELDS),
    st.builds(ItemsDelta, NAMES, st.lists(TEXTS, max_size=2)),
    st.builds(MessageDelta, st.none(), FIELDS, FIELDS),
    st.just(MessageStart("o", "", blocks=[TextBlock("other")], choice=1)).map(copy.copy),
)


class Story:
    """A message while it is written: which blocks are open, which items the provider has sent."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.dialect: str = draw(DIALECTS)
        self.events: list[BlockEvent] = [
            MessageStart(draw(TEXTS), draw(TEXTS), extra=draw(FIELDS), dialect=self.dialect)
        ]
        self.open: dict[int, Block] = {}
        self.items: dict[int, str] = {}
        self.next = 0

    def announce(self, type_: str, **fields: Any) -> int:
        """The provider sends an item, if it is of this protocol: a new one, or one again."""
        again = [index for index, known in self.items.items() if known == type_ and not fields]
        index: int = self.draw(st.sampled_from([*again, max(self.items, default=-1) + 1]))
        self.items[index] = type_
        item = {"type": type_, **self.draw(FIELDS), **fields}
        item |= self.draw(st.fixed_dictionaries({}, optional={"status": st.just("in_progress"), "id": TEXTS}))
        self.events.append(MessageDelta(extra={f"output.{index}": item}))
        return index

    def begin(self) -> None:
        make = self.draw(st.sampled_from([self.text, self.thinking, self.call, self.other]))
        block = make()
        self.next += self.draw(st.integers(1, 3))
        self.events.append(BlockStart(self.next, block))
        self.open[self.next] = block

    def _place(self, type_: str) -> dict[str, Any]:
        if self.dialect not in OWN or not self.draw(st.booleans()):
            return {}
        return {"output_index": self.announce(type_)}

    def text(self) -> Block:
        field = self.draw(st.sampled_from([{}, {"field": "refusal"}]))
        cited = self.draw(st.none() | st.lists(FIELDS, max_size=2)) if not field else None
        return TextBlock(self.draw(TEXTS), cited, {**self.draw(FIELDS), **self._place("message"), **field})

    def thinking(self) -> Block:
        field = self.draw(st.sampled_from([{}, {"field": "reasoning_text"}]))
        return ThinkingBlock(self.draw(TEXTS), None, {**self._place("reasoning"), **field})

    def call(self) -> Block:
        id_, name = f"{self.draw(WORDS)}-{self.next}", self.draw(WORDS)  # one id is one call
        is_text = self.draw(st.booleans())
        extra = {}
        if self.dialect in OWN and self.draw(st.booleans()):
            type_ = "custom_tool_call" if is_text else "function_call"
            extra = {"output_index": self.announce(type_, call_id=id_, name=name)}
        encoding: Any = "text" if is_text else "json"
        return ToolUseBlock(id_, name, start_input=self.draw(FIELDS), input_encoding=encoding, extra=extra)

    def other(self) -> Block:
        if self.dialect in OWN and self.draw(st.booleans()):
            self.announce("x_result")
        return self.draw(st.sampled_from(OTHERS)).copy()

    def grow(self) -> None:
        index = self.draw(st.sampled_from(sorted(self.open)))
        block = self.open[index]
        aside: list[st.SearchStrategy[BlockEvent]] = [
            st.builds(FieldsDelta, st.just(index), FIELDS),
            st.builds(UnknownDelta, st.just(index), FIELDS),
        ]
        if isinstance(block, TextBlock):
            more = st.builds(TextDelta, st.just(index), TEXTS)
            whole = st.builds(TextReplaced, st.just(index), TEXTS)
            cite = st.builds(CitationDelta, st.just(index), FIELDS)
            self.events.append(self.draw(st.one_of(more, more, whole, cite, *aside)))
        elif isinstance(block, ThinkingBlock):
            more_thinking = st.builds(ThinkingDelta, st.just(index), TEXTS)
            sign = st.builds(SignatureDelta, st.just(index), TEXTS)
            self.events.append(self.draw(st.one_of(more_thinking, more_thinking, sign, *aside)))
        elif isinstance(block, ToolUseBlock):
            more_arguments = st.builds(ArgumentsDelta, st.just(index), ARGUMENTS)
            whole = st.builds(TextReplaced, st.just(index), ARGUMENTS)
            self.events.append(self.draw(st.one_of(more_arguments, more_arguments, whole, *aside)))
        else:
            self.events.append(self.draw(st.one_of(aside)))

    def stop(self) -> None:
        index = self.draw(st.sampled_from(sorted(self.open)))
        del self.open[index]
        self.events.append(BlockStop(index))

    def aside(self) -> None:
        self.events.append(self.draw(ASIDE))

    def send_something(self) -> None:
        if self.dialect in OWN:
            self.announce(self.draw(st.sampled_from(["message", "reasoning", "x_result"])))


@st.composite
def messages(draw: st.DrawFn) -> list[BlockEvent]:
    """The events of a message without its end."""
    story = Story(draw)
    for _ in range(draw(st.integers(0, 15))):
        steps = [story.begin, story.aside, story.send_something]
        steps += [story.grow, story.grow, story.stop] if story.open else []
        draw(st.sampled_from(steps))()
    return story.events


def write(events: list[BlockEvent]) -> list[ServerSentEvent]:
    return events_of(RESPONSES, events)


def read(sent: list[ServerSentEvent]) -> Message:
    decoder = RESPONSES.Decoder()
    events = [event for sse in sent for event in decoder.receive_event(sse)]
    return message_of([*events, *decoder.receive_eof()])


def thinking(message: Message) -> str:
    return "".join(block.thinking for block in message.blocks if isinstance(block, ThinkingBlock))


def calls(message: Message) -> list[ToolUseBlock]:
    return [tool for tool in message.tools if tool.type == "tool_use"]


def is_same_call(before: ToolUseBlock, after: ToolUseBlock, *, incomplete: bool) -> bool:
    """Whether a call came back; in an incomplete response, one that is whole may be incomplete."""
    same = ("id", "name", "input_encoding")
    if [getattr(before, name) for name in same] != [getattr(after, name) for name in same]:
        return False
    if after.state != before.state:
        return incomplete and after.state == "incomplete"
    return bool(after.arguments == before.arguments)


@given(messages(), REASONS)
def test_a_message_that_is_complete_says_the_same(events: list[BlockEvent], reason: str | None) -> None:
    events = [*events, MessageDelta(reason), MessageStop()]
    before, sent = message_of(events), write(events)
    after = read(sent)
    assert after.completeness == "complete"
    assert (after.id, after.model) == (before.id, before.model)
    assert (after.text, thinking(after)) == (before.text, thinking(before))
    incomplete = sent[-1].type == "response.incomplete"
    pairs = zip(calls(before), calls(after), strict=True)
    assert all(is_same_call(*pair, incomplete=incomplete) for pair in pairs)
    if incomplete:
        assert after.executable_tools == []
    else:
        assert len(after.executable_tools) == len(before.executable_tools)
        # Whoever wants no tool has come to the end, whatever he says.
        alike = (None, "stop_sequence") if calls(before) else (None, "stop_sequence", "tool_use")
        assert after.stop_meaning == before.stop_meaning or before.stop_meaning in alike


@given(st.lists(DATA, max_size=16))
def test_what_a_host_of_this_protocol_sends_says_the_same_when_it_is_written_anew(stream: list[Any]) -> None:
    decoder = RESPONSES.Decoder()
    created = {"type": "response.created", "response": {"id": "r", "object": "response"}}
    received = [ServerSentEvent("message", json.dumps(data)) for data in [created, *stream]]
    events: list[BlockEvent] = []
    with contextlib.suppress(RemoteProtocolError):
        for sse in received:
            events += decoder.receive_event(sse)
    if events[-1].__class__ is not StreamError:
        events = [event for event in [*events, *decoder.receive_eof()] if not isinstance(event, MessageCut)]
        events += [] if isinstance(events[-1], MessageStop) else [MessageStop()]
    before, sent = message_of(events), write(events)
    after = read(sent)
    incomplete = sent[-1].type == "response.incomplete"
    if before.completeness == "complete":
        assert (after.text, thinking(after)) == (before.text, thinking(before))
        pairs = zip(calls(before), calls(after), strict=True)
        assert all(is_same_call(*pair, incomplete=incomplete) for pair in pairs)
    assert len(after.executable_tools) == (0 if incomplete else len(before.executable_tools))


@given(messages(), st.sampled_from([MessageCut("truncated"), StreamError("x", "y")]))
def test_a_message_that_is_cut_has_failed_and_nothing_of_it_runs(
    events: list[BlockEvent], end: BlockEvent
) -> None:
    sent = write([*events, end])
    after = read(sent)
    assert sent[-1].type == "error"
    assert (after.completeness, after.executable_tools) == ("failed", [])
    before = message_of([*events, end])
    if not any(isinstance(event, TextReplaced) for event in events):
        assert (after.text, thinking(after)) == (before.text, thinking(before))


@given(messages(), REASONS)
def test_every_event_follows_from_those_before_it(events: list[BlockEvent], reason: str | None) -> None:
    """Each item begins once and ends once, and what is sent of its parts stands between."""
    sent = [json.loads(sse.data) for sse in write([*events, MessageDelta(reason), MessageStop()])]
    assert [event["sequence_number"] for event in sent] == list(range(len(sent)))
    added: dict[int, Any] = {}
    done: dict[int, Any] = {}
    for event in sent[2:-1]:
        index = event["output_index"]
        if event["type"] == "response.output_item.added":
            assert index not in added
            added[index] = event["item"]
        elif event["type"] == "response.output_item.done":
            assert index not in done
            done[index] = event["item"]
            assert event["item"].get("status") != "in_progress"
        else:
            assert event["item_id"] == added[index].get("id")
    assert added.keys() == done.keys()
    assert [item["type"] for item in sent[-1]["response"]["output"]] == [
        done[index]["type"] for index in sorted(done)
    ]


@given(DIALECTS, st.lists(EVENTS, max_size=20))
def test_what_an_accumulator_takes_is_written(dialect: str, events: list[BlockEvent]) -> None:
    accumulator, encoder = MessageAccumulator(), RESPONSES.Encoder()
    for event in [MessageStart("m", "gpt", dialect=dialect), *events]:
        try:
            accumulator.receive(event)
        except Exception:  # noqa: BLE001, S112  (what it does not take is not of interest)
            continue
        encoder.send(event)
