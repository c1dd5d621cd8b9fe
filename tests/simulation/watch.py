"""What has to hold of a turn, whatever happens to it: its waits, its attempts, its connection, its end.

Everything is computed here a second time, from what the world knows: from when to when a turn may wait,
whether the provider's behaviour lets it try again, and what its outcome can be.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sse_core.blocks import BlockEvent, BlockStart
from sse_core.lifecycle import Outcome, TurnState, Want

from .house import SLACK
from .provider import SILENT, WHOLE, Connection
from .world import World

if TYPE_CHECKING:
    from .seen_message import SeenMessage
    from .served import ServedTurn


#: More than the bytes of any answer as a log keeps it: it may come in one chunk.
LARGEST_CHUNK = 50_000


class TurnWatch:
    """The invariants of one turn."""

    def __init__(self, world: World, served: ServedTurn) -> None:
        self.ended: Outcome | None = None
        self._world = world
        self._served = served
        self._started_at = world.now
        self._state = TurnState.IDLE
        self._since = world.now
        self._failed_at = world.now
        self._failed_in = TurnState.IDLE
        self._closed_at = 0.0
        # The last visible output, and so much later as there was a pause since.
        self._progress_at = world.now
        self._paused_at: float | None = None
        self._head_at = -1.0
        self._alone_since = math.inf
        self._is_visible = False
        self._tool_ran = False  # by the provider
        self._last: Connection | None = None  # the last attempt's
        self._limit = math.inf

    # What happens

    def reader_left(self) -> None:
        """A reader has gone, perhaps the last."""
        if self._served.readers == 0:
            self._alone_since = self._world.now

    def visible(self, event: BlockEvent) -> None:
        """Readers are given a part of the answer."""
        self._is_visible = True
        if isinstance(event, BlockStart) and event.block.type == "server_tool_use":
            self._tool_ran = True
        self._progress_at = self._world.now

    def head(self) -> None:
        """The head of an answer has come."""
        self._head_at = self._world.now

    def paused(self) -> None:
        """The log is full."""
        if self._paused_at is None:
            self._paused_at = self._world.now

    def resumed(self) -> None:
        """There is room in the log."""
        if self._paused_at is not None:
            self._progress_at += self._world.now - max(self._paused_at, self._progress_at)
            self._paused_at = None
        self._limit = self._latest()

    def closed_late(self) -> None:
        """A connection that came too late, and was in the way of the next attempt, is gone."""
        self._closed_at = self._world.now
        self._limit = self._latest()

    def taken_back(self) -> None:
        """Readers have to forget what they were shown."""
        world, served = self._world, self._served
        world.note("taken back", served.epoch)
        if served.house.retry.after_output != "retract":
            world.fail("taken back against the policy", served.epoch)
        if self._tool_ran:
            world.fail("a tool's effect is repeated", served.epoch)
        self._is_visible = False

    def connects(self) -> None:
        """A connection is about to be made."""
        world, served, last = self._world, self._served, self._last
        if self.ended is not None or served.turn.outcome is not None or served.stop_was_pressed:
            world.fail("an upstream after the end", served.epoch)
        if self._is_visible:
            world.fail("a retry after visible output", served.epoch)
        if len(served.answers) >= served.house.retry.max_attempts:
            world.fail("more attempts than the policy allows", served.epoch)
        if last is not None:
            if not last.may_be_repeated or self._would_wait_again(last):
                world.fail("a retry of what is final", f"{served.epoch}: {last.behaviour}")
            if last.retry_after is not None and last.retry_after > served.house.retry.max_retry_after:
                world.fail("a retry of what is final", f"{served.epoch}: after {last.retry_after} s")
            shortest, longest = self._delay(last)
            waited = world.now - self._failed_at
            if not shortest <= waited <= max(longest, self._closed_at - self._failed_at + SLACK):
                world.fail("a retry at the wrong time", f"{served.epoch}: {waited:.3f} s")
            world.seen["retry"] += 1

    def _would_wait_again(self, last: Connection) -> bool:
        """Whether the last attempt waited in vain for an output, and the policy wants no more of that."""
        in_vain = self._failed_in is TurnState.WAITING and last.behaviour in SILENT
        return in_vain and not self._served.house.retry.retry_timeouts

    def _delay(self, last: Connection) -> tuple[float, float]:
        """From when to when the next attempt may come, after the last has failed."""
        policy = self._served.house.retry
        if last.retry_after is not None:
            return last.retry_after - 1e-6, last.retry_after + SLACK
        grown = min(
            policy.initial_delay * policy.multiplier ** (len(self._served.answers) - 1), policy.max_delay
        )
        return grown * (1 - policy.jitter) - 1e-6, grown + SLACK

    def attempt(self, connection: Connection) -> None:
        """This is the next attempt."""
        self._last = connection

    def look(self) -> None:
        """The turn has settled: see in which state it is."""
        state = self._served.turn.state
        if state is not self._state:
            before, self._state, self._since = self._state, state, self._world.now
            if state is TurnState.BACKOFF:
                self._failed_at, self._failed_in = self._since, before
                end = self._started_at + _seconds(self._served.house.deadlines.whole)
                if (self._served.turn.retry_at or 0.0) >= end:
                    self._world.fail("a wait for what can't come", self._served.epoch)

    def outcome(self, outcome: Outcome, seen: SeenMessage) -> None:
        """There is an outcome: whether it is the right one."""
        self.ended = outcome
        problem = self._problem(outcome, seen)
        if problem:
            last = "nothing" if self._last is None else self._last.behaviour
            self._world.fail("a wrong outcome", f"{self._served.epoch}: {outcome.value} {problem} ({last})")

    def _problem(self, outcome: Outcome, seen: SeenMessage) -> str:
        """What is wrong with this outcome, if anything is."""
        served, last = self._served, self._last
        if outcome is Outcome.COMPLETED:
            return self._problem_of_whole(seen)
        if last is not None and last.has_said_all:
            return "though the answer was whole"
        if served.stop_was_pressed and outcome is not Outcome.STOPPED:
            return "though it was stopped"
        behaviour = "completes" if last is None else last.behaviour
        if outcome is Outcome.FAILED and last is not None and self._could_try_again(last):
            return "though it could have tried again"
        holds, otherwise = {
            Outcome.STOPPED: (served.stop_was_pressed or not served.readers, "though nobody stopped it"),
            Outcome.EXPIRED: (self._world.now >= self._limit - 1e-6, "before its time"),
            Outcome.TRUNCATED: ("cut" in behaviour, "though nothing was cut"),
            Outcome.FAILED: (behaviour not in WHOLE, "though nothing has failed"),
        }[outcome]
        return "" if holds else otherwise

    def _could_try_again(self, last: Connection) -> bool:
        """Whether a status that may pass was the end, and another attempt was allowed."""
        house = self._served.house
        if last.behaviour != "answers with a status" or not last.may_be_repeated:
            return False
        is_bearable = (last.retry_after or 0.0) <= house.retry.max_retry_after
        end = self._started_at + _seconds(house.deadlines.whole)
        in_time = self._world.now + self._delay(last)[1] < end
        return len(self._served.answers) < house.retry.max_attempts and is_bearable and in_time

    def _problem_of_whole(self, seen: SeenMessage) -> str:
        last = self._last
        if last is None or not (last.has_said_all or last.may_be_whole) or seen.length != last.answer.length:
            return "without the end of the answer"
        has_usage = bool(self._served.turn.message.usage)
        return "" if has_usage or last.may_be_whole else "without usage"

    # What has to hold in between

    def check(self) -> None:
        """See that the turn waits for nothing too long, and holds no more than it may."""
        if self._served.is_closing:
            if self._served.turn.want is not Want.CLOSE:
                self._world.fail("an upstream without an owner", f"{self._served.epoch}, closing")
        elif self.ended is not None:
            self._check_end()
        else:
            self._check_deadline()
            self._check_readers()

    def _check_end(self) -> None:
        world, served = self._world, self._served
        if served.turn.outcome is not self.ended:
            world.fail("a second outcome", served.epoch)
        if served.connection is not None or served.turn.want is not Want.NOTHING:
            world.fail("an upstream after the end", served.epoch)
        if served.turn.deadline is not None:
            world.fail("a deadline after the end", served.epoch)

    def _check_readers(self) -> None:
        world, served = self._world, self._served
        turn, log = served.turn, served.log
        if (
            served.readers == 0
            and served.house.on_disconnect.kind == "cancel"
            and world.now > self._alone_since
        ):
            world.fail("an upstream without an owner", served.epoch)
        if turn.want is Want.PAUSE and not log.full:
            world.fail("a pause that is not lifted", served.epoch)
        if log.full and not any(reader.position < log.last for reader in log._readers):  # noqa: SLF001
            world.fail("a log that is full for nobody", served.epoch)
        beyond = log.last - log.first_retained >= served.house.log_events and not log.full
        if beyond or log.retained_bytes >= served.house.log_bytes + LARGEST_CHUNK * len(served.answers):
            world.fail("the log keeps more than it may", served.epoch)
        if len(served.lengths) != log.last + 1:
            world.fail("the log counts its events wrong", served.epoch)

    def _check_deadline(self) -> None:
        deadline = self._served.turn.deadline
        self._limit = limit = self._latest()
        if deadline is None or deadline > limit + 1e-6:
            text = f"{self._served.epoch} is {self._state.value}: {deadline} is not before {limit:.3f}"
            self._world.fail("a wait without a deadline", text)

    def _latest(self) -> float:
        """The moment up to which the turn may wait as it is."""
        served, deadlines = self._served, self._served.house.deadlines
        limits = [self._started_at + _seconds(deadlines.whole)]
        if served.readers == 0 and self._alone_since < math.inf:
            limits.append(self._alone_since + served.house.on_disconnect.seconds)
        if self._state is TurnState.CONNECTING:
            limits.append(self._since + _seconds(deadlines.connect))
        elif self._state is TurnState.WAITING:
            limits.append(self._since + _seconds(deadlines.first_output))
            if self._head_at <= self._since:
                limits.append(self._since + _seconds(deadlines.first_byte))
            elif not served.turn.accepted:
                limits.append(self._head_at + _seconds(deadlines.refusal))
        elif self._state is TurnState.BACKOFF and self._last is not None:
            limits.append(max(self._since + self._delay(self._last)[1], self._closed_at + SLACK))
        elif self._state is TurnState.STREAMING and served.turn.want is not Want.PAUSE:
            limits.append(self._progress_at + _seconds(deadlines.output_gap))
        return min(limits)


def _seconds(bound: float | None) -> float:
    return math.inf if bound is None else bound
