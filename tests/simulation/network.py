"""What lies between a server's socket and a client: bandwidth, latency, windows, proxies, cuts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sse_core.lifecycle import ReaderOutcome

from .stream import Stream
from .world import World

FAST = 1e6


@dataclass(frozen=True)
class Path:
    """How bytes travel on one connection."""

    latency: float  #: seconds
    bytes_a_second: float
    window: int  #: bytes on their way that nobody has read
    hold_bytes: int  #: a proxy passes nothing on until it has so many,
    hold_seconds: float  #: or has waited so long
    cut_after: int | None  #: bytes after which the connection breaks
    hangs: bool  #: when it breaks, nobody notices
    nap: float  #: seconds for which the client does not read, now and then

    @classmethod
    def of(cls, world: World) -> Path:
        """A path at random; most are good."""
        dice = world.dice
        bad = dice.random()
        slow, naps, proxy = bad < 0.06, 0.06 <= bad < 0.14, 0.14 <= bad < 0.22
        return cls(
            latency=dice.choice((0.001, 0.02, 0.2)),
            bytes_a_second=dice.choice((1.0, 100.0, 1000.0)) if slow else FAST,
            window=dice.choice((16, 600, 4096)) if slow or naps else 65_536,
            hold_bytes=4096 if proxy else 0,
            hold_seconds=2.0 if proxy else 0.0,
            cut_after=dice.randrange(1, 8000) if dice.random() < 0.25 else None,
            hangs=dice.random() < 0.2,
            nap=dice.choice((0.5, 3.0, 12.0)) if naps else 0.0,
        )

    @property
    def is_good(self) -> bool:
        """Whether what the server sends is there at once."""
        return self.cut_after is None and self.bytes_a_second == FAST and not (self.hold_bytes or self.nap)


class Wire:
    """One connection's way from the server to the client.

    ``receive`` is given bytes, ``ended`` whether the end was a proper one.
    """

    def __init__(
        self,
        world: World,
        stream: Stream,
        path: Path,
        receive: Callable[[bytes], None],
        ended: Callable[[bool], None],
    ) -> None:
        self.path = path
        self.began_at = world.now
        self._world = world
        self._stream = stream
        self._receive = receive
        self._ended = ended
        self._in_flight = 0
        self._sent = 0
        self._busy_until = 0.0
        self._delayed: list[bytes] = []
        self._is_open = True
        self._is_cut = False
        self._is_at_end = False
        self._was_paused = False
        self._unread: list[Callable[[], None]] | None = None  # while the client does not read
        stream.on_readable = self._pump
        world.after(0.0, self._pump)

    @property
    def about(self) -> object:
        """Whose events these are."""
        return self._stream.about

    @property
    def is_prompt(self) -> bool:
        """Whether what the server sends is with the client at once."""
        return self.path.is_good and not self._was_paused

    @property
    def heartbeats(self) -> bool:
        """Whether the server sends a sign of life when there is nothing else."""
        return self._stream.heartbeats

    def close(self) -> None:
        """The client has closed."""
        self._is_open = False
        self._stream.close()

    def pause(self) -> None:
        """The client reads nothing for now."""
        self._unread = []
        self._was_paused = True

    def resume(self) -> None:
        """The client reads again: what has come, in its order."""
        unread, self._unread = self._unread or [], None
        for action in unread:
            action()

    def _pump(self) -> None:
        """Send what there is, as far as the window goes."""
        path = self._path_is_free()
        # As sockets do, it can be written to when half of its room is free.
        while path and 2 * self._in_flight <= self.path.window:
            data = self._stream.pull(min(self.path.window - self._in_flight, 16_384))
            if not data:
                break
            self._sent += len(data)
            self._in_flight += len(data)
            if self.path.cut_after is not None and self._sent >= self.path.cut_after:
                self._cut(data)
                return
            self._delayed.append(data)
            self._pass_on()
        outcome = self._stream.subscription.outcome
        if path and outcome is not None and not self._is_at_end:
            self._is_at_end = True
            self._release()
            # A reader who takes nothing may never notice; its own timer will.
            self._later(lambda: self._end(proper=outcome is not ReaderOutcome.EVICTED))

    def _path_is_free(self) -> bool:
        return self._is_open and not self._is_cut

    def _pass_on(self) -> None:
        """Through the proxy, if there is one."""
        delayed = self._delayed
        if not self.path.hold_bytes or sum(map(len, delayed)) >= self.path.hold_bytes:
            self._release()
        elif len(delayed) == 1:
            self._world.after(self.path.hold_seconds, self._release)

    def _release(self) -> None:
        data, self._delayed = b"".join(self._delayed), []
        # What is slow comes in sips: at one byte a second, byte by byte.
        sip = max(1, len(data) if self.path.bytes_a_second == FAST else int(self.path.bytes_a_second) // 8)
        for at in range(0, len(data), sip):
            self._send(data[at : at + sip])

    def _send(self, data: bytes) -> None:
        self._later(lambda: self._arrive(data), len(data))

    def _later(self, action: Callable[[], None], size: int = 0) -> None:
        now = self._world.now
        self._busy_until = max(self._busy_until, now) + size / self.path.bytes_a_second
        if self.path.nap and self._world.chance(0.1):
            self._busy_until += self.path.nap
        self._world.after(self._busy_until + self.path.latency - now, lambda: self._come(action))

    def _come(self, action: Callable[[], None]) -> None:
        if self._unread is None:
            action()
        else:
            self._unread.append(action)

    def _arrive(self, data: bytes) -> None:
        self._in_flight -= len(data)
        if self._is_open:
            self._receive(data)
            if self._is_open:
                self._pump()

    def _cut(self, data: bytes) -> None:
        """The connection breaks within ``data``, or it just hangs: then each side finds out by itself."""
        world = self._world
        world.note("connection hangs" if self.path.hangs else "connection cut")
        self._is_cut = True
        self._delayed.append(data[: world.dice.randrange(len(data))])
        self._release()
        if self.path.hangs:
            world.after(30.0, self._stream.close)
        else:
            self._later(lambda: self._end(proper=False))

    def _end(self, *, proper: bool) -> None:
        if self._is_open:
            self._is_open = False
            self._stream.close()
            self._ended(proper)
