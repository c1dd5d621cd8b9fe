"""Streams that another side may send, right or wrong: our reader makes of them what the browser's makes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sse_core import MessageAccumulator, RemoteProtocolError, dialects, encode_event
from tests.acceptance.browser_reader import read_by_browser
from tests.acceptance.recorded import ABSENT, differences, framed

UI = dialects.get("ui-messages")
IDS = st.sampled_from(["a", "a", "a", "a", "a", "b"])  # a has begun
METADATA = st.dictionaries(st.just("p"), st.fixed_dictionaries({"n": st.integers(0, 9)}), max_size=1)


def chunk(type: str, **fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    """A chunk with these fields, each a value or a strategy, and perhaps with metadata."""
    drawn = {
        name: value if isinstance(value, st.SearchStrategy) else st.just(value)
        for name, value in fields.items()
    }
    return st.fixed_dictionaries({"type": st.just(type), **drawn}, optional={"providerMetadata": METADATA})


CALL = {"toolCallId": IDS, "toolName": "f"}
CHUNKS = st.one_of(
    chunk("text-start", id=IDS),
    chunk("text-delta", id=IDS, delta="x"),
    chunk("text-end", id=IDS),
    chunk("tool-input-start", **CALL),
    st.fixed_dictionaries(
        {"type": st.just("tool-input-delta"), "toolCallId": IDS, "inputTextDelta": st.just("{}")}
    ),
    chunk("tool-input-available", **CALL, input={"x": 1}),
    chunk("tool-input-error", **CALL, input="x", errorText="E"),
    chunk("tool-output-available", toolCallId=IDS, output=1),
    chunk("tool-output-error", toolCallId=IDS, errorText="E"),
    st.fixed_dictionaries({"type": st.just("tool-output-denied"), "toolCallId": IDS}),
    st.fixed_dictionaries({"type": st.just("tool-approval-request"), "toolCallId": IDS, "approvalId": IDS}),
    chunk("tool-approval-response", approvalId=IDS, approved=st.booleans()),
    st.just({"type": "error", "errorText": "E"}),
    st.just({"type": "file", "url": "data:,", "mediaType": "text/plain"}),
)


#: How far a call is, from its beginning over its arguments to what became of it.
STAGES = {
    "tool-input-start": 1,
    "tool-input-delta": 2,
    "tool-input-available": 3,
    "tool-input-error": 3,
    "tool-approval-request": 4,
    "tool-output-available": 4,
    "tool-output-error": 4,
    "tool-output-denied": 4,
}


def in_order(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The chunks without those that lead a call back: with us, what is whole or has an outcome stays so."""
    far: dict[str, int] = {}
    kept = []
    for chunk in chunks:
        stage, known = STAGES.get(chunk["type"], 0), far.get(chunk.get("toolCallId", ""), 0)
        if not stage or stage > known or (stage == known and stage % 2 == 0):  # these may be repeated
            kept.append(chunk)
            far[chunk.get("toolCallId", "")] = max(known, stage)
    return kept


def streams(count: int) -> list[bytes]:
    """Streams of such chunks, whole: the same ones each time."""
    made: list[bytes] = []

    @settings(max_examples=count, derandomize=True, database=None, phases=[Phase.generate])
    @given(st.lists(CHUNKS, min_size=1, max_size=8))
    def make(chunks: list[dict[str, Any]]) -> None:
        begin = [
            {"type": "start", "messageId": "m"},
            {"type": "start-step"},
            {"type": "text-start", "id": "a"},
        ]
        begun = {"type": "tool-input-start", "toolCallId": "a", "toolName": "f"}
        end = [{"type": "finish-step"}, {"type": "finish", "finishReason": "stop"}]
        whole = [json.dumps(chunk) for chunk in (*begin, *in_order([begun, *chunks]), *end)]
        made.append(b"".join(encode_event(data) for data in (*whole, "[DONE]")))

    make()
    return made


def read(stream: bytes) -> tuple[Any, bool]:
    """The ``UIMessage`` that we make of a stream, and whether we gave up on it."""
    decoder, accumulator, gave_up = UI.Decoder(), MessageAccumulator(), False
    for sse in framed([stream]):
        try:
            events = decoder.receive_event(sse)
        except RemoteProtocolError:
            gave_up = True
            break
        for event in events:
            accumulator.receive(event)
    for event in decoder.receive_eof():
        accumulator.receive(event)
    return json.loads(json.dumps(UI.to_response(accumulator.message))), gave_up


def is_safe(found: tuple[str, Any, Any]) -> bool:
    """Whether a difference keeps a call of a message that failed from being run."""
    path, ours, theirs = found
    return path == "parts[].rawInput" or (
        path == "parts[].state" and (ours, theirs) == ("input-streaming", "input-available")
    )


def test_our_reader_makes_what_the_browser_makes_and_gives_up_where_it_does() -> None:
    """But for the input of a call that is not whole, which the browser guesses."""
    made = streams(200)
    given_up = failed = 0
    for stream, result in zip(made, read_by_browser(made), strict=True):
        message, gave_up = read(stream)
        assert gave_up == any("AI_UIMessageStreamError" in error for error in result["errors"])
        given_up, failed = given_up + gave_up, failed + bool(result["errors"])
        if result["message"] and result["message"]["parts"]:
            found = [
                place
                for place in differences(message, result["message"])
                if place[:2] != ("parts[].input", ABSENT)
            ]
            assert [place for place in found if not (result["errors"] and is_safe(place))] == []
    assert given_up > 20
    assert failed - given_up > 20
