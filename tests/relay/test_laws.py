"""Laws that hold after every step, whatever clients, providers and the clock do, in whatever order."""

from __future__ import annotations

import json
import logging

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sse_core import ServerSentEvent
from sse_core.lifecycle import Deadlines, SubscriptionSettings
from sse_http import Reply, StreamState
from tests.examples import examples
from tests.relay.support import (
    BEGINNING,
    ENDING,
    JSON,
    Provider,
    Reader,
    World,
    error_event,
    message_start,
    text,
)

LOGGER = logging.getLogger("sse_relay")
LOG_BYTES = 3000
#: More than the events of one step cost.
STEP_BYTES = 1500
MAX_TURNS = 2

TURN_IDS = st.sampled_from([f"turn-of-the-test-{number}" for number in range(3)])
POLICIES = st.sampled_from(["cancel", "detach=5", "detach=50", "drain=5"])
EVENTS: dict[str, list[JSON]] = {
    "beginning": BEGINNING,
    "start": [message_start()],
    "ping": [{"type": "ping"}],
    "short": [text("x")],
    "long": [text("y" * 1000)],
    "ending": ENDING,
    "error": [error_event()],
    "nonsense": [{"type": "content_block_stop", "index": 99}],
}


def merged_in(event: ServerSentEvent) -> int:
    """How many of the provider's events are in this one: it sends texts of 1 "x" and of 1000 "y"."""
    text: str = json.loads(event.data).get("delta", {}).get("text", "")
    return max(1, text.count("x") + text.count("y") // 1000)


class Lines(logging.Handler):
    """The relay's log lines."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class Anything(RuleBasedStateMachine):
    """One relay with small bounds, and everything that may happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(
            log_bytes=LOG_BYTES,
            max_turns=MAX_TURNS,
            retained_bytes=4 * LOG_BYTES,
            retention=30.0,
            readers=SubscriptionSettings(heartbeat=7.0, stall=20.0),
            deadlines=Deadlines(connect=3.0, first_byte=6.0, first_output=12.0, output_gap=40.0, whole=200.0),
        )
        self.log = Lines()
        LOGGER.addHandler(self.log)
        LOGGER.setLevel(logging.INFO)
        #: Each reader with the turn that it reads, and whether it reads events.
        self.reading: list[tuple[Reader, Provider]] = []

    def teardown(self) -> None:
        LOGGER.removeHandler(self.log)
        LOGGER.setLevel(logging.NOTSET)

    # What clients do

    @rule(turn_id=TURN_IDS, policy=POLICIES, stream=st.booleans(), stalled=st.booleans())
    def ask(self, turn_id: str, policy: str, stream: bool, stalled: bool) -> None:  # noqa: FBT001
        headers = {"turn-id": turn_id, "turn-on-disconnect": policy}
        answer = self.world.post(headers, stream=stream)
        if isinstance(answer, Reply):
            assert answer.status in {204, 409, 410, 429, 503}
            assert answer.status != 429 or policy != "cancel"
        else:
            self._read(turn_id, self.world.read(answer, stalled=stalled))

    @rule(turn_id=TURN_IDS, position=st.integers(0, 30), stalled=st.booleans())
    def resume(self, turn_id: str, position: int, stalled: bool) -> None:  # noqa: FBT001
        headers = {"last-event-id": f"{turn_id}-{position}"}
        answer = self.world.send("GET", f"/turns/{turn_id}", headers)
        if isinstance(answer, Reply):
            assert answer.status in {204, 400, 404, 410}
        else:
            self._read(turn_id, self.world.read(answer, stalled=stalled))

    def _read(self, turn_id: str, reader: Reader) -> None:
        turns = [provider for provider in self.world.providers if provider.exchange.id == turn_id]
        self.reading.append((reader, turns[-1]))

    @rule(turn_id=TURN_IDS)
    def stop(self, turn_id: str) -> None:
        answer = self.world.reply("DELETE", f"/turns/{turn_id}")
        assert answer.status in {200, 404}

    @rule(which=st.integers(0))
    @precondition(lambda self: self.reading)
    def leave(self, which: int) -> None:
        self.reading[which % len(self.reading)][0].leave()

    @rule(which=st.integers(0), stalled=st.booleans())
    @precondition(lambda self: self.reading)
    def stall_or_go_on(self, which: int, stalled: bool) -> None:  # noqa: FBT001
        reader = self.reading[which % len(self.reading)][0]
        if stalled:
            reader.stalled = True
        else:
            reader.go_on()

    # What providers and connections do

    def _provider(self, which: int, *wants: str) -> Provider | None:
        able = [provider for provider in self.world.providers if provider.want in wants]
        return able[which % len(able)] if able else None

    @rule(which=st.integers(0), works=st.sampled_from([True, True, True, False]))
    def connect(self, which: int, works: bool) -> None:  # noqa: FBT001
        provider = self._provider(which, "connect")
        if provider is not None:
            provider.connect() if works else provider.cut()

    @rule(which=st.integers(0))
    def begin(self, which: int) -> None:
        """All that leads to the first visible output: without it few turns would come so far."""
        provider = self._provider(which, "connect")
        if provider is not None:
            provider.connect().head().send(*BEGINNING, text("x"))

    @rule(which=st.integers(0), status=st.sampled_from([200, 200, 200, 200, 302, 400, 429, 503]))
    def answer(self, which: int, status: int) -> None:
        waiting = [p for p in self.world.providers if p.want == "read" and not p.turn.accepted]
        if waiting:
            provider = waiting[which % len(waiting)]
            provider.head(status) if status == 200 else provider.head(status, retry_after="3")

    @rule(which=st.integers(0), what=st.sampled_from(sorted(EVENTS)))
    def send(self, which: int, what: str) -> None:
        sending = [p for p in self.world.providers if p.want == "read" and p.turn.accepted]
        if sending:
            sending[which % len(sending)].send(*EVENTS[what])

    @rule(which=st.integers(0), times=st.integers(1, 5))
    def send_much(self, which: int, times: int) -> None:
        for _ in range(times):
            self.send(which, "long")

    @rule(which=st.integers(0), properly=st.booleans())
    def end(self, which: int, properly: bool) -> None:  # noqa: FBT001
        provider = self._provider(which, "read")
        if provider is not None:
            provider.end() if properly and provider.turn.accepted else provider.cut()

    @rule(which=st.integers(0))
    def close(self, which: int) -> None:
        provider = self._provider(which, "close")
        if provider is not None:
            provider.close()

    @rule(seconds=st.sampled_from([0.0, 0.5, 2.0, 5.0, 20.0, 100.0]))
    def pass_time(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    # The laws

    @invariant()
    def every_turn_that_ended_has_one_line(self) -> None:
        ended = sorted(p.exchange.id for p in self.world.providers if p.turn.outcome is not None)
        assert sorted(line.split(" ")[0] for line in self.log.lines) == [f"turn={name}" for name in ended]

    @invariant()
    def running_turns_are_counted_right(self) -> None:
        running = sum(provider.turn.outcome is None for provider in self.world.providers)
        assert self.world.health()["running"] == running <= MAX_TURNS

    @invariant()
    def readers_are_counted_right(self) -> None:
        for provider in self.world.providers:
            reading = [r for r, p in self.reading if p is provider and r.open]
            there = [r for r in reading if r.stream.state is not StreamState.ABORTED]
            assert provider.exchange.readers == len(there)

    @invariant()
    def a_client_leaves_places_for_others(self) -> None:
        exchanges = [p.exchange for p in self.world.providers if p.turn.outcome is None]
        assert sum(exchange.readers == 0 for exchange in exchanges) <= (MAX_TURNS + 1) // 2

    @invariant()
    def a_running_turn_is_driven_and_has_a_deadline(self) -> None:
        for provider in self.world.providers:
            if provider.turn.outcome is None:
                assert provider.want != "nothing"
                assert provider.exchange.deadline is not None
            else:
                assert provider.want in {"close", "nothing"}

    @invariant()
    def nobody_reads_or_somebody_comes_back_or_it_is_stopped(self) -> None:
        for provider in self.world.providers:
            if provider.turn.outcome is None and provider.exchange.readers == 0:
                policy = provider.exchange.on_disconnect
                assert policy.kind != "cancel"
                assert (provider.exchange.deadline or 0) <= self.world.now + policy.seconds

    @invariant()
    def a_provider_is_paused_when_and_only_when_a_reader_is_far_behind(self) -> None:
        for provider in self.world.providers:
            if provider.want in {"read", "pause"}:
                assert (provider.want == "pause") == provider.exchange.log.full
            if provider.want == "pause":
                assert any(p is provider and r.open and r.stalled for r, p in self.reading)

    @invariant()
    def memory_is_bounded(self) -> None:
        for provider in self.world.providers:
            assert provider.exchange.log.retained_bytes < LOG_BYTES + STEP_BYTES
            if provider.exchange.drained:
                assert provider.exchange.log.retained_bytes == 0

    @invariant()
    def a_reader_loses_nothing_without_a_notice(self) -> None:
        for reader, provider in self.reading:
            if isinstance(reader.head, Reply) or reader.head is None:
                continue
            expected, in_short = None, 0
            for event in reader.sse:
                if event.type == "gap":
                    gap = json.loads(event.data)
                    expected, in_short = gap["to"] + 1, gap.get("snapshot", 0)
                    continue
                if in_short:
                    in_short -= 1
                    continue
                turn_id, _, number = event.last_event_id.rpartition("-")
                assert turn_id == provider.exchange.id
                # Deltas of a reader who was behind come as one, with the last one's ID.
                assert expected in {None, int(number) - merged_in(event) + 1}
                expected = int(number) + 1

    @invariant()
    def a_reader_who_takes_everything_has_everything(self) -> None:
        for reader, provider in self.reading:
            if reader.open and not reader.stalled and reader.head is not None and reader.sse:
                last = int(reader.sse[-1].last_event_id.rpartition("-")[2] or 0)
                assert last == provider.exchange.log.last

    @invariant()
    def no_second_message_begins(self) -> None:
        for reader, _ in self.reading:
            begun_again = sum("snapshot" in json.loads(event.data) for event in reader.sse)
            assert reader.kinds.count("message_start") <= 1 + begun_again

    @invariant()
    def nobody_waits_for_a_turn_that_has_ended(self) -> None:
        for reader, provider in self.reading:
            if provider.turn.outcome is not None and not reader.stalled:
                assert not reader.open


TestAnything = Anything.TestCase
TestAnything.settings = settings(examples(1), stateful_step_count=80)
