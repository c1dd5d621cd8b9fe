"""Which item an event speaks of, row by row of the tables in docs/dialects/openai-responses.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sse_core import Message, ServerSentEvent
from sse_core.blocks import BlockStart, BlockStop, MessageStart, Ping, TextBlock, ToolUseBlock, UnknownEvent
from sse_core.dialects.openai_responses import Decoder
from sse_core.testing import events_of
from tests.core.dialects.responses_events import (
    RESPONSES,
    STARTED,
    added,
    after,
    call,
    created,
    decode,
    done,
    end,
    event,
    message,
    output_text,
    read,
    text,
)
from tests.core.growth import is_linear


def texts(found: Message) -> list[str]:
    return [block.text for block in found.blocks if isinstance(block, TextBlock)]


def said(word: str, **fields: Any) -> dict[str, Any]:
    return message(output_text(word), **fields)


def grown(delta: str, index: int | None = None, id_: str | None = None) -> ServerSentEvent:
    places = {"output_index": index, "item_id": id_}
    return event(
        "output_text.delta", delta=delta, **{name: at for name, at in places.items() if at is not None}
    )


def calls(found: Message) -> list[tuple[str, Any]]:
    return [(tool.id, tool.arguments) for tool in found.executable_tools]


# An item is announced.


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (added(call(), 0), added(call(), 3)),  # its call_id
        (added(message(), None), added(message(), None)),  # no index, its id is an open item's
        (added(message(), 0), added(message(), 0)),  # index and id are one item's
        (added(message(id=None), 0), added(message(id=None), 0)),  # no id, the index is an open item's
    ],
)
def test_an_announcement_that_is_repeated_says_nothing(
    first: ServerSentEvent, again: ServerSentEvent
) -> None:
    assert after(first, again)[-1] == Ping()


@pytest.mark.parametrize(
    "second",
    [
        added(message(id="j"), 0),  # another id at the same index
        added(message(id="j"), None),
        added(message(), 1),  # the same id at another index
    ],
)
def test_any_other_is_of_a_new_item(second: ServerSentEvent) -> None:
    found = read(*STARTED, added(message()), second, end())
    assert list(found.extra) == ["object", "status", "output.0", "output.1"]


def test_without_an_id_an_index_whose_item_is_done_is_a_new_items() -> None:
    item = message(id=None)
    found = read(
        *STARTED,
        *(sent for word in "ab" for sent in (added(item), text(word), done(said(word, id=None)))),
        end(),
    )
    assert texts(found) == ["a", "b"]


def test_another_type_at_the_same_index_is_another_item() -> None:
    found = read(*STARTED, added(message()), text("a"), done(call("{}", id="j")), text("b"), end())
    assert (found.text, calls(found)) == ("ab", [("c", {})])
    assert [item["type"] for item in RESPONSES.to_response(found)["output"]] == ["message", "function_call"]


# An item is announced as whole.


@pytest.mark.parametrize(
    "whole",
    [
        done(said("ab"), 7),  # its id, whatever the index
        done(said("ab", id="k"), 0),  # its index, whatever the id
        done(said("ab", id="k"), None),  # the oldest that is open
        done(said("ab", id=None), None),
    ],
)
def test_the_end_of_an_item_finds_it(whole: ServerSentEvent) -> None:
    assert texts(read(*STARTED, added(message()), text("a"), whole, end())) == ["ab"]


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (done(said("a"), 0), done(said("a"), 0)),
        (done(said("a"), 0), done(said("a"), None)),
        (done(said("a", id=None), 0), done(said("a", id=None), 0)),
        (done(call("{}"), 0), done(call("{}", id="j"), 4)),
    ],
)
def test_an_end_that_is_repeated_says_nothing(first: ServerSentEvent, again: ServerSentEvent) -> None:
    assert after(first, again)[-1] == Ping()


def test_an_end_of_no_item_is_a_new_one() -> None:
    found = read(*STARTED, done(said("a")), done(said("b", id="j")), done(said("c", id="k"), None), end())
    assert texts(found) == ["a", "b", "c"]


def test_an_end_without_index_is_of_the_oldest_that_is_no_other_call() -> None:
    nameless = call(call_id=None, id=None)
    found = read(
        *STARTED,
        added(call(call_id="a", id=None), None),
        added(nameless, None),
        done(call('{"n":1}', call_id="b", id=None), None),
        done(call('{"n":2}', call_id="a", id=None), None),
        end(),
    )
    assert sorted(calls(found)) == [("a", {"n": 2}), ("b", {"n": 1})]


# An item grows.


def test_growth_finds_its_item_by_its_id_before_its_index() -> None:
    found = read(
        *STARTED, added(message()), added(message(id="j"), 1), grown("b", 0, "j"), grown("a", 1, "i"), end()
    )
    assert sorted(texts(found)) == ["a", "b"]
    assert {
        block.extra["output_index"]: block.text for block in found.blocks if isinstance(block, TextBlock)
    } == {
        0: "a",
        1: "b",
    }


def test_an_id_of_two_items_is_nobodys() -> None:
    found = read(
        *STARTED, added(message()), added(message(), 1), grown("b", 1, "i"), grown("a", 0, "i"), end()
    )
    assert {
        block.extra["output_index"]: block.text for block in found.blocks if isinstance(block, TextBlock)
    } == {
        0: "a",
        1: "b",
    }


def test_growth_without_an_index_is_of_the_latest_that_is_open() -> None:
    stream = [added(message(), None), added(message(id="j"), None), done(said("x", id="j"), None)]
    assert texts(read(*STARTED, *stream, grown("a"), grown("b", id_="unknown"), end())) == ["x", "ab"]


def test_and_where_none_is_open_of_none() -> None:
    last = after(done(said("x")), grown("a"))[-1]
    assert isinstance(last, UnknownEvent)
    assert texts(read(*STARTED, done(said("x")), grown("a", id_="unknown"), end())) == ["x", "a"]
    assert texts(read(*STARTED, grown("a"), grown("b"), end())) == ["ab"]
    assert isinstance(after(added(call()), grown("a"))[-1], UnknownEvent)


def test_arguments_of_no_call_say_nothing() -> None:
    lost = event("function_call_arguments.delta", delta="{}", output_index=4, item_id="x")
    assert after(added(call()), lost)[-1] == Ping()


# The output of the response's end.


def test_the_output_of_the_end_is_known_by_calls_and_ids() -> None:
    stream = [added(message()), text("a"), done(call("{}", id="j"), 1)]
    output = [call("{}", id="other"), said("b", id="k"), said("a")]
    found = read(*STARTED, *stream, end(output=output))
    assert (texts(found), calls(found)) == (["a", "b"], [("c", {})])


def test_a_call_that_is_not_known_is_no_other_call() -> None:
    found = read(*STARTED, done(call("{}")), end(output=[call('{"n":1}', call_id="d")]))
    assert calls(found) == [("c", {}), ("d", {"n": 1})]


def test_an_id_that_comes_twice_there_is_of_two_items() -> None:
    found = read(*STARTED, done(said("a")), end(output=[said("a"), said("b")]))
    assert texts(found) == ["a", "b"]


def test_items_without_an_index_of_their_own_get_the_next_that_is_free() -> None:
    found = read(
        *STARTED, *(done(said(word, id=word), 0) for word in "abc"), done(said("d", id="d"), 2), end()
    )
    assert [item["id"] for item in RESPONSES.to_response(found)["output"]] == ["a", "b", "c", "d"]


# Text at places that were not announced.


def announced(*deltas: ServerSentEvent) -> list[ServerSentEvent]:
    part = event("content_part.added", part=output_text(""), output_index=0, content_index=0)
    return [*STARTED, added(message()), part, *deltas]


def test_an_index_of_a_part_that_counts_with_each_delta_is_one_part() -> None:
    stream = announced(*(text(word, 0, place) for place, word in enumerate("abc")))
    last = [
        event("output_text.done", text="abc", output_index=0, content_index=3),
        event("content_part.done", part=output_text("abc"), output_index=0, content_index=4),
        done(said("abc")),
    ]
    assert texts(read(*stream, *last, end(output=[said("abc")]))) == ["abc"]
    assert texts(read(*stream)) == ["abc"]


def test_so_is_one_whose_item_came_with_its_part() -> None:
    stream = [added(said("")), *(text(word, 0, place) for place, word in enumerate("abc")), done(said("abc"))]
    assert texts(read(*STARTED, *stream, end())) == ["abc"]


def test_another_text_is_another_part() -> None:
    whole = event("output_text.done", text="b", output_index=0, content_index=1)
    assert texts(read(*announced(text("a"), whole), end())) == ["a", "b"]
    refusal = event("refusal.delta", delta="no", output_index=0, content_index=1)
    assert texts(read(*announced(text("a"), refusal), end())) == ["a", "no"]
    second = event("content_part.added", part=output_text(""), output_index=0, content_index=1)
    assert texts(read(*announced(text("a"), second, text("b", 0, 1)), end())) == ["a", "b"]


# Bounds.


def unplaced(size: int) -> Callable[[], object]:
    """Calls without index and id, all announced before any grows or ends."""
    names = [f"c{number}" for number in range(size)]
    stream = [created(), *(added(call(call_id=name, id=None), None) for name in names)]
    stream += [event("function_call_arguments.delta", delta="{}", item_id=name) for name in names]
    items = [call("{}", call_id=name, id=None) for name in names]
    stream += [*(done(item, None) for item in items), end(output=items)]
    return lambda: decode(*stream, decoder=Decoder(max_held_bytes=2**30))


def nameless(size: int) -> Callable[[], object]:
    """Texts with neither, whose ends come last."""
    words = [f"({number})" for number in range(size)]
    stream = [created(), *(sent for word in words for sent in (added(message(id=None), None), grown(word)))]
    items = [said(word, id=None) for word in words]
    stream += [*(done(item, None) for item in items), end(output=items)]
    return lambda: decode(*stream, decoder=Decoder(max_held_bytes=2**30))


def repeated(size: int) -> Callable[[], object]:
    """An item of many parts that the response's end has many times."""
    parts = [text("a", 0, place) for place in range(size)]
    stream = [created(), added(message()), *parts, end("incomplete", output=[message()] * size)]
    return lambda: decode(*stream, decoder=Decoder(max_held_bytes=2**30))


