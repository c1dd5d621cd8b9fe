"""Anthropic's events to block events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sse_core import RemoteProtocolError, ServerSentEvent, dialects
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    CitationDelta,
    FieldsDelta,
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
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
    UnknownDelta,
    UnknownEvent,
)

ANTHROPIC = dialects.get("anthropic")
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude"}


def sse(data: Any, name: str | None = None) -> ServerSentEvent:
    return ServerSentEvent(data.get("type", "message") if name is None else name, json.dumps(data))


def decode(data: Any) -> BlockEvent:
    (event,) = ANTHROPIC.Decoder().receive_event(sse(data))
    return event


def start(**fields: Any) -> dict[str, Any]:
    return {"type": "message_start", "message": {**MESSAGE, **fields}}


def block_start(block: Any, index: Any = 0) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: Any = 0, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": fields}


class TestEvents:
    @pytest.mark.parametrize(
        ("data", "event"),
        [
            (start(), MessageStart("msg_1", "claude")),
            (start(role=None, usage=None, content=None, stop_reason=None), MessageStart("msg_1", "claude")),
            (
                start(role="user", usage={"input_tokens": 1}, stop_sequence=None, stop_details=None),
                MessageStart("msg_1", "claude", "user", {"input_tokens": 1}, extra={"stop_details": None}),
            ),
            (
                start(content=[{"type": "text", "text": "a"}], stop_reason="tool_use", container={"id": "c"}),
                MessageStart(
                    "msg_1",
                    "claude",
                    blocks=[TextBlock("a")],
                    stop_reason="tool_use",
                    extra={"container": {"id": "c"}},
                ),
            ),
            (delta(type="text_delta", text="a"), TextDelta(0, "a")),
            (delta(3, type="thinking_delta", thinking="a"), ThinkingDelta(3, "a")),
            (delta(type="signature_delta", signature="a"), SignatureDelta(0, "a")),
            (delta(type="input_json_delta", partial_json='{"'), ArgumentsDelta(0, '{"')),
            (delta(type="citations_delta", citation={"url": "u"}), CitationDelta(0, {"url": "u"})),
            (delta(type="compaction_delta", content="a"), FieldsDelta(0, {"content": "a"})),
            (delta(type="future_delta", y=2), UnknownDelta(0, {"type": "future_delta", "y": 2})),
            ({"type": "content_block_stop", "index": 2}, BlockStop(2)),
            ({"type": "message_stop"}, MessageStop()),
            ({"type": "ping"}, Ping()),
            ({"type": "future", "x": 1}, UnknownEvent({"type": "future", "x": 1})),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_each_event_is_one_block_event(self, data: Any, event: BlockEvent) -> None:
        assert decode(data) == event

    @pytest.mark.parametrize(
        ("data", "event"),
        [
            (
                {"delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 9}},
                MessageDelta("end_turn", {"output_tokens": 9}),
            ),
            ({"delta": {}}, MessageDelta()),
            ({"delta": {"stop_reason": None}, "usage": None}, MessageDelta()),
            (
                {"delta": {"stop_sequence": "x", "container": {}}, "context_management": {"edits": []}},
                MessageDelta(
                    extra={"stop_sequence": "x", "container": {}, "context_management": {"edits": []}}
                ),
            ),
        ],
    )
    def test_a_message_delta_has_facts_in_and_beside_its_delta(self, data: Any, event: BlockEvent) -> None:
        assert decode({"type": "message_delta", **data}) == event

    @pytest.mark.parametrize(
        ("data", "block"),
        [
            ({"type": "text", "text": ""}, TextBlock()),
            ({"type": "text"}, TextBlock()),
            ({"type": "text", "text": "a", "citations": [], "x": 1}, TextBlock("a", [], {"x": 1})),
            ({"type": "thinking", "thinking": "", "signature": ""}, ThinkingBlock("", "")),
            ({"type": "thinking", "x": 1}, ThinkingBlock(extra={"x": 1})),
            ({"type": "redacted_thinking", "data": "d", "x": 1}, RedactedThinkingBlock("d", {"x": 1})),
            ({"type": "tool_use", "id": "i", "name": "n", "input": {}}, ToolUseBlock("i", "n")),
            (
                {"type": "server_tool_use", "id": "i", "name": "n", "input": {"q": 1}, "caller": {}},
                ToolUseBlock("i", "n", "server_tool_use", start_input={"q": 1}, extra={"caller": {}}),
            ),
            (
                {"type": "mcp_tool_use", "id": "i", "name": "n", "server_name": "s"},
                ToolUseBlock("i", "n", "mcp_tool_use", extra={"server_name": "s"}),
            ),
            (
                {"type": "web_search_tool_result", "tool_use_id": "i", "content": [1]},
                ResultBlock({"type": "web_search_tool_result", "tool_use_id": "i", "content": [1]}),
            ),
            ({"type": "future_block", "z": [1]}, UnknownBlock({"type": "future_block", "z": [1]})),
        ],
    )
    def test_each_kind_of_block_has_its_class(self, data: Any, block: Any) -> None:
        assert decode(block_start(data)) == BlockStart(0, block)

    @pytest.mark.parametrize("to", [None, {}, {"model": None}, {"model": "other"}])
    def test_after_a_fallback_another_model_writes(self, to: Any) -> None:
        data = {"type": "fallback", "from": {"model": "claude"}, "to": to}
        model = "other" if to == {"model": "other"} else None
        assert decode(block_start(data)) == BlockStart(0, UnknownBlock(data), model)

    def test_to_means_nothing_in_any_other_block(self) -> None:
        data = {"type": "future_block", "to": "Paris"}
        assert decode(block_start(data)) == BlockStart(0, UnknownBlock(data))


class TestTypeAndName:
    def test_the_type_in_the_data_counts_more_than_the_events_name(self) -> None:
        assert ANTHROPIC.Decoder().receive_event(sse({"type": "ping"}, "message_stop")) == [Ping()]

    def test_without_a_type_in_the_data_the_name_is_a_hint(self) -> None:
        data = {"index": 1, "delta": {"type": "text_delta", "text": "a"}}
        assert ANTHROPIC.Decoder().receive_event(sse(data, "content_block_delta")) == [TextDelta(1, "a")]
        future = UnknownEvent({"type": "future", "a": 1})
        assert ANTHROPIC.Decoder().receive_event(sse({"a": 1}, "future")) == [future]

    def test_an_unknown_event_keeps_the_name_that_is_its_only_type(self) -> None:
        """Else nobody could read it again once it was written anew."""
        (event,) = ANTHROPIC.Decoder().receive_event(ServerSentEvent("later", '{"x": 1}'))
        assert event == UnknownEvent({"type": "later", "x": 1})
        encoder = ANTHROPIC.Encoder()
        encoder.send(MessageStart("m", "c", dialect="anthropic"))
        (sent,) = encoder.send(event)
        assert (sent.type, json.loads(sent.data)) == ("later", {"type": "later", "x": 1})

    def test_an_error_object_is_an_error_by_any_name(self) -> None:
        event = decode({"error": {"type": "overloaded_error", "message": "Overloaded"}})
        assert event == StreamError("overloaded_error", "Overloaded", retryable=True)

    def test_each_block_event_knows_where_it_came_from(self) -> None:
        for data in ({"type": "ping"}, {"type": "future"}, delta(type="text_delta", text="a", extra=1)):
            received = sse(data)
            events = ANTHROPIC.Decoder().receive_event(received)
            assert all(event.source is received for event in events)

    def test_a_name_that_a_proxy_has_dropped_is_put_back(self) -> None:
        """Anthropic's own clients would silently drop an event without it."""
        received = ServerSentEvent("message", '{"type": "ping"}', "id-7")
        (event,) = ANTHROPIC.Decoder().receive_event(received)
        assert event.source == ServerSentEvent("ping", '{"type": "ping"}', "id-7")

    def test_no_peers_text_becomes_a_name(self) -> None:
        received = ServerSentEvent("message", json.dumps({"type": "a\nevent: message_stop"}))
        (event,) = ANTHROPIC.Decoder().receive_event(received)
        assert event.source is received


