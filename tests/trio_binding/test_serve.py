"""``serve``: connections from their first byte to their last."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import trio

import sse_trio
from sse_core import encode_event
from sse_core.errors import RemoteProtocolError
from sse_core.lifecycle import SubscriptionSettings, TurnLog, Upstream
from sse_http import Reply, Request, ServerSettings, StreamState
from tests.trio_binding.conftest import Certificates
from tests.trio_binding.support import (
    ASK,
    GET,
    Addresses,
    Asking,
    Client,
    Feed,
    Feeds,
    Logged,
    client_of,
    events_of,
    eventually,
    fetch,
    numbered_log,
    provider,
    serving,
)


def hello(request: Request) -> Reply:
    return Reply.json(200, {"path": request.path})


class TestEvents:
    async def test_each_piece_arrives_before_the_next_is_there(self) -> None:
        feeds = Feeds()
        async with serving(feeds) as server, client_of(server, GET % b"") as client:
            await client.read_until(b"\r\n\r\n")
            for number in range(20):
                feeds.streams[0].send(encode_event(f"<{number}>"))
                await client.read_until(f"<{number}>".encode())
            feeds.streams[0].end()
            assert events_of(await client.read_until(b"0\r\n\r\n")) == [f"<{number}>" for number in range(20)]

    @pytest.mark.parametrize("scheme", ["http", "https"])
    async def test_a_providers_tokens_come_at_its_rate(self, certificates: Certificates, scheme: str) -> None:
        tls, trust = (certificates.server, certificates.client) if scheme == "https" else (None, None)
        arrived = []
        async with serving(provider(tokens=20, rate=100, ttft=0), tls=tls) as server:
            url = server.url + "v1/messages"
            async with sse_trio.connect(url, method="POST", body=ASK, tls=trust) as source:
                async for event in source:
                    if event.type == "content_block_delta":
                        arrived.append(trio.current_time())
                    if event.type == "message_stop":
                        break
        assert len(arrived) == 20
        assert arrived[-1] - arrived[0] == pytest.approx(0.19, abs=0.1)
        gaps = [later - earlier for earlier, later in pairwise(arrived)]
        assert sum(gap > 0.003 for gap in gaps) >= 12, "most come on their own, not in heaps"

    async def test_a_stream_that_learns_its_head_late(self) -> None:
        feed = Feed(head=None)
        async with serving(Feeds(lambda _: feed)) as server, client_of(server, GET % b"") as client:
            await trio.testing.wait_all_tasks_blocked(0.01)
            feed.head = Reply.json(418, {})
            feed.waker()
            assert (await client.read_until(b"{}")).startswith(b"HTTP/1.1 418 ")

    async def test_a_stream_that_aborts_cuts_the_connection(self) -> None:
        feeds = Feeds()
        async with serving(feeds) as server, client_of(server, GET % b"") as client:
            await client.read_until(b"\r\n\r\n")
            feeds.streams[0].send(encode_event("half"))
            feeds.streams[0].end(StreamState.ABORTED)
            assert not (await client.read_all()).endswith(b"0\r\n\r\n")
            assert feeds.streams[0].closed.is_set()


class TestEnds:
    """HTTP/1.0 has no chunks: a body ends with its connection, so a cut must not look like an end."""

    OLD = b"GET / HTTP/1.0\r\nhost: localhost\r\n\r\n"

    @pytest.mark.parametrize("state", [StreamState.FINISHED, StreamState.ABORTED])
    async def test_over_tcp(self, state: StreamState) -> None:
        feeds = Feeds()
        async with serving(feeds) as server, client_of(server, self.OLD) as client:
            await client.read_until(b"\r\n\r\n")
            feeds.streams[0].send(encode_event("whole"))
            feeds.streams[0].end(state)
            if state is StreamState.FINISHED:
                await client.read_all()
            else:
                with pytest.raises(ConnectionResetError):
                    await client.read_all()
        assert client.received.endswith(b"\r\n\r\ndata: whole\n\n")

    @pytest.mark.parametrize("state", [StreamState.FINISHED, StreamState.ABORTED])
    @pytest.mark.parametrize("request_line", [b"1.0", b"1.1\r\nconnection: close"])
    async def test_over_tls(
        self, certificates: Certificates, state: StreamState, request_line: bytes
    ) -> None:
        feeds = Feeds()
        async with serving(feeds, tls=certificates.server) as server:
            tcp = await trio.open_tcp_stream(server.host, server.port)
            stream = trio.SSLStream(tcp, certificates.client, server_hostname="localhost")
            async with tcp:
                await stream.send_all(self.OLD.replace(b"1.0", request_line))
                await stream.receive_some()
                feeds.streams[0].send(encode_event("whole"))
                feeds.streams[0].end(state)
                if state is StreamState.FINISHED:
                    await receive_all(stream)
                else:
                    with pytest.raises(trio.BrokenResourceError):
                        await receive_all(stream)


async def receive_all(stream: trio.SSLStream[trio.SocketStream]) -> None:
    while await stream.receive_some():
        pass


class TestConnections:
    async def test_one_connection_serves_many_requests(self) -> None:
        async with serving(Feeds(hello)) as server, client_of(server) as client:
            for path in (b"a", b"b", b"c"):
                await client.send(GET % path)
                await client.read_until(b'{"path":"/%b"}' % path)

    async def test_a_stream_may_be_followed_by_a_request(self) -> None:
        async with serving(Logged(numbered_log(3))) as server, client_of(server) as client:
            for count in (1, 2, 3):
                await client.send(GET % b"")
                await eventually_read(client, b"0\r\n\r\n", count)

    async def test_pipelined_requests_are_answered_in_order(self) -> None:
        async with (
            serving(Feeds(hello)) as server,
            client_of(server, b"".join(GET % b"%d" % number for number in range(50))) as client,
        ):
            await client.read_until(b'{"path":"/49"}')
        found = [client.received.index(b'{"path":"/%d"}' % number) for number in range(50)]
        assert found == sorted(found)

    async def test_pipelined_streams_are_answered_too(self) -> None:
        """The second one has all its bytes from the start and will never wake anybody."""
        async with serving(Logged(numbered_log(3))) as server, client_of(server, GET % b"" * 5) as client:
            await eventually_read(client, b"0\r\n\r\n", 5)

    async def test_half_a_request_and_the_other_half(self) -> None:
        async with serving(Feeds(hello)) as server, client_of(server) as client:
            for byte in GET % b"x":
                await client.send(bytes([byte]))
                await trio.lowlevel.checkpoint()
            await client.read_until(b'{"path":"/x"}')

    async def test_more_than_max_connections_are_closed_at_once(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with (
            serving(Feeds(), max_connections=2) as server,
            client_of(server, GET % b"") as first,
            client_of(server, GET % b"") as second,
        ):
            await first.read_until(b"200")
            await second.read_until(b"200")
            async with client_of(server) as third:
                assert await third.read_all() == b""
            first.close()
            await trio.sleep(0.02)
            async with client_of(server, GET % b"") as fourth:
                await fourth.read_until(b"200")
        assert "max_connections=2" in caplog.text

    @pytest.mark.usefixtures("no_leak")
    async def test_thousands_of_short_connections(self) -> None:
        answered = 0

        async def ask_often(server: Any) -> None:
            nonlocal answered
            for _ in range(60):
                assert b'{"path":"/"}' in await fetch(server)
                answered += 1

        async with serving(Feeds(hello)) as server, trio.open_nursery() as nursery:
            for _ in range(40):
                nursery.start_soon(ask_often, server)
        assert answered == 2400

    @pytest.mark.usefixtures("no_leak")
    async def test_many_idle_streams_with_heartbeats(self) -> None:
        log = TurnLog("idle")
        settings = SubscriptionSettings(heartbeat=0.1)

        async def sit(server: Any, *, task_status: trio.TaskStatus[None]) -> None:
            async with client_of(server, GET % b"") as client:
                await client.read_until(b"\r\n\r\n")
                task_status.started()
                await eventually_read(client, b": ping\n", 3)

        application = Logged(log, settings)
        async with serving(application) as server:
            began = trio.current_time()
            async with trio.open_nursery() as nursery:
                for _ in range(300):
                    await nursery.start(sit, server)
            assert trio.current_time() - began < 5
        assert len(application.answers) == 300
        assert all(answer.closed for answer in application.answers)

    async def test_a_silent_connection_is_closed_in_time(self) -> None:
        settings = ServerSettings(keep_alive_timeout=0.05, request_timeout=0.05)
        async with (
            serving(Feeds(), settings=settings) as server,
            client_of(server) as silent,
            client_of(server, b"GET / HT") as slow,
        ):
            with trio.fail_after(1):
                assert await silent.read_all() == b""
                assert b"408" in await slow.read_until(b"timeout_error")


async def eventually_read(client: Client, text: bytes, count: int) -> None:
    """Read until ``text`` has come ``count`` times."""
    with trio.fail_after(3):
        while client.received.count(text) < count:
            assert await client.read(), client.received


def raises(*_: object) -> None:
    raise RuntimeError("a secret")


class Broken(Feed):
    """A stream that raises where it is told to."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def _break(self, where: str) -> None:
        if where == self.where:
            raise RuntimeError(f"a secret of {where}")

    def data_to_send(self, now: float) -> bytes:
        self._break("data_to_send")
        return super().data_to_send(now)

    @property
    def deadline(self) -> float | None:
        self._break("deadline")
        return trio.current_time() if self.where == "handle_timeout" else None

    @deadline.setter
    def deadline(self, value: float | None) -> None:
        pass

    def handle_timeout(self, now: float) -> None:  # noqa: ARG002  (the face of a Stream)
        self._break("handle_timeout")

    def close(self, now: float) -> None:
        super().close(now)
        self._break("close")


