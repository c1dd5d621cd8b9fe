"""Recorded streams of Responses: read whole and in pieces, and compared with the whole response."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sse_core import Message, RemoteProtocolError, ServerSentEvent, dialects
from sse_core.blocks import (
    BlockEvent,
    ResultBlock,
    StreamError,
    TextBlock,
    TextDelta,
    TextReplaced,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
)
from sse_core.dialects.openai_responses import Decoder
from tests.acceptance.listed import Listed
from tests.acceptance.recorded import (
    accumulated,
    decoded,
    differences,
    framed,
    message_of,
    splits,
    stream,
)

SHARED = Path(__file__).parents[3] / "shared"
if not SHARED.is_dir():
    pytest.skip("shared folder missing: the recordings lie beside the checkout", allow_module_level=True)

RESPONSES = dialects.get("openai-responses")
FIXTURES = SHARED / "fixtures"
RECORDED = sorted([*FIXTURES.glob("openai-responses/*.sse"), *FIXTURES.glob("responses-compat/*/*.sse")])
PAYLOADS = sorted(
    path
    for path in FIXTURES.glob("vercel-chunks/*/*.chunks.txt")
    if b'"response.created"' in path.read_bytes()
)
EXPECTED = [path for path in RECORDED if path.with_suffix(".expected.json").exists()]
LISTED = Listed("openai_responses_differences.json")
#: Its first and its last line lack a brace: made by hand, and never a stream.
BROKEN = "parallel-tool-call-wrapper.1.chunks"
FAILED = "openai-error.1.chunks"

STREAMS = [path for path in RECORDED + PAYLOADS if path.stem != BROKEN]
every_stream = pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)


def named(name: str) -> Path:
    (path,) = [path for path in RECORDED + PAYLOADS if name in path.stem]
    return path


def read(path: Path) -> Message:
    return message_of(RESPONSES, stream(path))


def sent_at_the_end(path: Path) -> Any:
    """The response as the recording's own last event has it, if that holds the output."""
    ends = [json.loads(sse.data) for sse in framed([stream(path)]) if '"response.completed"' in sse.data]
    return ends[-1]["response"] if ends and ends[-1]["response"].get("output") else None


def found(path: Path) -> list[tuple[str, Any, Any]]:
    """Where our response differs from the expected one, and from the provider's own."""
    message = read(path)
    ours = RESPONSES.to_response(message)
    expected = path.with_suffix(".expected.json")
    wholes = [json.loads(expected.read_text())] if expected.exists() else []
    if sent_at_the_end(path) is not None:
        wholes.append(sent_at_the_end(path))
    return [difference for whole in wholes for difference in differences(ours, whole)]


def test_all_recordings_are_there() -> None:
    assert (len(RECORDED), len(EXPECTED), len(PAYLOADS)) == (50, 48, 8)


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_a_recorded_stream_gives_the_whole_response(path: Path) -> None:
    assert LISTED.unlisted(found(path)) == []


def test_every_difference_that_is_listed_is_there_as_often_as_listed() -> None:
    LISTED.expect_each_as_often_as_listed(difference for path in STREAMS for difference in found(path))


@every_stream
def test_a_message_is_the_same_however_its_bytes_are_cut(path: Path) -> None:
    data = stream(path)
    whole = message_of(RESPONSES, data)
    for pieces in splits(data, path.stem):
        assert message_of(RESPONSES, *pieces) == whole


@every_stream
def test_a_stream_is_complete_and_nothing_in_it_is_unknown(path: Path) -> None:
    message = read(path)
    assert message.completeness == ("failed" if path.stem == FAILED else "complete")
    assert message.unknown == []
    assert message.dialect == "openai-responses"
    assert message.token_counts.total is not None or path.stem == FAILED


@every_stream
def test_text_and_thinking_are_what_their_deltas_say(path: Path) -> None:
    events = list(decoded(RESPONSES, framed([stream(path)])))
    message = read(path)
    for index, block in message.indexed_blocks.items():
        if isinstance(block, TextBlock):
            deltas = [e.text for e in events if isinstance(e, TextDelta) and e.index == index]
            assert block.text == "".join(deltas) != ""
        elif isinstance(block, ThinkingBlock):
            deltas = [e.text for e in events if isinstance(e, ThinkingDelta) and e.index == index]
            assert block.thinking == "".join(deltas) != ""
    assert not [event for event in events if isinstance(event, TextReplaced)]


@every_stream
def test_every_event_is_the_source_of_something(path: Path) -> None:
    """So a stream can be sent on as it came."""
    received = framed([stream(path)])
    sources = [event.source for event in decoded(RESPONSES, received) if event.source is not None]
    after = {"[DONE]"} if path.stem != FAILED else {received[-1].data}
    assert sources == [sse for sse in received if sse.data not in after]


@every_stream
def test_wherever_a_stream_is_cut_nothing_looks_complete_too_early(path: Path) -> None:
    received = framed([stream(path)])
    for count in range(len(received) + 1):
        message = accumulated(decoded(RESPONSES, received[:count]))
        before = received[:count]
        if message.completeness == "complete":
            assert any('"response.completed"' in sse.data for sse in before)
            continue
        assert message.completeness == ("truncated" if message.error is None else "failed")
        assert message.executable_tools == []
        whole = sum(
            '"response.output_item.done"' in sse.data and '"call_id"' in sse.data and "arguments" in sse.data
            for sse in before
        )
        assert len([tool for tool in message.tools if tool.state == "complete"]) == whole
        assert {tool.state for tool in message.tools} <= {"complete", "incomplete"}


