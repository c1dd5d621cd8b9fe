"""A reader's answer: a subscription, the server's end of its socket, and what has to hold of both."""

from __future__ import annotations

from collections.abc import Callable

from sse_core.lifecycle import ReaderOutcome, Subscription, SubscriptionSettings

from .house import SLACK
from .world import Alarm, World


def _nobody() -> None:
    """Nobody has a socket yet."""


class Stream:
    """One reader at the server.  ``subscribe`` makes its subscription, with the waker that it is given."""

    def __init__(
        self,
        world: World,
        subscribe: Callable[[Callable[[], None]], Subscription],
        settings: SubscriptionSettings,
        about: object,
        on_close: Callable[[], None] = _nobody,
    ) -> None:
        self.about = about  #: whose events these are
        self.on_readable: Callable[[], None] = _nobody
        self.heartbeats = settings.heartbeat is not None
        self._world = world
        self._settings = settings
        self._on_close = on_close
        self._is_woken = False
        self._is_gone = False
        self._began_at = world.now
        self._pulled_at = world.now
        self._sent_at = world.now
        self._behind_since: float | None = None
        self.subscription = subscribe(self._wake)
        self._alarm = Alarm(world, lambda: self.subscription.deadline, self._timeout)
        self._alarm.follow()

    def _wake(self) -> None:
        """Once for all that happens at one moment, as a loop would."""
        if not self._is_woken and not self._is_gone:
            self._is_woken = True
            self._world.after(0.0, self._serve)

    def _serve(self) -> None:
        self._is_woken = False
        if not self._is_gone:
            self._see_whether_it_is_behind()
            self.on_readable()
            self._alarm.follow()

    def _see_whether_it_is_behind(self) -> None:
        if not self.subscription.behind:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = self._world.now

    def pull(self, max_bytes: int) -> bytes:
        """What the socket has room for."""
        world, subscription = self._world, self.subscription
        before = subscription.position
        data = subscription.data_to_send(world.now, max_bytes)
        self._check_data(data, subscription.position - before, max_bytes)
        self._pulled_at = world.now
        self._see_whether_it_is_behind()
        if data.startswith(b":") and (data.count(b"\n") != 1 or not data.endswith(b"\n")):
            world.fail("a heartbeat that is an event", data)
        if subscription.outcome is ReaderOutcome.FINISHED and subscription.behind:
            world.fail("an end before the last event")
        if subscription.outcome is None:
            self._check_deadline()
        self._alarm.follow()
        return data

    def _check_data(self, data: bytes, events: int, max_bytes: int) -> None:
        """A heartbeat only where nothing else was sent; merged only for who is behind; a pull is bounded."""
        world, settings, now = self._world, self._settings, self._world.now
        if data.startswith(b":") and now - self._sent_at < (settings.heartbeat or 0.0) - 1e-6:
            world.fail("a heartbeat that nobody needs", f"after {now - self._sent_at:.3f} s")
        if data:
            self._sent_at = now
        if data.startswith((b":", b"event: gap\n")):
            return
        sent = data.count(b"\n\n")
        if sent > 1 and len(data) > max_bytes:
            world.fail("a pull beyond its bound", f"{len(data)}, not {max_bytes}")
        behind = 0.0 if self._behind_since is None else now - self._behind_since
        if sent < events and (settings.merge_after is None or behind < settings.merge_after - 1e-6):
            world.fail("merged for one who keeps up", f"{events} events in {sent}")

    def _check_deadline(self) -> None:
        """A reader who has something to take is evicted in time; one who has not gets a heartbeat."""
        world, settings, now = self._world, self._settings, self._world.now
        limit = None
        if settings.heartbeat is not None and self.subscription._heartbeat_due is False:  # noqa: SLF001
            limit = now + settings.heartbeat
        if settings.stall is not None and self.subscription.behind:
            limit = now + settings.stall if limit is None else min(limit, now + settings.stall)
        if settings.lifetime is not None:
            end = self._began_at + settings.lifetime
            limit = end if limit is None else min(limit, end)
        deadline = self.subscription.deadline
        if limit is not None and (deadline is None or deadline > limit + 1e-6):
            world.fail("a wait without a deadline", f"a reader's: {deadline}, not {limit:.3f}")

    def _timeout(self) -> None:
        before = self.subscription.outcome
        self.subscription.handle_timeout(self._world.now)
        after = self.subscription.outcome
        if before is None and after is not None:
            self._check_end(after)

    def _check_end(self, outcome: ReaderOutcome) -> None:
        world, settings, now = self._world, self._settings, self._world.now
        self._see_whether_it_is_behind()
        if outcome is ReaderOutcome.EVICTED:
            idle_since = max(self._pulled_at, now if self._behind_since is None else self._behind_since)
            if settings.stall is None or not -1e-6 <= now - idle_since - settings.stall <= SLACK:
                world.fail("evicted at the wrong time", f"after {now - idle_since:.3f} s")
        elif outcome is ReaderOutcome.EXPIRED:
            life, most = now - self._began_at, settings.lifetime or 0.0
            if not most * (1 - settings.lifetime_jitter) - 1e-6 <= life <= most + SLACK:
                world.fail("a lifetime that is none", f"{life:.3f} s")

    def close(self) -> None:
        """The reader's connection is over, whoever ended it."""
        if not self._is_gone:
            self._is_gone = True
            self.subscription.close(self._world.now)
            if self.subscription.outcome is not None:
                self._world.seen[f"reader {self.subscription.outcome.value}"] += 1
            self._on_close()