class TestErrors:
    @pytest.mark.parametrize(
        ("kind", "retryable"),
        [
            ("rate_limit_error", True),
            ("overloaded_error", True),
            ("api_error", True),
            ("timeout_error", True),
            ("invalid_request_error", False),
            ("authentication_error", False),
            ("billing_error", False),
            ("permission_error", False),
            ("not_found_error", False),
            ("request_too_large", False),
            ("a_future_error", False),
        ],
    )
    def test_the_type_says_whether_a_retry_may_help(self, kind: str, retryable: bool) -> None:  # noqa: FBT001
        event = decode({"type": "error", "error": {"type": kind, "message": "m"}})
        assert event == StreamError(kind, "m", retryable=retryable)

    def test_what_else_an_error_says_is_kept(self) -> None:
        data = {
            "type": "error",
            "error": {"details": None, "type": "api_error", "message": "m"},
            "request_id": "r",
        }
        event = decode(data)
        assert event == StreamError(
            "api_error", "m", retryable=True, extra={"details": None, "request_id": "r"}
        )

    @pytest.mark.parametrize(
        ("error", "kind", "message"),
        [
            ("out of luck", "error", "out of luck"),
            (None, "error", "The provider gave no message."),
            ({}, "error", "The provider gave no message."),
            ({"type": 5, "message": ["a"]}, "error", "a"),
        ],
    )
    def test_an_error_of_any_form_is_an_error(self, error: Any, kind: str, message: str) -> None:
        event = decode({"type": "error", "error": error})
        assert isinstance(event, StreamError)
        assert (event.type, event.message) == (kind, message)

    def test_its_text_is_bounded(self) -> None:
        event = decode({"type": "error", "error": {"type": "t" * 10_000, "message": "m" * 10_000}})
        assert isinstance(event, StreamError)
        assert (len(event.type), len(event.message)) == (100, 2000)

    def test_fields_of_another_type_stay_as_they_are(self) -> None:
        odd = {"code": 529, "retryable": "yes", "retry_after": "soon"}
        event = decode({"type": "error", "error": {"type": "api_error", "message": "m", **odd}})
        assert event == StreamError("api_error", "m", retryable=True, extra=odd)