@every_stream
def test_a_stream_may_be_read_over_two_connections(path: Path) -> None:
    """The second sends what was seen again, as far back as it likes; without numbers, nothing twice."""
    received = framed([stream(path)])
    whole = list(decoded(RESPONSES, received))
    has_numbers = '"sequence_number"' in received[0].data
    for cut in range(1, len(received)):
        decoder = Decoder()
        back = cut - (cut * 7 % 4 if has_numbers else 0)
        events = [
            event for sse in received[:cut] + received[max(back, 0) :] for event in decoder.receive_event(sse)
        ]
        assert events + decoder.receive_eof() == whole


def test_a_stream_that_was_resumed_has_no_start_of_its_own() -> None:
    received = framed([stream(named("starting_after"))])
    resumed = read_by(Decoder(starting_after=0), received)
    assert (resumed.completeness, resumed.resume_cursor) == ("complete", 16)
    assert resumed.id.startswith("resp_0850765c")
    assert resumed.text != ""
    first = json.loads(received[0].data)
    before = {**first, "type": "response.created", "sequence_number": 0}
    assert read_by(Decoder(), [ServerSentEvent("message", json.dumps(before)), *received]) == resumed


def test_a_response_in_the_background_can_be_resumed_after_its_start() -> None:
    received = framed([stream(named("background_mode_streaming_vcr"))])
    whole = read_by(Decoder(), received)
    assert whole.resume_cursor == 16
    assert read_by(Decoder(starting_after=0), received[1:]) == whole
    first = read_by(Decoder(), received[:9])
    assert (first.completeness, first.resume_cursor) == ("truncated", 8)


def read_by(decoder: Decoder, received: list[ServerSentEvent]) -> Message:
    events: list[BlockEvent] = [event for sse in received for event in decoder.receive_event(sse)]
    return accumulated(events + decoder.receive_eof())


def test_only_a_response_in_the_background_has_a_cursor() -> None:
    assert [path.stem for path in STREAMS if read(path).resume_cursor is not None] == [
        "pydantic-ai--test_background_mode_streaming_starting_after_vcr--1",
        "pydantic-ai--test_background_mode_streaming_vcr--0",
    ]


def test_calls_are_whole_and_may_run() -> None:
    calls = [tool for path in STREAMS for tool in read(path).tools]
    runnable = [tool for path in STREAMS for tool in read(path).executable_tools]
    assert len(runnable) == len(calls) == 17
    assert all(isinstance(tool.arguments, dict) for tool in runnable)


def test_one_failure_comes_once() -> None:
    events = list(decoded(RESPONSES, framed([stream(named("openai-error"))])))
    (error,) = [event for event in events if isinstance(event, StreamError)]
    assert (error.code, error.kind, error.retryable) == ("insufficient_quota", "billing", False)
    assert events[-1] is error


def test_a_recording_that_is_no_json_is_refused() -> None:
    path = named("parallel-tool-call")
    with pytest.raises(RemoteProtocolError, match="unreadable event"):
        read(path)
    lines = [
        line if line.endswith(b"}}}") or b"response.c" not in line else line + b"}"
        for line in path.read_bytes().splitlines()
    ]
    message = message_of(RESPONSES, *(b"data: " + line + b"\n\n" for line in lines))
    assert [tool.name for tool in message.executable_tools] == ["parallel"]


def test_ids_that_change_with_each_event_make_one_message() -> None:
    message = read(named("github-copilot-id-rotation"))
    assert [type(block) for block in message.blocks] == [ThinkingBlock, TextBlock]
    assert message.text.startswith("There are **3** letter")
    assert message.extra["event.copilot_usage"]["total_nano_aiu"] == 150325000


def test_parts_may_be_counted_from_one() -> None:
    message = read(named("streams_through_the_responses_surface"))
    thinking, text = message.blocks
    assert isinstance(thinking, ThinkingBlock)
    assert isinstance(text, TextBlock)
    assert thinking.extra == {"output_index": 0, "content_index": 0, "field": "reasoning_text"}
    assert (text.extra["content_index"], text.text[:5]) == (1, "Sure!")


def test_items_may_overlap() -> None:
    message = read(named("raw_cot_stream_openrouter"))
    assert [getattr(block, "extra", {})["output_index"] for block in message.blocks] == [0, 1]
    assert message.text == "4"
    assert message.extra["output.0"]["id"] == "rs_tmp_ku4i7pagjwn"  # the last that was sent


def test_citations_and_searches_are_there() -> None:
    message = read(named("raw_annotations_streaming--0"))
    first, second, text = message.blocks
    assert isinstance(first, ResultBlock)
    assert (first.type, second.type) == ("web_search_call", "web_search_call")
    assert first.data["action"]["type"] == "search"
    assert isinstance(text, TextBlock)
    assert [citation["type"] for citation in text.citations or []] == ["url_citation"]
    assert message.server_tool_seen


def test_an_image_is_what_its_item_says_at_the_end() -> None:
    image = read(named("xai-image-generation")).blocks[0]
    assert isinstance(image, ResultBlock)
    assert (image.data["status"], image.data["result"][:4]) == ("completed", "ZmFr")


def test_a_program_is_unknown_and_its_call_is_not() -> None:
    message = read(named("programmatic-tool-calling"))
    program, call = message.blocks
    assert isinstance(program, UnknownBlock)
    assert program.data["code"].startswith("const inventory")
    assert isinstance(call, ToolUseBlock)
    assert message.extra["output.2"]["caller"]["type"] == "program"


def test_log_probabilities_are_as_exact_as_the_provider_sent_them() -> None:
    (text,) = read(named("logprobs_streaming")).blocks
    assert isinstance(text, TextBlock)
    assert text.extra["logprobs"][0]["logprob"] == -1.9361264946837764e-07
