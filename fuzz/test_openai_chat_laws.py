"""Whatever a chat completions host sends, only the named errors are raised, and nothing unfinished may run.

The other laws, each stated by its test: what was decoded survives encoding and decoding; sent on
verbatim it is the same; what a decoder keeps is bounded.
"""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fuzz.laws import held_bytes
from sse_core import LimitExceeded, MessageAccumulator, RemoteProtocolError, ServerSentEvent, dialects
from sse_core.blocks import (
    BlockEvent,
    ItemsDelta,
    Message,
    MessageCut,
    MessageStart,
    MessageStop,
    ToolUseBlock,
    is_visible,
    strict_json,
)
from sse_core.dialects.openai_chat import Decoder
from sse_core.testing import strategies

EVENTS = strategies.block_events()
FIELDS = strategies.json_objects()
TEXTS = strategies.texts()
VALUES = strategies.json_values()

CHAT = dialects.get("openai-chat")
NAMES = st.sampled_from(["message", "error", "ping"])
REASONS = st.none() | st.sampled_from(["stop", "length", "tool_calls", "x", ""])


def _mostly(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values as they should be, and one in thirty that may be anything."""
    return st.integers(0, 29).flatmap(lambda chance: VALUES if chance == 7 else right)


def _objects(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects with some of these fields, most of them as they should be, and unknown ones."""
    known = st.fixed_dictionaries({}, optional={name: _mostly(value) for name, value in fields.items()})
    return st.builds(lambda data, more: {**data, **more}, known, st.just({}) | FIELDS)


IDS = st.none() | st.sampled_from(["", "a", "b"])
ARGUMENTS = st.none() | st.sampled_from(["", "{", "}", "1", '{"a":1}']) | VALUES
FUNCTIONS = _objects(name=st.none() | st.sampled_from(["", "f", "g", "fg"]), arguments=ARGUMENTS)
CALLS = _objects(id=IDS, index=st.none() | st.integers(-1, 2), type=IDS, function=FUNCTIONS)
PARTS = _objects(
    type=st.sampled_from(["text", "thinking", "reasoning", "x"]),
    summary=st.lists(st.fixed_dictionaries({"text": TEXTS}, optional={"signature": TEXTS}), max_size=2),
    text=TEXTS,
    thinking=st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": TEXTS}), max_size=2),
)
DETAILS = _objects(
    type=st.sampled_from(["reasoning.text", "reasoning.summary", "x"]),
    index=st.integers(0, 1),
    text=st.none() | TEXTS,
    summary=TEXTS,
    signature=TEXTS,
)
DELTAS = _objects(
    role=st.none() | st.sampled_from(["assistant", ""]),
    content=st.none() | TEXTS | st.integers(0, 9) | st.lists(PARTS, max_size=2),
    refusal=st.none() | TEXTS,
    reasoning=st.none() | TEXTS | st.fixed_dictionaries({}, optional={"text": TEXTS, "signature": TEXTS}),
    reasoning_text=TEXTS,
    images=st.lists(FIELDS, max_size=2),
    x_state=TEXTS | FIELDS,
    reasoning_content=st.none() | TEXTS,
    reasoning_details=st.lists(DETAILS, max_size=2),
    annotations=st.lists(FIELDS, max_size=2),
    tool_calls=st.none() | st.lists(CALLS, max_size=3),
    function_call=st.none() | FUNCTIONS,
    audio=st.none() | st.fixed_dictionaries({"data": TEXTS}),
)
LOGPROBS = _objects(content=st.none() | st.lists(FIELDS, max_size=2), refusal=st.none())
CHOICES = _objects(
    index=st.integers(0, 2),
    delta=st.none() | DELTAS,
    message=DELTAS,
    finish_reason=REASONS,
    logprobs=st.none() | LOGPROBS,
    usage=FIELDS,
)
ERRORS = _objects(
    message=TEXTS, type=TEXTS, code=st.none() | st.integers() | TEXTS, retryable=st.booleans(), param=TEXTS
)
CHUNKS = _objects(
    id=st.sampled_from(["", "c"]),
    object=st.sampled_from(["chat.completion.chunk", "chat.completion", "text_completion", "error", ""]),
    model=TEXTS,
    created=st.integers(0, 1),
    choices=st.lists(CHOICES, max_size=3),
    usage=st.none() | FIELDS,
    x_groq=FIELDS,
)
FAILED = st.builds(lambda chunk, error: {**chunk, "error": error}, CHUNKS, st.none() | ERRORS | TEXTS)
PAYLOADS = st.one_of(
    CHUNKS.map(strict_json.dumps),
    CHUNKS.map(strict_json.dumps),
    FAILED.map(strict_json.dumps),
    VALUES.map(strict_json.dumps),
    st.sampled_from(["[DONE]", "", " "]),
)
STREAMS = st.lists(st.builds(ServerSentEvent, NAMES, PAYLOADS), max_size=8)
#: Streams without anything that can't be read, so that most come to their end.
ORDERLY = st.lists(st.builds(ServerSentEvent, st.just("message"), CHUNKS.map(strict_json.dumps)), max_size=6)


def _decoded(stream: list[ServerSentEvent]) -> list[BlockEvent]:
    """What comes of a stream up to the first event that can't be read, and of its end."""
    decoder = CHAT.Decoder()
    events: list[BlockEvent] = []
    with contextlib.suppress(RemoteProtocolError):
        for sse in stream:
            events += decoder.receive_event(sse)
    return events + decoder.receive_eof()


@given(STREAMS)
def test_whatever_comes_only_the_named_errors_are_raised(stream: list[ServerSentEvent]) -> None:
    decoder = Decoder(max_choices=2, max_held_bytes=2000)
    accumulator = MessageAccumulator(max_message_bytes=2000, max_blocks=3, max_choices=2)
    with contextlib.suppress(RemoteProtocolError, LimitExceeded):
        for sse in stream:
            for event in decoder.receive_event(sse):
                is_visible(event)
                accumulator.receive(event)
    with contextlib.suppress(RemoteProtocolError, LimitExceeded):  # what was refused is missed now
        for event in decoder.receive_eof():
            accumulator.receive(event)
    accumulator.receive(MessageCut("failed"))
    message = accumulator.message
    strict_json.dumps(CHAT.to_response(message)).encode()
    for answer in (message, *message.alternatives.values()):
        assert answer.completeness == "complete" or answer.executable_tools == []
        assert answer.stop_reason not in {"length", None} or answer.executable_tools == []
    repr(message)


@given(STREAMS, st.integers(1, 30))
def test_what_a_decoder_keeps_is_bounded(stream: list[ServerSentEvent], times: int) -> None:
    """By what it counts, and what Python's objects cost beside their text."""
    decoder = Decoder(max_choices=2, max_held_bytes=2000)
    longest = max((len(sse.data) for sse in stream), default=0)
    with contextlib.suppress(RemoteProtocolError, LimitExceeded):
        for sse in stream * times:
            decoder.receive_event(sse)
            assert held_bytes(decoder) < 40 * (2000 + longest) + 20_000


@given(st.text(), NAMES)
def test_whatever_text_comes_only_the_named_error_is_raised(data: str, name: str) -> None:
    with contextlib.suppress(RemoteProtocolError):
        CHAT.Decoder().receive_event(ServerSentEvent(name, data))


@given(STREAMS)
def test_the_order_of_block_events_is_one_that_the_accumulator_takes(stream: list[ServerSentEvent]) -> None:
    """A message ends once, and only what is named and whole is complete."""
    events = _decoded(stream)
    accumulator = MessageAccumulator()
    for event in events:
        accumulator.receive(event)
    assert accumulator.message.completeness != "streaming"
    assert sum(isinstance(event, MessageStop) for event in events) <= 1
    starts = [event.choice for event in events if isinstance(event, MessageStart)]
    assert len(starts) == len(set(starts))


@given(STREAMS)
def test_without_done_or_a_finish_reason_nothing_is_complete(stream: list[ServerSentEvent]) -> None:
    data = "".join(sse.data for sse in stream)
    if "[DONE]" in data or '"finish_reason":"' in data:
        return
    assert not any(isinstance(event, MessageStop) for event in _decoded(stream))


@given(STREAMS)
def test_sent_on_verbatim_a_stream_is_the_same(stream: list[ServerSentEvent]) -> None:
    encoder = CHAT.Encoder(verbatim=True)
    sent = [
        sse for event in _decoded(stream) if not isinstance(event, MessageCut) for sse in encoder.send(event)
    ]
    assert sent == stream[: len(sent)]


@given(ORDERLY, st.booleans())
def test_what_was_decoded_says_the_same_after_encoding_and_decoding(
    stream: list[ServerSentEvent],
    done: bool,  # noqa: FBT001
) -> None:
    events = _decoded([*stream, ServerSentEvent("message", "[DONE]")] if done else stream)
    if not isinstance(events[-1], MessageStop):
        return
    encoder = CHAT.Encoder()
    again = _decoded([sse for event in events for sse in encoder.send(event)])
    assert _said(again) == _said(events)


def _said(events: list[BlockEvent]) -> Any:
    accumulator = MessageAccumulator()
    for event in events:
        accumulator.receive(event)
    message = accumulator.message
    return [(answer.text, _executable(answer)) for answer in (message, *message.alternatives.values())]


def _executable(message: Message) -> list[Any]:
    """What may be run; nothing if a call is not whole, because a chunk can't say which one."""
    tools = [block for block in message.blocks if isinstance(block, ToolUseBlock)]
    if any(tool.state == "incomplete" for tool in tools):
        return []
    return [(tool.id, tool.name, tool.arguments) for tool in message.executable_tools]


@st.composite
def _events(draw: st.DrawFn) -> BlockEvent:
    """Block events of any answer."""
    names = st.sampled_from(["x", "message.x", "choice.logprobs.content"])
    event = draw(EVENTS | st.builds(ItemsDelta, names, st.lists(VALUES, max_size=2)))
    event.choice = draw(st.integers(0, 1))
    return event


@given(st.lists(_events(), max_size=12))
def test_block_events_of_any_order_are_written_as_json(events: list[BlockEvent]) -> None:
    encoder = CHAT.Encoder()
    for event in events:
        for sse in encoder.send(event):
            assert sse.data == "[DONE]" or isinstance(strict_json.loads(sse.data), dict)
            sse.data.encode()