class TestEnds:
    @pytest.mark.parametrize(
        "last", [{"type": "message_stop"}, {"type": "error", "error": {"type": "api_error"}}]
    )
    def test_nothing_counts_after_the_end(self, last: Any) -> None:
        decoder = ANTHROPIC.Decoder()
        decoder.receive_event(sse(start()))
        assert len(decoder.receive_event(sse(last))) == 1
        assert decoder.receive_event(ServerSentEvent("message", "[DONE]")) == []
        assert decoder.receive_event(sse({"type": "message_stop"})) == []
        assert decoder.receive_eof() == []

    def test_a_stream_that_ends_before_its_message_was_cut(self) -> None:
        decoder = ANTHROPIC.Decoder()
        decoder.receive_event(sse(start()))
        decoder.receive_event(sse({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}))
        assert decoder.receive_eof() == [MessageCut("truncated")]
        assert decoder.receive_eof() == []
        assert decoder.receive_event(sse({"type": "message_stop"})) == []

    def test_an_empty_stream_was_cut(self) -> None:
        assert ANTHROPIC.Decoder().receive_eof() == [MessageCut("truncated")]

    def test_the_same_start_twice_is_one(self) -> None:
        decoder = ANTHROPIC.Decoder()
        assert len(decoder.receive_event(sse(start()))) == 1
        assert decoder.receive_event(sse(start())) == []

    def test_another_start_is_a_stream_spliced_in(self) -> None:
        decoder = ANTHROPIC.Decoder()
        decoder.receive_event(sse(start()))
        with pytest.raises(RemoteProtocolError, match="a second message begins") as caught:
            decoder.receive_event(sse(start(id="msg_2")))
        assert caught.value.status == 502

    @pytest.mark.parametrize("broken", ["{", json.dumps(start(id="msg_2"))])
    def test_after_an_error_nothing_is_decoded_but_the_cut(self, broken: str) -> None:
        """A delta is lost: what follows it would make a message of another meaning."""
        decoder = ANTHROPIC.Decoder()
        decoder.receive_event(sse(start()))
        with pytest.raises(RemoteProtocolError):
            decoder.receive_event(ServerSentEvent("message", broken))
        assert decoder.receive_event(sse({"type": "message_stop"})) == []
        assert decoder.receive_event(ServerSentEvent("message", "{")) == []
        assert decoder.receive_eof() == [MessageCut("truncated")]
        assert decoder.receive_eof() == []


