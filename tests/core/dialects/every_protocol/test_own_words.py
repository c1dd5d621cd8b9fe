"""What the words of a dialect of one's own mean, said by its decoder or by its fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from sse_core import Headers, Message, ServerSentEvent, dialects
from sse_core.blocks import (
    BlockEvent,
    BlockStart,
    BlockStop,
    ErrorKind,
    MessageDelta,
    MessageStart,
    MessageStop,
    StopReason,
    StopWord,
    StreamError,
    TokenCounts,
    ToolUseBlock,
)
from sse_core.blocks.stop_reasons import meaning_of
from sse_core.dialects import Dialect
from sse_core.testing import message_of
from tests.core.dialects.executable import crossed, executable

BASE = dialects.get("openai-chat")
NAMES = dialects.names()


class Script:
    """A decoder that gives these events, whatever comes."""

    def __init__(self, events: list[BlockEvent]) -> None:
        self._events = events

    def receive_event(self, _: ServerSentEvent) -> list[BlockEvent]:
        return self._events[:-1]

    def receive_eof(self) -> list[BlockEvent]:
        return self._events[-1:]


def decoded(dialect: Dialect, *events: BlockEvent) -> list[BlockEvent]:
    """What the decoder of ``dialect`` gives where the decoder that it is made of gives these events."""
    own = replace(dialect, Decoder=lambda: Script(list(events)))
    decoder = own.Decoder()
    return [*decoder.receive_event(ServerSentEvent("message", "")), *decoder.receive_eof()]


def answer_with(
    reason: str | None, usage: dict[str, Any] | None = None, **fields: Any
) -> tuple[Message, list[BlockEvent]]:
    call = [BlockStart(0, ToolUseBlock("a", "f", start_input={"x": 1})), BlockStop(0)]
    end = [MessageDelta(reason, usage or {}), MessageStop()]
    events = decoded(replace(BASE, name="own", **fields), MessageStart("m", "c", dialect="own"), *call, *end)
    return message_of(events), events


@pytest.mark.parametrize("word", ["wants", "WANTS", "length", "MAX_TOKENS", "stop"])
@pytest.mark.parametrize(
    ("meaning", "runs"), [("tool_use", 1), ("end_turn", 1), ("max_tokens", 0), ("other", 0)]
)
@pytest.mark.parametrize("by_decoder", [False, True])
def test_a_stop_reason_means_what_its_dialect_says(
    word: str, meaning: StopReason, runs: int, *, by_decoder: bool
) -> None:
    said: Mapping[str, StopReason] = {word: meaning}
    message, events = (
        answer_with(StopWord(word, meaning), stop_reasons={word: "refusal"})
        if by_decoder
        else answer_with(word, stop_reasons=said)
    )
    assert (message.stop_reason, meaning_of(message.stop_reason or "")) == (word, meaning)
    assert len(message.executable_tools) == runs
    for name in NAMES:
        after = message_of(crossed(dialects.get(name), events))
        assert executable(after) == executable(message), name


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_response_says_it_too(name: str) -> None:
    dialect = dialects.get(name)
    for word, meaning in (("wants", "tool_use"), ("length", "tool_use"), ("tool_calls", "max_tokens")):
        message, _ = answer_with(word, stop_reasons={word: meaning})
        plain, _ = answer_with(meaning)
        ours, theirs = dialect.to_response(message), dialect.to_response(plain)
        assert json.dumps(ours, allow_nan=False) == json.dumps(theirs, allow_nan=False)


def test_what_nobody_says_is_looked_up() -> None:
    message, _ = answer_with(
        "tool_calls", {"prompt_tokens": 3, "completion_tokens": 4}, stop_reasons={"x": "error"}
    )
    assert message.stop_meaning == "tool_use"
    assert message.token_counts.total == 7
    assert answer_with(None, stop_reasons={"x": "error"})[0].stop_meaning is None


def counts(usage: dict[str, Any]) -> TokenCounts:
    return TokenCounts(
        usage.get("in"), usage.get("out"), usage.get("cached"), usage.get("stored"), usage.get("mind")
    )


WHOLE = {"in": 100, "out": 50, "cached": 30, "stored": 20, "mind": 10}


@pytest.mark.parametrize("name", sorted({*NAMES} - {"ui-messages"}))
@pytest.mark.parametrize("usage", [WHOLE, {"in": 100, "out": 50}])
@pytest.mark.parametrize("beside", [{}, {"prompt_tokens": 7}, {"input_tokens": 7, "total_tokens": 1}])
def test_usage_counts_what_its_dialect_counts(
    name: str, usage: dict[str, Any], beside: dict[str, Any]
) -> None:
    message, events = answer_with("tool_use", {**usage, **beside}, token_counts=counts)
    assert message.token_counts == counts(usage)
    assert message.usage.items() >= usage.items()
    after = message_of(crossed(dialects.get(name), events)).token_counts
    assert (after.input, after.output) == (100, 50)
    assert (after.cache_read or 0, after.reasoning or 0) == (usage.get("cached", 0), usage.get("mind", 0))
    response = dialects.get(name).to_response(message)
    figures: Any = response.get("usage", response.get("usageMetadata"))
    assert (TokenCounts.of(figures).input, TokenCounts.of(figures).output) == (100, 50)


def test_counts_that_come_in_two_events_are_one() -> None:
    start = MessageStart("m", "c", usage={"in": 100}, dialect="own")
    events = decoded(
        replace(BASE, name="own", token_counts=counts), start, MessageDelta("x", {"out": 5}), MessageStop()
    )
    assert message_of(events).token_counts == TokenCounts(100, 5)


def test_a_decoder_can_count_itself() -> None:
    message, _ = answer_with("tool_use", {"in": 1, **TokenCounts(3, 9).counted()})
    assert message.token_counts == TokenCounts(3, 9)


@pytest.mark.parametrize(
    "counted", [TokenCounts(), TokenCounts(1), TokenCounts(5, 6, 9, 9, 1), TokenCounts(None, 1)]
)
def test_counts_have_names_that_every_protocol_knows(counted: TokenCounts) -> None:
    again = TokenCounts.of(counted.named())
    assert (again.output, again.reasoning) == (counted.output, counted.reasoning)
    assert TokenCounts.of(counted.counted()) == counted


@pytest.mark.parametrize(
    ("error", "kind", "retryable"),
    [
        (StreamError("tired", "m"), "overloaded", True),
        (StreamError("x", "m", code="tired"), "overloaded", True),
        (StreamError("tired", "m", code="stranger"), "authentication", False),
        (StreamError("tired", "m", kind="server"), "server", False),
        (StreamError("x", "m"), "unknown", False),
    ],
)
def test_an_error_means_what_its_dialect_says(error: StreamError, kind: str, *, retryable: bool) -> None:
    kinds: Mapping[str, ErrorKind] = {"tired": "overloaded", "stranger": "authentication"}
    dialect = replace(BASE, error_kinds=kinds, parse_error=lambda *_: error)
    (event,) = decoded(dialect, error)
    assert isinstance(event, StreamError)
    for found in (event, dialect.parse_error(500, b"", Headers([]))):
        assert (found.kind, found.retryable) == (kind, retryable)


def test_without_meanings_a_dialect_is_what_it_was_made_of() -> None:
    assert replace(BASE, name="x").Decoder is BASE.Decoder
