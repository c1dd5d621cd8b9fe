"""Whatever Anthropic's side sends, nothing but the named errors is raised, and nothing unfinished may run.

The other laws, each stated by its test: what was decoded survives encoding and decoding; a message
is what a simple model of it says after every step.
"""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sse_core import LimitExceeded, MessageAccumulator, RemoteProtocolError, ServerSentEvent, dialects
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageCut,
    MessageDelta,
    MessageStart,
    MessageStop,
    StreamError,
    TextBlock,
    TextDelta,
    ToolUseBlock,
    is_visible,
    strict_json,
)
from sse_core.testing import strategies
from tests.core.dialects.anthropic.test_round_trip import written

BLOCKS = strategies.blocks()
EVENTS = strategies.block_events()
FIELDS = strategies.json_objects()
TEXTS = strategies.texts()
VALUES = strategies.json_values()

ANTHROPIC = dialects.get("anthropic")
EVENT_TYPES = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
    "error",
    "x",
]
BLOCK_TYPES = ["text", "thinking", "redacted_thinking", "tool_use", "x_tool_result", "fallback", "x"]
DELTA_TYPES = [
    "text_delta",
    "thinking_delta",
    "signature_delta",
    "input_json_delta",
    "citations_delta",
    "compaction_delta",
    "x",
]
TEXT_NAMES = ["text", "thinking", "signature", "data", "partial_json", "id", "name", "stop_sequence"]


