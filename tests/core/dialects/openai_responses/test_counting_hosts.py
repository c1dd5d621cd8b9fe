"""Texts whose place a host counts up with each delta, without announcing a part; calls without a call_id."""

from __future__ import annotations

from typing import Any

import pytest

from sse_core import Message, MessageAccumulator, ServerSentEvent, dialects
from sse_core.blocks import TextBlock, strict_json

ITEM: dict[str, Any] = {"type": "message", "id": "msg_1", "role": "assistant"}
CITED = {"type": "url_citation", "url": "https://example.com"}


def listed(*texts: str, **fields: Any) -> dict[str, Any]:
    """The message with these texts."""
    return {**ITEM, "content": [{"type": "output_text", "text": text, **fields} for text in texts]}


def part_event(kind: str, place: int, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "output_index": 0, "content_index": place, **fields}


def item_event(kind: str, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": f"response.output_item.{kind}", "output_index": 0, "item": item}


def text_done(place: int, text: str) -> dict[str, Any]:
    return part_event("output_text.done", place, text=text)


def part_done(place: int, text: str) -> dict[str, Any]:
    return part_event("content_part.done", place, part={"type": "output_text", "text": text})


def message(deltas: list[str], *ends: dict[str, Any], output: list[Any] | None = None) -> Message:
    """The message of a response with these deltas of text, each at another place, and these ends."""
    stream = [
        {"type": "response.created", "response": {"id": "resp_1", "model": "m"}},
        item_event("added", listed()),
        *(part_event("output_text.delta", place, delta=delta) for place, delta in enumerate(deltas)),
        *ends,
        {"type": "response.completed", "response": {"id": "resp_1", "output": output or []}},
    ]
    decoder, accumulator = dialects.get("openai-responses").Decoder(), MessageAccumulator()
    for data in stream:
        for event in decoder.receive_event(ServerSentEvent(data["type"], strict_json.dumps(data))):
            accumulator.receive(event)
    return accumulator.message


@pytest.mark.parametrize("place", [0, 1, 2, 7])
@pytest.mark.parametrize("end", [text_done, part_done])
def test_the_whole_text_of_all_places_comes_once(place: int, end: Any) -> None:
    whole = listed("Hello")
    found = message(["Hel", "lo"], end(place, "Hello"), item_event("done", whole), output=[whole])
    assert (found.text, found.completeness) == ("Hello", "complete")


@pytest.mark.parametrize(
    ("ends", "output"),
    [
        ([text_done(0, "Hello")], []),
        ([part_done(0, "Hello")], []),
        ([item_event("done", listed("Hello"))], []),
        ([], [listed("Hello")]),
    ],
)
@pytest.mark.parametrize("deltas", [["Hel", "lo"], ["He", "l"]])
def test_one_end_is_enough(deltas: list[str], ends: list[Any], output: list[Any]) -> None:
    assert message(deltas, *ends, output=output).text == "Hello"


def test_what_the_whole_has_beside_its_text_is_kept() -> None:
    whole = listed("Hello", annotations=[CITED])
    found = message(["Hel", "lo"], item_event("done", whole), output=[whole])
    assert [block.citations for block in found.blocks if isinstance(block, TextBlock)] == [[CITED], None]


def test_after_the_end_of_the_item_nothing_is_new() -> None:
    found = message(["Hel", "lo"], item_event("done", listed("Hel", "lo")), text_done(0, "Hello!"))
    assert found.text == "Hello"


@pytest.mark.parametrize("deltas", [["a", "b"], ["a", ""], ["\ud83d", "b"]])
def test_parts_that_are_two_stay_two(deltas: list[str]) -> None:
    ends = [text_done(place, text) for place, text in enumerate(["a", "b"])]
    found = message(deltas, *ends, item_event("done", listed("a", "b")), output=[listed("a", "b")])
    assert [block.text for block in found.blocks if isinstance(block, TextBlock)] == ["a", "b"]


def test_a_refusal_is_no_piece_of_the_text() -> None:
    refusal = part_event("refusal.delta", 1, delta="lo")
    assert message(["Hel"], refusal, text_done(0, "Hello")).text.startswith("Hello")


@pytest.mark.parametrize("type_", ["function_call", "custom_tool_call"])
def test_a_call_without_a_call_id_is_answered_by_its_items_id(type_: str) -> None:
    """It is the client's to run: the answer is not finished."""
    item = {"type": type_, "id": "fc_1", "name": "f", "arguments": "{}", "input": "{}"}
    found = message([], item_event("done", item), output=[item])
    assert [(tool.id, tool.name) for tool in found.executable_tools] == [("fc_1", "f")]
    assert found.stop_meaning == "tool_use"


def test_a_call_that_came_without_an_id_can_be_answered() -> None:
    """Chat completions' old form of a call has none."""
    chat, responses = dialects.get("openai-chat"), dialects.get("openai-responses")
    delta = {"function_call": {"name": "f", "arguments": "{}"}}
    chunk = {"id": "c", "choices": [{"delta": delta, "finish_reason": "function_call"}]}
    sse = ServerSentEvent("message", strict_json.dumps(chunk))
    decoder, encoder, accumulator = chat.Decoder(), responses.Encoder(), MessageAccumulator()
    events = [*decoder.receive_event(sse), *decoder.receive_eof()]
    for event in events:
        accumulator.receive(event)
    sent = [strict_json.loads(sse.data) for event in events for sse in encoder.send(event)]
    (item,) = responses.to_response(accumulator.message)["output"]
    assert [data["item"]["call_id"] for data in sent if "item" in data] == [item["call_id"]] * 2
    assert item["call_id"] != ""
