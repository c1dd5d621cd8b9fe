"""What comes of a response's own events, of numbers, and of what can't be read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sse_core import LimitExceeded, RemoteProtocolError, ServerSentEvent
from sse_core.blocks import (
    BlockStart,
    BlockStop,
    MessageCut,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    TextBlock,
    TextDelta,
    UnknownEvent,
)
from sse_core.dialects.openai_responses import Decoder
from sse_core.testing import message_of
from tests.core.dialects.responses_events import (
    DONE,
    PLACE,
    RESPONSES,
    STARTED,
    added,
    after,
    arguments,
    call,
    created,
    decode,
    done,
    end,
    event,
    message,
    numbered,
    output_text,
    part,
    read,
    response,
    sse,
    text,
)

# The response.


def test_a_stream_of_text() -> None:
    begun = message(status="in_progress")
    whole = message(output_text("Hello"), status="completed")
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    assert decode(
        created(x=1, usage=None),
        event("in_progress", response=response(x=1)),
        added(begun),
        part("added", output_text("")),
        text("Hel"),
        text("lo"),
        event("output_text.done", text="Hello", **PLACE),
        part("done", output_text("Hello")),
        done(whole),
        end(output=[whole], usage=usage, x=2),
        eof=True,
    ) == [
        MessageStart("r", "m", extra={"object": "response", "status": "in_progress", "x": 1}),
        Ping(),
        MessageDelta(extra={"output.0": {k: begun[k] for k in begun if k != "content"}}),
        BlockStart(0, TextBlock("", [], PLACE)),
        TextDelta(0, "Hel"),
        TextDelta(0, "lo"),
        Ping(),
        BlockStop(0),
        MessageDelta(extra={"output.0": {k: whole[k] for k in whole if k != "content"}}),
        MessageDelta("completed", usage, {"status": "completed", "x": 2}),
        MessageStop(),
    ]


def test_each_event_is_the_source_of_the_first_that_was_made_of_it() -> None:
    stream = [created(), added(call()), arguments("{}"), done(call("{}")), end()]
    decoder = Decoder()
    for received in stream:
        made = decoder.receive_event(received)
        assert [one.source for one in made] == [received] + [None] * (len(made) - 1)


def test_the_message_names_its_dialect() -> None:
    (start,) = decode(created())
    assert isinstance(start, MessageStart)
    assert start.dialect == "openai-responses"


def test_what_stands_beside_the_response_is_kept() -> None:
    beside = {"type": "response.completed", "response": response("completed"), "copilot_usage": 3}
    assert read(*STARTED, sse(beside)).extra["event.copilot_usage"] == 3
    assert read(sse({**beside, "type": "response.created"})).extra["event.copilot_usage"] == 3


def test_a_model_that_comes_late_is_kept() -> None:
    assert read(created(), end(model="m-2")).extra["model"] == "m-2"


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        ("completed", {}, "completed"),
        ("incomplete", {"incomplete_details": {"reason": "max_output_tokens"}}, "max_output_tokens"),
        ("incomplete", {"incomplete_details": {"reason": 5}}, "incomplete"),
        ("incomplete", {"incomplete_details": None}, "incomplete"),
        ("completed", {"status": "incomplete"}, "incomplete"),
        ("incomplete", {"status": "completed"}, "incomplete"),
        ("completed", {"status": "x"}, "completed"),
        ("completed", {"status": ["completed"]}, "completed"),
    ],
)
def test_a_response_that_ends_is_complete(kind: str, fields: Any, reason: str) -> None:
    ended = event(kind, response=response(**{"status": kind, **fields}))
    found = read(*STARTED, ended)
    assert (found.completeness, found.stop_reason) == ("complete", reason)


@pytest.mark.parametrize(
    "ended",
    [event("cancelled", response=response("cancelled")), event("completed", response=response("cancelled"))],
)
def test_a_response_that_was_cancelled_is_stopped(ended: ServerSentEvent) -> None:
    events = decode(*STARTED, ended, eof=True)
    assert events[1:] == [MessageDelta(extra={"status": "cancelled"}), MessageCut("stopped")]


def test_a_stream_that_ends_before_its_response_was_cut() -> None:
    decoder = Decoder()
    decode(*STARTED, DONE, decoder=decoder)
    assert decoder.receive_eof() == [MessageCut("truncated")]
    assert decoder.receive_eof() == []
    assert decoder.receive_event(end()) == []


def test_what_comes_after_the_end_is_ignored() -> None:
    assert decode(*STARTED, end(), DONE, end(), created(id="x"), eof=True) == decode(*STARTED, end())


def test_a_response_may_be_nothing_but_its_end() -> None:
    output = [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}, call('{"a":1}')]
    found = read(end(output=output, usage={"total_tokens": 1}))
    assert (found.id, found.completeness, found.usage) == ("r", "complete", {"total_tokens": 1})
    assert [tool.arguments for tool in found.executable_tools] == [{"a": 1}]


@pytest.mark.parametrize("status", ["incomplete", "failed"])
def test_what_only_the_end_of_an_incomplete_response_has_is_not_whole(status: str) -> None:
    found = read(*STARTED, end(status, output=[call("{}")]))
    assert [tool.state for tool in found.tools] == ["incomplete"]


def test_the_same_start_twice_is_a_repetition() -> None:
    assert after(created(x=5)) == []


def test_a_start_without_an_id_is_known_by_its_number_when_it_comes_again() -> None:
    late = event("created", response={"usage": {"input_tokens": 1}})
    stream = numbered(event("created", response={}), late)
    assert decode(*stream, stream[1]) == decode(*stream) != decode(stream[0])


def test_a_second_response_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="a second response begins") as caught:
        after(*numbered(created(id="other")))
    assert caught.value.status == 502


def test_a_start_that_comes_late_says_what_the_message_is() -> None:
    found = read(text("a"), created(x=1), end())
    assert (found.id, found.extra["id"], found.extra["model"], found.extra["x"]) == ("", "r", "m", 1)


def test_ids_that_change_with_each_event_are_no_new_response() -> None:
    found = read(created(id="1"), event("in_progress", response=response(id="2")), end(id="3"))
    assert (found.id, "id" in found.extra) == ("1", False)


@pytest.mark.parametrize("kind", ["keepalive", "ping"])
def test_a_sign_of_life_says_nothing(kind: str) -> None:
    assert decode(sse({"type": kind})) == [Ping()]


@pytest.mark.parametrize("data", ["", "  ", "[DONE]"])
def test_an_event_without_data_says_nothing(data: str) -> None:
    assert decode(ServerSentEvent("message", data)) == [Ping()]


# Numbers, and streams that are resumed.

WHOLE = [
    created(background=True),
    event("in_progress", response=response(background=True)),
    added(message()),
    text("a"),
    text("b"),
    text("c"),
    done(message(output_text("abc"))),
    end(output=[message(output_text("abc"))]),
]


@pytest.mark.parametrize("cut", range(1, len(WHOLE)))
@pytest.mark.parametrize("back", [0, 1, 3])
def test_the_same_decoder_goes_on_over_a_second_connection(cut: int, back: int) -> None:
    stream = numbered(*WHOLE)
    decoder = Decoder()
    events = decode(*stream[:cut], decoder=decoder)
    events += decode(*stream[max(cut - back, 0) :], eof=True, decoder=decoder)
    assert events == decode(*stream, eof=True)
    assert message_of(events).completeness == "complete"


def test_an_event_that_was_seen_is_no_event() -> None:
    decoder = Decoder()
    stream = numbered(*WHOLE[:4], *[text("x")] * 20)
    decode(*stream, decoder=decoder)
    assert decode(*stream, decoder=decoder) == []


@pytest.mark.parametrize("last", [end(), end("failed"), sse({"type": "error", "message": "m"})])
def test_an_end_is_never_taken_for_a_repetition(last: ServerSentEvent) -> None:
    (again,) = numbered(last, first=15)
    found = read(*numbered(*WHOLE[:4], *[text("x")] * 20), again)
    assert found.completeness in ("complete", "failed")


@pytest.mark.parametrize("number", [0, 7])
def test_numbers_that_are_all_the_same_say_nothing(number: int) -> None:
    stream = [numbered(one, first=number)[0] for one in WHOLE]
    events = decode(*stream)
    assert message_of(events).text == "abc"
    assert {made.cursor for made in events[1:]} == {None}


def test_numbers_that_begin_anew_say_nothing() -> None:
    stream = numbered(*WHOLE[:3]) + numbered(*WHOLE[3:])
    assert read(*stream).text == "abc"


@pytest.mark.parametrize("number", [None, "3", 1.0, True])
def test_a_number_may_be_anything(number: Any) -> None:
    stream = [sse({**json.loads(one.data), "sequence_number": number}) for one in WHOLE]
    assert read(*stream).text == "abc"


def test_a_response_in_the_background_can_be_resumed() -> None:
    events = decode(*numbered(*WHOLE))
    assert [made.cursor for made in events[:5]] == [0, 1, 2, None, 3]
    assert message_of(events[:5]).resume_cursor == 3


def test_any_other_response_can_not() -> None:
    events = decode(*numbered(created(background=False), *WHOLE[2:-1]))
    assert {made.cursor for made in events} == {None}


def test_a_decoder_may_begin_in_the_middle() -> None:
    stream = numbered(*WHOLE)
    assert decode(stream[0], decoder=Decoder(starting_after=0)) == []
    found = message_of(decode(*stream[1:], decoder=Decoder(starting_after=0)))
    assert found == read(*stream)
    late = decode(*stream[3:], decoder=Decoder(starting_after=3))
    assert [made.cursor for made in late[:3]] == [None, None, None]
    assert late[3].cursor == 4
    found = message_of(late)
    assert (found.id, found.extra["id"], found.text) == ("", "r", "abc")


# What can't be read.


@pytest.mark.parametrize("data", ["{", "[]", "5"])
def test_what_can_not_be_read_is_refused_and_ends_the_stream(data: str) -> None:
    decoder = Decoder()
    decode(*STARTED, added(message()), decoder=decoder)
    with pytest.raises(RemoteProtocolError, match="unreadable event") as caught:
        decoder.receive_event(ServerSentEvent("message", data))
    assert caught.value.status == 502
    assert decoder.receive_event(end()) == []
    assert decoder.receive_eof() == [MessageCut("truncated")]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"type": 5},
        {"type": "response.output_item.added", "item": 5},
        {"type": "response.output_item.added", "item": {}},
        {"type": "response.output_item.done", "item": {"type": 5}},
        {"type": "response.output_text.delta", "delta": ["a"]},
        {"type": "response.output_text.delta", "delta": True},
        {"type": "response.output_text.done", "text": {}},
        {"type": "response.output_text.annotation.added", "annotation": 5},
        {"type": "response.content_part.added", "part": "a"},
    ],
)
def test_a_value_of_another_type_is_kept_and_the_stream_goes_on(data: Any) -> None:
    found = read(*STARTED, added(message()), text("a"), sse(data), text("b"), end())
    assert (found.completeness, found.text) == ("complete", "ab")
    assert found.unknown == [UnknownEvent(data)]


@pytest.mark.parametrize(
    "data",
    [
        {"type": "response.output_item.added", "item": None},
        {"type": "response.output_item.done"},
        {"type": "response.output_text.delta", "delta": None},
        {"type": "response.output_text.done", "text": None},
        {"type": "response.content_part.added", "part": None},
        {"type": "response.in_progress", "response": 5},
    ],
)
def test_null_says_nothing(data: Any) -> None:
    found = read(*STARTED, added(message()), text("a"), sse(data), text("b"), end())
    assert (found.completeness, found.text, found.unknown) == ("complete", "ab", [])


def test_a_text_that_is_a_number_may_come_as_one() -> None:
    found = read(*STARTED, text("["), text(1), event("output_text.done", text=10, **PLACE), end())
    assert found.text == "10"


@pytest.mark.parametrize("index", [-1, 2**32, True, "0", [0]])
def test_what_is_no_index_is_none(index: Any) -> None:
    found = read(
        *STARTED,
        added(message(), index),
        event("output_text.delta", delta="a", output_index=index, content_index=index),
        done(message(output_text("ab")), index),
        end(),
    )
    assert found.text == "ab"
    assert list(found.extra) == ["object", "status", "output.0"]


@pytest.mark.parametrize("kind", ["created", "completed", "failed"])
def test_a_response_may_be_missing(kind: str) -> None:
    found = read(sse({"type": "response.created"}), text("a"), sse({"type": f"response.{kind}"}), end())
    assert found.text == "a"
    assert found.completeness == ("failed" if kind == "failed" else "complete")


@pytest.mark.parametrize("content", ["ab", output_text("ab")])
def test_the_content_of_a_message_may_be_no_list(content: Any) -> None:
    found = read(
        *STARTED, added({**message(), "content": None}), done({**message(), "content": content}), end()
    )
    assert found.text == "ab"
    assert RESPONSES.to_response(found)["output"][0]["content"][0]["text"] == "ab"


def test_content_that_is_no_text_says_nothing() -> None:
    found = read(*STARTED, added(message()), text("a"), done({**message(), "content": 5}), end())
    assert (found.text, found.completeness) == ("a", "complete")


def test_the_name_of_an_event_is_its_type_where_the_data_has_none() -> None:
    assert decode(ServerSentEvent("response.created", json.dumps({"response": response()}))) == decode(
        created()
    )


@pytest.mark.parametrize(
    "stream",
    [
        [added({"type": "x"}, index) for index in range(20)],
        [text("", 0, place) for place in range(20)],
        [done({"type": "x", **{f"f{n}": n for n in range(100)}})],
        [created(**{f"f{n}": n for n in range(100)})],
    ],
)
def test_what_is_kept_is_bounded(stream: list[ServerSentEvent]) -> None:
    decoder = Decoder(max_held_bytes=5000)
    with pytest.raises(LimitExceeded) as caught:
        decode(*stream, decoder=decoder)
    assert (caught.value.limit, caught.value.bound, caught.value.status) == ("max_held_bytes", 5000, 502)
    assert decoder.receive_event(end()) == []


def test_a_long_text_costs_nothing_to_keep() -> None:
    deltas = [text("x" * 1000)] * 100
    found = message_of(
        decode(
            *STARTED,
            added(message()),
            *deltas,
            done(message(output_text("x" * 100_000))),
            decoder=Decoder(max_held_bytes=5000),
        )
    )
    assert len(found.text) == 100_000
