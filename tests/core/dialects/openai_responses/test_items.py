"""What comes of the items of a response: what each is, where it stands, and when it is whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sse_core import ServerSentEvent
from sse_core.blocks import (
    BlockStart,
    BlockStop,
    FieldsDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    ResultBlock,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
    UnknownEvent,
)
from tests.core.dialects.responses_events import (
    PLACE,
    STARTED,
    added,
    after,
    arguments,
    call,
    decode,
    done,
    end,
    event,
    message,
    output_text,
    part,
    read,
    text,
)

GROWTH = {"message": [text("a")], "function_call": [arguments('{"a"')]}


# Items and parts.


@pytest.mark.parametrize(
    ("item", "index_name", "kind", "block", "delta"),
    [
        (message(), "content_index", "refusal", TextBlock("", None, {"field": "refusal"}), TextDelta),
        (
            {"type": "reasoning", "summary": []},
            "content_index",
            "reasoning_text",
            ThinkingBlock("", None, {"field": "reasoning_text"}),
            ThinkingDelta,
        ),
        (
            {"type": "reasoning", "summary": []},
            "summary_index",
            "reasoning_summary_text",
            ThinkingBlock("", None, {"field": "summary"}),
            ThinkingDelta,
        ),
    ],
)
def test_each_kind_of_text_is_a_block(item: Any, index_name: str, kind: str, block: Any, delta: Any) -> None:
    field = "refusal" if kind == "refusal" else "text"
    place = {"output_index": 0, index_name: 3}
    block.extra.update(place)
    stream = [
        added(item),
        event(f"{kind}.delta", delta="a", **place),
        event(f"{kind}.done", **{field: "ab"}, **place),
    ]
    assert after(*stream)[1:] == [BlockStart(0, block), delta(0, "a"), delta(0, "b")]


@pytest.mark.parametrize(
    ("kind", "type_", "index_name"),
    [
        ("content_part", "reasoning_text", "content_index"),
        ("reasoning_part", "reasoning_text", "content_index"),
        ("reasoning_summary_part", "summary_text", "summary_index"),
    ],
)
def test_a_part_of_reasoning_begins_and_ends(kind: str, type_: str, index_name: str) -> None:
    place = {"output_index": 0, index_name: 0}
    stream = [
        added({"type": "reasoning", "summary": []}),
        event(f"{kind}.added", part={"type": type_, "text": ""}, **place),
        event(f"{kind}.done", part={"type": type_, "text": "hm"}, **place),
    ]
    events = after(*stream)[1:]
    assert [type(made) for made in events] == [BlockStart, ThinkingDelta, BlockStop]


def test_indexes_may_begin_at_one_and_leave_gaps() -> None:
    whole = message(output_text("a"), output_text("b"), output_text("c"))
    found = read(
        *STARTED, added(message(), 4), text("a", 4, 1), text("b", 4, 7), done(whole, 4), end(output=[whole])
    )
    assert [(b.extra["output_index"], b.extra["content_index"], b.text) for b in found.blocks] == [  # type: ignore[union-attr]
        (4, 1, "a"),
        (4, 7, "b"),
        (4, 8, "c"),
    ]


def test_an_index_may_be_missing() -> None:
    found = read(
        *STARTED,
        added(message(), None),
        text("a", None, None),
        done(message(output_text("a")), None),
        added(message(), None),
        text("b", None, None),
        text("c", None, None),
        done(message(output_text("bc")), None),
        end(),
    )
    assert [b.extra["output_index"] for b in found.blocks] == [0, 1]  # type: ignore[union-attr]
    assert found.text == "abc"


def test_ids_of_items_do_not_matter() -> None:
    found = read(
        *STARTED, added(message()), *(text(t) for t in "ab"), done(message(output_text("ab"), id="j"))
    )
    assert found.text == "ab"
    assert found.extra["output.0"]["id"] == "j"


def test_items_may_overlap() -> None:
    found = read(
        *STARTED,
        added({"type": "reasoning", "summary": []}),
        text("h", 0, kind="reasoning_text.delta"),
        added(message(), 1),
        text("a", 1),
        done(message(output_text("a")), 1),
        text("m", 0, kind="reasoning_text.delta"),
        done({"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}, 0),
        end(),
    )
    assert [getattr(block, "thinking", None) or getattr(block, "text", None) for block in found.blocks] == [
        "hm",
        "a",
    ]


def test_an_item_that_was_not_announced_begins_with_its_first_event() -> None:
    unannounced = event("output_text.delta", delta="a", item_id="i", output_index=2, content_index=0)
    start, skeleton, block, delta = decode(unannounced)
    assert start == MessageStart("", "")
    assert skeleton == MessageDelta(extra={"output.2": {"id": "i", "type": "message"}})
    assert block == BlockStart(0, TextBlock("", None, {"output_index": 2, "content_index": 0}))
    assert delta == TextDelta(0, "a")


def test_a_second_announcement_is_ignored() -> None:
    assert after(added(message()), added(message(output_text("a"))))[1:] == [Ping()]


def test_an_item_that_is_done_twice_is_done_once() -> None:
    again = message(output_text("b"), status="completed")
    assert after(done(message(output_text("a"))), done(again))[-1] == Ping()


@pytest.mark.parametrize("empty", [message(output_text("")), call("")])
def test_an_empty_text_takes_nothing_back_before_the_end(empty: Any) -> None:
    """A response that was cut may have less of its items than its deltas had."""
    begun = {"message": message(), "function_call": call()}[empty["type"]]
    found = read(*STARTED, added(begun), *GROWTH[empty["type"]], end("incomplete", output=[empty]))
    (block,) = found.blocks
    assert isinstance(block, TextBlock | ToolUseBlock)
    assert "a" in (block.text if isinstance(block, TextBlock) else block.raw_arguments)


def test_an_item_that_is_announced_whole_is_reported_at_once() -> None:
    found = after(
        added(message(output_text("a", logprobs=[1]))), done(message(output_text("ab", logprobs=[1])))
    )
    assert found[1:] == [
        BlockStart(0, TextBlock("", [], {**PLACE, "logprobs": [1]})),
        TextDelta(0, "a"),
        TextDelta(0, "b"),
        BlockStop(0),
    ]


def test_reasoning_that_is_encrypted_stays_with_its_item() -> None:
    begun = {"type": "reasoning", "summary": [], "encrypted_content": "a"}
    found = read(*STARTED, added(begun), done({**begun, "content": [], "encrypted_content": "b"}), end())
    assert found.extra["output.0"] == {"type": "reasoning", "content": [], "encrypted_content": "b"}
    assert found.blocks == []


def test_a_part_that_is_no_text_stays_with_its_item() -> None:
    audio = {"type": "output_audio", "data": "x"}
    whole = message(audio, output_text("a"), 5)
    found = read(*STARTED, added(message()), part("added", audio), done(whole), end())
    assert found.extra["output.0"]["content"] == [audio, None, 5]
    assert [type(made) for made in found.unknown] == [UnknownEvent]
    assert found.text == "a"


def test_what_was_announced_as_text_may_be_a_refusal() -> None:
    refused = message({"type": "refusal", "refusal": "no"})
    found = read(
        *STARTED, added(message()), part("added", output_text("")), done(refused), end(output=[refused])
    )
    assert [(b.text, b.extra.get("field")) for b in found.blocks if isinstance(b, TextBlock)] == [
        ("", None),
        ("no", "refusal"),
    ]
    events = after(added(message()), part("added", output_text("")), done(refused))
    assert [made.index for made in events if isinstance(made, BlockStop)] == [1, 0]


@pytest.mark.parametrize(
    "misplaced",
    [
        text("a"),
        part("added", output_text("")),
        event("output_text.done", text="a", **PLACE),
        event("output_text.annotation.added", annotation={}, **PLACE),
        arguments("x", 1),
        event("refusal.delta", delta="x", output_index=2, content_index=0),
        event("steer.accepted"),
        event("audio.delta", delta="x"),
        part("done", {"type": 5}, 2),
    ],
)
def test_what_has_no_room_is_kept_as_it_came(misplaced: ServerSentEvent) -> None:
    begun = [
        added(call()),
        added(message(), 2),
        text("a", 2),
        done(call("{}")),
        added(call(call_id="d"), 1),
        done(call("{}", call_id="d"), 1),
    ]
    assert after(*begun, misplaced)[-1] == UnknownEvent(json.loads(misplaced.data))


def test_what_comes_of_a_part_after_its_end_is_no_part_of_it() -> None:
    stream = [added(message()), part("done", output_text("a")), part("done", output_text("b"))]
    late = [text("c"), event("output_text.done", text="d", **PLACE)]
    cite = event("output_text.annotation.added", annotation={}, **PLACE)
    events = after(*stream, *late, cite)
    assert [type(made) for made in events[4:]] == [Ping, UnknownEvent, Ping, UnknownEvent]


# Items that are one block.


@pytest.mark.parametrize(
    "kind", ["web_search_call", "file_search_call", "image_generation_call", "mcp_list_tools"]
)
def test_what_the_provider_ran_is_a_result(kind: str) -> None:
    begun = {"type": kind, "id": "i", "status": "in_progress", "x": 1}
    whole = {**begun, "status": "completed", "result": "r"}
    progress = [
        event(f"{kind}.{word}", output_index=0, item_id="i") for word in ("in_progress", "partial_image")
    ]
    assert after(added(begun), *progress, done(whole), end(output=[whole])) == [
        MessageDelta(extra={"output.0": {"type": kind, "id": "i"}}),
        BlockStart(0, ResultBlock(begun)),
        Ping(),
        Ping(),
        FieldsDelta(0, {"status": "completed", "result": "r"}),
        BlockStop(0),
        MessageDelta("completed", {}, {"status": "completed"}),
        MessageStop(),
    ]


def test_a_result_that_was_whole_at_once_is_reported_once() -> None:
    item = {"type": "mcp_approval_request", "id": "i"}
    assert after(added(item), done(item))[2:] == [BlockStop(0)]


@pytest.mark.parametrize("kind", ["computer_call", "shell_call", "compaction", "program", "x"])
def test_what_a_client_runs_and_what_is_unknown_stays_as_it_came(kind: str) -> None:
    assert read(*STARTED, done({"type": kind, "y": 1}), end()).blocks == [
        UnknownBlock({"type": kind, "y": 1})
    ]


def test_what_the_end_says_otherwise_stands_beside_the_block() -> None:
    item = {"type": "mcp_list_tools", "id": "i", "tools": [1]}
    found = read(*STARTED, done(item), end(output=[{**item, "tools": [1, 2]}]))
    assert found.blocks == [ResultBlock(item)]
    assert found.extra["output.0"] == {"type": "mcp_list_tools", "id": "i", "tools": [1, 2]}


def test_partial_images_are_not_kept() -> None:
    image = event("image_generation_call.partial_image", output_index=0, partial_image_b64="x" * 1000)
    found = read(*STARTED, added({"type": "image_generation_call"}), *[image] * 5, end())
    assert found.unknown == []


# What the response's end says of its items.


def ended(known: dict[int, str], output: list[Any]) -> dict[str, Any]:
    stream = [added({"type": kind, "n": index}, index) for index, kind in known.items()]
    found = read(*STARTED, *stream, end(output=output))
    return {name: value for name, value in found.extra.items() if name.startswith("output.")}


def test_the_items_of_the_end_stand_where_their_indexes_say() -> None:
    output = [{"type": "reasoning", "n": "a"}, {"type": "message", "n": "b"}, {"type": "message", "n": "c"}]
    assert ended({2: "message", 0: "reasoning"}, output) == {
        f"output.{index}": item for index, item in enumerate(output)
    }


def test_the_items_of_the_end_are_the_next_of_their_type_where_indexes_have_gaps() -> None:
    output = [{"type": "message", "n": "a"}, {"type": "message", "n": "b"}, {"type": "message", "n": "c"}]
    assert ended({0: "reasoning", 3: "message", 5: "message"}, output) == {
        "output.0": {"type": "reasoning", "n": 0},
        "output.3": output[0],
        "output.5": output[1],
        "output.6": output[2],
    }


@pytest.mark.parametrize("output", [None, [], [5], [{}], "x"])
def test_an_end_without_items_takes_nothing_back(output: Any) -> None:
    assert ended({0: "message"}, output) == {"output.0": {"type": "message", "n": 0}}
