"""Readers that are slow, that stop reading and that vanish, and the bytes that are in the kernel at once."""

from __future__ import annotations

import contextlib
import time

import pytest
import trio

from sse_core import ServerSentEvent, encode_event
from sse_core.lifecycle import SubscriptionSettings, TurnLog
from sse_http import ServerSettings
from tests.trio_binding.conftest import Certificates
from tests.trio_binding.support import (
    GET,
    POST_ASK,
    Feed,
    Feeds,
    Logged,
    Server,
    client_of,
    eventually,
    fetch,
    provider,
    records,
    serving,
)

PIECE = encode_event("x" * 16_000)


def endless(_: object) -> Feed:
    feed = Feed()
    feed.endless = PIECE
    return feed


class TestReadersThatStop:
    async def test_nothing_is_pulled_for_a_reader_that_does_not_read(self) -> None:
        feed = endless(None)
        async with (
            serving(Feeds(lambda _: feed)) as server,
            client_of(server, GET % b"", receive_buffer=65536) as client,
        ):
            await client.read_until(b"\r\n\r\n")
            pulls = -1
            while feed.pulls != pulls:
                pulls = feed.pulls
                await trio.sleep(0.03)
            for _ in range(100):
                feed.waker()
                await trio.lowlevel.checkpoint()
            assert feed.pulls == pulls
            # The kernel's buffers and one piece: no queue of ours.
            assert feed.pulled_bytes < 8_000_000
            with trio.fail_after(2):
                while feed.pulls == pulls:
                    await client.read(1_000_000)

    async def test_a_blocked_reader_is_not_woken_for_each_event(self) -> None:
        """Waking it costs a task switch and gives nothing: it waits for the kernel."""
        feed = endless(None)
        async with (
            serving(Feeds(lambda _: feed)) as server,
            client_of(server, GET % b"", receive_buffer=65536) as client,
        ):
            await client.read_until(b"\r\n\r\n")
            await trio.testing.wait_all_tasks_blocked(0.05)
            switches = Switches()
            trio.lowlevel.add_instrument(switches)
            for _ in range(50):
                feed.waker()
                await trio.lowlevel.checkpoint()
            trio.lowlevel.remove_instrument(switches)
        assert switches.by_peers == 0

    async def test_the_write_timeout_ends_it(self) -> None:
        feed = endless(None)
        async with (
            serving(Feeds(lambda _: feed), settings=ServerSettings(write_timeout=0.1)) as server,
            client_of(server, GET % b"", receive_buffer=65536) as client,
        ):
            await client.read_until(b"\r\n\r\n")
            with trio.fail_after(2):
                await feed.closed.wait()

    async def test_eviction_ends_it(self) -> None:
        """The reader's own stall comes long before the connection's."""
        log = TurnLog("log", max_bytes=50_000_000)
        application = Logged(log, SubscriptionSettings(stall=0.1))
        async with (
            serving(application) as server,
            client_of(server, GET % b"", receive_buffer=65536) as client,
        ):
            await client.read_until(b"\r\n\r\n")
            for _ in range(1000):
                log.append(ServerSentEvent("message", "x" * 16_000))
            log.announce(trio.current_time())
            await eventually(lambda: application.answers[0].closed)
            with trio.fail_after(1):
                with contextlib.suppress(ConnectionResetError):
                    await client.read_all()
            assert not client.received.endswith(b"0\r\n\r\n")

    async def test_a_slow_reader_gets_every_byte(self) -> None:
        log = TurnLog("log", max_bytes=50_000_000)
        for number in range(250):
            log.append(ServerSentEvent("message", f"<{number}>" + "x" * 16_000))
        log.close(0.0)
        async with (
            serving(Logged(log)) as server,
            client_of(server, GET % b"", receive_buffer=65536) as client,
        ):
            await client.read_until(b"\r\n\r\n")
            await trio.sleep(0.05)
            with trio.fail_after(5):
                await client.read_until(b"0\r\n\r\n")
        assert [client.received.count(b"<%d>" % number) for number in range(250)] == [1] * 250


class Switches(trio.abc.Instrument):
    """Counts how often the server's tasks run."""

    def __init__(self) -> None:
        self.by_peers = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.by_peers += "Peer" in task.name


