"""A reader whose position is gone: it gets the gap, and in short what it has missed."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import EventStreamDecoder, MessageAccumulator, ServerSentEvent, dialects, encode_event
from sse_core.blocks import (
    BlockEvent,
    BlockStart,
    BlockStop,
    Message,
    MessageDelta,
    MessageStart,
    MessageStop,
    TextBlock,
    TextDelta,
    ToolUseBlock,
)
from sse_core.dialects import Dialect
from sse_core.dialects.anthropic.encoder import Encoder
from sse_core.dialects.event_codec import EncoderFactory
from sse_core.lifecycle import Snapshots, Subscription, TurnLog
from sse_core.testing import events_of

ANTHROPIC = dialects.get("anthropic")
CHAT = dialects.get("openai-chat")
SIZE = 300  # more than any event here has, with what it costs beside
ANSWER: list[BlockEvent] = [
    MessageStart("m", "model", usage={"input_tokens": 3}),
    BlockStart(0, TextBlock()),
    *(TextDelta(0, f"word{number} ") for number in range(60)),
    BlockStop(0),
    MessageDelta("end_turn", {"output_tokens": 60}),
    MessageStop(),
]


def log_of(answer: list[BlockEvent], kept: int, snapshots: Snapshots | None = None) -> TurnLog:
    """A log of the answer that has room for so many of its events."""
    snapshots = snapshots or Snapshots(ANTHROPIC)
    log = TurnLog("e", max_events=kept, snapshots=snapshots, delta=ANTHROPIC.delta)
    encoder = ANTHROPIC.Encoder()
    for event in answer:
        for sse in encoder.send(event):
            log.append(sse)
    return log


def read(log: TurnLog, after: int = 0) -> list[ServerSentEvent]:
    reader = Subscription(log, 0.0, after=after)
    data = b""
    while reader.behind:
        data += reader.data_to_send(0.0, 1000)
    return EventStreamDecoder().receive_data(data)


def message_of(stream: list[ServerSentEvent], dialect: Dialect = ANTHROPIC) -> Message:
    decoder, accumulator = dialect.Decoder(), MessageAccumulator()
    for sse in stream:
        for event in decoder.receive_event(sse):
            accumulator.receive(event)
    return accumulator.message


WHOLE = message_of(read(log_of(ANSWER, 10**6)))


@given(st.integers(0, len(ANSWER)), st.integers(1, 70))
def test_snapshot_and_rest_make_the_whole_message_at_every_cut(count: int, kept: int) -> None:
    log = log_of(ANSWER[:count], kept)
    received = read(log)
    if received and received[0].type == "gap":
        del received[0]
    assert message_of(received) == message_of(read(log_of(ANSWER[:count], 10**6)))


@pytest.mark.parametrize("after", [0, 1, 5, 30])
def test_it_stands_for_everything_that_is_gone_wherever_the_reader_was(after: int) -> None:
    gap, *rest = read(log_of(ANSWER, 20), after)
    assert gap.type == "gap"
    assert message_of(rest) == WHOLE


@pytest.mark.parametrize("kept", range(1, 13))
def test_it_has_what_has_come_and_waits_for_more(kept: int) -> None:
    """A call's name, or a field, that may grow: reported later, of events that are gone by then."""
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "notes": "a"},
        {"notes": "b"},
        {"notes": "c"},
        _piece(0, id="c"),
        _piece(0, function={"name": "get_"}),
        _piece(0, function={"name": "time"}),
        _piece(1, id="d"),
        _piece(1, function={"name": "see"}),
        _piece(0, function={"arguments": "{}"}),
        _piece(1, function={"arguments": "{}"}),
        {"notes": "d"},
    ]
    log = TurnLog("e", max_events=kept, snapshots=Snapshots(CHAT))
    for delta in deltas:
        chunk = {"id": "m", "model": "model", "choices": [{"index": 0, "delta": delta}]}
        log.append(ServerSentEvent("message", json.dumps(chunk)))
    log.append(ServerSentEvent("message", "[DONE]"))
    gap, *rest = read(log)
    received = rest if gap.type == "gap" else [gap, *rest]
    message = message_of(received, CHAT)
    calls = [block for block in message.blocks if isinstance(block, ToolUseBlock)]
    assert [(call.id, call.name, call.raw_arguments) for call in calls] == [
        ("c", "get_time", "{}"),
        ("d", "see", "{}"),
    ]
    assert message.extra["message.notes"] == "abcd"
    assert message.completeness == "complete"


