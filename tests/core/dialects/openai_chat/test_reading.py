"""Chat completion chunks to block events."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from sse_core import LimitExceeded, RemoteProtocolError, ServerSentEvent
from sse_core.blocks import (
    ArgumentsDelta,
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
    SignatureDelta,
    StreamError,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
    UnknownEvent,
)
from sse_core.dialects.openai_chat import Decoder
from tests.core.dialects.chat_events import CHAT, DONE, chunk, decode, end, fragment, read, sse, tool

START = MessageStart("c1", "m")


class TestText:
    def test_content_is_a_text_block_that_is_whole_at_the_end(self) -> None:
        assert decode(chunk({"role": "assistant", "content": "a"}), chunk({"content": "b"}), end(), DONE) == [
            START,
            BlockStart(0, TextBlock()),
            TextDelta(0, "a"),
            TextDelta(0, "b"),
            MessageDelta("stop"),
            BlockStop(0),
            MessageStop(),
        ]

    @pytest.mark.parametrize("delta", [None, {}, {"content": None}, {"tool_calls": None, "role": None}])
    def test_null_says_nothing(self, delta: Any) -> None:
        assert decode(chunk({"role": "user"}), chunk(delta)) == [MessageStart("c1", "m", "user"), Ping()]

    def test_an_empty_text_opens_no_block_but_is_no_null(self) -> None:
        assert decode(chunk({"content": "", "refusal": ""})) == [
            START,
            MessageDelta(extra={"message.content": "", "message.refusal": ""}),
        ]

    def test_a_refusal_is_a_text_of_its_own(self) -> None:
        assert decode(chunk({"content": "a"}), chunk({"refusal": "no"}))[3:] == [
            BlockStop(0),
            BlockStart(1, TextBlock(extra={"field": "refusal"})),
            TextDelta(1, "no"),
        ]

    def test_a_whole_message_is_taken_where_there_is_no_delta(self) -> None:
        message = read(chunk(message={"content": "a", "role": "system"}), end(), DONE)
        assert (message.text, message.role, message.completeness) == ("a", "system", "complete")

    def test_of_a_delta_and_a_message_the_delta_counts(self) -> None:
        assert read(chunk({"content": "a"}, message={"content": "a"})).text == "a"

    def test_content_may_be_a_list_of_parts(self) -> None:
        image = {"type": "image_url", "image_url": {"url": "u"}}
        thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "closed": True}
        assert decode(chunk({"content": [thinking, {"type": "text", "text": "a"}, image]}))[1:] == [
            BlockStart(0, ThinkingBlock(extra={"field": "thinking"})),
            ThinkingDelta(0, "hm"),
            FieldsDelta(0, {"closed": True}),
            BlockStop(0),
            BlockStart(1, TextBlock()),
            TextDelta(1, "a"),
            BlockStop(1),
            BlockStart(2, UnknownBlock(image)),
            BlockStop(2),
        ]

    @pytest.mark.parametrize("inner", [None, [1], [{"type": "text"}], [{"type": "text", "text": 1}]])
    def test_a_part_that_is_more_than_text_is_kept_as_it_came(self, inner: Any) -> None:
        part = {"type": "thinking", "thinking": inner}
        assert BlockStart(0, UnknownBlock(part)) in decode(chunk({"content": [part]}))

    def test_fields_of_an_empty_part_are_not_those_of_another_block(self) -> None:
        part = {"type": "thinking", "thinking": [], "closed": True}
        assert FieldsDelta(0, {"closed": True}) not in decode(
            chunk({"content": "a"}), chunk({"content": [part]})
        )

    def test_fields_of_an_empty_part_that_belong_to_no_block_are_nothing(self) -> None:
        part = {"type": "text", "text": "", "closed": True}
        assert decode(chunk({"content": [part]})) == [START]

    def test_annotations_are_citations_of_the_text(self) -> None:
        first, second = {"type": "url_citation", "index": 0}, {"type": "url_citation", "url_citation": {}}
        assert decode(chunk({"annotations": [first, second], "content": "a"}))[1:] == [
            BlockStart(0, TextBlock()),
            TextDelta(0, "a"),
            CitationDelta(0, {"type": "url_citation"}),
            CitationDelta(0, second),
        ]

    def test_logprobs_are_lists_that_grow(self) -> None:
        def logprobs(*tokens: str) -> Any:
            return {"content": [{"token": token} for token in tokens], "refusal": None}

        message = read(
            chunk({}, logprobs=None),
            chunk({}, logprobs=logprobs("a")),
            chunk({}, logprobs=logprobs("b", "c")),
            end(),
            DONE,
        )
        assert CHAT.to_response(message)["choices"][0]["logprobs"] == logprobs("a", "b", "c")


class TestReasoning:
    @pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
    def test_it_is_a_thinking_block_whatever_its_name(self, name: str) -> None:
        assert decode(chunk({name: "hm", "content": ""}), chunk({"content": "a"}))[1:] == [
            BlockStart(0, ThinkingBlock(extra={"field": name})),
            ThinkingDelta(0, "hm"),
            MessageDelta(extra={"message.content": ""}),
            BlockStop(0),
            BlockStart(1, TextBlock()),
            TextDelta(1, "a"),
        ]

    def test_two_names_in_one_chunk_say_the_same_once(self) -> None:
        details = [{"type": "reasoning.text", "text": "hm"}]
        message = read(chunk({"reasoning_content": "hm", "reasoning": "hm", "reasoning_details": details}))
        (block,) = message.blocks
        assert isinstance(block, ThinkingBlock)
        assert block.thinking == "hm"

    def test_an_empty_name_does_not_hide_the_other(self) -> None:
        assert ThinkingDelta(0, "hm") in decode(chunk({"reasoning_content": "", "reasoning": "hm"}))

    def test_details_alone_are_thinking_too(self) -> None:
        details = [
            {"type": "reasoning.text", "text": "a", "index": 0},
            {"type": "reasoning.summary", "summary": "b"},
            {"type": "reasoning.text", "text": None},
            {"type": "reasoning.encrypted", "data": "x"},
            {"type": 7, "text": "no"},
            "no object",
        ]
        assert decode(chunk({"reasoning_details": details}))[1:] == [
            BlockStart(0, ThinkingBlock(extra={"field": "reasoning_details"})),
            ThinkingDelta(0, "ab"),
            ItemsDelta("message.reasoning_details", details),
        ]

    def test_a_signature_is_that_of_the_thinking_that_is_open(self) -> None:
        details = [{"type": "reasoning.text", "signature": "s"}, {"signature": ""}, "no object"]
        items = ItemsDelta("message.reasoning_details", details)
        assert decode(chunk({"reasoning": "hm"}), chunk({"reasoning_details": details}))[-2:] == [
            SignatureDelta(0, "s"),
            items,
        ]
        assert decode(chunk({"reasoning_details": details}))[1:] == [items]

    def test_reasoning_of_another_type_is_kept(self) -> None:
        assert decode(chunk({"reasoning": None}))[1:] == [MessageDelta(extra={"message.reasoning": None})]


class TestFacts:
    def test_fields_are_reported_once_and_again_when_they_change(self) -> None:
        def with_fields(**fields: Any) -> ServerSentEvent:
            return sse({"id": "c1", "model": "m", "choices": [], "obfuscation": "x", "p": "y", **fields})

        assert decode(
            with_fields(system_fingerprint=None, tier="a", created=0),
            with_fields(system_fingerprint=None, tier="a", created=3),
            with_fields(system_fingerprint="f", tier=None, created=4),
        ) == [
            MessageStart("c1", "m", extra={"system_fingerprint": None, "tier": "a", "created": 0}),
            MessageDelta(extra={"created": 3}),
            MessageDelta(extra={"system_fingerprint": "f"}),
        ]

    def test_an_objects_fields_stay_where_a_later_one_lacks_them(self) -> None:
        message = read(chunk({}, filters={"a": 1}), chunk({}, filters={}), chunk({}, filters={"b": 2}))
        assert message.extra["choice.filters"] == {"a": 1, "b": 2}

    def test_fields_of_the_choice_and_of_its_message_are_distinguished(self) -> None:
        assert decode(chunk({"channel": "x"}, channel="y"))[1:] == [
            MessageDelta(extra={"choice.channel": "y", "message.channel": "x"})
        ]

    def test_what_comes_before_the_message_has_an_id_waits(self) -> None:
        """Azure's first chunk has neither id nor choices."""
        filters = {"prompt_filter_results": [1]}
        first = sse({"id": "", "model": "", "choices": [], "usage": {"a": 1}, **filters})
        waiting, start, *_ = decode(first, chunk({"content": "a"}))
        assert waiting == Ping()
        assert start == MessageStart("c1", "m", usage={"a": 1}, extra=filters)

    def test_what_waits_is_not_lost_if_nothing_else_comes(self) -> None:
        assert decode(sse({"choices": [], "usage": {"a": 1}}), DONE) == [
            Ping(),
            MessageStart("", "", usage={"a": 1}),
            MessageStop(),
        ]

    @pytest.mark.parametrize(
        "fields",
        [
            {"usage": {"total_tokens": 2}},
            {"choices": [{"usage": {"total_tokens": 2}}]},
            {"choices": [], "x_groq": {"usage": {"total_tokens": 2}}},
        ],
        ids=["of the chunk", "of the choice", "of Groq"],
    )
    def test_usage_counts_wherever_it_stands_and_null_takes_nothing_back(self, fields: Any) -> None:
        message = read(chunk({"content": "a"}), sse(fields), sse({"choices": [], "usage": None}), end(), DONE)
        assert message.usage == {"total_tokens": 2}

    def test_the_last_usage_counts(self) -> None:
        usages = [{"usage": {"total_tokens": count}, "choices": []} for count in (1, 2, 3)]
        assert read(chunk({}), *map(sse, usages)).usage == {"total_tokens": 3}

    def test_a_finish_reason_is_reported_once_and_null_takes_nothing_back(self) -> None:
        assert decode(end("length"), end("length"), end(None), end(""))[1:] == [
            MessageDelta("length"),
            Ping(),
            Ping(),
            Ping(),
        ]


