"""A server of turns: who asks is given a stream, who comes back too; what has ended is kept for a while."""

from __future__ import annotations

from sse_core.headers import Headers
from sse_core.lifecycle import HTTPRequest, Retention, Subscription

from .client import ORIGIN, Answer
from .house import SLACK, House
from .served import ServedTurn
from .stream import Stream
from .world import Alarm, World

MOVED = "/moved/"
EVENT_STREAM = ("content-type", "text/event-stream")


def turned_away(world: World, request: HTTPRequest) -> Answer | None:
    """What a server says now and then before it looks at the request at all."""
    dice = world.dice.random()
    if dice < 0.02:
        return Answer(503, Headers([("retry-after-ms", "900") if dice < 0.01 else ("retry-after", "2")]))
    if dice < 0.05 and MOVED not in request.url:
        origin = "https://edge.test" if dice < 0.03 else ORIGIN
        return Answer(307, Headers({"location": origin + MOVED + path_of(request)}))
    return None


def path_of(request: HTTPRequest) -> str:
    """What is requested, wherever it was moved to."""
    return request.url.partition("//")[2].partition("/")[2].removeprefix(MOVED[1:])


class Server:
    """All turns of one world."""

    def __init__(self, world: World, house: House) -> None:
        self.turns: dict[str, ServedTurn] = {}  #: by name: those that can be read
        self.all: list[ServedTurn] = []
        self.house = house
        self._world = world
        self._kept: Retention[ServedTurn] = Retention(
            seconds=house.retention_seconds, max_bytes=house.retention_bytes
        )
        self._alarm = Alarm(world, lambda: self._kept.deadline, self._forget)

    def answer(self, request: HTTPRequest) -> Answer:
        """A POST begins a turn, or finds the one that a POST of its name began; a GET goes on with it."""
        answer = turned_away(self._world, request)
        if answer is not None:
            return answer
        event_id = request.headers.get("last-event-id") or ""
        if request.method == "POST" and not event_id:
            # Not every server says where its answer is read on.
            return self._stream(
                self._requested(request.body.decode()), 0, has_place=not self._world.chance(0.1)
            )
        served = self.turns.get(request.body.decode() or path_of(request).removeprefix("turns/"))
        return Answer(404, Headers()) if served is None else self._resumed(served, event_id)

    def _resumed(self, served: ServedTurn, event_id: str) -> Answer:
        position = served.log.position_of(event_id) if event_id else 0
        if served.is_drained:
            return Answer(410, Headers())
        if position is None:
            return Answer(400, Headers())
        if served.log.closed and position == served.log.last:
            return Answer(204, Headers())
        return self._stream(served, position)

    def _requested(self, name: str) -> ServedTurn:
        served = self.turns.get(name)
        if served is None or served.is_drained:
            epoch = f"{name}.{len(self.all)}"
            self._world.note("turn", epoch)
            served = ServedTurn(self._world, name, epoch, self.house, self._ended)
            self.turns[name] = served
            self.all.append(served)
        return served

    def _stream(self, served: ServedTurn, after: int, *, has_place: bool = True) -> Answer:
        world, settings = self._world, self.house.readers
        stream = Stream(
            world,
            lambda waker: Subscription(
                served.log, world.now, after=after, settings=settings, waker=waker, jitter=world.dice.random
            ),
            settings,
            served,
            served.left,
        )
        served.came()
        place = [("content-location", f"{ORIGIN}/turns/{served.name}")] if has_place else []
        return Answer(200, Headers([EVENT_STREAM, *place]), stream)

    def stop(self, name: str) -> None:
        """A DELETE."""
        if name in self.turns:
            self.turns[name].stop()

    def _ended(self, served: ServedTurn) -> None:
        self._drop(self._kept.keep(served, served.log.retained_bytes, self._world.now))
        if self._kept.retained_bytes > self.house.retention_bytes:
            self._world.fail("more is retained than may be")
        self._alarm.follow()

    def _forget(self) -> None:
        self._drop(self._kept.handle_timeout(self._world.now))
        oldest = self._world.now - self.house.retention_seconds - SLACK
        if any(
            served.turn.outcome is not None and served.ended_at < oldest for served in self.turns.values()
        ):
            self._world.fail("a turn that is retained for too long")

    def _drop(self, forgotten: list[ServedTurn]) -> None:
        for served in forgotten:
            if self.turns.get(served.name) is served:
                del self.turns[served.name]

    def check_rest(self) -> None:
        """What has to hold when nothing happens any more."""
        for served in self.all:
            served.check_rest()
        if self.turns or len(self._kept):
            self._world.fail("a turn that is retained for too long", list(self.turns))
