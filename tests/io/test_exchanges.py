"""Exchanges with upstreams: what they wish is done, by the loop and its host."""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from sse_core.lifecycle.machine import Want
from sse_http import Endpoint
from sse_io.connector import Connector
from sse_io.exchange_driver import ExchangeDriver
from tests.io.support import (
    Caller,
    Certificates,
    Script,
    Served,
    TinyHost,
    free_port,
    listener,
    reactor_of,
    served,
    until_made,
)


@contextlib.contextmanager
def accepted(world: Served, server: socket.socket) -> Iterator[socket.socket]:
    """The next connection, as its peer sees it."""
    server.settimeout(0)
    found: list[socket.socket] = []

    def accept() -> bool:
        with contextlib.suppress(BlockingIOError):
            found.append(server.accept()[0])
        return bool(found)

    world.until(accept)
    with found[0] as peer:
        peer.settimeout(0)
        yield peer


def received(world: Served, peer: socket.socket, size: int) -> bytes:
    """So many bytes, or what came before the end."""
    data = bytearray()

    def receive() -> bool:
        with contextlib.suppress(BlockingIOError):
            piece = peer.recv(1_000_000)
            data.extend(piece)
            return not piece or len(data) >= size
        return False

    world.until(receive)
    return bytes(data)


def vanish(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


class TestOneExchange:
    def test_from_the_wish_to_the_end(self) -> None:
        with listener() as (server, endpoint), served(Caller(script := Script(endpoint))) as world:
            with accepted(world, server) as peer:
                assert received(world, peer, 5) == b"hello"
                peer.send(b"answer")
                world.until(lambda: script.received == b"answer")
            world.until(lambda: script.want is Want.NOTHING)
            assert script.happened == ["connected", "received", "eof", "closed"]
            assert not world.loop.exchanges

    def test_over_tls(self, certificates: Certificates) -> None:
        with listener() as (server, where):
            script = Script(Endpoint("localhost", where.port, tls=True))
            with served(Caller(script), upstream_tls=certificates.client) as world:
                world.host.resolve_with = lambda _, port: socket.getaddrinfo("127.0.0.1", port)
                with accepted(world, server) as peer:
                    tls = certificates.server.wrap_socket(
                        peer, server_side=True, do_handshake_on_connect=False
                    )

                    def shake() -> bool:
                        with contextlib.suppress(ssl.SSLWantReadError):
                            tls.do_handshake()
                            return True
                        return False

                    with tls:
                        world.until(shake)
                        tls.send(b"with the end of the handshake")
                        world.until(lambda: script.received == b"with the end of the handshake")
                        assert tls.recv(10) == b"hello"
                world.until(lambda: script.want is Want.NOTHING)

    def test_a_certificate_of_a_stranger_is_refused(self, certificates: Certificates) -> None:
        with listener() as (server, where):
            script = Script(Endpoint("127.0.0.1", where.port, tls=True))
            with served(Caller(script)) as world, accepted(world, server) as peer:
                tls = certificates.server.wrap_socket(peer, server_side=True, do_handshake_on_connect=False)

                def shake() -> bool:
                    with contextlib.suppress(ssl.SSLError):
                        tls.do_handshake()
                    return script.want is Want.NOTHING

                with tls:
                    world.until(shake)
        [lost] = script.happened
        assert "certificate is refused" in lost
        assert lost.endswith("False")

    def test_a_peer_that_closes_amid_the_handshake(self) -> None:
        with listener() as (server, where):
            script = Script(Endpoint("127.0.0.1", where.port, tls=True))
            with served(Caller(script)) as world:
                with accepted(world, server) as peer:
                    received(world, peer, 100)
                world.until(lambda: script.want is Want.NOTHING)
        [lost] = script.happened
        assert lost.startswith("lost: ")
        assert lost.endswith("True")

    def test_a_name_that_no_certificate_can_be_checked_for(self) -> None:
        script = Script(Endpoint("", 1, tls=True))
        with served(Caller(script)) as world:
            world.until(lambda: script.want is Want.NOTHING)
        assert script.happened == ["lost: '' is not a name that a certificate can be checked for, False"]

    def test_a_unix_socket(self, tmp_path: Path) -> None:
        path = str(tmp_path / "socket")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()
            with served(Caller(script := Script(Endpoint("localhost", 80, unix_path=path)))) as world:
                with accepted(world, server) as peer:
                    assert received(world, peer, 5) == b"hello"
                world.until(lambda: script.want is Want.NOTHING)

    def test_nobody_is_there(self) -> None:
        script = Script(Endpoint("127.0.0.1", free_port()))
        with served(Caller(script)) as world:
            world.until(lambda: script.want is Want.NOTHING)
        assert script.happened == ["lost: Connection refused, True"]

    def test_who_drives_one_by_itself_may_ask_why(self) -> None:
        script = Script(Endpoint("127.0.0.1", free_port()))
        with reactor_of(host := TinyHost()) as reactor:
            connector = Connector(reactor, host.resolve, 60.0)
            driver = ExchangeDriver(reactor, connector, script, ssl.create_default_context, lambda _: None)
            assert driver.problem is None
            driver.wake()
            while not driver.ended:
                reactor.step(host.time, 0.01)
            assert str(driver.problem) == "Connection refused"

    @pytest.mark.parametrize("host", ["nowhere.invalid", "x" * 70 + "\udc00"])
    def test_a_name_that_is_none(self, host: str) -> None:
        script = Script(Endpoint(host, 80))
        with served(Caller(script)) as world:
            world.until(lambda: script.want is Want.NOTHING)
        assert script.happened[0].startswith("lost: ")
        assert script.happened[0].endswith("False")

    def test_another_attempt_may_follow_at_once(self) -> None:
        script = Script(Endpoint("127.0.0.1", free_port()))
        script.after["lost"] = Want.CONNECT
        with served(Caller(script)) as world:
            world.until(lambda: len(script.happened) == 2)
            script.after["lost"] = Want.NOTHING
            world.until(lambda: script.want is Want.NOTHING)

    def test_a_connection_that_breaks(self) -> None:
        with listener() as (server, endpoint), served(Caller(script := Script(endpoint))) as world:
            with accepted(world, server) as peer:
                received(world, peer, 5)
                vanish(peer)
            world.until(lambda: script.want is Want.NOTHING)
        assert script.happened == ["connected", "lost: receiving failed: Connection reset by peer, True"]


class TestRoom:
    def test_a_large_request_goes_out_while_the_answer_is_read(self) -> None:
        with listener() as (server, endpoint):
            script = Script(endpoint, b"x" * 20_000_000)
            with served(Caller(script)) as world, accepted(world, server) as peer:
                world.until(lambda: "connected" in script.happened)
                peer.send(b"early")
                world.until(lambda: script.received == b"early")
                assert len(received(world, peer, 20_000_000)) == 20_000_000

    def test_an_answer_to_what_was_not_read_is_read(self) -> None:
        with listener() as (server, endpoint):
            script = Script(endpoint, b"x" * 20_000_000)
            with served(Caller(script)) as world:
                with accepted(world, server) as peer:
                    world.until(lambda: "connected" in script.happened)
                    peer.send(b"no, thanks")
                    world.until(lambda: script.received == b"no, thanks")
                    vanish(peer)
                world.until(lambda: script.want is Want.NOTHING)
        assert script.happened[:2] == ["connected", "received"], "that sending failed is no failure"

    def test_whoever_pauses_is_not_read_from_and_wakes_nobody(self) -> None:
        with listener() as (server, endpoint), served(Caller(script := Script(endpoint))) as world:
            script.after["received"] = Want.PAUSE
            with accepted(world, server) as peer:
                received(world, peer, 5)
                peer.send(b"one")
                world.until(lambda: script.received == b"one")
                peer.send(b"two")
                vanish(peer)
                world.settle()
                assert script.received == b"one"
            script.after.clear()
            script.want = Want.READ
            script.waker()
            world.until(lambda: script.want is Want.NOTHING)
        assert script.happened[-1].startswith("lost: receiving failed")

    def test_what_is_left_of_a_request_goes_out_in_a_pause(self) -> None:
        with listener() as (server, endpoint):
            script = Script(endpoint, b"x" * 5_000_000)
            script.after["connected"] = Want.PAUSE
            with served(Caller(script)) as world, accepted(world, server) as peer:
                assert len(received(world, peer, 5_000_000)) == 5_000_000


class TestTime:
    def test_what_came_while_nobody_looked_is_no_silence(self) -> None:
        with (
            listener() as (server, endpoint),
            served(Caller(script := Script(endpoint))) as world,
            accepted(world, server) as peer,
        ):
            received(world, peer, 5)
            script.deadline = world.host.time + 5
            script.waker()
            world.settle()

            peer.send(b"here")
            receive = script.receive_data

            def receive_data(data: bytes, now: float) -> None:
                receive(data, now)
                script.deadline = now + 5

            script.receive_data = receive_data  # type: ignore[method-assign]
            world.host.time += 10
            world.until(lambda: script.received == b"here")
            assert "timeout" not in script.happened
            world.host.time += 5
            world.until(lambda: script.want is Want.NOTHING)
        assert script.happened == ["connected", "received", "timeout", "closed"]

    def test_nor_is_its_loss(self) -> None:
        with listener() as (server, endpoint), served(Caller(script := Script(endpoint))) as world:
            with accepted(world, server) as peer:
                received(world, peer, 5)
                script.deadline = world.host.time + 5
                script.waker()
                world.settle()
                vanish(peer)
            world.host.time += 10
            world.until(lambda: script.want is Want.NOTHING)
        assert "timeout" not in script.happened[1:2]
        assert script.happened[1].startswith("lost: ")

    def test_a_deadline_amid_connecting(self) -> None:
        script = Script(Endpoint("slow.example", 80))
        script.deadline = 1005.0
        with served(Caller(script)) as world:
            world.host.resolve_with = None
            world.settle()
            assert len(world.host.resolving) == 1
            world.host.time = 1005.0
            world.until(lambda: script.want is Want.NOTHING)
            assert world.host.cancelled == 1
        assert script.happened == ["timeout", "closed"]

    def test_a_deadline_amid_the_handshake(self) -> None:
        with listener() as (server, where):
            script = Script(Endpoint("127.0.0.1", where.port, tls=True))
            script.deadline = 1005.0
            script.after["timeout"] = Want.WAIT
            with served(Caller(script)) as world, accepted(world, server) as peer:
                received(world, peer, 100)
                world.host.time = 1005.0
                world.until(lambda: script.happened == ["timeout"])
                assert received(world, peer, 1_000_000) == b"", "the peer sees the end"


class TestWakes:
    def test_waking_amid_connecting_does_not_begin_again(self) -> None:
        script = Script(Endpoint("slow.example", 80))
        with served(Caller(script)) as world:
            world.host.resolve_with = None
            for _ in range(5):
                script.waker()
                world.settle()
            assert len(world.host.resolving) == 1

    def test_who_is_stopped_as_its_connection_opens_sends_nothing(self) -> None:
        with listener() as (server, endpoint), served(Caller(script := Script(endpoint))) as world:
            until_made(world, server)
            script.want = Want.NOTHING
            with accepted(world, server) as peer:
                assert received(world, peer, 1) == b""
        assert script.happened == []

    def test_nor_who_is_ended_then(self) -> None:
        with listener() as (server, endpoint), served(Caller(script := Script(endpoint))) as world:
            until_made(world, server)
            world.loop.close(world.host.time)
            peer, _ = server.accept()
            with peer:
                assert peer.recv(10) == b""
        assert script.happened == []

    def test_or_between_two_looks_at_its_wish(self) -> None:
        with listener() as (server, endpoint), served(Caller(script := Script(endpoint))) as world:
            until_made(world, server)
            script.want = Want.WAIT
            script.waker()
            world.settle()
            with accepted(world, server) as peer:
                assert received(world, peer, 1) == b""
            assert world.loop.exchanges == 1, "it may wish for another"

    def test_a_race_that_nobody_waits_for_is_given_up(self) -> None:
        with listener(backlog=0) as (server, endpoint), contextlib.ExitStack() as stack:
            for _ in range(4):
                filler = stack.enter_context(socket.socket())
                filler.settimeout(0)
                with contextlib.suppress(BlockingIOError):
                    filler.connect(server.getsockname())
            with served(Caller(script := Script(endpoint))) as world:
                world.settle()
                script.want = Want.NOTHING
                script.waker()
                world.until(lambda: not world.loop.exchanges)

    def test_an_exchange_that_changes_its_wish_while_it_is_served(self) -> None:
        """Whoever says so is amid something; the wish is looked at when that is over."""
        with listener() as (server, endpoint), served(Caller(script := Script(endpoint))) as world:
            receive = script.receive_data

            def receive_data(data: bytes, now: float) -> None:
                receive(data, now)
                script.want = Want.CLOSE
                script.waker()

            script.receive_data = receive_data  # type: ignore[method-assign]
            with accepted(world, server) as peer:
                peer.send(b"enough")
                world.until(lambda: script.want is Want.NOTHING)
        assert script.happened == ["connected", "received", "closed"]

    def test_who_has_ended_is_woken_in_vain(self) -> None:
        """A reactor calls whom it has put into a batch before; an exchange wakes whom it knew."""
        ended: list[ExchangeDriver] = []
        script = Script(Endpoint("slow.example", 80))
        with reactor_of(host := TinyHost()) as reactor:
            connector = Connector(reactor, host.resolve, 60.0)
            driver = ExchangeDriver(reactor, connector, script, ssl.create_default_context, ended.append)
            waker = script.waker
            driver.end(host.time)
            driver.end(host.time)
            driver.go_on(host.time)
            waker()
            assert reactor.deadline == math.inf
        assert ended == [driver]
        assert script.happened == []


class TestMistakes:
    def test_the_turn_hears_of_it(self) -> None:
        with listener() as (_, endpoint), served(Caller(script := Script(endpoint))) as world:
            script.raises_in = {"connected"}
            world.until(lambda: script.want is Want.NOTHING)
            assert [str(error) for error in world.errors] == ["a mistake in connected"]
        assert script.happened == ["connected", "lost: the request could not be made, True"]

    def test_one_that_never_ends_is_given_up(self) -> None:
        with listener() as (_, endpoint), served(Caller(script := Script(endpoint))) as world:
            script.raises_in = {"connected", "lost"}
            world.until(lambda: len(world.errors) == 2)
            assert not world.loop.exchanges

    def test_one_exchanges_mistake_is_no_others(self) -> None:
        with listener() as (server, endpoint):
            bad, good = Script(Endpoint("127.0.0.1", free_port())), Script(endpoint)
            bad.raises_in = {"lost"}
            with served(Caller(bad, good)) as world, accepted(world, server) as peer:
                assert received(world, peer, 5) == b"hello"
                assert len(world.errors) >= 1


class TestTheEnd:
    def test_new_exchanges_are_driven_when_they_come_up(self) -> None:
        caller = Caller()
        with listener() as (server, endpoint), served(caller) as world:
            caller.ask(script := Script(endpoint))
            with accepted(world, server) as peer:
                assert received(world, peer, 5) == b"hello"
                world.loop.shut_down(world.host.time)
                assert not world.is_finished(), "a turn goes on until it has ended"
            world.until(world.is_finished)
        assert script.happened == ["connected", "eof", "closed"]

    def test_all_are_closed_at_once(self) -> None:
        before = len(list(Path("/proc/self/fd").iterdir()))
        with listener() as (server, endpoint):
            scripts = [Script(endpoint), Script(Endpoint("slow.example", 80))]
            with served(Caller(*scripts)) as world:
                world.host.resolve_with = None
                with accepted(world, server) as peer:
                    received(world, peer, 5)
                    world.loop.close(world.host.time)
                    assert received(world, peer, 1) == b""
            scripts[0].waker()
        assert len(list(Path("/proc/self/fd").iterdir())) == before