class TestChoices:
    def test_each_choice_is_a_message_whichever_comes_first(self) -> None:
        stream = [
            chunk({"role": "user", "content": "b"}, index=1),
            chunk({"content": "a"}, index=0),
            *(end("stop", index) for index in (0, 1)),
        ]
        message = read(*stream)
        assert (message.text, message.completeness) == ("a", "complete")
        (other,) = message.alternatives.values()
        assert (other.text, other.role, other.id, other.completeness) == ("b", "user", "c1", "complete")
        response = CHAT.to_response(message)
        assert [choice["message"]["content"] for choice in response["choices"]] == ["a", "b"]

    def test_the_stream_is_cut_as_long_as_a_choice_has_no_finish_reason(self) -> None:
        message = read(chunk({"content": "a"}), chunk({"content": "b"}, index=1), end())
        assert message.completeness == "truncated"
        assert message.alternatives[1].completeness == "truncated"

    def test_their_number_is_bounded(self) -> None:
        decoder = Decoder(max_choices=2)
        decoder.receive_event(chunk({}, index=5))
        decoder.receive_event(chunk({}, index=7))
        with pytest.raises(LimitExceeded, match="max_choices=2") as caught:
            decoder.receive_event(chunk({}, index=6))
        assert (caught.value.limit, caught.value.bound, caught.value.status) == ("max_choices", 2, 502)