@pytest.mark.usefixtures("no_leak")
class TestReadersThatVanish:
    @pytest.mark.parametrize("how", ["reset", "close"])
    @pytest.mark.parametrize("when", ["idle", "sending", "blocked", "before the head"])
    async def test_the_stream_is_closed_at_once(self, how: str, when: str) -> None:
        feed = endless(None) if when in {"sending", "blocked"} else Feed()
        if when == "before the head":
            feed.head = None
        feeds = Feeds(lambda _: feed)
        async with (
            serving(feeds) as server,
            client_of(server, GET % b"", receive_buffer=65536) as client,
        ):
            await eventually(lambda: feeds.requests)
            if when == "blocked":
                await trio.sleep(0.05)
            elif when == "sending":
                await client.read(100_000)
            getattr(client, how)()
            gone = trio.current_time()
            with trio.fail_after(2):
                await feed.closed.wait()
            assert trio.current_time() - gone < 0.1

    async def test_a_tls_reader_that_vanishes(self, certificates: Certificates) -> None:
        feeds = Feeds()
        async with serving(feeds, tls=certificates.server) as server:
            tcp = await trio.open_tcp_stream("127.0.0.1", server.port)
            stream = trio.SSLStream(tcp, certificates.client, server_hostname="localhost")
            await stream.send_all(GET % b"")
            await stream.receive_some()
            await tcp.aclose()
            gone = trio.current_time()
            with trio.fail_after(2):
                await feeds.streams[0].closed.wait()
            assert trio.current_time() - gone < 0.1

    async def test_the_providers_record_shows_it(self) -> None:
        application = provider(tokens=1000, rate=100, ttft=0)
        async with serving(application) as server, client_of(server, POST_ASK) as client:
            await client.read_until(b"text_delta")
            client.reset()
            await eventually(lambda: records(application)[0]["state"] == "aborted", 0.2)
            tokens = records(application)[0]["tokens"]
            await trio.sleep(0.05)
            assert records(application)[0]["tokens"] == tokens


class TestPushing:
    async def test_bytes_are_in_the_kernel_when_the_waker_returns(self) -> None:
        """No task has run between the two: the test waits with select, not with trio."""
        feeds = Feeds()
        async with serving(feeds) as server, client_of(server, GET % b"") as client:
            await client.read_until(b"\r\n\r\n")
            await trio.testing.wait_all_tasks_blocked()
            for number in range(5):
                feeds.streams[0].send(encode_event(f"<{number}>"))
                assert f"<{number}>".encode() in client.in_kernel()
            feeds.streams[0].end()
            assert client.in_kernel() == b"0\r\n\r\n"

    async def test_one_event_is_in_every_readers_kernel(self) -> None:
        log = TurnLog("log")
        async with serving(Logged(log)) as server, trio.open_nursery() as nursery:
            clients = []

            async def read(*, task_status: trio.TaskStatus[None]) -> None:
                async with client_of(server, GET % b"") as client:
                    await client.read_until(b"\r\n\r\n")
                    clients.append(client)
                    task_status.started()
                    await trio.sleep_forever()

            for _ in range(20):
                await nursery.start(read)
            log.append(ServerSentEvent("message", "to all"))
            log.announce(trio.current_time())
            assert all(b"to all" in client.in_kernel() for client in clients)
            nursery.cancel_scope.cancel()

    async def test_all_of_what_is_there_is_sent_in_the_end(self) -> None:
        """More than goes out in a row, to a reader that has room for it: nobody else wakes for it."""
        log = TurnLog("log")
        application = Logged(log, SubscriptionSettings(heartbeat=10.0))
        async with serving(application) as server, client_of(server, GET % b"") as client:
            await client.read_until(b"\r\n\r\n")
            await trio.testing.wait_all_tasks_blocked()
            for number in range(50):
                log.append(ServerSentEvent("message", f"<{number}>" + "x" * 10_000))
            log.announce(trio.current_time())
            with trio.fail_after(1):
                await client.read_until(b"<49>")

    async def test_a_stream_that_wakes_while_it_is_pulled(self) -> None:
        feeds = Feeds()
        async with serving(feeds) as server, client_of(server, GET % b"") as client:
            await client.read_until(b"\r\n\r\n")
            feed = feeds.streams[0]
            pull = feed.data_to_send

            def pull_and_wake(now: float) -> bytes:
                feed.waker()
                return pull(now)

            feed.data_to_send = pull_and_wake  # type: ignore[method-assign]
            feed.send(encode_event("once"))
            assert client.in_kernel().count(b"once") == 1


class TestFairness:
    async def test_others_are_served_while_some_send_without_end(self) -> None:
        """Four readers at full speed; a fifth client's short requests."""
        latencies = []

        async def read_on(server: Server, *, task_status: trio.TaskStatus[None]) -> None:
            async with client_of(server, POST_ASK) as client:
                await client.read()
                task_status.started()
                while True:
                    client.received = b""
                    await client.read(1_000_000)

        async with (
            serving(provider(tokens=5_000_000, rate=0, ttft=0)) as server,
            trio.open_nursery() as nursery,
        ):
            for _ in range(4):
                await nursery.start(read_on, server)
            for _ in range(10):
                began = time.perf_counter()
                assert b'"ok"' in await fetch(server, "healthz")
                latencies.append(time.perf_counter() - began)
            nursery.cancel_scope.cancel()
        assert sorted(latencies)[5] < 0.3  # 0.04 measured; 0.6 when each of them sent 1 MB in a row