def _piece(index: int, **fields: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, **fields}]}


def test_the_gap_says_how_many_events_the_snapshot_has() -> None:
    log = log_of(ANSWER[:40], 20)
    gap, *rest = read(log)
    missing = json.loads(gap.data)
    assert missing == {"type": "gap", "from": 1, "to": log.first_retained - 1, "snapshot": 3}
    assert message_of(rest[:3]).text == "".join(f"word{number} " for number in range(log.first_retained - 3))


def test_who_is_cut_within_the_snapshot_gets_it_again_and_after_it_not() -> None:
    log = log_of(ANSWER, 20)
    gap, *rest = read(log)
    count = json.loads(gap.data)["snapshot"]
    assert [sse.last_event_id for sse in rest[: count - 1]] == [""] * (count - 1)
    position = log.position_of(rest[count - 1].last_event_id)
    assert position == log.first_retained - 1
    assert read(log, position)[0].type != "gap"


def test_what_can_not_be_read_has_no_snapshot() -> None:
    log = TurnLog("e", max_events=4, snapshots=Snapshots(ANTHROPIC))
    for number in range(10):
        log.append(ServerSentEvent("message", f"no JSON: {number}"))
    gap, *rest = read(log)
    assert "snapshot" not in json.loads(gap.data)
    assert len(rest) == 10 - json.loads(gap.data)["to"]


def test_it_is_bounded() -> None:
    snapshots = Snapshots(ANTHROPIC, new_accumulator=lambda: MessageAccumulator(max_message_bytes=250))
    log = log_of(ANSWER, 4, snapshots)
    assert "snapshot" not in json.loads(read(log)[0].data)
    assert snapshots.retained_bytes == 0


def test_what_is_kept_for_it_is_counted() -> None:
    snapshots = Snapshots(ANTHROPIC)
    log_of(ANSWER, 4, snapshots)
    assert 300 < snapshots.retained_bytes < 1000


CHAT = dialects.get("openai-chat")
CHAT_ANSWER = [
    sse
    for encoder in [CHAT.Encoder()]
    for event in (MessageStart("m", "model"), *ANSWER[1:], MessageStop())
    for sse in encoder.send(event)
]


def chat_message(kept: int) -> Message:
    """The message of a reader from the start, of a log that has room for so many events."""
    log = TurnLog("e", max_events=kept, snapshots=Snapshots(CHAT))
    for sse in CHAT_ANSWER:
        log.append(sse)
    decoder, accumulator = CHAT.Decoder(), MessageAccumulator()
    for sse in read(log):
        for event in decoder.receive_event(sse) if sse.type != "gap" else ():
            accumulator.receive(event)
    return accumulator.message


@pytest.mark.parametrize("kept", [1, 2, 3, 4, 5, 10])
def test_why_the_message_ended_and_its_usage_are_not_lost_with_their_events(kept: int) -> None:
    # An encoder may keep them for the end of the message, which comes behind the snapshot.
    message = chat_message(kept)
    whole = chat_message(10**6)
    assert (message.stop_reason, message.usage, message.text) == ("stop", whole.usage, whole.text)
    assert whole.usage


def test_an_end_that_grows_without_end_has_no_snapshot() -> None:
    snapshots = Snapshots(ANTHROPIC)
    log = log_of([*ANSWER[:-1], *[MessageDelta("end_turn", {"output_tokens": 60})] * 1000], 4, snapshots)
    assert "snapshot" not in json.loads(read(log)[0].data)
    assert snapshots.retained_bytes == 0


