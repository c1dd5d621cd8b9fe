"""Anthropic's streams as they were recorded, and quirks of them made by hand.

Each is read whole, byte by byte and in random pieces; each has to give the message that the
official SDK made of it, but for the differences in ``anthropic_differences.json``, each of which has
its reason there.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sse_core import Message, dialects
from sse_core.blocks import MessageCut, TextDelta, ToolUseBlock, strict_json
from tests.acceptance.recorded import accumulated, decoded, framed, message_of, splits, stream

SHARED = Path(__file__).parents[3] / "shared"
if not SHARED.is_dir():
    pytest.skip("shared folder missing: the recordings lie beside the checkout", allow_module_level=True)

ANTHROPIC = dialects.get("anthropic")
RECORDED = sorted((SHARED / "fixtures/anthropic").glob("*.sse"))
SYNTHETIC = sorted((SHARED / "fixtures/synthetic").glob("anthropic-*.sse"))
PAYLOADS = sorted((SHARED / "fixtures/vercel-chunks/anthropic").glob("*.chunks.txt"))
VECTORS = [
    case
    for case in json.loads((SHARED / "vectors/llm_streams.json").read_text())
    if case["kind"].startswith("anthropic")
]
DIFFERENCES = json.loads(Path(__file__).with_name("anthropic_differences.json").read_text())

every_stream = pytest.mark.parametrize("path", RECORDED + SYNTHETIC + PAYLOADS, ids=lambda path: path.stem)


def read(*pieces: bytes) -> Message:
    return message_of(ANTHROPIC, *pieces)


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[dict[str, Any]]:
    """Each place where two JSON values differ; a side that has nothing there is left out."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() & theirs.keys():
        for name in sorted(ours.keys() | theirs.keys(), reverse=True):
            where = f"{path}.{name}".lstrip(".")
            if name in ours and name in theirs:
                yield from differences(ours[name], theirs[name], where)
            else:
                side = {"ours": ours[name]} if name in ours else {"theirs": theirs[name]}
                yield {"path": where, **side}
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(*pair, f"{path}[{index}]")
    elif ours != theirs:
        yield {"path": path, "ours": ours, "theirs": theirs}


