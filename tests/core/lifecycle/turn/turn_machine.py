"""A turn, driven at random: by honest bindings and hasty ones, by good providers and bad ones.

Nothing that is called here, in whatever order and at whatever moment, may break the turn's contract.
Each attempt's message has an ID of its own, so that a second one would show.
"""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sse_core import LocalProtocolError, MessageAccumulator
from sse_core.blocks import (
    ArgumentsDelta,
    Block,
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageCut,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    StreamError,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownEvent,
    is_visible,
)
from sse_core.headers import Headers
from sse_core.lifecycle import OnDisconnect, Outcome, RetryPolicy, Turn, TurnState, Want
from tests.core.lifecycle.turn.turn_support import ANTHROPIC, EVENT_STREAM, INVALID, OVERLOADED, REQUEST, wire

HEADS = st.sampled_from(
    [
        *[(200, EVENT_STREAM)] * 12,
        (200, Headers({"content-type": "text/html"})),
        (204, Headers()),
        (302, Headers({"location": "/"})),
        (307, Headers({"location": "/"})),
        (200, Headers()),
        (201, Headers({"content-type": "application/json"})),
        (400, Headers()),
        (401, Headers({"x-should-retry": "true"})),
        (429, Headers({"retry-after": "2"})),
        (429, Headers({"retry-after": "3600"})),
        (503, Headers()),
        (529, Headers({"x-should-retry": "false"})),
    ]
)
INDEXES = st.integers(0, 2)
TEXTS = st.text("aé\U0001f600\n", max_size=3)
EVENTS = st.one_of(
    st.builds(TextDelta, INDEXES, TEXTS),
    st.builds(ThinkingDelta, INDEXES, TEXTS),
    st.builds(ArgumentsDelta, INDEXES, st.sampled_from(["", "{", "}"])),
    st.builds(BlockStart, INDEXES, st.builds(TextBlock, st.sampled_from(["", "", "x"]))),
    st.builds(BlockStart, INDEXES, st.builds(ThinkingBlock)),
    st.builds(BlockStart, INDEXES, st.just(ToolUseBlock("t", "f"))),
    st.builds(BlockStop, INDEXES),
    st.builds(MessageDelta, st.sampled_from([None, "end_turn"])),
    st.sampled_from([MessageStop(), Ping(), Ping(), OVERLOADED, INVALID, UnknownEvent({"type": "new"})]),
)
ODD_BYTES = st.sampled_from([b": ping\n", b"\n\n", b"\xff\n", b'{"error": {}}', b"data: {]\n\n"])
REFUSALS = st.sampled_from(
    [
        b"",
        b"<html>",
        b'{"type": "error", "error": {"type": "overloaded_error"}}',
        b'{"type": "error", "error": {"type": "billing_error"}}',
        b'{"type": "error", "error": {"type": "usage_limit_reached", "resets_in_seconds": 7}}',
    ]
)
DEEDS = ["a word from the transport", "a head", "an answer", "bytes"]
DEEDS += ["time", "the deadline", "readers", "stop"]
MOSTLY = st.sampled_from([True] * 7 + [False])
#: What a provider does next; mostly as it should.
STEPS = st.sampled_from(["text"] * 4 + ["thinking", "tool", "close", "facts", "ping", "new", "end", "wild"])


