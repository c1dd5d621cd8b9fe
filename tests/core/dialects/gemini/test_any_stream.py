"""The laws of the dialect: any JSON is read or refused, and what is written is what was read."""

from __future__ import annotations

from collections import deque
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sse_core import LimitExceeded, RemoteProtocolError, dialects
from sse_core.blocks import BlockEvent, Message
from sse_core.dialects.gemini import Decoder
from sse_core.testing import events_of, message_of, strategies
from tests.core.dialects.gemini_events import GEMINI, decode, end, sse
from tests.core.dialects.gemini_events import parts as response

FIELDS = strategies.json_objects()
TEXTS = strategies.texts()
VALUES = strategies.json_values()

#: Names that mean something, and one that does not.
_OF_A_RESPONSE = [
    "candidates",
    "usageMetadata",
    "promptFeedback",
    "blockReason",
    "responseId",
    "modelVersion",
    "error",
]
_OF_A_CANDIDATE = ["content", "index", "finishReason", "citationMetadata", "logprobsResult", "parts", "role"]
_OF_A_PART = [
    "text",
    "thought",
    "thoughtSignature",
    "functionCall",
    "executableCode",
    "inlineData",
    "type",
    "part",
]
_OF_A_CALL = ["name", "args", "id", "partialArgs", "jsonPath", "stringValue", "nullValue", "willContinue"]
_OF_AN_ERROR = ["code", "message", "status", "details"]
NAMES = st.sampled_from([*_OF_A_RESPONSE, *_OF_A_CANDIDATE, *_OF_A_PART, *_OF_A_CALL, *_OF_AN_ERROR, "x"])
PATHS = st.sampled_from(["$.a", "$.b[0]", "$.b[1].c", "$['d']", "$", "$[0]", ""])
LEAVES = st.none() | st.booleans() | st.integers(-1, 3) | TEXTS | PATHS | st.sampled_from(["STOP", "r1"])
ANY = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)

VALUE = st.fixed_dictionaries(
    {"jsonPath": PATHS | ANY}, optional={"stringValue": TEXTS | ANY, "numberValue": ANY, "willContinue": ANY}
)
CALL = st.fixed_dictionaries(
    {},
    optional={
        "name": st.just("f") | ANY,
        "id": TEXTS | ANY,
        "args": FIELDS | ANY,
        "partialArgs": st.lists(VALUE, max_size=3) | ANY,
        "willContinue": st.booleans() | ANY,
    },
)
PART = st.fixed_dictionaries(
    {},
    optional={
        "text": TEXTS,
        "thought": st.booleans(),
        "thoughtSignature": TEXTS,
        "functionCall": CALL,
        "x": ANY,
    },
)
CANDIDATE = st.fixed_dictionaries(
    {},
    optional={
        "index": st.integers(0, 2),
        "content": st.fixed_dictionaries({"parts": st.lists(PART | ANY, max_size=3)}) | ANY,
        "finishReason": st.just("STOP") | ANY,
        "citationMetadata": ANY,
    },
)
#: Responses that are nearly right, and objects that are not.
RESPONSE = (
    st.fixed_dictionaries(
        {"candidates": st.lists(CANDIDATE, max_size=2)},
        optional={"usageMetadata": FIELDS, "promptFeedback": ANY, "responseId": ANY, "error": ANY},
    )
    | ANY
)


@given(st.lists(RESPONSE, max_size=6))
def test_any_json_in_any_order_is_read_or_refused(stream: list[Any]) -> None:
    decoder = Decoder(max_choices=2, max_held_bytes=1000)
    events: list[BlockEvent] = []
    for data in stream:
        try:
            events += decoder.receive_event(sse(data))
        except (RemoteProtocolError, LimitExceeded):
            assert decoder.receive_event(end()) == []
    message = message_of(events + decoder.receive_eof())
    assert message.completeness in {"complete", "truncated", "failed"}
    assert message.completeness == "complete" or message.executable_tools == []
    for name in ("gemini", "anthropic", "openai-chat"):
        dialect = dialects.get(name)
        dialect.to_response(message)
        encoder = dialect.Encoder()
        deque(map(encoder.send, events), maxlen=0)


SIGNATURES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {}, optional={"thoughtSignature": TEXTS}
)
GOOD_TEXT = st.builds(
    lambda text, thought, signature: {"text": text, **thought, **signature},
    TEXTS,
    st.sampled_from([{}, {"thought": True}]),
    SIGNATURES,
)
GOOD_CALL = st.builds(
    lambda call, signature: {"functionCall": call, **signature},
    st.fixed_dictionaries({"name": TEXTS.filter(bool)}, optional={"id": TEXTS.filter(bool), "args": FIELDS}),
    SIGNATURES,
)
GOOD_OTHER = st.builds(
    lambda name, value, signature: {name: value, **signature},
    st.sampled_from(["inlineData", "executableCode", "x", "type"]),
    VALUES,
    SIGNATURES,
)
GOOD_PARTS = st.lists(st.lists(GOOD_TEXT | GOOD_CALL | GOOD_OTHER, max_size=4), max_size=4)


def whole_parts(parts: list[Any]) -> list[Any]:
    """Texts of one kind joined, signed ones alone, empty ones left out."""
    whole: list[Any] = []
    for part in parts:
        plain = part.keys() <= {"text", "thought"}
        if plain and part["text"] and whole and {**whole[-1], "text": ""} == {**part, "text": ""}:
            joined = whole[-1]["text"] + part["text"]
            whole[-1] = {
                **part,
                "text": joined.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass"),
            }
        elif not plain or part["text"]:
            whole.append(part)
    return whole


@given(GOOD_PARTS)
def test_the_parts_of_a_response_are_those_that_came_however_they_came(stream: list[list[Any]]) -> None:
    came = [part for chunk in stream for part in chunk]
    expected = {"content": {"parts": whole_parts(came), "role": "model"}, "finishReason": "STOP", "index": 0}
    for chunks in (stream, [came], [[part] for part in came]):
        message = message_of(decode(*(response(*chunk) for chunk in chunks), end(), eof=True))
        assert GEMINI.to_response(message)["candidates"] == [expected]


@given(GOOD_PARTS, GOOD_PARTS)
def test_what_is_written_anew_is_the_same_message(stream: list[list[Any]], others: list[list[Any]]) -> None:
    chunks = [response(*chunk) for chunk in stream] + [response(*chunk, index=1) for chunk in others]
    events = decode(*chunks, end(), end("MAX_TOKENS", 1), eof=True)
    again = decode(*events_of(GEMINI, events), eof=True)
    assert message_of(again) == message_of(events)


@given(st.lists(GOOD_PARTS, min_size=1, max_size=3), st.data())
def test_a_stream_that_is_cut_has_nothing_to_execute(stream: list[list[Any]], data: st.DataObject) -> None:
    chunks = [response(*chunk) for parts in stream for chunk in parts]
    count = data.draw(st.integers(0, len(chunks)))
    message: Message = message_of(decode(*chunks[:count], eof=True))
    assert (message.completeness, message.executable_tools) == ("truncated", [])
