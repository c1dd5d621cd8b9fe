"""The npm package's own reader takes whatever our encoder sends: ends, errors, retries, broken calls."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from sse_core import ServerSentEvent, dialects, encode_event
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageCut,
    MessageDelta,
    MessageReset,
    MessageStart,
    MessageStop,
    ResultBlock,
    StreamError,
    TextBlock,
    TextDelta,
    ToolUseBlock,
)
from sse_core.dialects.ui_messages import Encoder
from tests.acceptance.browser_reader import read_by_browser
from tests.acceptance.recorded import ABSENT, decoded, differences, framed, message_of
from tests.core.dialects.ui_messages.test_any_stream import ANYTHING, DIALECTS, ENDS, provider_events

SYNTHETIC = Path(__file__).parents[3] / "shared" / "fixtures" / "ai-sdk-ui"
CALL_ID = "toolu_01NRLabsLyVHZPKxbKvkfSMn"
START = MessageStart("msg-1", "m", dialect="anthropic")
CUT: MessageCut = MessageCut("truncated")


def text(index: int, *fragments: str, end: bool = True) -> list[BlockEvent]:
    deltas = [TextDelta(index, fragment) for fragment in fragments]
    return [BlockStart(index, TextBlock()), *deltas, *([BlockStop(index)] if end else [])]


def call(index: int, arguments: str, *, end: bool = True, **fields: Any) -> list[BlockEvent]:
    tool = ToolUseBlock(CALL_ID, "get_weather", **fields)
    stop = [BlockStop(index)] if end else []
    return [BlockStart(index, tool), ArgumentsDelta(index, arguments), *stop]


def end(reason: str = "end_turn") -> list[BlockEvent]:
    return [MessageDelta(reason), MessageStop()]


def wire(events: Iterable[ServerSentEvent]) -> bytes:
    return b"".join(encode_event(event.data) for event in events)


def encoded(events: Iterable[BlockEvent]) -> bytes:
    encoder = Encoder()
    return wire(sse for event in events for sse in encoder.send(event))


def retried() -> bytes:
    """A turn whose first attempt was shown in part, and whose second began anew."""
    encoder = Encoder()
    first = [START, *text(0, "Hel"), *call(1, '{"a":', end=False), *text(2, "lo", end=False)]
    second = [MessageStart("msg-2", "m"), *text(0, "Hello"), *end()]
    events = [sse for event in first for sse in encoder.send(event)]
    events += encoder.send(MessageReset())
    return wire([*events, *(sse for event in second for sse in encoder.send(event))])


INVALID_ARGUMENTS = "The arguments of this call are not valid JSON."
STEP = {"type": "step-start"}


def text_part(text: str, state: str = "done") -> dict[str, Any]:
    return {"type": "text", "text": text, "state": state}


def call_part(**fields: Any) -> dict[str, Any]:
    return {"type": "tool-get_weather", "toolCallId": CALL_ID, **fields}


OUTPUT = ResultBlock({"type": "x_tool_result", "tool_use_id": CALL_ID, "content": [1]})
#: What is sent, the parts that the browser has in the end, and the errors that it saw.
CASES: dict[str, tuple[bytes, list[Any], list[str]]] = {
    "stopped": (
        encoded([START, *text(0, "I", " go", end=False), MessageCut("stopped")]),
        [text_part("I go", "streaming")],
        [],
    ),
    "truncated within a text": (encoded([START, *text(0, "I", end=False), CUT]), [text_part("I")], []),
    "truncated within a call": (
        encoded([START, *call(0, '{"a":1', end=False), CUT]),
        [call_part(state="input-streaming", input={"a": 1}, rawInput='{"a":1')],
        [],
    ),
    "truncated after a call": (
        encoded([START, *call(0, '{"a":1}'), MessageDelta("tool_use"), CUT]),
        [call_part(state="input-streaming", input={"a": 1}, rawInput='{"a":1}')],
        [],
    ),
    "failed": (
        encoded([START, *text(0, "I", end=False), StreamError("overloaded_error", "Overloaded")]),
        [text_part("I", "streaming")],
        ["Error: Overloaded"],
    ),
    "failed outside the stream": (
        encoded([START, MessageCut("failed")]),
        [],
        ["Error: The turn failed before the message was complete."],
    ),
    "tried again": (retried(), [text_part("Hello")], []),
    "a call": (
        encoded([START, *call(0, '{"a":1}'), *end("tool_use")]),
        [call_part(state="input-available", input={"a": 1})],
        [],
    ),
    "a call, and the message too long": (
        encoded([START, *call(0, '{"a":1}'), *end("max_tokens")]),
        [call_part(state="input-streaming", input={"a": 1}, rawInput='{"a":1}')],
        [],
    ),
    "a call with free text": (
        encoded([START, *call(0, "x = 1", input_encoding="text"), *end("tool_use")]),
        [call_part(state="input-available", input="x = 1")],
        [],
    ),
    "a call with no JSON": (
        encoded([START, *call(0, '{"a":'), *end("tool_use")]),
        [
            call_part(
                state="output-error",
                input='{"a":',
                errorText="The arguments of this call are not valid JSON.",
            )
        ],
        [],
    ),
    "a call that the provider runs": (
        encoded(
            [
                START,
                *call(0, "{}", type="server_tool_use"),
                BlockStart(1, OUTPUT),
                BlockStop(1),
                *end("pause_turn"),
            ]
        ),
        [call_part(state="output-available", input={}, output=[1], providerExecuted=True)],
        [],
    ),
    "halves of a surrogate pair": (
        encoded([START, *text(0, "\ud83d", "\ude00"), *end()]),
        [text_part("😀")],
        [],
    ),
}


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    """What the browser makes of all cases, of one run of node."""
    return dict(zip(CASES, read_by_browser([stream for stream, _, _ in CASES.values()]), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_the_browser_makes_the_message_that_was_meant(name: str, results: dict[str, Any]) -> None:
    _, parts, errors = CASES[name]
    expected = {"message": {"id": "msg-1", "role": "assistant", "parts": [STEP, *parts]}, "errors": errors}
    if not parts:  # the reader shows a message first when there is something in it
        expected["message"]["parts"] = []  # type: ignore[index]  # of the two values it is the object
    assert results[name] == expected


@pytest.mark.parametrize(
    ("name", "events"),
    [
        (
            "anthropic-abort-midtext",
            [
                START,
                *text(0, "I", "'ll check the current weather in Paris for you.", end=False),
                MessageCut("stopped"),
            ],
        ),
        (
            "anthropic-truncated-midtool",
            [
                START,
                *text(0, "I", "'ll check the current weather in Paris for you."),
                *call(1, '{"locati', end=False),
                CUT,
            ],
        ),
        (
            "openai-chat-truncated-nofinish",
            [START, *text(0, "I'm unable to provide real-time weather", end=False), CUT],
        ),
    ],
)
def test_a_cut_looks_as_the_packages_own(name: str, events: list[BlockEvent]) -> None:
    """The same message, and the same chunks at the end, but for the text of the reason."""
    if not SYNTHETIC.is_dir():
        pytest.skip("shared folder missing: the recordings lie beside the checkout")
    theirs = (SYNTHETIC / f"synthetic--{name}.ui.sse").read_bytes()
    first, second = read_by_browser([encoded(events), theirs])
    second["message"]["parts"] = [part for part in second["message"]["parts"] if part["type"] != "custom"]
    assert first == second
    assert last_chunks(encoded(events)) == last_chunks(theirs)


def last_chunks(stream: bytes) -> list[Any]:
    chunks = [json.loads(sse.data) for sse in framed([stream]) if sse.data != "[DONE]"]
    return [{**chunk, "reason": ""} if "reason" in chunk else chunk for chunk in chunks[-2:]]


def test_our_decoder_reads_the_cases_too() -> None:
    ui = dialects.get("ui-messages")
    for stream, _, errors in CASES.values():
        failures = [event for event in decoded(ui, framed([stream])) if isinstance(event, StreamError)]
        assert [f"Error: {failure.message}" for failure in failures] == errors


def any_streams(count: int) -> list[bytes]:
    """Streams of whatever events there may be, in any order: the same ones each time."""
    made: list[bytes] = []

    @settings(max_examples=count, derandomize=True, database=None, phases=[Phase.generate])
    @given(DIALECTS, ANYTHING, ENDS)
    def make(dialect: str, events: list[BlockEvent], end: BlockEvent) -> None:
        made.append(encoded([MessageStart("m", "", dialect=dialect), *events, end]))

    @settings(max_examples=count // 3, derandomize=True, database=None, phases=[Phase.generate])
    @given(provider_events())
    def make_of_provider(events: list[BlockEvent]) -> None:
        made.append(encoded(events))

    make()
    make_of_provider()
    return made


@pytest.fixture(scope="module")
def any_results() -> list[tuple[bytes, dict[str, Any]]]:
    """Such streams, and what the browser makes of them."""
    streams = any_streams(150)
    return list(zip(streams, read_by_browser(streams), strict=True))


def test_the_browser_takes_whatever_is_sent(any_results: Any) -> None:
    """Not one chunk is against the package's schema, or out of its order."""
    for stream, result in any_results:
        sent = [chunk["errorText"] for chunk in map(json.loads, chunks(stream)) if chunk["type"] == "error"]
        assert result["errors"] == [f"Error: {text}" if text else "Error" for text in sent]


def test_our_reader_makes_what_the_browser_makes(any_results: Any) -> None:
    """Of all these streams too, but for the input of a call that is not whole, which the browser guesses.

    Its reader shows no message before there is a part in it; and metadata that is no object is for nobody.
    """
    ui = dialects.get("ui-messages")
    for stream, result in any_results:
        if b'"message-metadata"' not in stream and result["message"] and result["message"]["parts"]:
            ours = as_javascript(ui.to_response(message_of(ui, stream)))
            found = differences(ours, as_javascript(result["message"]))
            assert [place for place in found if place[:2] != ("parts[].input", ABSENT)] == []


def as_javascript(value: Any) -> Any:
    """A value whose numbers are all of one kind."""
    return json.loads(json.dumps(value), parse_int=float)


def chunks(stream: bytes) -> list[str]:
    return [sse.data for sse in framed([stream]) if sse.data != "[DONE]"]