class Provider:
    """One attempt's answer: keeps to the rules unless it is to be wild."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.begun = False
        self.blocks: list[str] = []
        self.is_open = False

    def step(self, step: str, text: str) -> list[BlockEvent]:
        """The events of one step."""
        if not self.begun:
            self.begun = True
            return [MessageStart(f"msg_{self.number}", "m"), *self.step(step, text)]
        index = len(self.blocks) - 1
        if step in {"text", "thinking", "tool"}:
            delta = {"text": TextDelta, "thinking": ThinkingDelta, "tool": ArgumentsDelta}[step]
            if self.is_open and self.blocks[-1] == step:
                return [delta(index, text)]
            blocks: dict[str, Block] = {
                "text": TextBlock(),
                "thinking": ThinkingBlock(),
                "tool": ToolUseBlock("t", "f"),
            }
            closed = self.close()
            self.blocks.append(step)
            self.is_open = True
            return [*closed, BlockStart(index + 1, blocks[step])]
        others: dict[str, list[BlockEvent]] = {
            "facts": [MessageDelta("end_turn", {"output_tokens": 1})],
            "ping": [Ping()],
            "new": [UnknownEvent({"type": "new"})],
        }
        return (
            others[step] if step in others else [*self.close(), *([MessageStop()] if step == "end" else [])]
        )

    def close(self) -> list[BlockEvent]:
        was_open, self.is_open = self.is_open, False
        return [BlockStop(len(self.blocks) - 1)] if was_open else []


ENDS = {
    Outcome.COMPLETED: (MessageStop, "complete"),
    Outcome.STOPPED: (MessageCut, "stopped"),
    Outcome.TRUNCATED: (MessageCut, "truncated"),
    Outcome.FAILED: (StreamError, "failed"),
    Outcome.EXPIRED: (StreamError, "failed"),
}


class TurnMachine(RuleBasedStateMachine):
    """One turn, and what is known of it from outside."""

    @initialize(
        max_attempts=st.integers(1, 4),
        on_disconnect=st.sampled_from(
            [OnDisconnect(), OnDisconnect("detach", 30.0), OnDisconnect("drain", 5.0)]
        ),
        jitter=st.floats(0, 1, exclude_max=True),
        max_held_events=st.sampled_from([5, 1000]),
        started=MOSTLY,
    )
    def begin(
        self,
        max_attempts: int,
        on_disconnect: OnDisconnect,
        jitter: float,
        max_held_events: int,
        *,
        started: bool,
    ) -> None:
        self.now = 100.0
        self.max_attempts = max_attempts
        self.turn = Turn(
            REQUEST,
            ANTHROPIC,
            retry=RetryPolicy(max_attempts=max_attempts),
            on_disconnect=on_disconnect,
            jitter=lambda: jitter,
            max_held_events=max_held_events,
        )
        self.given: list[BlockEvent] = []
        self.accumulator = MessageAccumulator()
        self.is_open = False  # the transport
        self.attempts_when_visible: int | None = None
        self.outcome: Outcome | None = None
        self.provider = Provider(0)
        if started:
            self.turn.start(self.now)

    def take(self) -> None:
        while (event := self.turn.next_event()) is not None:
            self.given.append(event)
            self.accumulator.receive(event)

    # What a good binding and a good provider do.  It is one rule, since those that Hypothesis switches
    # off in a run must not be the way to all others.

    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        if self.turn.state is TurnState.IDLE:
            self.turn.start(self.now)
        elif self.turn.want is Want.CONNECT:
            self.now += data.draw(st.floats(0, 5))
            self.provider = Provider(self.provider.number + 1)
            self.connected()
            self.turn.response_started(*data.draw(HEADS), self.now)
        elif self.turn.want is Want.READ and self.turn.accepted:
            self.answer(data)
        elif self.turn.want is Want.READ:
            self.turn.receive_data(data.draw(REFUSALS), self.now)
            self.say("eof")
        elif self.turn.want is Want.PAUSE:
            self.turn.resume(self.now)
        elif self.turn.want is Want.CLOSE:
            self.say("closed")
        else:
            self.reach_the_deadline()

    def answer(self, data: st.DataObject) -> None:
        """Some of the answer, cut into two chunks anywhere."""
        events: list[BlockEvent] = []
        for step in data.draw(st.lists(STEPS, min_size=1, max_size=6)):
            events += [data.draw(EVENTS)] if step == "wild" else self.provider.step(step, data.draw(TEXTS))
        stream = wire(*events)
        middle = data.draw(st.integers(0, len(stream)))
        for chunk in (stream[:middle], stream[middle:]):
            self.turn.receive_data(chunk, self.now)

    def connected(self) -> None:
        self.is_open = True
        self.turn.connected(self.now)

    def reach_the_deadline(self) -> None:
        if self.turn.deadline is not None:
            self.now = max(self.now, self.turn.deadline)
            self.turn.handle_timeout(self.now)

    @rule(paused=st.booleans(), seconds=st.sampled_from([0.0, 0.3, 1.0]))
    def pause_or_resume(self, seconds: float, *, paused: bool) -> None:
        (self.turn.pause if paused else self.turn.resume)(self.now)
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        """Early a timeout changes nothing; late it is late, and no more."""
        self.now += seconds
        deadline, state, want = self.turn.deadline, self.turn.state, self.turn.want
        self.turn.handle_timeout(self.now)
        if deadline is None or self.now < deadline:
            assert (self.turn.deadline, self.turn.state, self.turn.want) == (deadline, state, want)
        else:
            assert self.turn.deadline is None or self.turn.deadline > self.now

    # What others do, and whatever comes at a wrong moment

    @rule(data=st.data(), deed=st.sampled_from(DEEDS))
    def do(self, data: st.DataObject, deed: str) -> None:
        if deed == "a word from the transport":
            self.say(data.draw(st.sampled_from(["connected", "eof", "lost", "closed"])))
        elif deed == "a head":
            self.turn.response_started(*data.draw(HEADS), self.now)
        elif deed == "bytes":
            self.turn.receive_data(data.draw(ODD_BYTES), self.now)
        elif deed == "time":
            self.pass_time(data.draw(st.sampled_from([9.0, 61.0, 1e4])))
        elif deed == "the deadline":
            self.reach_the_deadline()
        elif deed == "an answer":
            self.answer(data)
        elif deed == "readers":
            self.turn.readers_changed(data.draw(st.integers(0, 2)), self.now)
        else:
            before = self.turn.outcome
            assert self.turn.stop(self.now) is (before or Outcome.STOPPED)

    def say(self, word: str) -> None:
        if word == "connected" and self.turn.state is TurnState.IDLE:
            with pytest.raises(LocalProtocolError):
                self.turn.connected(self.now)
        elif word == "connected":
            self.connected()
        elif word == "eof":
            self.turn.receive_eof(self.now)
        else:
            self.is_open = False
            self.turn.connection_lost(word, self.now) if word == "lost" else self.turn.closed(self.now)

    @precondition(lambda self: self.turn.state is not TurnState.IDLE)
    @rule()
    def start_again(self) -> None:
        with pytest.raises(LocalProtocolError):
            self.turn.start(self.now)

    # What holds after each of them

    @invariant()
    def there_is_one_outcome_at_most_and_it_stays(self) -> None:
        assert (self.turn.outcome is None) is (self.turn.state is not TurnState.DONE)
        assert self.outcome in {None, self.turn.outcome}
        self.outcome = self.turn.outcome

    @invariant()
    def after_the_end_there_is_nothing_to_do_but_to_close(self) -> None:
        if self.turn.outcome is not None:
            assert self.turn.want is (Want.CLOSE if self.is_open else Want.NOTHING)
            assert self.turn.deadline is None

    @invariant()
    def the_wish_knows_of_the_transport(self) -> None:
        """Close before sleep, and never two transports."""
        assert (self.turn.want in {Want.READ, Want.PAUSE, Want.CLOSE}) is self.is_open

    @invariant()
    def every_wait_has_a_deadline(self) -> None:
        if self.turn.want in {Want.CONNECT, Want.READ, Want.PAUSE, Want.WAIT}:
            assert self.turn.deadline is not None

    @invariant()
    def there_is_one_message(self) -> None:
        self.take()
        assert sum(isinstance(event, MessageStart) for event in self.given) <= 1

    @invariant()
    def nothing_is_tried_again_after_something_visible(self) -> None:
        self.take()
        assert self.turn.attempts <= self.max_attempts
        if self.attempts_when_visible is None and any(is_visible(event) for event in self.given):
            self.attempts_when_visible = self.turn.attempts
        assert self.attempts_when_visible in {None, self.turn.attempts}

    @invariant()
    def the_message_is_what_was_given_out(self) -> None:
        self.take()
        assert self.turn.message == self.accumulator.message
        texts: dict[int, str] = {}
        for event in self.given:
            if isinstance(event, BlockStart) and isinstance(event.block, TextBlock):
                texts[event.index] = event.block.text
            elif isinstance(event, TextDelta):
                texts[event.index] += event.text
        assert self.turn.message.text == "".join(text for _, text in sorted(texts.items()))
        visible = sum(is_visible(event) for event in self.given)
        assert self.turn.timing.outputs == visible

    @invariant()
    def the_last_event_shows_the_outcome_and_no_other_does(self) -> None:
        self.take()
        ends = [event for event in self.given if isinstance(event, MessageStop | MessageCut | StreamError)]
        assert len(ends) == (self.turn.outcome is not None)
        if self.turn.outcome is not None:
            kind, completeness = ENDS[self.turn.outcome]
            assert ends == self.given[-1:]
            assert isinstance(ends[0], kind)
            assert self.turn.message.completeness == completeness
            # A failure stands for the last attempt's, also of one that was tried again.
            assert self.turn.failure is not None or self.turn.outcome in {Outcome.COMPLETED, Outcome.STOPPED}

    def teardown(self) -> None:
        """A binding that carries out the wishes, with a network that is gone, comes to an end."""
        if not hasattr(self, "turn"):
            return
        for _ in range(4 * self.max_attempts + 8):
            if self.turn.want is Want.NOTHING:
                break
            if self.turn.want is Want.CLOSE:
                self.turn.closed(self.now)
            elif self.turn.want is Want.CONNECT:
                self.turn.connection_lost("unreachable", self.now)
            else:
                assert self.turn.deadline is not None
                self.now = max(self.now, self.turn.deadline)
                self.turn.handle_timeout(self.now)
        assert self.turn.want is Want.NOTHING