class TestEnds:
    def test_done_is_an_end_without_a_finish_reason(self) -> None:
        message = read(chunk({"content": "a"}), ServerSentEvent("message", " [DONE] "))
        assert (message.completeness, message.stop_reason) == ("complete", None)

    def test_finish_reasons_are_an_end_without_done(self) -> None:
        assert decode(end(), eof=True)[-1] == MessageStop()

    def test_any_other_end_is_a_cut(self) -> None:
        assert decode(chunk({"content": "a"}), eof=True)[-1] == MessageCut("truncated")
        assert decode(eof=True) == [MessageCut("truncated")]

    def test_done_with_nothing_before_it_is_a_cut(self) -> None:
        assert decode(DONE, eof=True) == [Ping(), MessageCut("truncated")]

    @pytest.mark.parametrize("last", [DONE, sse({"error": {"message": "m"}})])
    def test_nothing_counts_after_the_end(self, last: ServerSentEvent) -> None:
        events = decode(chunk({"content": "a"}), last)
        assert decode(chunk({"content": "a"}), last, chunk({"content": "late"}), DONE, eof=True) == events

    def test_an_error_ends_the_stream_after_what_else_its_chunk_says(self) -> None:
        data = {"id": "c1", "model": "m", "choices": [{"delta": {"content": "a"}}], "usage": {"a": 1}}
        received = sse({**data, "error": {"code": 400, "message": "no"}})
        events = decode(received)
        assert [type(event) for event in events] == [MessageStart, BlockStart, TextDelta, StreamError]
        assert [event.source for event in events] == [None, None, None, received]

    def test_an_error_is_one_whatever_stands_beside_it(self) -> None:
        (event,) = decode(sse({"choices": "broken", "error": "no"}))
        assert isinstance(event, StreamError)


