"""What the kernel is set to do for a connection, and how much is read before others have their turn."""

# ruff: noqa: ARG002  (the face of an Exchange)

from __future__ import annotations

import socket
import sys

import pytest
import trio

import sse_trio
from sse_core.lifecycle import SubscriptionSettings
from sse_core.lifecycle.machine import Want
from sse_http import Endpoint, Exchange, HandlerSettings, ServerSettings, no_waker, parse_url
from sse_io.reactor import MAX_TURNS
from sse_io.transport import READ_SIZE, Transport
from tests.bindings.applications import Feeds
from tests.bindings.peers import Drip, scripted
from tests.bindings.server_stage import get
from tests.bindings.trio.support import running, serving

linux = pytest.mark.skipif(sys.platform != "linux", reason="the options are Linux's")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[socket.socket]:
    """The sockets of all transports that are made."""
    sockets: list[socket.socket] = []
    init = Transport.__init__

    def remember(self: Transport, sock: socket.socket, channel: object) -> None:
        sockets.append(sock)
        init(self, sock, channel)  # type: ignore[arg-type]

    monkeypatch.setattr(Transport, "__init__", remember)
    return sockets


@linux
@pytest.mark.parametrize(
    ("write_timeout", "stall", "expected"),
    [(60.0, 60.0, 60_000), (5.0, 60.0, 60_000), (90.0, None, 90_000), (1e12, 60.0, 2**31 - 1)],
)
async def test_a_reader_that_vanished_is_noticed(
    opened: list[socket.socket], write_timeout: float, stall: float | None, expected: int
) -> None:
    """And no reader is ended that is slow within its time: its full window counts as silence, too."""
    began = trio.Event()

    async def handler(_: object) -> None:
        began.set()
        await trio.sleep_forever()

    async with (
        serving(
            handler,
            settings=ServerSettings(write_timeout=write_timeout),
            handler_settings=HandlerSettings(SubscriptionSettings(stall=stall)),
        ) as server,
        await trio.open_tcp_stream(server.host, server.port) as client,
    ):
        await client.send_all(get())
        await began.wait()
        [sock] = opened
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == expected
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30


@linux
async def test_a_client_notices_that_its_server_vanished(opened: list[socket.socket]) -> None:
    async with serving(Feeds()) as server, sse_trio.connect(server.url) as source:
        with trio.move_on_after(0.1):
            await anext(source)
        assert len(opened) == 2
        for sock in opened:
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == 16 * 1024
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000


class Endless:
    """An exchange that reads whatever comes, and counts it: by itself, and for the turn that all have."""

    def __init__(self, url: str, turns: list[int]) -> None:
        self.waker = no_waker
        url_parts = parse_url(url)
        self.target = Endpoint(url_parts.host, url_parts.port)
        self.want = Want.CONNECT
        self.deadline: float | None = None
        self.received = 0
        self._turns = turns

    def connected(self, now: float) -> None:
        self.want = Want.READ

    def data_to_send(self) -> bytes:
        return b""

    def receive_data(self, data: bytes, now: float) -> None:
        self.received += len(data)
        self._turns[-1] += len(data)

    def connection_lost(self, reason: str, now: float, *, retryable: bool = True) -> None:
        self.want = Want.NOTHING

    def closed(self, now: float) -> None:
        self.want = Want.NOTHING

    def handle_timeout(self, now: float) -> None:
        """Waits for nothing."""


class Asker(Feeds):
    """An application that wants these exchanges."""

    def __init__(self, *exchanges: Exchange) -> None:
        super().__init__()
        self._new = [*exchanges]

    def upstreams(self) -> list[Exchange]:
        new, self._new = self._new, []
        return new


class Looks(trio.abc.Instrument):
    """A new turn begins whenever trio looks at its sockets."""

    def __init__(self, turns: list[int]) -> None:
        self._turns = turns

    def before_io_wait(self, timeout: float) -> None:
        self._turns.append(0)


async def test_upstreams_at_full_speed_give_others_their_turn() -> None:
    """However many there are, only so much is read before everybody else is looked at."""
    turns = [0]
    looks = Looks(turns)
    with running(scripted(Drip(b"x" * 1_000_000, 0.0))) as upstream:
        exchanges = [Endless(upstream.url, turns) for _ in range(50)]
        application = Asker(*exchanges)
        async with serving(application, grace=0.0) as server:
            trio.lowlevel.add_instrument(looks)
            application.waker()
            with trio.fail_after(30):
                while sum(turns) < 20_000_000 or not all(exchange.received for exchange in exchanges):
                    await trio.lowlevel.checkpoint()
            counted = max(turns)
            trio.lowlevel.remove_instrument(looks)
            server.scope.cancel()
    assert counted <= MAX_TURNS * READ_SIZE