class TestMistakes:
    async def test_an_application_that_raises_answers_500(self, caplog: pytest.LogCaptureFixture) -> None:
        def answer(request: Request) -> Reply:
            if request.path == "/bad":
                raises()
            return hello(request)

        async with serving(Feeds(answer)) as server, client_of(server, GET % b"bad") as client:
            refusal = await client.read_until(b"api_error")
            await client.send(GET % b"good")
            await client.read_until(b'{"path":"/good"}')
        assert refusal.startswith(b"HTTP/1.1 500 ")
        assert b"secret" not in refusal
        assert "a secret" in caplog.text

    @pytest.mark.usefixtures("no_leak")
    @pytest.mark.parametrize("where", ["data_to_send", "deadline", "handle_timeout", "close"])
    async def test_a_mistake_in_one_stream_ends_its_connection_alone(
        self, where: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        feeds = Feeds()
        async with serving(feeds) as server, client_of(server, GET % b"") as other:
            await other.read_until(b"\r\n\r\n")
            broken = Broken(where)
            feeds._make = lambda _: broken
            async with client_of(server, GET % b"") as client:
                if where == "close":
                    await client.read_until(b"\r\n\r\n")
                    client.close()
                else:
                    assert b"secret" not in await client.read_all()
                await broken.closed.wait()
            feeds.streams[0].send(encode_event("still here"))
            await other.read_until(b"still here")
        assert f"a secret of {where}" in caplog.text

    async def test_a_mistake_that_only_time_shows(self, caplog: pytest.LogCaptureFixture) -> None:
        class Late(Feed):
            def __init__(self) -> None:
                self.due = trio.current_time() + 0.02
                super().__init__()

            @property
            def deadline(self) -> float | None:
                if trio.current_time() >= self.due:
                    raises()
                return self.due

            @deadline.setter
            def deadline(self, value: float | None) -> None:
                pass

        feeds = Feeds()
        async with serving(feeds) as server, client_of(server, GET % b"") as other:
            await other.read_until(b"\r\n\r\n")
            late = Late()
            feeds._make = lambda _: late
            async with client_of(server, GET % b"") as client:
                await client.read_all()
            assert late.closed.is_set()
            feeds.streams[0].send(encode_event("still here"))
            await other.read_until(b"still here")
        assert "a secret" in caplog.text

    async def test_the_waker_never_raises(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever wakes has others to wake."""
        feeds = Feeds()
        async with serving(feeds) as server, client_of(server, GET % b"") as client:
            await client.read_until(b"\r\n\r\n")

            monkeypatch.setattr(feeds.streams[0], "data_to_send", raises)
            feeds.streams[0].waker()
            await client.read_all()
            feeds.streams[0].waker()
        assert "a secret" in caplog.text

    async def test_a_mistake_in_the_applications_own_time(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        feeds = Feeds(hello)

        monkeypatch.setattr(feeds, "handle_timeout", raises)
        async with serving(feeds) as server:
            feeds.deadline = trio.current_time()
            feeds.waker()
            assert b'{"path":"/"}' in await fetch(server)
            await eventually(lambda: "a secret" in caplog.text)
            assert caplog.text.count("RuntimeError: a secret") == 1, "its log is not flooded"

    async def test_the_applications_deadline_is_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        feeds = Feeds(hello)
        called: list[float] = []
        monkeypatch.setattr(feeds, "handle_timeout", called.append)
        async with serving(feeds):
            await trio.testing.wait_all_tasks_blocked()
            called.clear()
            due = feeds.deadline = trio.current_time() + 0.02
            feeds.waker()
            await eventually(lambda: called and called[-1] >= due)
            feeds.deadline = None


class TestBeginningAndEnd:
    @pytest.mark.usefixtures("no_leak")
    async def test_cancelling_closes_the_application_and_every_socket(self) -> None:
        feeds = Feeds()
        async with serving(feeds) as server, trio.open_nursery() as nursery:

            async def hold(*, task_status: trio.TaskStatus[None]) -> None:
                async with client_of(server, GET % b"") as client:
                    await client.read_until(b"\r\n\r\n")
                    task_status.started()
                    await client.read_all()

            for _ in range(20):
                await nursery.start(hold)
            closed_before = feeds.closed
            server.scope.cancel()
        assert [closed_before, feeds.closed] == [False, True]
        assert all(feed.closed.is_set() for feed in feeds.streams)

    async def test_an_application_that_wakes_while_it_is_closed(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        turn = Upstream("http://127.0.0.1:9/").turn(b"")
        asking = Asking(turn)
        monkeypatch.setattr(asking, "close", lambda _: asking.ask())
        async with serving(asking) as server, client_of(server, GET % b"") as client:
            await client.read_until(b"\r\n\r\n")
        assert asking.upstreams(), "nobody has taken them any more"

    async def test_cancelling_amid_a_mistake_raises_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        broken = Broken("close")
        async with serving(Feeds(lambda _: broken)) as server, client_of(server, GET % b"") as client:
            await client.read_until(b"\r\n\r\n")
            server.scope.cancel()
        assert "a secret of close" in caplog.text

    async def test_the_port_is_reported_and_can_be_chosen(self) -> None:
        async with serving(Feeds(hello)) as server:
            assert server.port > 0
            port = server.port
        async with serving(Feeds(hello), port=port) as server:
            assert server.port == port
            assert b"200 OK" in await fetch(server)

    @pytest.mark.usefixtures("no_leak")
    async def test_an_address_in_use_is_an_error_of_the_system(self) -> None:
        async with serving(Feeds()) as server:
            feeds = Feeds()
            with pytest.raises(OSError, match="in use"):
                await sse_trio.serve(feeds, port=server.port)

    async def test_ipv6(self) -> None:
        async with serving(Feeds(hello), host="::1") as server:
            request = GET.replace(b"localhost", b"[::1]") % b"six"
            async with client_of(server, request) as client:
                await client.read_until(b'{"path":"/six"}')
            async with sse_trio.connect(server.url) as source:
                with pytest.raises(RemoteProtocolError, match="application/json"):
                    await anext(source)

    async def test_a_host_of_several_addresses_is_served_on_one_port(self) -> None:
        trio.socket.set_custom_hostname_resolver(Addresses("127.0.0.1", "::1"))
        async with serving(Feeds(hello), host="two.test") as server:
            for host in ("127.0.0.1", "::1"):
                server.host = host
                assert b"200 OK" in await fetch(server)