class TestUnreadable:
    @pytest.mark.parametrize(
        "data",
        [
            "",
            "[DONE]",
            "{",
            "null",
            "[]",
            "7",
            '{"type": "ping"',
            '{"type": NaN}',
            "[" * 100_000,
            "{}",
            '{"type": 5}',
        ],
    )
    def test_what_is_no_event_is_the_peers_error(self, data: str) -> None:
        with pytest.raises(RemoteProtocolError, match="unreadable event") as caught:
            ANTHROPIC.Decoder().receive_event(ServerSentEvent("message", data))
        assert caught.value.status == 502

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            ({"type": "message_start"}, "message is missing"),
            ({"type": "message_start", "message": []}, "message is missing or is no dict"),
            ({"type": "message_start", "message": {"model": "m"}}, "id is missing"),
            ({"type": "message_start", "message": {"id": "m"}}, "model is missing"),
            (start(role=5), "role"),
            (start(usage=[]), "usage"),
            (start(content={}), "content"),
            (start(content=["text"]), "block is no object"),
            (start(stop_reason=1), "stop_reason"),
            (block_start(None), "content_block"),
            (block_start({"text": "a"}), "type is missing"),
            (block_start({"type": "text", "text": 5}), "text"),
            (block_start({"type": "text", "citations": {}}), "citations"),
            (block_start({"type": "text", "citations": [None]}), "a citation is no object"),
            (block_start({"type": "thinking", "signature": 5}), "signature"),
            (block_start({"type": "redacted_thinking"}), "data is missing"),
            (block_start({"type": "tool_use", "name": "n"}), "id is missing"),
            (block_start({"type": "tool_use", "id": "i"}), "name is missing"),
            (block_start({"type": "fallback", "to": "x"}), "to is missing or is no dict"),
            (block_start({"type": "text"}, None), "index"),
            (block_start({"type": "text"}, True), "index"),  # noqa: FBT003
            (block_start({"type": "text"}, -1), "index is below 0"),
            ({"type": "content_block_delta", "index": 0}, "delta is missing"),
            (delta(text="a"), "type is missing"),
            (delta(type="text_delta"), "text is missing"),
            (delta(type="thinking_delta"), "thinking is missing"),
            (delta(type="signature_delta"), "signature is missing"),
            (delta(type="input_json_delta", partial_json={}), "partial_json"),
            (delta(type="citations_delta", citation=[]), "citation"),
            (delta(1.0, type="text_delta", text="a"), "index"),
            ({"type": "content_block_stop"}, "index"),
            ({"type": "message_delta"}, "delta"),
            ({"type": "message_delta", "delta": {"stop_reason": 5}}, "stop_reason"),
            ({"type": "message_delta", "delta": {}, "usage": 5}, "usage"),
        ],
    )
    def test_what_lacks_something_is_recognised_by_its_name(self, data: Any, reason: str) -> None:
        with pytest.raises(RemoteProtocolError, match=reason):
            decode(data)

    def test_the_error_quotes_a_little_and_escapes_it(self) -> None:
        """It ends up in logs, and the peer chose the text."""
        with pytest.raises(RemoteProtocolError) as caught:
            ANTHROPIC.Decoder().receive_event(
                ServerSentEvent("message", "\x1b[31m\r\né\u2028" + "x" * 10_000)
            )
        message = str(caught.value)
        assert message.isascii()
        assert message.isprintable()
        assert len(message) < 500
        assert caught.value.__suppress_context__
