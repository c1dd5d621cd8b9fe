"""A loop that serves: connections, room, time, mistakes and the end."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import socket
import struct
from pathlib import Path
from typing import Any

import pytest

from sse_http import Refusal, ServerConnection, ServerSettings, StreamState
from sse_io.acceptor import ACCEPTS_IN_A_ROW, PAUSE, Acceptor, ServerLimit
from sse_io.application_clock import PAUSE_AFTER_ERROR
from sse_io.readiness_loop import ReadinessLoop
from sse_io.server_pump import ServerPump
from sse_io.transport import Transport
from tests.http.support import Broken, Pieces, Scripted, echo
from tests.io.support import GET, Certificates, Client, Served, TinyHost, reactor_of, served


def vanish(client: Client) -> None:
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.sock.close()


def use_up_files(sock: socket.socket, kept: list[socket.socket]) -> None:
    """Duplicate ``sock`` until no more is allowed."""
    with contextlib.suppress(OSError):
        while True:
            kept.append(sock.dup())


class Endless(Pieces):
    """It always has something, and counts what is pulled."""

    pulled = 0
    has_more = True

    def data_to_send(self, now: float) -> bytes:
        super().data_to_send(now)
        self.pulled += 10_000
        return b"x" * 10_000

    @property
    def state(self) -> StreamState:
        return StreamState.OPEN


class TestAnswers:
    def test_a_request_is_answered_and_the_next(self) -> None:
        with served(Scripted(echo)) as world:
            client = world.client(GET % b"a")
            client.until(b"GET /a")
            client.send(GET % b"b")
            client.until(b"GET /b")

    def test_bytes_are_in_the_kernel_when_the_waker_returns(self) -> None:
        stream = Pieces()
        with served(Scripted(stream)) as world:
            client = world.client(GET % b"")
            client.until(b"\r\n\r\n")
            stream.feed(b": here\n")
            client.look()  # and the loop has made no step
            assert b": here\n" in client.received

    def test_over_tls(self, certificates: Certificates) -> None:
        with served(Scripted(echo), tls=certificates.server, client_tls=certificates.client) as world:
            world.client(GET % b"a").until(b"GET /a")

    def test_and_over_tls_that_is_none(self, certificates: Certificates) -> None:
        with served(Scripted(echo), tls=certificates.server) as world:
            world.client(GET % b"a").until_end()
            assert world.errors == []

    def test_on_a_unix_socket(self, tmp_path: Path) -> None:
        application = Scripted(echo)
        with served(application) as world, socket.socket(socket.AF_UNIX) as unix:
            world.address = str(tmp_path / "socket")
            unix.bind(world.address)
            unix.listen()
            world.loop.listen(unix)
            world.client(GET % b"a").until(b"GET /a")
        assert application.requests[0].client == ""

    def test_who_calls_is_known(self) -> None:
        application = Scripted(echo)
        with served(application) as world:
            world.client(GET % b"a").until(b"GET /a")
        assert [request.client for request in application.requests] == ["127.0.0.1"]

    def test_refusals_and_the_date(self) -> None:
        refusals: list[Refusal] = []
        with served(on_refusal=refusals.append, date=lambda: "today") as world:
            assert b"date: today" in world.client(b"rubbish\r\n\r\n").until(b"400").lower()
        assert [refusal.status for refusal in refusals] == [400]


class TestRoom:
    def test_a_reader_that_takes_nothing_is_pulled_for_no_more(self) -> None:
        stream = Endless()
        with served(Scripted(stream)) as world:
            client = world.client(GET % b"", receive_buffer=65536)
            world.until(lambda: stream.pulled)
            world.settle()
            world.settle()
            pulled = stream.pulled
            world.settle()
            stream.waker()
            assert stream.pulled == pulled < 5_000_000
            for _ in range(100):
                client.look()
                world.step()
            assert stream.pulled > pulled
            assert client.received.count(b"x" * 10_000) > 10

    def test_and_is_given_up_in_time(self) -> None:
        stream = Endless()
        with served(Scripted(stream), settings=ServerSettings(write_timeout=60.0)) as world:
            client = world.client(GET % b"", receive_buffer=65536)
            for _ in range(10):
                world.settle()
            assert world.loop.deadline == pytest.approx(world.host.time + 60, abs=0.1)
            assert not stream.closed
            world.host.time += 61
            world.until(lambda: stream.closed)
            client.until_end()
            assert client.was_reset

    def test_who_has_more_than_a_share_goes_on_after_the_others(self) -> None:
        stream = Endless()
        with served(Scripted(lambda request: stream if request.path == "/all" else echo(request))) as world:
            endless = world.client(GET % b"all")
            world.until(lambda: stream.pulled)
            assert stream.pulled < 200_000
            assert world.loop.deadline == -math.inf
            other = world.client(GET % b"other")
            for _ in range(50):
                endless.look()
                other.look()
                world.step()
            assert b"GET /other" in other.received

    def test_however_little_it_is_at_a_time(self) -> None:
        stream = Pieces(*(b"<%d>" % number for number in range(40)))
        with served(Scripted(stream)) as world:
            client = world.client(GET % b"")
            world.until(lambda: len(stream.pieces) < 40)
            assert len(stream.pieces) > 20
            client.until(b"<39>")


class TestTime:
    def test_an_idle_connection_is_closed(self) -> None:
        with served(settings=ServerSettings(keep_alive_timeout=75.0)) as world:
            client = world.client()
            world.settle()
            assert world.loop.deadline == world.host.time + 75
            world.host.time += 75
            client.until_end()

    def test_a_streams_deadline_is_kept(self) -> None:
        stream = Pieces()
        with served(Scripted(stream)) as world:
            client = world.client(GET % b"")
            client.until(b"\r\n\r\n")
            stream.deadline = world.host.time + 10
            stream.waker()
            world.host.time += 10
            client.until(b": ping\n")
            assert stream.fired == [world.host.time]

    def test_so_is_the_applications(self) -> None:
        class Timed(Scripted):
            def handle_timeout(self, now: float) -> None:
                fired.append(now)
                self.deadline = None

        fired: list[float] = []
        application = Timed()
        application.deadline = 1010.0
        with served(application) as world:
            world.settle()
            assert fired == []
            world.host.time = 1010.0
            world.until(lambda: fired == [1010.0])
            application.deadline = 1020.0
            application.waker()
            world.host.time = 1020.0
            world.until(lambda: fired == [1010.0, 1020.0])

    def test_an_application_that_makes_mistakes_about_time_is_left_alone_for_a_while(self) -> None:
        class Wrong(Scripted):
            def handle_timeout(self, now: float) -> None:
                raise RuntimeError(f"a mistake at {now}")

        application = Wrong(echo)
        with served(application) as world:
            application.deadline = world.host.time
            application.waker()
            world.until(lambda: world.errors)
            world.client(GET % b"a").until(b"GET /a")
            application.waker()
            world.settle()
            assert len(world.errors) == 1
            world.host.time += PAUSE_AFTER_ERROR
            world.until(lambda: len(world.errors) == 2)


class TestMistakes:
    @pytest.mark.parametrize("where", ["data_to_send", "handle_timeout", "close"])
    def test_a_streams_mistake_ends_its_connection_alone(self, where: str) -> None:
        other_stream = Pieces()
        broken = Broken(where, b"first")
        with served(Scripted(lambda request: broken if request.path == "/bad" else other_stream)) as world:
            other = world.client(GET % b"good")
            other.until(b"\r\n\r\n")
            broken.deadline = world.host.time
            client = world.client(GET % b"bad")
            if where == "close":
                client.until(b"first")
                vanish(client)
            else:
                client.until_end()
            world.until(lambda: broken.closed)
            other_stream.feed(b"still here")
            other.until(b"still here")
            assert len(world.errors) == 1

    @pytest.mark.parametrize("when", ["data_to_send", "receive_data"])
    def test_a_mistake_of_our_own_is_reported_and_ends_the_connection(
        self, monkeypatch: pytest.MonkeyPatch, when: str
    ) -> None:
        def raises(*_: object) -> None:
            raise RuntimeError("a mistake")

        with served(Scripted(echo)) as world:
            client = world.client()
            world.settle()
            monkeypatch.setattr(f"sse_http.ServerConnection.{when}", raises)
            client.send(GET % b"")
            client.until_end()
            assert [str(error) for error in world.errors] == ["a mistake"]

    def test_so_is_one_at_the_very_beginning(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def raises(*_: object) -> None:
            raise RuntimeError("a mistake")

        with served(Scripted(echo), max_connections=1) as world:
            with monkeypatch.context() as patch:
                patch.setattr("sse_io.transport.Transport.receive_now", raises)
                world.client(GET % b"").until_end()
            assert [str(error) for error in world.errors] == ["a mistake"]
            assert not world.loop.connections
            world.client(GET % b"a").until(b"GET /a")

    def test_and_one_at_the_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def raises(*_: object) -> None:
            raise RuntimeError("a mistake")

        with served(Scripted(echo), max_connections=1) as world:
            client = world.client(GET % b"a")
            client.until(b"GET /a")
            with monkeypatch.context() as patch:
                patch.setattr("sse_http.ServerConnection.connection_lost", raises)
                client.send(GET % b"a")
                client.sock.close()
                world.until(lambda: not world.loop.connections)
            world.client(GET % b"b").until(b"GET /b")

    def test_a_peer_that_vanishes(self) -> None:
        stream = Pieces()
        with served(Scripted(stream)) as world:
            client = world.client(GET % b"")
            client.until(b"\r\n\r\n")
            vanish(client)
            stream.feed(b"to nobody")
            world.until(lambda: stream.closed)
            assert world.errors == []

    def test_whose_end_is_seen_in_sending_first(self) -> None:
        stream = Pieces()
        with served(Scripted(stream)) as world:
            client = world.client(GET % b"")
            client.until(b"\r\n\r\n")
            vanish(client)
            stream.feed(b"to nobody")
            stream.feed(b"to nobody")
            stream.feed(b"to nobody")
            assert stream.closed


class TestAccepting:
    def test_more_than_max_connections_are_closed_at_once(self) -> None:
        with served(Scripted(echo), max_connections=2) as world:
            first, second = world.client(GET % b"1"), world.client(GET % b"2")
            first.until(b"GET /1")
            second.until(b"GET /2")
            world.client(GET % b"3").until_end()
            assert [str(error) for error in world.errors] == [
                "closed a connection: there are max_connections=2 already"
            ]
            assert isinstance(world.errors[0], ServerLimit)
            first.sock.close()
            world.settle()
            world.client(GET % b"4").until(b"GET /4")

    def test_a_place_that_is_free_again_is_no_end(self) -> None:
        with served(Scripted(echo)) as world:
            client = world.client(GET % b"1")
            client.until(b"GET /1")
            client.sock.close()
            world.until(lambda: not world.loop.connections)
            assert not world.is_finished()

    def test_so_many_have_their_turn(self) -> None:
        with served(Scripted(echo)) as world:
            sockets = [socket.create_connection(world.address) for _ in range(ACCEPTS_IN_A_ROW + 3)]
            world.loop.step(world.host.time, 1.0)
            assert world.loop.connections == ACCEPTS_IN_A_ROW
            world.settle()
            assert world.loop.connections == ACCEPTS_IN_A_ROW + 3
            for sock in sockets:
                sock.close()

    def exhausted(self, monkeypatch: pytest.MonkeyPatch, tries: list[float], world: Served) -> None:
        def fails(_: socket.socket) -> Any:
            tries.append(world.host.time)
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        monkeypatch.setattr(socket.socket, "accept", fails)

    def test_when_files_have_run_out_the_listener_is_left_alone(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It stays readable: whoever tried again at once would spin, and say so for ever."""
        tries: list[float] = []
        with served(Scripted(echo)) as world:
            accept = socket.socket.accept
            self.exhausted(monkeypatch, tries, world)
            client = world.client(GET % b"a")
            for _ in range(20):
                world.loop.step(world.host.time, 0.001)
            assert len(tries) == 1
            assert world.loop.deadline == world.host.time + PAUSE
            for count in (2, 3):
                world.host.time += PAUSE
                world.settle()
                assert len(tries) == count
            assert [str(error) for error in world.errors] == [
                "no connection can be accepted for now: Too many open files"
            ]
            monkeypatch.setattr(socket.socket, "accept", accept)
            world.host.time += PAUSE
            client.until(b"GET /a")
            self.exhausted(monkeypatch, tries, world)
            world.client()
            world.settle()
            assert len(world.errors) == 2, "it is said anew when it comes back"

    def test_with_no_file_left_in_truth(self) -> None:
        resource = pytest.importorskip("resource")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with served(Scripted(echo)) as world:
            client = world.client(GET % b"a")
            kept = [client.sock.dup()]
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(sock.fileno() for sock in kept) + 1, hard))
            try:
                use_up_files(client.sock, kept)
                world.settle()
                assert [type(error) for error in world.errors] == [ServerLimit]
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
                for sock in kept:
                    sock.close()
            world.host.time += PAUSE
            client.until(b"GET /a")

    def test_who_has_gone_before_it_was_accepted_is_passed_over(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        accept = socket.socket.accept
        left = [OSError(errno.ECONNABORTED, "gone")]

        def flaky(sock: socket.socket) -> Any:
            if left:
                raise left.pop()
            return accept(sock)

        monkeypatch.setattr(socket.socket, "accept", flaky)
        with served(Scripted(echo)) as world:
            world.client(GET % b"a").until(b"GET /a")
            assert world.errors == []

    def test_a_listener_is_closed_once(self) -> None:
        with reactor_of(TinyHost()) as reactor, socket.create_server(("127.0.0.1", 0)) as sock:
            acceptor = Acceptor(reactor, sock, lambda *_: None)
            acceptor.end(0.0)
            acceptor.end(0.0)
            assert sock.fileno() == -1

    def test_a_connection_that_cannot_be_set_up_takes_no_place(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def raises(*_: object) -> None:
            raise RuntimeError("a mistake")

        with served(Scripted(echo), max_connections=1) as world:
            with monkeypatch.context() as patch:
                patch.setattr("sse_io.readiness_loop.set_options", raises)
                world.client().until_end()
            assert [str(error) for error in world.errors] == ["a mistake"]
            world.client(GET % b"a").until(b"GET /a")


class Farewell(Scripted):
    """It has something to say in the end."""

    def __init__(self, stream: Pieces) -> None:
        super().__init__(stream)
        self.closed = 0
        self._stream = stream

    def close(self, now: float) -> None:
        del now
        self.closed += 1
        self._stream.feed(b"the end", end=StreamState.FINISHED)


class TestTheEnd:
    def test_what_is_being_answered_is_answered_and_then_it_is_finished(self) -> None:
        stream = Pieces()
        application = Farewell(stream)
        with served(application) as world:
            client = world.client(GET % b"")
            idle = world.client()
            client.until(b"\r\n\r\n")
            assert not world.is_finished()
            world.loop.shut_down(world.host.time)
            world.loop.shut_down(world.host.time)
            assert application.closed == 1
            assert client.until_end().endswith(b"the end\r\n0\r\n\r\n")
            idle.until_end()
            with pytest.raises(ConnectionRefusedError):
                world.client()
            assert world.is_finished()
            assert world.loop.deadline == -math.inf

    def test_the_host_is_woken_when_the_last_one_ends_outside_a_step(self) -> None:
        stream = Pieces()
        with served(Scripted(stream)) as world:
            world.client(GET % b"").until(b"\r\n\r\n")
            world.loop.shut_down(world.host.time)
            looks = world.host.looks
            stream.feed(end=StreamState.FINISHED)
            assert world.is_finished()
            assert world.host.looks > looks

    def test_who_has_no_end_is_cut_when_it_is_closed(self) -> None:
        stream = Pieces()
        with served(Scripted(stream)) as world:
            client = world.client(GET % b"")
            client.until(b"\r\n\r\n")
            world.loop.shut_down(world.host.time)
            world.settle()
            assert not stream.closed
            world.loop.close(world.host.time)
            world.loop.close(world.host.time)
            client.look()
            assert client.ended
            assert not client.received.endswith(b"0\r\n\r\n")
            assert len(stream.closed) == 1
            stream.feed(b"to nobody")

    def test_an_application_that_makes_a_mistake_in_its_end(self) -> None:
        class Wrong(Scripted):
            def close(self, now: float) -> None:
                raise RuntimeError(f"a mistake at {now}")

        with served(Wrong(echo)) as world:
            client = world.client()
            world.settle()
            world.loop.close(world.host.time)
            client.look()
            assert client.ended
            assert len(world.errors) == 1

    def test_no_file_is_left_open(self) -> None:
        before = len(list(Path("/proc/self/fd").iterdir()))
        with served(Scripted(Pieces())) as world:
            for _ in range(10):
                world.client(GET % b"").until(b"\r\n\r\n")
        assert len(list(Path("/proc/self/fd").iterdir())) == before


class Draining(Farewell):
    """An application that notes when it was told of its end."""

    def __init__(self, stream: Pieces) -> None:
        super().__init__(stream)
        self.told = 0

    def drain(self, now: float) -> None:
        del now
        self.told += 1


class TestDraining:
    def test_what_is_being_answered_goes_on_for_a_while(self) -> None:
        stream = Pieces()
        application = Draining(stream)
        with served(application) as world:
            client = world.client(GET % b"")
            client.until(b"\r\n\r\n")
            world.loop.shut_down(world.host.time, 10.0)
            stream.feed(b"meanwhile")
            client.until(b"meanwhile")
            assert (application.told, application.closed) == (1, 0)
            assert world.loop.deadline == world.host.time + 10.0
            world.host.time += 9.9
            world.settle()
            assert application.closed == 0
            world.host.time += 0.1
            assert client.until_end().endswith(b"the end\r\n0\r\n\r\n")
            assert (application.told, application.closed) == (1, 1)
            assert world.is_finished()
            assert world.loop.deadline == -math.inf

    def test_it_is_over_as_soon_as_nothing_is_left(self) -> None:
        stream = Pieces()
        application = Draining(stream)
        with served(application) as world:
            client = world.client(GET % b"")
            client.until(b"\r\n\r\n")
            world.loop.shut_down(world.host.time, 10.0)
            stream.feed(b"whole", end=StreamState.FINISHED)
            client.until_end()
            assert world.is_finished()
            assert application.closed == 0
            world.loop.close(world.host.time)
            assert application.closed == 1

    def test_to_say_it_again_makes_it_shorter(self) -> None:
        application = Draining(Pieces())
        with served(application) as world:
            world.client(GET % b"").until(b"\r\n\r\n")
            world.loop.shut_down(world.host.time, 10.0)
            world.loop.shut_down(world.host.time, 5.0)
            world.loop.shut_down(world.host.time, 20.0)
            assert world.loop.deadline == world.host.time + 5.0
            world.loop.shut_down(world.host.time)
            assert (application.told, application.closed) == (1, 1)
            world.loop.shut_down(world.host.time, 5.0)
            assert application.closed == 1

    def test_an_applications_own_deadline_is_kept(self) -> None:
        application = Draining(Pieces())
        with served(application) as world:
            world.client(GET % b"").until(b"\r\n\r\n")
            application.deadline = world.host.time + 1.0
            world.loop.shut_down(world.host.time, 10.0)
            assert world.loop.deadline == world.host.time + 1.0

    def test_who_has_come_before_the_end_is_let_in(self) -> None:
        """Closing the listener would reset a connection that the system has made already."""
        with served(Scripted(echo)) as world:
            client = world.client(GET % b"x")
            world.loop.shut_down(world.host.time)
            assert b"GET /x" in client.until_end()
            assert not client.was_reset

    def test_nor_is_anybody_when_all_is_closed_at_once(self) -> None:
        """Nobody could run his handler any more."""
        application = Scripted(echo)
        with served(application) as world:
            client = world.client(GET % b"x")
            world.loop.close(world.host.time)
            assert not application.requests
            client.look()
            assert client.ended

    def test_but_not_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sse_io.acceptor._MOST_OF_A_REST", 2)
        with served(Scripted(echo)) as world:
            clients = [world.client(GET % b"x") for _ in range(3)]
            world.loop.shut_down(world.host.time)
            assert [b"GET /x" in client.until_end() for client in clients] == [True, True, False]


class TestHostsOwnWatching:
    """Where no selector can be watched, the host watches each socket."""

    class Watcher:
        """The least that a host can do: to say that everybody is ready all the time."""

        def __init__(self) -> None:
            self.watched: dict[Any, int] = {}
            self.closed = False

        def watch(self, owner: Any, interest: int) -> None:
            self.watched[owner] = interest

        def take_ready(self, wait: float) -> list[tuple[Any, int]]:
            del wait
            return [(owner, interest) for owner, interest in self.watched.items() if interest]

        def close(self) -> None:
            self.closed = True

    def test_it_serves(self) -> None:
        watcher = self.Watcher()
        with served(Scripted(echo), watcher=watcher) as world:
            client = world.client(GET % b"a")
            for _ in range(1000):
                world.step()
            client.look()
            assert b"GET /a" in client.received
            with pytest.raises(AssertionError, match="the host watches"):
                world.loop.fileno()
        assert watcher.closed
        assert not any(watcher.watched.values())

    def test_else_there_is_one_descriptor_for_all(self) -> None:
        errors: list[Exception] = []
        loop = ReadinessLoop(Scripted(), TinyHost(), on_error=errors.append)
        assert loop.fileno() >= 0
        loop.close(0.0)


def test_a_pump_that_has_ended_is_called_in_vain() -> None:
    """A reactor calls whom it has put into a batch before; a stream wakes whom it knew."""
    ended: list[ServerPump] = []
    ours, theirs = socket.socketpair()
    with reactor_of(TinyHost()) as reactor, theirs:
        connection = ServerConnection(Scripted(), 0.0)
        pump = ServerPump(reactor, Transport(ours), connection, ended.append)
        waker = connection.waker
        pump.end(0.0)
        pump.end(0.0)
        pump.go_on(0.0)
        waker()
        assert reactor.deadline == math.inf
        assert theirs.recv(1) == b""
    assert ended == [pump]