class TestWhatCannotBeRead:
    @pytest.mark.parametrize("data", ["{", "[]", "1", "[" * 600])
    def test_it_is_the_peers_error(self, data: str) -> None:
        with pytest.raises(RemoteProtocolError, match="unreadable event") as caught:
            decode(ServerSentEvent("message", data))
        assert caught.value.status == 502

    def test_after_it_the_stream_can_only_be_cut(self) -> None:
        waiting = tool(fragment("1"))
        nameless: list[BlockEvent] = [BlockStart(0, ToolUseBlock("", "")), ArgumentsDelta(0, "1")]
        for broken, error, left in [
            (ServerSentEvent("message", "{"), RemoteProtocolError, nameless),
            # Half of this one was read: what hangs on it is left out.
            (sse({"choices": [{"index": 0}, {"index": 1}]}), LimitExceeded, []),
        ]:
            decoder = Decoder(max_choices=1)
            decoder.receive_event(waiting)
            with pytest.raises(error):
                decoder.receive_event(broken)
            assert decoder.receive_event(end()) == []
            assert decoder.receive_eof() == [*left, MessageCut("truncated")]

    def test_it_ends_no_stream_that_may_be_whole(self) -> None:
        decoder = Decoder()
        decoder.receive_event(end())
        with pytest.raises(RemoteProtocolError):
            decoder.receive_event(ServerSentEvent("message", "{"))
        assert decoder.receive_eof() == [MessageCut("truncated")]

    def test_an_error_quotes_the_beginning_escaped(self) -> None:
        with pytest.raises(RemoteProtocolError) as caught:
            decode(ServerSentEvent("message", "\n\x1b" + "x" * 1000))
        assert len(str(caught.value)) < 300
        assert "\x1b" not in str(caught.value)


class TestWhatIsHeld:
    def test_it_can_be_read_and_stays_buffered(self) -> None:
        decoder = Decoder()
        named, growing = tool(fragment(name="get_", id="c")), chunk({"notes": "b"})
        for received in (chunk({"content": "a", "notes": "a"}), growing, named, growing):
            decoder.receive_event(received)
        call = ToolUseBlock("c", "get_")
        for _ in range(2):
            assert decoder.held_events() == [
                MessageDelta(extra={"message.notes": "abb"}),
                BlockStart(1, call),
            ]
        events = decoder.receive_event(tool(fragment("{}", name="time")))
        assert events == [BlockStart(1, ToolUseBlock("c", "get_time")), ArgumentsDelta(1, "{}")]
        decoder.receive_event(DONE)
        assert decoder.held_events() == []

    def test_an_event_of_which_something_is_buffered_is_no_ping(self) -> None:
        named = tool(fragment(name="f", id="c"))
        assert decode(chunk({}), named, chunk({}))[1:] == [Ping(), MessageDelta(), Ping()][1:]