def test_what_was_taken_back_is_not_in_it() -> None:
    snapshots = Snapshots(ANTHROPIC, reset="taken back")
    for entry in entries(ANSWER[:-1]):
        snapshots.dropped(entry)
    snapshots.dropped(encode_event("{}", event="taken back"))
    assert snapshots.events() == []
    for entry in entries([MessageStart("m2", "model"), *ANSWER[1:9]]):
        snapshots.dropped(entry)
    message = message_of(snapshots.events())
    assert (message.id, message.stop_reason) == ("m2", None)
    assert message.text == "".join(f"word{number} " for number in range(7))


class Mute(Encoder):
    """Has no form for the text of a message."""

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        return [] if isinstance(event, TextDelta) else super().send(event)


class Broken(Encoder):
    """Writes what nobody can read."""

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        return [ServerSentEvent("message_start", f"no JSON: {type(event).__name__}")]


@pytest.mark.parametrize("encoder", [Mute, Broken])
def test_a_protocol_that_can_not_say_it_in_short_does_not_try(encoder: EncoderFactory) -> None:
    snapshots = Snapshots(dataclasses.replace(ANTHROPIC, Encoder=encoder))
    for entry in entries(ANSWER[:9]):
        snapshots.dropped(entry)
    assert snapshots.events() == []


def entries(events: list[BlockEvent]) -> list[bytes]:
    """The bytes of each event."""
    encoder = ANTHROPIC.Encoder()
    return [encode_event(sse.data, event=sse.type) for event in events for sse in encoder.send(event)]


def test_what_was_discarded_is_in_no_snapshot() -> None:
    snapshots = Snapshots(ANTHROPIC)
    log = log_of(ANSWER[:20], 8, snapshots)
    assert snapshots.retained_bytes > 0
    log.discard(0.0)
    assert snapshots.retained_bytes == 0
    (gap,) = EventStreamDecoder().receive_data(log.what_was_dropped(0))
    assert json.loads(gap.data) == {"type": "gap", "from": 1, "to": 20}


def test_it_is_made_once_for_all_who_come_before_more_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    snapshots = Snapshots(ANTHROPIC)
    log = log_of(ANSWER[:40], 10, snapshots)
    before = snapshots.retained_bytes
    events = snapshots.events

    def counted() -> list[ServerSentEvent]:
        made.append(1)
        return events()

    monkeypatch.setattr(snapshots, "events", counted)
    first = read(log)
    assert all(read(log) == first for _ in range(5))
    assert made == [1]
    assert snapshots.retained_bytes > before, "it is kept, so it is counted"
    encoder = ANTHROPIC.Encoder()
    for event in ANSWER[40:]:
        for sse in encoder.send(event):
            log.append(sse)
    assert message_of(read(log)[1:]) == WHOLE
    assert made == [1, 1]
    log.discard(0.0)
    assert snapshots.retained_bytes == 0


def test_of_a_log_that_is_closed_the_snapshot_is_kept_and_nothing_else() -> None:
    snapshots = Snapshots(ANTHROPIC)
    log = log_of(ANSWER[:-1], 8, snapshots)
    before = read(log)
    log.close(0.0)
    assert read(log) == before
    made, _ = snapshots.in_short(None)
    assert made > 0
    # What was made is the only thing that is left.
    kept = sum(len(entry) for entry in [log.what_was_dropped(0).partition(b"\n\n")[2]])
    assert snapshots.retained_bytes == kept
    snapshots.dropped(b"data: {}\n\n")
    assert read(log) == before


def test_of_a_log_that_is_closed_while_it_is_full_more_is_dropped_first() -> None:
    snapshots = Snapshots(ANTHROPIC)
    log = TurnLog("e", max_events=8, snapshots=snapshots, delta=ANTHROPIC.delta)
    slow = Subscription(log, 0.0)
    encoder = ANTHROPIC.Encoder()
    for event in ANSWER:
        for sse in encoder.send(event):
            log.append(sse)
    assert log.full
    log.close(0.0)
    assert log.first_retained == 1
    while slow.behind:
        slow.data_to_send(0.0, 1000)
    assert log.first_retained > 1
    assert (
        message_of([sse for sse in read(log) if sse.type != "gap"]).text == message_of(written_whole()).text
    )


def written_whole() -> list[ServerSentEvent]:
    return events_of(ANTHROPIC, ANSWER)
