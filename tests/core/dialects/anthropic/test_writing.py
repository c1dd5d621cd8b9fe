"""Block events to Anthropic's events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sse_core import LocalProtocolError, MessageAccumulator, ServerSentEvent, dialects
from sse_core.blocks import (
    BlockEvent,
    BlockStart,
    ItemsDelta,
    MessageCut,
    MessageDelta,
    MessageStart,
    Ping,
    StreamError,
    TextBlock,
    TextDelta,
    UnknownEvent,
)

ANTHROPIC = dialects.get("anthropic")


def encode(event: BlockEvent) -> Any:
    (sse,) = ANTHROPIC.Encoder().send(event)
    data = json.loads(sse.data)
    assert sse.type == data["type"]
    return data


def test_a_start_has_all_that_anthropics_clients_look_for() -> None:
    assert encode(MessageStart("msg_1", "claude", usage={"input_tokens": 1})) == {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 1},
        },
    }


def test_facts_of_the_message_stand_where_anthropic_has_them() -> None:
    extra: dict[str, Any] = {"context_management": {"edits": []}, "container": {}}
    assert encode(MessageDelta("end_turn", {"output_tokens": 1}, extra)) == {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None, "container": {}},
        "usage": {"output_tokens": 1},
        "context_management": {"edits": []},
    }


def test_data_is_one_line_of_compact_json() -> None:
    (sse,) = ANTHROPIC.Encoder().send(TextDelta(0, "a\r\nb\u2028é😀\ud83d"))
    assert sse.data.startswith('{"type":"content_block_delta","index":0,"delta":{"type":"text_delta",')
    assert "\n" not in sse.data
    assert "\r" not in sse.data
    sse.data.encode()


@pytest.mark.parametrize(
    ("completeness", "kind"),
    [("truncated", "stream_truncated"), ("stopped", "turn_stopped"), ("failed", "turn_failed")],
)
def test_a_cut_is_an_error_event_so_that_it_never_looks_complete(completeness: Any, kind: str) -> None:
    data = encode(MessageCut(completeness))
    assert data == {
        "type": "error",
        "error": {"type": kind, "message": data["error"]["message"]},
        "outcome": completeness,
    }
    assert data["error"]["message"].endswith("before the message was complete.")


@pytest.mark.parametrize("completeness", ["truncated", "stopped", "failed"])
def test_a_cut_is_read_back_as_an_error_with_its_outcome(completeness: Any) -> None:
    decoder, accumulator = ANTHROPIC.Decoder(), MessageAccumulator()
    for event in (MessageStart("m", "c"), BlockStart(0, TextBlock("Hel")), MessageCut(completeness)):
        for sse in ANTHROPIC.Encoder().send(event):
            for decoded in decoder.receive_event(sse):
                accumulator.receive(decoded)
    message = accumulator.message
    assert (message.text, message.completeness) == ("Hel", "failed")
    assert message.error is not None
    assert message.error.extra == {"outcome": completeness}
    assert message.error.retryable == (completeness == "truncated")


def test_an_error_without_a_source_says_that_the_message_failed() -> None:
    assert encode(StreamError("overloaded_error", "Overloaded", retryable=True)) == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded"},
        "outcome": "failed",
    }


def test_what_the_type_does_not_say_of_an_error_is_said() -> None:
    error = StreamError(
        "api_error", "m", "c", retryable=False, retry_after=2, extra={"details": 1, "request_id": "r"}
    )
    assert encode(error) == {
        "type": "error",
        "error": {
            "type": "api_error",
            "message": "m",
            "code": "c",
            "retryable": False,
            "retry_after": 2.0,
            "details": 1,
        },
        "outcome": "failed",
        "request_id": "r",
    }


class TestVerbatim:
    SOURCE = ServerSentEvent("content_block_delta", '{ "type" : "content_block_delta" }')

    def test_a_source_is_sent_on_as_it_is(self) -> None:
        event = TextDelta(0, "a", source=self.SOURCE)
        (sent,) = ANTHROPIC.Encoder(verbatim=True).send(event)
        assert sent is self.SOURCE

    def test_not_unless_it_is_requested(self) -> None:
        """A source of another dialect would be no event of this one."""
        (sent,) = ANTHROPIC.Encoder().send(TextDelta(0, "a", source=self.SOURCE))
        assert json.loads(sent.data)["delta"] == {"type": "text_delta", "text": "a"}

    def test_an_event_without_a_source_is_built(self) -> None:
        assert ANTHROPIC.Encoder(verbatim=True).send(Ping()) == [ServerSentEvent("ping", '{"type":"ping"}')]


@pytest.mark.parametrize("kind", ["a\nb", "a\rb", "a\0b", "", None, 5, []])
def test_a_type_that_no_event_can_be_named_by_is_no_name(kind: Any) -> None:
    encoder = ANTHROPIC.Encoder()
    encoder.send(MessageStart("m", "c"))
    (sse,) = encoder.send(UnknownEvent({"type": kind, "x": 1}))
    assert (sse.type, json.loads(sse.data)) == ("message", {"type": kind, "x": 1})


def test_what_is_no_block_event_is_the_callers_error() -> None:
    with pytest.raises(LocalProtocolError, match="str is no block event"):
        ANTHROPIC.Encoder().send("ping")  # type: ignore[arg-type]


def test_what_anthropic_has_no_form_for_is_left_out() -> None:
    """There is one answer only, and no list that grows beside the blocks."""
    assert ANTHROPIC.Encoder().send(ItemsDelta("x", [1])) == []
    assert ANTHROPIC.Encoder().send(TextDelta(0, "b", choice=1)) == []
