"""What lies between a server's socket and a client: bandwidth, latency, windows, proxies, cuts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .server import Stream
from .world import World


@dataclass(frozen=True)
class Path:
    """How bytes travel on one connection."""

    latency: float  #: seconds
    bytes_a_second: float
    window: int  #: bytes on their way that nobody has read
    hold_bytes: int  #: a proxy passes nothing on until it has so many,
    hold_seconds: float  #: or has waited so long
    cut_after: int | None  #: bytes after which the connection breaks
    hangs: bool  #: when it breaks, nobody is told

    @classmethod
    def of(cls, world: World) -> Path:
        """A path at random; most are good."""
        dice = world.dice
        slow = dice.random() < 0.08
        proxy = dice.random() < 0.1
        return cls(
            latency=dice.choice((0.001, 0.02, 0.2)),
            bytes_a_second=dice.choice((50.0, 1000.0)) if slow else 10**6,
            window=dice.choice((16, 300, 4096)) if slow else 65_536,
            hold_bytes=4096 if proxy else 0,
            hold_seconds=2.0 if proxy else 0.0,
            cut_after=dice.randrange(20_000) if dice.random() < 0.25 else None,
            hangs=dice.random() < 0.2,
        )


class Wire:
    """One connection's way from the server to the client."""

    def __init__(
        self,
        world: World,
        stream: Stream,
        path: Path,
        receive: Callable[[bytes], None],
        ended: Callable[[str], None],
    ) -> None:
        self._world = world
        self._stream = stream
        self._path = path
        self._receive = receive
        self._ended = ended
        self._in_flight = 0
        self._sent = 0
        self._busy_until = 0.0
        self._held: list[bytes] = []
        self._open = True
        self._told_end = False
        stream.on_readable = self._pump
        world.after(0.0, self._pump)

    def close(self) -> None:
        """The client has closed, or was never told that it should have."""
        self._open = False
        self._stream.close()

    def _pump(self) -> None:
        """Send what there is, as far as the window goes."""
        path = self._path
        while self._open and (room := path.window - self._in_flight) > 0:
            data = self._stream.pull(min(room, 16_384))
            if not data:
                break
            self._in_flight += len(data)
            self._sent += len(data)
            if path.cut_after is not None and self._sent >= path.cut_after:
                self._cut(data)
                return
            self._held.append(data)
            self._pass_on()
        if self._open and not self._told_end and self._stream.subscription.outcome is not None:
            self._told_end = True
            self._release()
            self._later(lambda: self._end("end"))

    def _pass_on(self) -> None:
        """Through the proxy, if there is one."""
        if not self._path.hold_bytes:
            self._release()
        elif sum(map(len, self._held)) >= self._path.hold_bytes:
            self._release()
        elif len(self._held) == 1:
            self._world.after(self._path.hold_seconds, self._release)

    def _release(self) -> None:
        data, self._held = b"".join(self._held), []
        if data:
            self._later(lambda: self._arrive(data), len(data))

    def _later(self, action: Callable[[], None], size: int = 0) -> None:
        now = self._world.now
        self._busy_until = max(self._busy_until, now) + size / self._path.bytes_a_second
        self._world.after(self._busy_until + self._path.latency - now, action)

    def _arrive(self, data: bytes) -> None:
        self._in_flight -= len(data)
        if self._open:
            self._receive(data)
            self._pump()

    def _cut(self, data: bytes) -> None:
        """The connection breaks within ``data``; or it just hangs, and the server finds out by itself."""
        self._world.note("connection cut" if not self._path.hangs else "connection hangs")
        arrived = data[: self._world.dice.randrange(len(data))]
        rest, self._held = [*self._held, arrived], []
        for piece in rest:
            if piece:
                self._later(lambda piece=piece: self._receive(piece) if self._open else None)  # type: ignore[misc]
        if self._path.hangs:
            self._world.after(30.0, self._stream.close)
            self._world.after(40.0, lambda: self._end("reset"))
        else:
            self._later(lambda: self._end("reset"))

    def _end(self, how: str) -> None:
        if self._open:
            self._open = False
            self._stream.close()
            self._ended(how)
