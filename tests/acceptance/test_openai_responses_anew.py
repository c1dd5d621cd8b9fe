"""Recorded streams of three protocols, written anew as Responses and read again: the same is said.

What a response has no form for is named here: where a message ended for a reason that it has no word
for, and what became of a message that was cut.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sse_core import Message, ServerSentEvent, dialects
from sse_core.blocks import BlockEvent, ThinkingBlock
from sse_core.testing import events_of
from tests.acceptance.recorded import accumulated, decoded, differences, framed, stream

SHARED = Path(__file__).parents[3] / "shared"
if not SHARED.is_dir():
    pytest.skip("shared folder missing: the recordings lie beside the checkout", allow_module_level=True)

RESPONSES = dialects.get("openai-responses")
FIXTURES = SHARED / "fixtures"
#: Its first payload lacks a bracket.
UNREADABLE = "parallel-tool-call-wrapper.1.chunks"
PLACES = {
    "anthropic": ["anthropic/*.sse", "synthetic/anthropic-*.sse"],
    "openai-chat": ["openai-chat/*.sse", "openai-compat/*/*.sse", "synthetic/chat-*.sse"],
    "openai-responses": [
        "openai-responses/*.sse",
        "responses-compat/*/*.sse",
        "vercel-chunks/*responses/*.txt",
        "vercel-chunks/azure/*.txt",
    ],
}
STREAMS = [
    (dialect, path)
    for dialect, places in PLACES.items()
    for place in places
    for path in sorted(FIXTURES.glob(place))
    if path.stem != UNREADABLE
]
OWN = [path for dialect, path in STREAMS if dialect == "openai-responses"]
#: What a response says otherwise of why it ended.
STOPS = {
    # A finish reason never came; without calls, that is a response that is completed.
    "pydantic-ai--test_snowflake_model_streaming--0": "end_turn",
    "pydantic-ai--test_snowflake_thinking_streaming--0": "end_turn",
    # The arguments of a call are no JSON.
    "anthropic-eager-invalid-json": "max_tokens",
}
#: Where a response that is written anew differs from the one that was read: the path, ours, theirs.
DIFFERENCES = {
    # The host gives an item another id with each event.  The official SDK refuses that: the first counts.
    "pydantic-ai--test_openai_responses_raw_cot_stream_openrouter--0": [
        ("output[].id", "rs_tmp_2kbe7x16sax", "rs_tmp_ku4i7pagjwn"),
    ],
    "github-copilot-id-rotation.1.chunks": [
        ("output[].id", "capture-id-3", "capture-id-70"),
        ("output[].id", "capture-id-9", "capture-id-71"),
    ],
    # The host says of an item, at its end, that it is in progress.
    "programmatic-tool-calling.1.chunks": [("output[].status", "completed", "in_progress")],
}


def read(dialect: str, path: Path) -> list[BlockEvent]:
    return list(decoded(dialects.get(dialect), framed([stream(path)])))


def anew(events: list[BlockEvent]) -> list[ServerSentEvent]:
    return events_of(RESPONSES, events)


def again(events: list[BlockEvent]) -> Message:
    return accumulated(decoded(RESPONSES, anew(events)))


def said(message: Message) -> dict[str, Any]:
    """The message, as far as every protocol has a form for it."""
    calls = [tool for tool in message.tools if tool.type == "tool_use"]
    return {
        "text": message.text,
        "thinking": [block.thinking for block in message.blocks if isinstance(block, ThinkingBlock)],
        # One whose arguments are no JSON is written as one that is not whole.
        "calls": [
            (tool.id, tool.name, tool.arguments, tool.state in ("invalid", "incomplete")) for tool in calls
        ],
        "executable": len(message.executable_tools),
    }


def counts(message: Message) -> Any:
    """The tokens; a response has 0 for what was not counted."""
    count = message.token_counts
    parts = (count.cache_read or 0, count.cache_written, count.reasoning or 0)
    return message.usage and (count.input, count.output, count.total, parts)


def test_all_recordings_are_there() -> None:
    assert len(STREAMS) == len({path for _, path in STREAMS}) == 235
    assert len(OWN) == 57
    assert {path.stem for path in OWN} >= DIFFERENCES.keys()


@pytest.mark.parametrize(("dialect", "path"), STREAMS, ids=lambda value: getattr(value, "stem", value))
def test_a_stream_written_anew_says_the_same(dialect: str, path: Path) -> None:
    events = read(dialect, path)
    before, after = accumulated(events), again(events)
    assert said(after) == said(before)
    assert (after.id, after.model) == (before.id, before.model) or before.completeness == "failed"
    if before.completeness == "complete":
        assert after.completeness == "complete"
        assert after.stop_meaning == STOPS.get(path.stem, before.stop_meaning)
        assert counts(after) == counts(before)
    else:
        assert after.completeness == "failed"
        assert after.error is not None
        assert after.error.type == ("stream_truncated" if before.error is None else before.error.type)


@pytest.mark.parametrize(("dialect", "path"), STREAMS, ids=lambda value: getattr(value, "stem", value))
def test_events_are_numbered_and_named_and_items_are_whole_when_they_are_done(
    dialect: str, path: Path
) -> None:
    sent = anew(read(dialect, path))
    data = [json.loads(sse.data) for sse in sent]
    assert [(sse.type, number) for number, sse in enumerate(sent)] == [
        (event["type"], event["sequence_number"]) for event in data
    ]
    if data[-1]["type"] != "error":
        done = {event["output_index"]: event["item"] for event in data if "item" in event}
        response = data[-1]["response"]
        assert data[-1]["type"] == f"response.{response['status']}"
        assert [rest_of(done[index]) for index in sorted(done)] == list(map(rest_of, response["output"]))


def rest_of(item: dict[str, Any]) -> dict[str, Any]:
    """The item without what OpenAI makes anew for the response's end."""
    return {name: value for name, value in item.items() if name not in {"encrypted_content", "fingerprint"}}


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_a_response_written_anew_is_the_same_response(path: Path) -> None:
    events = read("openai-responses", path)
    ours, theirs = (RESPONSES.to_response(message) for message in (again(events), accumulated(events)))
    if accumulated(events).completeness == "complete":
        assert list(differences(ours, theirs)) == DIFFERENCES.get(path.stem, [])
    else:
        assert ours["output"] == theirs["output"]


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_a_response_sent_on_verbatim_is_the_same_events(path: Path) -> None:
    received = framed([stream(path)])
    encoder = RESPONSES.Encoder(verbatim=True)
    sent = [sse for event in decoded(RESPONSES, received) for sse in encoder.send(event)]
    assert sent == received[: len(sent)]
    assert all(sse.data == "[DONE]" or "response.failed" in sse.data for sse in received[len(sent) :])


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_a_response_that_was_cut_is_sent_on_with_a_numbered_error(path: Path) -> None:
    received = framed([stream(path)])
    for count in range(len(received) - 2):
        encoder = RESPONSES.Encoder(verbatim=True)
        *sent, end = [sse for event in decoded(RESPONSES, received[:count]) for sse in encoder.send(event)]
        assert sent == received[:count]
        error = json.loads(end.data)
        assert (end.type, error["type"], error["outcome"]) == ("error", "error", "truncated")
        last = json.loads(sent[-1].data) if sent else {"sequence_number": -1}
        assert error.get("sequence_number", -1) == last.get("sequence_number", -2) + 1
