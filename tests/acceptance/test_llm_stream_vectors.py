"""The OpenAI SDK's own tests: of streams that end with ``[DONE]``, and of deltas that grow into a message.

Anthropic's streams of the same file are read in ``test_anthropic_fixtures.py``.  The deltas are sent as
chunks of one choice, and the message is that of the whole response.  Where ours is another,
``DIFFERENCES`` says why.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from sse_core import ServerSentEvent, dialects
from sse_core.blocks import TextDelta
from tests.acceptance.recorded import accumulated, decoded, framed

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "llm_streams.json"
if not VECTORS.exists():
    pytest.skip("shared folder missing: the vectors lie beside the checkout", allow_module_level=True)

CHAT = dialects.get("openai-chat")
CASES = json.loads(VECTORS.read_text("utf-8"))
STREAMS = [case for case in CASES if case["kind"] == "openai_chat"]
DELTAS = [case for case in CASES if case["kind"] == "delta_accumulate"]
#: Kinds of cases, and how many there are.
KINDS = {"anthropic_messages": 7, "anthropic_error": 1, "openai_chat": 2, "delta_accumulate": 16}

_NO_SUM = (
    "Of a number the last value counts. The SDK adds numbers, whatever they mean: a time, a version or a "
    "score would be wrong."
)
_NO_PLACES = (
    "A list that has no name in the protocol gets longer. The SDK takes an item's index for its place, and "
    "merges items: of items whose meaning nobody knows, none is lost here."
)
_TOO_LATE = (
    "A call's name may come in pieces until its arguments begin; a piece that comes later leaves the call "
    "without an end, so that nobody runs it. Hosts send the whole name again with each fragment, of which "
    "the SDK makes `ff`. `function` alone is no field of a delta; here it is the function of a call."
)
#: initial, the deltas -> what ours is, and why it is not the SDK's.
DIFFERENCES: dict[str, tuple[Any, str]] = {
    '{"value": [{"text": "a"}]} + {"value": [{"index": 0, "text": "b"}]}': (
        {"value": [{"text": "a"}, {"index": 0, "text": "b"}]},
        _NO_PLACES,
    ),
    '{"index": 1, "type": "text", "text": {"value": "a"}, "count": 2} + '
    '{"index": 1, "type": "text", "text": {"value": "b"}, "count": 3}': (
        {"index": 1, "type": "text", "text": {"value": "ab"}, "count": 3},
        _NO_SUM,
    ),
    '{"function": {"name": "list_", "arguments": "{"}} + {"function": {"name": "files", "arguments": "}"}}': (
        {"function": {"name": "list_", "arguments": "{}"}},
        _TOO_LATE,
    ),
}


def said(case: dict[str, Any]) -> str:
    """The deltas of a case in one line."""
    return " + ".join(map(json.dumps, [case["initial"], *case["deltas"]]))


def response_of(deltas: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The message that these deltas make."""
    chunks = [{"id": "c", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    events = [ServerSentEvent("message", json.dumps(chunk)) for chunk in chunks]
    events.append(ServerSentEvent("message", "[DONE]"))
    message = accumulated(decoded(CHAT, events))
    assert message.completeness == "complete"
    response: dict[str, Any] = CHAT.to_response(message)["choices"][0]["message"]
    return response


def as_call(delta: dict[str, Any]) -> dict[str, Any]:
    """A delta of a function as one of the first call."""
    if "function" not in delta:
        return delta
    return {"tool_calls": [{"index": 0, "function": delta["function"]}]}


def grown(case: dict[str, Any]) -> dict[str, Any]:
    """Of the message, the fields that the case names, with the index that a call has in a stream."""
    message = response_of(as_call(delta) for delta in [case["initial"], *case["deltas"]])
    for index, call in enumerate(message.get("tool_calls", [])):
        call["index"] = index
    if "function" in case["initial"]:
        message["function"] = message["tool_calls"][0]["function"]
    return {name: message.get(name) for name in case["expected"]}


@pytest.mark.parametrize("case", [case for case in DELTAS if "error" not in case], ids=said)
def test_deltas_grow_into_a_message(case: dict[str, Any]) -> None:
    ours, _ = DIFFERENCES.get(said(case), (case["expected"], ""))
    assert grown(case) == ours
    assert (ours != case["expected"]) == (said(case) in DIFFERENCES)


@pytest.mark.parametrize("case", [case for case in DELTAS if "error" in case], ids=said)
def test_what_the_sdk_refuses_does_not_end_the_stream(case: dict[str, Any]) -> None:
    """The SDK raises errors of Python's for parts of content without an index; here they are read or kept."""
    assert "error" not in response_of([case["initial"], *case["deltas"]])


@pytest.mark.parametrize("case", STREAMS, ids=lambda case: case["name"])
def test_done_ends_the_stream(case: dict[str, Any]) -> None:
    """``[DONE]`` is no JSON and no event; what comes after it says nothing."""
    chunks = [base64.b64decode(chunk) for chunk in case["chunks_b64"]]
    for pieces in (chunks, [bytes([byte]) for chunk in chunks for byte in chunk]):
        events = list(decoded(CHAT, framed(pieces)))
        assert [event.text for event in events if isinstance(event, TextDelta)] == case["expected_deltas"]
        # With nothing before it there is no message that could be complete.
        whole = "complete" if case["expected_deltas"] else "truncated"
        assert accumulated(events).completeness == whole


def test_all_kinds_are_read() -> None:
    assert {kind: sum(case["kind"] == kind for case in CASES) for kind in KINDS} == KINDS
    assert sum(KINDS.values()) == len(CASES)
    assert set(map(said, DELTAS)) >= DIFFERENCES.keys()