class TestSources:
    def test_an_event_is_the_source_of_the_first_block_event_made_of_it(self) -> None:
        received = chunk({"content": "a"})
        assert [event.source for event in decode(received)] == [received, None, None]

    def test_what_says_nothing_is_a_sign_of_life_with_its_source(self) -> None:
        blank = ServerSentEvent("ping", " ")
        (event,) = decode(blank)
        assert event == Ping()
        assert event.source is blank

    def test_an_unknown_object_is_kept(self) -> None:
        for data in ({"x": 1}, {"object": 7}, {"object": "x"}):
            (event,) = decode(sse(data))
            assert event == UnknownEvent(data)

    @pytest.mark.parametrize("kind", ["chat.completion.chunk", "chat.completion"])
    def test_a_chunk_needs_no_choices(self, kind: str) -> None:
        assert decode(sse({"id": "c1", "object": kind})) == [MessageStart("c1", "")]


class TestBounds:
    def test_what_is_kept_between_events_is_bounded(self) -> None:
        def take_all(stream: list[ServerSentEvent]) -> None:
            decoder = Decoder(max_held_bytes=20_000)
            for received in stream:
                decoder.receive_event(received)

        def flood(*streams: list[ServerSentEvent]) -> None:
            for stream in streams:
                with pytest.raises(LimitExceeded, match="max_held_bytes=20000") as caught:
                    take_all(stream)
                assert (caught.value.limit, caught.value.status) == ("max_held_bytes", 502)

        count = range(1000)
        flood(
            [tool(fragment("x" * 100, index=0)) for _ in count],
            [tool(fragment(id=f"call {i}", name="f")) for i in count],
            [tool(fragment(name="f", index=i)) for i in count],
            [tool(fragment(id="a", name="f", index=i)) for i in count],
            [chunk({f"field {i}": "x" * 30}) for i in count],
            [sse({"choices": [], f"field {i}": "x" * 30}) for i in count],
            [sse({"choices": [], "usage": {f"field {i}": "x" * 30}}) for i in count],
        )

    def test_an_object_that_grows_with_each_event_is_bounded_before_it_costs_its_square(self) -> None:
        decoder = Decoder(max_held_bytes=20_000)
        growing = [sse({"choices": [], "id": "c1", "x": {f"field {i}": i}}) for i in range(20)]
        event = [event for chunk in growing for event in decoder.receive_event(chunk)][-1]
        assert isinstance(event, MessageDelta)
        assert event.extra == {"x": {f"field {i}": i for i in range(20)}}
        others = [sse({"choices": [], "x": {f"other {i}": i}}) for i in range(100)]
        with pytest.raises(LimitExceeded, match="max_held_bytes"):
            deque(map(decoder.receive_event, others), maxlen=0)

    def test_an_object_that_comes_whole_each_time_is_counted_once(self) -> None:
        decoder = Decoder(max_held_bytes=1000)
        for i in range(1000):
            decoder.receive_event(sse({"choices": [], "id": "c1", "x": {"a": "x" * 100, "figure": i}}))
        assert decoder.receive_event(sse({"choices": [], "x": {"figure": 999}})) == [Ping()]

    def test_what_is_not_kept_is_not_counted(self) -> None:
        decoder = Decoder(max_held_bytes=1000)
        for i in range(1000):
            decoder.receive_event(chunk({"content": "x" * 100, "figure": i}))
        decoder.receive_event(tool(fragment("x" * 10_000, name="f", id="a")))