def without_reasons(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    assert all(len(entry["reason"]) > 20 for entry in entries)
    return [{name: value for name, value in entry.items() if name != "reason"} for entry in entries]


def found(path: Path) -> list[dict[str, Any]]:
    """Where our message differs from the one that the official SDK made of a recording."""
    message = read(stream(path))
    ours = {**ANTHROPIC.to_response(message), "(completeness)": message.completeness}
    theirs = json.loads(path.with_suffix(".expected.json").read_text())
    return list(differences(ours, {**theirs, "(completeness)": "complete"}))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_stream_gives_the_message_that_the_official_sdk_makes_of_it(path: Path) -> None:
    everywhere = without_reasons(DIFFERENCES["everywhere"])
    listed = without_reasons(DIFFERENCES.get(path.stem, []))
    assert [entry for entry in found(path) if entry not in everywhere] == listed


def test_every_difference_that_is_listed_is_there() -> None:
    assert len(RECORDED) == 45
    assert {path.stem for path in RECORDED} >= DIFFERENCES.keys() - {"everywhere"}
    everything = [entry for path in RECORDED for entry in found(path)]
    assert all(entry in everything for entry in without_reasons(DIFFERENCES["everywhere"]))


@every_stream
def test_a_message_is_the_same_however_its_bytes_are_cut(path: Path) -> None:
    whole = read(stream(path))
    assert all(read(*pieces) == whole for pieces in splits(stream(path), path.stem))


@every_stream
def test_the_text_is_what_its_deltas_say(path: Path) -> None:
    events = list(decoded(ANTHROPIC, framed([stream(path)])))
    deltas = [event.text for event in events if isinstance(event, TextDelta)]
    assert accumulated(events).text == "".join(deltas)


@every_stream
def test_a_stream_sent_on_says_the_same(path: Path) -> None:
    """Verbatim, it is the same events (with the names that a proxy dropped); built anew, the same message."""
    received = framed([stream(path)])
    events = list(decoded(ANTHROPIC, received))
    sendable = [event for event in events if not isinstance(event, MessageCut)]
    verbatim, anew = ANTHROPIC.Encoder(verbatim=True), ANTHROPIC.Encoder()
    sent = [sse for event in sendable for sse in verbatim.send(event)]
    assert [sse.data for sse in sent] == [sse.data for sse in received[: len(sent)]]
    assert [sse.type for sse in sent if sse.type != "message"] == [
        json.loads(sse.data)["type"] for sse in sent
    ]

    again = accumulated(decoded(ANTHROPIC, (sse for event in sendable for sse in anew.send(event))))
    whole = accumulated(events)
    if whole.error is not None and again.error is not None:
        assert again.error.extra.pop("outcome") == "failed"
    assert again == whole


@every_stream
def test_wherever_a_stream_is_cut_it_is_truncated_and_nothing_in_it_may_be_executed(path: Path) -> None:
    received = framed([stream(path)])
    end = len(list(decoded(ANTHROPIC, received)))
    whole = accumulated(decoded(ANTHROPIC, received))
    for count in range(end if whole.completeness == "truncated" else end - 1):
        message = accumulated(decoded(ANTHROPIC, received[:count]))
        assert message.completeness == "truncated"
        assert message.executable_tools == []
        assert not [b for b in message.blocks if isinstance(b, ToolUseBlock) and b.state == "streaming"]


@every_stream
def test_arguments_are_parsed_once_for_each_tool_that_has_any(path: Path) -> None:
    texts: list[str] = []

    def spy(text: str) -> Any:
        texts.append(text)
        return strict_json.loads(text)

    message = accumulated(decoded(ANTHROPIC, framed([stream(path)])), parse_json=spy)
    tools = [block for block in message.blocks if isinstance(block, ToolUseBlock)]
    assert texts == [
        tool.raw_arguments for tool in tools if tool.raw_arguments and tool.state != "incomplete"
    ]


def tool(message: Message) -> tuple[Any, ...]:
    (block,) = message.blocks
    assert isinstance(block, ToolUseBlock)
    return block.state, block.arguments, block.raw_arguments, len(message.executable_tools)


def failure(message: Message) -> tuple[Any, ...]:
    error = message.error
    assert error is not None
    return message.completeness, error.type, error.message, error.retryable, error.extra, message.text


def text(message: Message) -> tuple[Any, ...]:
    return message.completeness, message.text, message.stop_reason, len(message.blocks)


OVERLOADED = ("failed", "overloaded_error", "Overloaded", True, {"details": None, "request_id": "req_x"})
#: What is looked at in each stream made by hand, and what has to be there.
QUIRKS: dict[str, tuple[Callable[[Message], Any], Any]] = {
    "bom": (text, ("complete", "hi", "end_turn", 1)),
    "cr-only": (text, ("complete", "hi", "end_turn", 1)),
    "crlf": (text, ("complete", "é😀", "end_turn", 1)),
    "eager-invalid-json": (tool, ("invalid", None, '{"a": "x\n", }', 0)),
    "eof-no-message-stop": (text, ("truncated", "Hel", None, 1)),
    "error-after-message-start": (failure, (*OVERLOADED, "")),
    "error-first-event": (failure, (*OVERLOADED, "")),
    "error-midtext": (failure, (*OVERLOADED, "Hello")),
    "error-midtool": (tool, ("incomplete", None, '{"a": 1', 0)),
    "index-gap": (text, ("complete", "ab", "end_turn", 2)),
    "no-event-field": (text, ("complete", "hi", "end_turn", 1)),
    "tool-input-in-start": (tool, ("complete", {"p": 1}, "", 1)),
    "tool-no-delta": (tool, ("complete", {}, "", 1)),
    "u2028": (text, ("complete", "a\u2028b\u2029c\x85d\x0be", "end_turn", 1)),
    "unknown-event-and-delta": (text, ("complete", "ok", "some_future_reason", 2)),
    "usage-cumulative": (
        lambda message: message.usage,
        {"input_tokens": 12, "cache_read_input_tokens": 5, "output_tokens": 7},
    ),
}


def test_every_quirk_is_looked_at() -> None:
    assert {path.stem.removeprefix("anthropic-") for path in SYNTHETIC} == QUIRKS.keys()


@pytest.mark.parametrize("name", QUIRKS)
def test_a_quirk_gives_what_it_should(name: str) -> None:
    look, expected = QUIRKS[name]
    message = read(stream(SHARED / f"fixtures/synthetic/anthropic-{name}.sse"))
    assert look(message) == expected


def test_what_is_unknown_is_kept() -> None:
    message = read(stream(SHARED / "fixtures/synthetic/anthropic-unknown-event-and-delta.sse"))
    assert [getattr(event, "data", None) or getattr(event, "delta", None) for event in message.unknown] == [
        {"type": "future_event", "x": 1},
        {"type": "future_delta", "y": 2},
    ]


def field(value: Any, path: str) -> Any:
    for name in re.findall(r"\w+", path):
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_the_official_sdks_own_test_streams(case: dict[str, Any]) -> None:
    """Their last event lacks its blank line, so it is never dispatched, and the message not complete."""
    received = framed(base64.b64decode(chunk) for chunk in case["chunks_b64"])
    message = accumulated(decoded(ANTHROPIC, received))
    response = ANTHROPIC.to_response(message)
    if "expected_error" in case:
        assert message.error is not None
        assert message.error.type == case["expected_error"]["type"]
        assert case["expected_error"]["message_contains"] in message.error.message
        return
    assert message.completeness == "truncated"
    if "expected_sse_types_seen" in case:
        assert [sse.type for sse in received] == case["expected_sse_types_seen"]
    for path, value in case.get("expected_fields", {}).items():
        assert field(response, path) == value
    theirs = case.get("expected_final_message", {})
    ours = {name: response[name] for name in theirs}
    listed = without_reasons(DIFFERENCES.get(f"sdkpy--{case['name']}", []))
    assert list(differences(ours, theirs)) == [entry for entry in listed if entry["path"] != "(completeness)"]


def test_there_are_vectors() -> None:
    assert len(VECTORS) == 8
