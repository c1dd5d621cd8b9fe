"""Gemini's streamed responses to block events."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

import pytest

from sse_core import LimitExceeded, RemoteProtocolError, ServerSentEvent
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
    ResultBlock,
    StreamError,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    UnknownBlock,
    UnknownEvent,
)
from sse_core.dialects.gemini import Decoder
from tests.core.dialects.gemini_events import (
    GEMINI,
    args,
    call,
    decode,
    end,
    parts,
    read,
    response_parts,
    sse,
    texts,
)

START = MessageStart("r1", "m")


class TestText:
    def test_text_is_one_block_that_is_whole_at_the_end_of_the_stream(self) -> None:
        assert decode(texts("a"), texts("b", "c"), end(), eof=True) == [
            START,
            BlockStart(0, TextBlock()),
            TextDelta(0, "a"),
            TextDelta(0, "b"),
            TextDelta(0, "c"),
            MessageDelta("STOP"),
            BlockStop(0),
            MessageStop(),
        ]

    def test_a_message_says_what_it_came_in(self) -> None:
        assert [read(texts("a")).dialect, read(texts("a")).role] == ["gemini", "assistant"]

    def test_thoughts_are_blocks_of_their_own(self) -> None:
        thought = {"text": "hm", "thought": True}
        assert decode(parts(thought, thought, {"text": "a", "thought": False}), parts(thought))[1:] == [
            BlockStart(0, ThinkingBlock()),
            ThinkingDelta(0, "hm"),
            ThinkingDelta(0, "hm"),
            BlockStop(0),
            BlockStart(1, TextBlock()),
            TextDelta(1, "a"),
            BlockStop(1),
            BlockStart(2, ThinkingBlock()),
            ThinkingDelta(2, "hm"),
        ]

    @pytest.mark.parametrize(
        "nothing",
        [
            {"text": ""},
            {"text": "", "thought": True},
            {},
            {"thought": True},
            {"text": "", "thoughtSignature": None},
        ],
    )
    def test_a_part_that_says_nothing_parts_nothing(self, nothing: Any) -> None:
        assert response_parts(texts("a"), parts(nothing), texts("b")) == [{"text": "ab"}]

    def test_a_signed_text_is_a_block_of_its_own(self) -> None:
        signed = {"text": "b", "thoughtSignature": "s"}
        assert decode(texts("a"), parts(signed), texts("c"))[3:] == [
            BlockStop(0),
            BlockStart(1, TextBlock(extra={"thoughtSignature": "s"})),
            TextDelta(1, "b"),
            BlockStop(1),
            BlockStart(2, TextBlock()),
            TextDelta(2, "c"),
        ]

    def test_a_signed_thought_has_its_signature(self) -> None:
        signed = {"text": "hm", "thought": True, "thoughtSignature": "s", "partMetadata": {"a": 1}}
        assert decode(parts(signed))[1:] == [
            BlockStart(0, ThinkingBlock("", "s", {"partMetadata": {"a": 1}})),
            ThinkingDelta(0, "hm"),
            BlockStop(0),
        ]

    def test_a_signature_that_is_no_text_is_kept_as_it_is(self) -> None:
        odd = {"text": "hm", "thought": True, "thoughtSignature": 7}
        assert response_parts(parts(odd)) == [odd]

    @pytest.mark.parametrize("kind", [{}, {"thought": True}])
    def test_an_empty_text_may_be_signed(self, kind: Any) -> None:
        signed = {"text": "", "thoughtSignature": "s", **kind}
        assert response_parts(texts("a"), parts(signed), end()) == [{"text": "a"}, signed]

    def test_parts_come_back_as_they_came(self) -> None:
        came: list[Any] = [
            {"text": "hm", "thought": True},
            {"text": "!", "thought": True, "thoughtSignature": "1"},
            {"text": "a"},
            {"text": "b", "thoughtSignature": "2"},
            {"text": "c", "thoughtSignature": "3"},
            {"functionCall": {"name": "f", "args": {"a": [1]}, "x": 1}, "thoughtSignature": "4"},
            {"functionCall": {"name": "g", "id": "i"}},
            {"inlineData": {"mimeType": "image/png", "data": "QQ=="}, "thought": True},
            {"thoughtSignature": "5"},
            {"future": 1, "type": "x"},
            {"text": "", "thoughtSignature": "6"},
        ]
        assert response_parts(*map(parts, came), end()) == came
        assert response_parts(parts(*came), end()) == came


class TestOtherParts:
    @pytest.mark.parametrize("kind", ["executableCode", "codeExecutionResult", "toolCall", "toolResponse"])
    def test_what_the_provider_ran_is_a_result(self, kind: str) -> None:
        part = {"thoughtSignature": "s", kind: {"code": "1"}}
        assert decode(texts("a"), parts(part))[3:] == [
            BlockStop(0),
            BlockStart(1, ResultBlock({"type": kind, **part})),
            BlockStop(1),
        ]
        assert read(parts(part)).server_tool_seen

    @pytest.mark.parametrize("kind", ["inlineData", "fileData", "functionResponse", "future"])
    def test_any_other_is_kept_as_it_came(self, kind: str) -> None:
        part = {kind: {"a": 1}, "videoMetadata": {}}
        message = read(parts(part))
        assert message.blocks == [UnknownBlock({"type": kind, **part})]
        assert not message.server_tool_seen


class TestFacts:
    def test_usage_is_reported_where_it_is_new(self) -> None:
        def usage(**figures: Any) -> ServerSentEvent:
            return sse({"candidates": [], "usageMetadata": figures})

        assert decode(usage(a=1, b=[1]), usage(a=1), usage(a=2, b=None), usage(b=[1], c=3)) == [
            MessageStart("", "", usage={"a": 1, "b": [1]}),
            Ping(),
            MessageDelta(usage={"a": 2}),
            MessageDelta(usage={"c": 3}),
        ]

    def test_a_figure_that_is_no_longer_there_stays(self) -> None:
        tokens = {"promptTokenCount": 1, "thoughtsTokenCount": 2, "candidatesTokenCount": 3}
        message = read(sse({"usageMetadata": tokens}), sse({"usageMetadata": {"candidatesTokenCount": 4}}))
        assert message.usage == {**tokens, "candidatesTokenCount": 4}
        assert (message.token_counts.output, message.token_counts.reasoning) == (6, 2)

    def test_fields_of_the_response_its_candidate_and_content_are_kept_where_they_are_new(self) -> None:
        def response(time: int, **candidate: Any) -> ServerSentEvent:
            return sse({"createTime": time, "candidates": [{"content": {"y": 1}, **candidate}]})

        first, second = response(1, safetyRatings=[1]), response(2, safetyRatings=[1], tokenCount=7)
        assert decode(first, second, second) == [
            MessageStart("", "", extra={"createTime": 1}),
            MessageDelta(extra={"candidate.safetyRatings": [1], "content.y": 1}),
            MessageDelta(extra={"createTime": 2}),
            MessageDelta(extra={"candidate.tokenCount": 7}),
            Ping(),
        ]

    def test_an_id_and_a_model_that_come_late_or_change_are_kept(self) -> None:
        late = read(sse({"candidates": []}), sse({"responseId": "r2", "modelVersion": "n"}))
        assert (late.id, late.model) == ("", "")
        assert GEMINI.to_response(late) == {"responseId": "r2", "modelVersion": "n"}
        changed = read(texts("a"), sse({"responseId": "r2"}), sse({"responseId": 7}))
        assert (changed.id, changed.extra) == ("r1", {"responseId": 7})

    @pytest.mark.parametrize("name", ["citations", "citationSources"])
    def test_citations_grow(self, name: str) -> None:
        first, second = ({"startIndex": index} for index in (0, 9))
        cited = [parts(citationMetadata={name: [item]}) for item in (first, second)]
        assert decode(*cited)[1:] == [
            ItemsDelta(f"candidate.citationMetadata.{name}", [first]),
            MessageDelta(extra={"candidate.citationMetadata": {name: []}}),
            ItemsDelta(f"candidate.citationMetadata.{name}", [second]),
        ]
        (candidate,) = GEMINI.to_response(read(*cited))["candidates"]
        assert candidate["citationMetadata"] == {name: [first, second]}

    def test_log_probabilities_grow(self) -> None:
        def chosen(token: str) -> ServerSentEvent:
            return parts(
                logprobsResult={"chosenCandidates": [{"token": token}], "topCandidates": [], "sum": 1}
            )

        (candidate,) = GEMINI.to_response(read(chosen("a"), chosen("b")))["candidates"]
        assert candidate["logprobsResult"] == {
            "chosenCandidates": [{"token": "a"}, {"token": "b"}],
            "topCandidates": [],
            "sum": 1,
        }

    def test_what_should_grow_and_is_no_object_is_kept_as_it_is(self) -> None:
        (candidate,) = GEMINI.to_response(read(parts(logprobsResult=[1])))["candidates"]
        assert candidate["logprobsResult"] == [1]


class TestEnds:
    @pytest.mark.parametrize(
        "stream",
        [
            [],
            [texts("a")],
            [sse({"usageMetadata": {}})],
            [sse({"promptFeedback": {"safetyRatings": []}})],
            [end(""), end("STOP", 1)],
            [end(), texts("a"), parts(index=1)],
            [sse({"x": 1})],
        ],
    )
    def test_a_stream_without_all_finish_reasons_was_cut(self, stream: list[ServerSentEvent]) -> None:
        assert decode(*stream, eof=True)[-1] == MessageCut("truncated")

    def test_usage_may_come_after_the_finish_reason(self) -> None:
        message = read(texts("a"), end(), sse({"usageMetadata": {"totalTokenCount": 3}}))
        assert (message.completeness, message.usage) == ("complete", {"totalTokenCount": 3})

    @pytest.mark.parametrize("reason", ["MAX_TOKENS", "SAFETY", "MALFORMED_FUNCTION_CALL", "OTHER", "FUTURE"])
    def test_after_any_reason_but_the_usual_nothing_may_be_executed(self, reason: str) -> None:
        message = read(call(name="f", args={}), end(reason))
        assert (message.completeness, message.stop_reason) == ("complete", reason)
        assert message.executable_tools == []

    def test_the_usual_reason_is_that_of_calls_too(self) -> None:
        message = read(call(name="f", args={}), end())
        assert (message.stop_meaning, len(message.executable_tools)) == ("tool_use", 1)

    @pytest.mark.parametrize(
        ("reason", "meaning"), [("SAFETY", "refusal"), ("JAILBREAK", "refusal"), ("OTHER", "other")]
    )
    def test_a_prompt_that_was_blocked_is_a_whole_message_of_nothing(self, reason: str, meaning: str) -> None:
        feedback = {"blockReason": reason, "safetyRatings": []}
        blocked = {"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 4}, "responseId": "r1"}
        message = read(sse(blocked))
        assert (message.completeness, message.stop_reason, message.blocks) == ("complete", reason, [])
        assert message.stop_meaning == meaning
        assert GEMINI.to_response(message) == blocked

    def test_a_prompts_block_may_come_late(self) -> None:
        stream = [sse({"responseId": "r1"}), sse({"promptFeedback": {"blockReason": "SAFETY"}})]
        assert decode(*stream, eof=True)[1:] == [
            MessageDelta("SAFETY", extra={"promptFeedback": {"blockReason": "SAFETY"}}),
            MessageStop(),
        ]

    def test_where_there_are_candidates_they_say_why_they_ended(self) -> None:
        blocked = sse({"promptFeedback": {"blockReason": "SAFETY"}, "candidates": [{}]})
        assert read(blocked).completeness == "truncated"
        assert read(blocked).stop_reason is None
        assert read(texts("a"), sse({"promptFeedback": {"blockReason": "SAFETY"}})).stop_reason is None

    def test_what_comes_after_an_error_is_ignored(self) -> None:
        decoder = Decoder()
        decoder.receive_event(texts("a"))
        assert isinstance(decoder.receive_event(sse({"error": {"code": 500}}))[0], StreamError)
        assert decoder.receive_event(end()) == []
        assert decoder.receive_eof() == []

    def test_what_comes_after_the_end_is_ignored(self) -> None:
        decoder = Decoder()
        decoder.receive_event(end())
        assert decoder.receive_eof() == [MessageStop()]
        assert decoder.receive_event(texts("a")) == []


class TestCandidates:
    def test_each_candidate_is_a_message(self) -> None:
        stream = [
            parts({"text": "b"}, index=1),
            sse({"candidates": [{"content": {"parts": [{"text": "a"}]}}]}),
            parts({"functionCall": {"name": "f"}}, index=1),
            end("MAX_TOKENS"),
            end("STOP", 1),
        ]
        message = read(*stream)
        other = message.alternatives[1]
        assert (message.text, message.stop_reason, message.completeness) == ("a", "MAX_TOKENS", "complete")
        assert (other.text, other.stop_reason, other.completeness) == ("b", "STOP", "complete")
        assert (other.id, other.model, other.dialect) == ("r1", "m", "gemini")
        assert [tool.id for tool in other.executable_tools] == ["call_1_r1_1"]
        first, second = GEMINI.to_response(message)["candidates"]
        assert (first["index"], first["content"]["parts"]) == (0, [{"text": "a"}])
        assert (second["index"], second["finishReason"]) == (1, "STOP")

    def test_a_candidate_that_never_came_is_not_made_up(self) -> None:
        (candidate,) = GEMINI.to_response(read(end(index=3)))["candidates"]
        assert candidate["index"] == 3

    def test_their_number_is_bounded(self) -> None:
        decoder = Decoder(max_choices=2)
        decoder.receive_event(sse({"candidates": [{}, {"index": 1}]}))
        with pytest.raises(LimitExceeded, match="max_choices=2") as caught:
            decoder.receive_event(sse({"candidates": [{"index": 2}]}))
        assert (caught.value.limit, caught.value.status) == ("max_choices", 502)


class TestWhatCannotBeRead:
    @pytest.mark.parametrize(
        "data",
        [
            "{",
            "7",
            "[]",
            '[{"candidates": []}]',
            "[DONE]",
            json.dumps({"candidates": {}}),
            json.dumps({"candidates": [1]}),
            json.dumps({"candidates": [{"index": -1}]}),
            json.dumps({"candidates": [{"index": "0"}]}),
            json.dumps({"candidates": [{"content": []}]}),
            json.dumps({"candidates": [{"content": {"parts": {}}}]}),
            json.dumps({"candidates": [{"content": {"parts": [1]}}]}),
            json.dumps({"candidates": [{"content": {"parts": [{"text": 1}]}}]}),
            json.dumps({"candidates": [{"content": {"parts": [{"text": "a", "thought": 1}]}}]}),
            json.dumps({"candidates": [{"content": {"parts": [{"functionCall": 1}]}}]}),
            json.dumps({"candidates": [{"content": {"parts": [{"functionCall": {"name": 1}}]}}]}),
            json.dumps(
                {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": 1}}]}}]}
            ),
            json.dumps({"candidates": [{"finishReason": 1}]}),
            json.dumps({"candidates": [], "usageMetadata": 1}),
            json.dumps({"promptFeedback": {"blockReason": 1}}),
        ],
    )
    def test_it_is_the_peers_error(self, data: str) -> None:
        with pytest.raises(RemoteProtocolError, match="unreadable event") as caught:
            decode(ServerSentEvent("message", data))
        assert caught.value.status == 502

    def test_after_it_the_stream_can_only_be_cut(self) -> None:
        for broken, error in [
            (sse({"candidates": [{"finishReason": "STOP"}, 1]}), RemoteProtocolError),
            (sse({"candidates": [{"finishReason": "STOP"}, {"index": 1}]}), LimitExceeded),
            (sse({"promptFeedback": {"blockReason": "SAFETY"}, "candidates": 1}), RemoteProtocolError),
        ]:
            decoder = Decoder(max_choices=1)
            with pytest.raises(error):
                decoder.receive_event(broken)
            assert decoder.receive_event(end()) == []
            assert decoder.receive_eof() == [MessageCut("truncated")]

    def test_a_blocked_prompt_with_more_that_cannot_be_read_is_no_whole_message(self) -> None:
        decoder = Decoder()
        decoder.receive_event(sse({"promptFeedback": {"blockReason": "SAFETY"}}))
        with pytest.raises(RemoteProtocolError):
            decoder.receive_event(sse(7))
        assert decoder.receive_eof() == [MessageCut("truncated")]

    def test_an_error_quotes_the_beginning_escaped(self) -> None:
        with pytest.raises(RemoteProtocolError) as caught:
            decode(ServerSentEvent("message", "\n\x1b" + "x" * 1000))
        assert len(str(caught.value)) < 300
        assert "\x1b" not in str(caught.value)


class TestSources:
    def test_an_event_is_the_source_of_the_first_block_event_made_of_it(self) -> None:
        received = texts("a")
        assert [event.source for event in decode(received)] == [received, None, None]

    def test_what_says_nothing_is_a_sign_of_life_with_its_source(self) -> None:
        for nothing in (ServerSentEvent("message", " "), sse({"candidates": None})):
            event: BlockEvent = decode(texts("a"), nothing)[-1]
            assert event == Ping()
            assert event.source is nothing

    def test_an_unknown_object_is_kept(self) -> None:
        (event,) = decode(sse({"setupComplete": {}}))
        assert event == UnknownEvent({"setupComplete": {}})

    @pytest.mark.parametrize(
        "name", ["candidates", "promptFeedback", "usageMetadata", "modelVersion", "responseId"]
    )
    def test_any_of_these_makes_a_response(self, name: str) -> None:
        assert isinstance(decode(sse({name: None}))[0], MessageStart)


class TestBounds:
    def test_what_is_kept_between_events_is_bounded(self) -> None:
        count = range(1000)
        flood = [
            [sse({"responseId": "r", f"field {i}": "x" * 30}) for i in count],
            [sse({"usageMetadata": {f"field {i}": "x" * 30}}) for i in count],
            [sse({"candidates": [{f"field {i}": "x" * 30}]}) for i in count],
            [call(name="f", willContinue=True), *(args((f"$.name{i}", i)) for i in count)],
        ]
        for stream in flood:
            decoder = Decoder(max_held_bytes=20_000)
            with pytest.raises(LimitExceeded, match="max_held_bytes=20000") as caught:
                deque(map(decoder.receive_event, stream), maxlen=0)
            assert (caught.value.limit, caught.value.status) == ("max_held_bytes", 502)
            assert decoder.receive_eof() == [MessageCut("truncated")]

    def test_what_is_not_kept_is_not_counted(self) -> None:
        decoder = Decoder(max_held_bytes=2000)
        for i in range(300):
            decoder.receive_event(parts({"text": "x" * 100, "thoughtSignature": "y" * 100}, tokenCount=i))
            decoder.receive_event(call(name="f", args={"a": "x" * 100}))
            decoder.receive_event(call(name="h", willContinue=True))
            decoder.receive_event(args(("$.a", "x")))
            decoder.receive_event(call(name="g", willContinue=True))
            decoder.receive_event(args(("$.a[0].b", "x" * 10_000)))
            decoder.receive_event(args(("$.a[9].b", "x"), willContinue=bool(i % 2)))