def _mostly(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values as they should be, and one in thirty that may be anything."""
    return st.integers(0, 29).flatmap(lambda chance: VALUES if chance == 7 else right)


def _objects(types: list[str], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects with a type and these fields; now and then one is missing or is not as it should be."""
    known = {"type": st.sampled_from(types), **fields}
    right = st.fixed_dictionaries({name: _mostly(value) for name, value in known.items()})
    missing = st.just("") | st.sampled_from(["", *known])
    return st.builds(lambda data, name: {k: v for k, v in data.items() if k != name}, right, missing)


#: What obeys Anthropic's rules in most places, but not in all.
CONTENT_BLOCKS = _objects(
    BLOCK_TYPES,
    **dict.fromkeys(TEXT_NAMES, TEXTS),
    input=FIELDS,
    citations=st.none() | st.lists(FIELDS, max_size=2),
    to=st.fixed_dictionaries({"model": TEXTS}),
)
DELTAS = _objects(
    DELTA_TYPES,
    **dict.fromkeys(TEXT_NAMES, TEXTS),
    citation=FIELDS,
    stop_reason=st.sampled_from([None, "tool_use", "max_tokens"]),
)
MESSAGES = _objects(
    ["message"],
    id=st.just("m"),
    model=TEXTS,
    role=TEXTS,
    content=st.just([]) | st.lists(CONTENT_BLOCKS, max_size=2),
    stop_reason=st.none() | TEXTS,
    stop_sequence=st.none() | TEXTS,
    usage=FIELDS,
)
ERRORS = _objects(
    ["overloaded_error", "x"],
    message=TEXTS,
    code=st.integers() | TEXTS,
    retryable=st.booleans(),
    retry_after=st.floats(0, 9),
)
LOOKALIKES = st.one_of(
    _objects(["message_start"], message=MESSAGES),
    _objects(["content_block_start"], index=st.integers(0, 2), content_block=CONTENT_BLOCKS),
    _objects(["content_block_delta"], index=st.integers(0, 2), delta=DELTAS),
    _objects(["content_block_stop"], index=st.integers(0, 2)),
    _objects(["message_delta"], delta=DELTAS, usage=FIELDS, context_management=FIELDS),
    _objects(["error", "x"], error=ERRORS, request_id=TEXTS, outcome=TEXTS),
    _objects(EVENT_TYPES),
)
#: A stream whose beginning is in order, or not even that.
STREAMS = st.builds(
    lambda start, blocks, rest: [
        {"type": "message_start", "message": start},
        *({"type": "content_block_start", "index": i, "content_block": b} for i, b in enumerate(blocks)),
        *rest,
    ],
    MESSAGES,
    st.lists(CONTENT_BLOCKS, max_size=2),
    st.lists(LOOKALIKES, max_size=6),
) | st.lists(LOOKALIKES | VALUES, max_size=4)


@given(STREAMS, st.sampled_from(["message", "error", "content_block_delta"]))
def test_whatever_comes_only_the_named_errors_are_raised(stream: list[Any], name: str) -> None:
    decoder, accumulator = ANTHROPIC.Decoder(), MessageAccumulator(max_message_bytes=2000, max_blocks=3)
    with contextlib.suppress(RemoteProtocolError, LimitExceeded):
        for data in stream:
            for event in decoder.receive_event(ServerSentEvent(name, strict_json.dumps(data))):
                is_visible(event)
                accumulator.receive(event)
    for event in decoder.receive_eof():
        accumulator.receive(event)
    message = accumulator.message
    strict_json.dumps(ANTHROPIC.to_response(message)).encode()
    assert message.completeness == "complete" or message.executable_tools == []
    repr(message)


@given(st.text())
def test_whatever_text_comes_only_the_named_error_is_raised(data: str) -> None:
    with contextlib.suppress(RemoteProtocolError):
        ANTHROPIC.Decoder().receive_event(ServerSentEvent("message", data))


@given(LOOKALIKES.filter(lambda data: "type" in data))
def test_what_was_decoded_is_the_same_after_encoding_and_decoding(data: dict[str, Any]) -> None:
    try:
        events = ANTHROPIC.Decoder().receive_event(ServerSentEvent("message", strict_json.dumps(data)))
    except RemoteProtocolError:
        return
    for event in events:  # of one with fields beside what is read, more than one is made
        sse = written(event)
        if isinstance(event, StreamError):
            event.extra.setdefault("outcome", "failed")
        assert ANTHROPIC.Decoder().receive_event(sse) == [event]


@given(EVENTS)
def test_an_event_is_the_same_after_encoding_and_decoding(event: BlockEvent) -> None:
    sse = written(event)
    assert ANTHROPIC.Decoder().receive_event(sse) == [event]


@given(st.lists(EVENTS, max_size=12))
def test_any_order_of_events_is_taken_or_refused_by_name(events: list[BlockEvent]) -> None:
    accumulator = MessageAccumulator(max_message_bytes=1000, max_blocks=3)
    for event in [MessageStart("m", "c"), *events]:
        with contextlib.suppress(RemoteProtocolError, LimitExceeded):
            accumulator.receive(event)
        message = accumulator.message
        assert len(message.blocks) <= 3
        assert message.completeness == "complete" or message.executable_tools == []


class MessageMachine(RuleBasedStateMachine):
    """After every step a message is what a simple model says, and arguments are parsed at stops only."""

    def __init__(self) -> None:
        super().__init__()
        self.parsed: list[str] = []
        self.accumulator = MessageAccumulator(parse_json=self.parse)
        self.accumulator.receive(MessageStart("m", "c"))
        self.texts: dict[int, str] = {}
        self.whole: dict[int, bool] = {}
        self.tools: set[int] = set()
        self.ended = "streaming"
        self.stop_reason: str | None = None

    def parse(self, text: str) -> Any:
        self.parsed.append(text)
        return strict_json.loads(text)

    @precondition(lambda self: self.ended == "streaming")
    @rule(index=st.integers(0, 6), tool=st.booleans())
    def begin(self, index: int, *, tool: bool) -> None:
        if index in self.texts:
            return
        block = ToolUseBlock(f"t{index}", "run") if tool else TextBlock()
        self.accumulator.receive(BlockStart(index, block))
        self.texts[index] = ""
        self.whole[index] = False
        if tool:
            self.tools.add(index)

    @precondition(lambda self: self.ended == "streaming" and not all(self.whole.values()))
    @rule(data=st.data(), fragment=st.sampled_from(["", "1", "2", '"', " ", "[", "]", "\ud83d", "\ude00"]))
    def grow(self, data: st.DataObject, fragment: str) -> None:
        index = data.draw(st.sampled_from(sorted(i for i, whole in self.whole.items() if not whole)))
        delta = ArgumentsDelta(index, fragment) if index in self.tools else TextDelta(index, fragment)
        self.accumulator.receive(delta)
        joined = self.texts[index] + fragment
        self.texts[index] = joined.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")

    @precondition(lambda self: self.ended == "streaming" and not all(self.whole.values()))
    @rule(data=st.data())
    def stop_block(self, data: st.DataObject) -> None:
        index = data.draw(st.sampled_from(sorted(i for i, whole in self.whole.items() if not whole)))
        before = list(self.parsed)
        self.accumulator.receive(BlockStop(index))
        self.whole[index] = True
        once = [self.texts[index]] if index in self.tools and self.texts[index].strip() else []
        assert self.parsed == before + once

    @rule(reason=st.sampled_from(["tool_use", "end_turn", "max_tokens", None]))
    def learn(self, reason: str | None) -> None:
        self.accumulator.receive(MessageDelta(reason))
        if self.ended == "streaming":
            self.stop_reason = reason or self.stop_reason

    @rule(end=st.sampled_from(["complete", "truncated", "stopped", "failed"]))
    def end(self, end: Any) -> None:
        self.accumulator.receive(MessageStop() if end == "complete" else MessageCut(end))
        if self.ended == "streaming":
            self.ended = end

    @invariant()
    def it_is_what_the_model_says(self) -> None:
        message = self.accumulator.message
        texts = [
            block.raw_arguments if isinstance(block, ToolUseBlock) else getattr(block, "text", None)
            for block in message.blocks
        ]
        assert texts == [text for _, text in sorted(self.texts.items())]
        assert message.completeness == self.ended

    @invariant()
    def nothing_unfinished_may_run(self) -> None:
        message = self.accumulator.message
        ids = {tool.id for tool in message.executable_tools}
        valid = {f"t{i}" for i in self.tools if self.whole[i] and self._is_json(self.texts[i])}
        allowed = self.ended == "complete" and self.stop_reason in {"tool_use", "end_turn"}
        assert ids == (valid if allowed else set())

    def _is_json(self, text: str) -> bool:
        try:
            strict_json.loads(text or "{}")
        except ValueError:
            return not text.strip(" ")
        return True


TestMessageMachine = MessageMachine.TestCase


@given(BLOCKS, FIELDS, TEXTS)
def test_a_copy_of_a_block_shares_nothing_that_changes(block: Any, fields: dict[str, Any], text: str) -> None:
    before = repr(block)
    copy = block.copy()
    assert copy == block
    getattr(copy, "data" if hasattr(copy, "data") and isinstance(copy.data, dict) else "extra").update(fields)
    if hasattr(copy, "append"):
        copy.append(text)
    assert repr(block) == before