@pytest.mark.parametrize("shape", [unplaced, nameless, repeated])
@pytest.mark.untraced
def test_items_take_linear_time(shape: Callable[[int], Callable[[], object]]) -> None:
    assert is_linear(shape, 250)


def test_thousands_of_calls_without_index_and_id_are_known() -> None:
    names = [f"c{number}" for number in range(3000)]
    ends = [done(call("{}", call_id=name, id=None), None) for name in names]
    stream = [*(added(call(call_id=name, id=None), None) for name in names), *ends, end()]
    assert [tool.id for tool in read(*STARTED, *stream).executable_tools] == names


def test_a_long_id_is_written_once() -> None:
    """In an event of each delta it would cost the square."""
    id_ = "i" * 5000
    stream = [
        created(id=id_),
        added(message(id=id_)),
        *[text("a")] * 1000,
        done(said("a" * 1000, id=id_)),
        end(),
    ]
    sent = events_of(RESPONSES, decode(*stream))
    assert sum(len(one.data) for one in sent) < 500_000
    found = read(*sent)
    assert found.text == "a" * 1000
    assert found.extra["output.0"]["id"] == id_


def test_nor_does_the_id_of_a_message_come_with_each_of_its_items() -> None:
    encoder = RESPONSES.Encoder()
    events: list[Any] = [MessageStart("i" * 100_000, "m", dialect="x")]
    for number in range(100):
        events += [BlockStart(number, ToolUseBlock(f"c{number}", "f")), BlockStop(number)]
    sent = [one for made in events for one in encoder.send(made)]
    assert sum(len(one.data) for one in sent) < 1_000_000
