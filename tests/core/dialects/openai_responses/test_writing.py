"""Block events to a response: how it begins and ends, and what has no form in it."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from sse_core import (
    LimitExceeded,
    LocalProtocolError,
    MessageAccumulator,
    RemoteProtocolError,
    ServerSentEvent,
)
from sse_core.blocks import (
    BlockEvent,
    BlockStart,
    BlockStop,
    ItemsDelta,
    MessageCut,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    StreamError,
    TextBlock,
    TextDelta,
    ToolUseBlock,
    UnknownEvent,
)
from sse_core.dialects.openai_responses import Encoder
from tests.core.dialects.responses_written import (
    OWN,
    RESPONSE,
    RESPONSES,
    START,
    final,
    types,
    write,
)


def test_a_response_begins_twice() -> None:
    sent = [json.loads(sse.data) for sse in RESPONSES.Encoder().send(START)]
    assert sent == [
        {"type": "response.created", "response": RESPONSE, "sequence_number": 0},
        {"type": "response.in_progress", "response": RESPONSE, "sequence_number": 1},
    ]


def test_a_message_of_another_protocol_leaves_its_fields_behind() -> None:
    start = MessageStart("m", "gpt", extra={"created": 7, "tier": "a"}, dialect="openai-chat")
    assert final(MessageDelta(extra={"x": 1, "output.0": {"type": "message"}}), start=start) == {
        **RESPONSE,
        "status": "completed",
    }


def test_a_response_keeps_its_fields() -> None:
    extra = {"object": "response", "created_at": 7.5, "event.copilot": 1, "status": "queued"}
    start = MessageStart("r", "gpt", extra=extra, dialect="openai-responses")
    (event,) = write(
        MessageDelta("completed", {"input_tokens": 1}, {"x": 1, "id": "late"}), MessageStop(), start=start
    )
    assert event == {
        "type": "response.completed",
        "copilot": 1,
        "response": {
            "id": "r",
            "object": "response",
            "created_at": 7.5,
            "x": 1,
            "model": "gpt",
            "status": "completed",
            "error": None,
            "incomplete_details": None,
            "output": [],
            "usage": {
                "input_tokens": 1,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": 0,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": 1,
            },
        },
    }


@pytest.mark.parametrize(
    ("stop_reason", "calls", "status", "reason"),
    [
        ("end_turn", False, "completed", None),
        ("stop", True, "completed", None),
        ("tool_use", True, "completed", None),
        ("stop_sequence", False, "completed", None),
        ("stop_sequence", True, "incomplete", "stop_sequence"),
        (None, False, "completed", None),
        (None, True, "incomplete", None),
        ("incomplete", False, "incomplete", None),
        ("length", False, "incomplete", "max_output_tokens"),
        ("model_context_window_exceeded", False, "incomplete", "max_output_tokens"),
        ("SAFETY", True, "incomplete", "content_filter"),
        ("pause_turn", False, "incomplete", "pause_turn"),
        ("huh", False, "incomplete", "huh"),
    ],
)
def test_what_a_message_ended_for_is_a_status(
    stop_reason: str | None, *, calls: bool, status: str, reason: str | None
) -> None:
    tool: list[BlockEvent] = [BlockStart(0, ToolUseBlock("t", "f")), BlockStop(0)]
    response = final(*(tool if calls else []), MessageDelta(stop_reason))
    assert response["status"] == status
    assert response["incomplete_details"] == (reason and {"reason": reason})


def test_details_of_an_incomplete_response_are_kept() -> None:
    details = {"reason": "max_output_tokens", "x": 1}
    for given, kept in ((details, details), ({"reason": "x"}, {"reason": "max_output_tokens"})):
        delta = MessageDelta("max_output_tokens", extra={"incomplete_details": given})
        assert final(delta, start=OWN)["incomplete_details"] == kept


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({}, None),
        (
            {"input_tokens": 1, "cache_read_input_tokens": 2, "cache_creation_input_tokens": 4},
            (7, {"cached_tokens": 2, "cache_write_tokens": 4}, 0, {"reasoning_tokens": 0}, 7),
        ),
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 3,
                "completion_tokens_details": {"reasoning_tokens": 2},
            },
            (5, {"cached_tokens": 0}, 3, {"reasoning_tokens": 2}, 8),
        ),
        ({"input_tokens_details": {"x": 1}}, {"input_tokens_details": {"x": 1}}),
        ({"input_tokens": 1, "total_tokens": 9}, {"input_tokens": 1, "total_tokens": 9}),
    ],
)
def test_usage_is_counted_as_responses_count(figures: dict[str, Any], expected: Any) -> None:
    names = (
        "input_tokens",
        "input_tokens_details",
        "output_tokens",
        "output_tokens_details",
        "total_tokens",
    )
    usage = dict(zip(names, expected, strict=True)) if isinstance(expected, tuple) else expected
    assert final(MessageDelta("end_turn", figures))["usage"] == usage


@pytest.mark.parametrize(
    "event",
    [Ping(), UnknownEvent({"type": "x"}), ItemsDelta("x", [1]), MessageDelta("end_turn"), START],
)
def test_what_has_no_form_is_left_out(event: BlockEvent) -> None:
    assert write(event) == []


def test_a_response_is_one_answer() -> None:
    sent = write(
        MessageStart("m", "gpt", choice=1),
        BlockStart(0, TextBlock("a"), choice=1),
        BlockStart(0, TextBlock("b")),
        MessageDelta("max_tokens", choice=1),
    )
    assert [event["delta"] for event in sent if "delta" in event] == ["b"]
    assert final(MessageDelta("max_tokens", choice=1))["status"] == "completed"


@pytest.mark.parametrize("kind", ["truncated", "stopped", "failed"])
def test_a_cut_is_an_error(kind: Any) -> None:
    (event,) = write(MessageCut(kind), Ping(), BlockStart(0, TextBlock()), MessageStop(), MessageCut(kind))
    assert (event["type"], event["outcome"]) == ("error", kind)
    assert event["error"]["type"] in {"stream_truncated", "turn_stopped", "turn_failed"}


def test_an_error_may_come_first() -> None:
    (sent,) = RESPONSES.Encoder().send(StreamError("overloaded_error", "Overloaded"))
    data = json.loads(sent.data)
    assert (sent.type, data["error"]["message"], data["sequence_number"]) == ("error", "Overloaded", 0)


def test_nothing_follows_the_end() -> None:
    assert write(MessageStop(), BlockStart(0, TextBlock()), StreamError("x", "y"))[1:] == []


@pytest.mark.parametrize(
    "event",
    [
        BlockStart(0, TextBlock()),
        TextDelta(0, "a"),
        BlockStop(0),
        MessageDelta(),
        MessageStop(),
    ],
)
def test_an_event_that_cannot_come_now_is_refused(event: BlockEvent) -> None:
    with pytest.raises(RemoteProtocolError):
        RESPONSES.Encoder().send(event)


def test_what_is_kept_is_bounded() -> None:
    small = Encoder(max_message_bytes=300)
    small.send(START)
    small.send(BlockStart(0, TextBlock()))
    small.send(TextDelta(0, "1234567890"))
    with pytest.raises(LimitExceeded) as caught:
        small.send(TextDelta(0, "1234567890" * 30))
    assert caught.value.limit == "max_message_bytes"
    few = Encoder(max_blocks=1)
    few.send(START)
    few.send(BlockStart(0, TextBlock()))
    with pytest.raises(LimitExceeded) as caught:
        few.send(BlockStart(1, TextBlock()))
    assert caught.value.limit == "max_blocks"


@pytest.mark.parametrize("verbatim", [True, False])
@pytest.mark.parametrize("wrong", [None, "text", BlockEvent()])
def test_what_is_no_block_event_is_refused(wrong: Any, *, verbatim: bool) -> None:
    encoder = RESPONSES.Encoder(verbatim=verbatim)
    if verbatim and isinstance(wrong, BlockEvent):
        assert encoder.send(wrong) == []
        return
    with pytest.raises(LocalProtocolError):
        encoder.send(cast(BlockEvent, wrong))


@pytest.mark.parametrize(
    ("last", "number"),
    [
        ({"sequence_number": 4}, 5),
        ({}, None),
        ({"sequence_number": "4"}, None),
        ({"sequence_number": int("9" * 4300)}, None),
    ],
)
def test_verbatim_only_what_the_provider_did_not_send_is_written(
    last: dict[str, Any], number: int | None
) -> None:
    encoder = RESPONSES.Encoder(verbatim=True)
    source = ServerSentEvent("response.x", json.dumps(last))
    assert encoder.send(MessageStart("r", "m", source=source)) == [source]
    assert encoder.send(BlockStart(0, TextBlock("a"))) == []
    (end,) = encoder.send(MessageCut("truncated"))
    assert json.loads(end.data).get("sequence_number") == number
    assert encoder.send(StreamError("x", "y", source=source)) == [source]


@pytest.mark.parametrize("data", ["[1]", "[DONE]", "{", "\ud800"])
def test_verbatim_an_end_behind_what_is_no_object_has_no_number(data: str) -> None:
    encoder = RESPONSES.Encoder(verbatim=True)
    encoder.send(MessageStart("r", "m", source=ServerSentEvent("response.x", data)))
    (end,) = encoder.send(MessageCut("truncated"))
    assert "sequence_number" not in json.loads(end.data)


def test_verbatim_an_end_that_is_all_there_is_has_the_first_number() -> None:
    (end,) = RESPONSES.Encoder(verbatim=True).send(StreamError("x", "y"))
    assert json.loads(end.data)["sequence_number"] == 0


@pytest.mark.parametrize("end", [MessageCut("truncated"), StreamError("overloaded_error", "m")])
def test_the_usage_of_a_message_is_sent_before_an_error(end: BlockEvent) -> None:
    figures, facts = MessageDelta(usage={"input_tokens": 3, "output_tokens": 1}), "in_progress"
    sent = write(figures, end)
    assert types(sent) == [facts, "error"]
    assert sent[0]["response"]["usage"]["input_tokens"] == 3
    encoder, decoder, accumulator = RESPONSES.Encoder(), RESPONSES.Decoder(), MessageAccumulator()
    for event in [START, figures, end]:
        for sse in encoder.send(event):
            for again in decoder.receive_event(sse):
                accumulator.receive(again)
    assert (accumulator.message.token_counts.input, accumulator.message.completeness) == (3, "failed")


def test_the_error_of_another_provider_is_sent_in_openais_words() -> None:
    (error,) = write(StreamError("UNAVAILABLE", "m", "c", kind="overloaded", extra={"x": 1}))
    assert error["error"]["type"] == "service_unavailable"
    assert (error["error"]["code"], "x" in error["error"]) == (None, False)
