"""Adjacent deltas as one event: what they say is the same, and only what is certain is merged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import EventStreamDecoder, ServerSentEvent, dialects, encode_event
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageDelta,
    MessageStart,
    MessageStop,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
)
from sse_core.lifecycle import Subscription, SubscriptionSettings, TurnLog
from sse_core.lifecycle.log.delta_merge import merged
from sse_core.testing import events_of, read_message

NAMES = [name for name in dialects.names() if dialects.get(name).delta is not None]
PIECES = st.lists(
    st.sampled_from(['"', "\\", "\n", "é", "😀", "\ud83d", "\ude00", "a", '","text":"', "}}"]), max_size=4
).map("".join)
DELTAS = st.one_of(
    st.builds(TextDelta, st.just(0), PIECES),
    st.builds(ThinkingDelta, st.just(1), PIECES),
    st.builds(ArgumentsDelta, st.just(2), PIECES),
)
STARTS: list[BlockEvent] = [
    MessageStart("m", "model", dialect="anthropic"),
    BlockStart(0, TextBlock()),
    BlockStart(1, ThinkingBlock()),
    BlockStart(2, ToolUseBlock("t", "f")),
]
ENDS: list[BlockEvent] = [*map(BlockStop, range(3)), MessageDelta("tool_use"), MessageStop()]


def entries(name: str, events: list[BlockEvent]) -> list[bytes]:
    """The events in a protocol's words, numbered from 1, as a log keeps them."""
    sent = events_of(dialects.get(name), events)
    return [entry(sse.data, sse.type, number) for number, sse in enumerate(sent, 1)]


def entry(data: str, kind: str, number: int) -> bytes:
    return encode_event(data, event=None if kind == "message" else kind, id=f"e-{number}")


def decode(stream: bytes) -> list[ServerSentEvent]:
    return EventStreamDecoder().receive_data(stream)


def merge(name: str, given_entries: list[bytes], max_bytes: int = 16_384) -> list[bytes]:
    delta = dialects.get(name).delta
    assert delta is not None
    return list(merged(given_entries, delta, max_bytes))


def numbers(stream: bytes) -> list[int]:
    return [int(sse.last_event_id.removeprefix("e-")) for sse in decode(stream)]


def test_there_are_dialects_that_know_their_deltas() -> None:
    assert {"anthropic", "openai-chat"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
@given(deltas=st.lists(DELTAS), max_bytes=st.sampled_from([1, 5, 100, 16_384]))
def test_what_is_merged_says_the_same(name: str, deltas: list[BlockEvent], max_bytes: int) -> None:
    before = entries(name, [*STARTS, *deltas, *ENDS])
    after = merge(name, before, max_bytes)
    assert read_message(name, after) == read_message(name, before)
    kept = numbers(b"".join(after))
    assert kept == sorted(set(kept))
    assert kept[-1] == len(before)


@pytest.mark.parametrize("name", NAMES)
def test_neighbours_are_one_event_with_the_last_ones_id(name: str) -> None:
    deltas: list[BlockEvent] = [TextDelta(0, word) for word in ("one ", "two ", "three")]
    before = entries(name, [*STARTS, *deltas])
    after = merge(name, before)
    assert len(after) == len(before) - 2
    (last,) = decode(after[-1])
    assert "one two three" in last.data
    assert last.last_event_id == f"e-{len(before)}"


@pytest.mark.parametrize("name", NAMES)
def test_deltas_of_two_blocks_are_not_one(name: str) -> None:
    deltas: list[BlockEvent] = [TextDelta(0, "a"), ThinkingDelta(1, "b"), TextDelta(0, "c")]
    before = entries(name, [*STARTS, *deltas])
    assert merge(name, before) == before


@pytest.mark.parametrize("name", NAMES)
def test_a_bound_on_the_text_of_one_event(name: str) -> None:
    deltas: list[BlockEvent] = [TextDelta(0, "q" * 40) for _ in range(10)]
    after = merge(name, entries(name, [STARTS[0], STARTS[1], *deltas]), 100)
    sizes = [sse.data.count("q") for sse in decode(b"".join(after)) if "qqq" in sse.data]
    assert sizes == [80] * 5


@pytest.mark.parametrize("name", NAMES)
def test_one_text_beyond_the_bound_stays_as_it_is(name: str) -> None:
    before = entries(name, [*STARTS, TextDelta(0, "x" * 1000), TextDelta(0, "y")])
    assert merge(name, before, 100) == before


ANTHROPIC = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}}
CHAT = {"id": "c", "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}]}
UNMERGED: list[tuple[str, dict[str, Any]]] = [
    ("anthropic", {**ANTHROPIC, "new": 1}),
    ("anthropic", {**ANTHROPIC, "delta": {"type": "text_delta", "text": "a", "new": 1}}),
    ("anthropic", {**ANTHROPIC, "delta": {"type": "new_delta", "text": "a"}}),
    ("anthropic", {**ANTHROPIC, "delta": {"type": "signature_delta", "signature": "a"}}),
    ("openai-chat", {**CHAT, "x": {"choices": []}}),
    ("openai-chat", {**CHAT, "usage": {"prompt_tokens": 1}}),
    ("openai-chat", {"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}]}),
    ("openai-chat", {"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": None}]}),
    ("openai-chat", {"choices": [{"index": 0, "delta": {"content": "a", "role": "assistant"}}]}),
    ("openai-chat", {"choices": [*CHAT["choices"], *CHAT["choices"]]}),
]


@pytest.mark.parametrize(("name", "data"), UNMERGED)
def test_what_says_anything_else_stays_as_it_is(name: str, data: dict[str, Any]) -> None:
    kind = "content_block_delta" if name == "anthropic" else "message"
    before = [entry(json.dumps(data), kind, number) for number in (1, 2)]
    assert merge(name, before) == before


def test_padding_and_obfuscation_say_nothing() -> None:
    padded = [
        '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}   }',
        json.dumps(ANTHROPIC),
    ]
    again = ['{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b"}}', padded[0]]
    (one,) = merge("anthropic", [entry(data, "content_block_delta", n) for n, data in enumerate(again, 1)])
    assert b'"text":"ba"}}' in one
    blurred = [
        '{"choices":[{"index":0,"delta":{"content":"a"}}],"obfuscation":"xyz"}',
        '{"choices":[{"index":0,"delta":{"content":"b"}}]}',
    ]
    (one,) = merge("openai-chat", [entry(data, "message", n) for n, data in enumerate(blurred, 1)])
    assert one == b'data: {"choices":[{"index":0,"delta":{"content":"ab"}}]}\nid: e-2\n\n'


def log_of(count: int) -> TurnLog:
    dialect = dialects.get("anthropic")
    log = TurnLog("e", delta=dialect.delta)
    encoder = dialect.Encoder()
    for event in [*STARTS[:2], *(TextDelta(0, f"{number} ") for number in range(count))]:
        for sse in encoder.send(event):
            log.append(sse)
    return log


@pytest.mark.parametrize(("seconds", "events"), [(0.0, 50), (0.9, 50), (1.0, 3), (10.0, 3)])
def test_a_reader_gets_them_merged_who_has_been_behind_for_a_while(seconds: float, events: int) -> None:
    data = Subscription(log_of(48), 7.0).data_to_send(7.0 + seconds)
    assert len(decode(data)) == events
    assert numbers(data)[-1] == 50


def test_who_has_caught_up_is_behind_no_more() -> None:
    log = log_of(48)
    reader = Subscription(log, 0.0)
    encoder = dialects.get("anthropic").Encoder()
    assert len(decode(reader.data_to_send(5.0))) == 3
    for _ in range(9):
        log.append(encoder.send(TextDelta(0, "a"))[0])
        log.announce(6.0)
    assert len(decode(reader.data_to_send(6.5))) == 9


def test_who_takes_a_part_only_stays_behind() -> None:
    reader = Subscription(log_of(400), 0.0)
    assert len(decode(reader.data_to_send(0.6, 5000))) > 20
    assert len(decode(reader.data_to_send(1.2, 5000))) == 1


def test_merging_can_be_switched_off_and_bounded() -> None:
    settings = SubscriptionSettings(merge_after=None)
    assert len(decode(Subscription(log_of(100), 0.0, settings=settings).data_to_send(9.0))) == 102
    settings = SubscriptionSettings(max_merged_bytes=6)
    data = Subscription(log_of(10), 0.0, settings=settings).data_to_send(9.0)
    assert [sse.data.count(" ") for sse in decode(data)][2:] == [3, 3, 3, 1]


def test_a_log_of_events_that_nobody_knows_merges_nothing() -> None:
    log = TurnLog("e")
    for _ in range(50):
        log.append(ServerSentEvent("message", "a"))
    assert len(decode(Subscription(log, 0.0).data_to_send(9.0))) == 50


@pytest.mark.parametrize(("ids", "merged_id"), [("5.", "5"), (".5", "5"), ("56", "6"), ("..", "")])
def test_where_events_keep_their_own_ids_the_last_one_counts(ids: str, merged_id: str) -> None:
    log = TurnLog(None, delta=dialects.get("anthropic").delta)
    encoder = dialects.get("anthropic").Encoder()
    for event_id in ids:
        (sse,) = encoder.send(TextDelta(0, "a"))
        log.append(ServerSentEvent(sse.type, sse.data, event_id.replace(".", "")))
    (event,) = decode(log.read(0, 10**6, max_merged_bytes=100)[0])
    assert json.loads(event.data)["delta"]["text"] == "aa"
    assert event.last_event_id == merged_id
