"""``connect``: an event stream that goes on, whatever the network does."""

from __future__ import annotations

import contextlib
import gzip
import re
import socket
import struct
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any

import pytest
import trio

import sse_trio
from sse_core import ServerSentEvent, encode_event
from sse_core.errors import LimitExceeded, LocalProtocolError, RemoteProtocolError, TransportError
from sse_core.lifecycle import NO_RETRY, Reconnect, ResumeRule, RetryPolicy, SourceDeadlines, TurnLog
from sse_http import ServerSettings
from tests.trio_binding.conftest import Certificates
from tests.trio_binding.support import (
    Addresses,
    Cutter,
    Feeds,
    Logged,
    Server,
    answer,
    eventually,
    fetch,
    listening,
    numbered_log,
    open_files,
    read_head,
    serving,
)

AT_ONCE = RetryPolicy(initial_delay=0.0, max_attempts=10)
TEXTS = [f"<{number}> zwölf\nLines, €" for number in range(6)]


def story() -> TurnLog:
    """A log with text of every width."""
    log = TurnLog("story")
    for text in TEXTS:
        log.append(ServerSentEvent("message", text))
    log.close(0.0)
    return log


async def read_all(source: sse_trio.EventStream) -> list[str]:
    return [event.data async for event in source]


async def take(source: sse_trio.EventStream, count: int) -> list[str]:
    return [(await anext(source)).data for _ in range(count)]


class TestReconnecting:
    @pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
    async def test_a_cut_after_any_number_of_bytes_loses_nothing(self, reset: bool) -> None:  # noqa: FBT001
        async with serving(Logged(story())) as server:
            length = len(await fetch(server))
            cutter = Cutter(server, reset=reset)
            async with listening(cutter) as proxy:
                for cut in range(0, length + 1, 5 if reset else 1):
                    cutter.cuts, cutter.connections = iter([cut]), 0
                    async with sse_trio.connect(proxy.url, retry=AT_ONCE) as source:
                        assert await take(source, len(TEXTS)) == TEXTS, f"cut after {cut} bytes"
                        assert source.reconnects == cutter.connections - 1 <= 1

    async def test_every_connection_is_cut(self) -> None:
        async with serving(Logged(story())) as server:
            longest = max(len(text.encode()) for text in TEXTS) + 60
            head = (await fetch(server)).index(b"\r\n\r\n") + 4
            for cut in range(head + longest, head + 3 * longest, 17):
                cutter = Cutter(server, repeat(cut))
                async with (
                    listening(cutter) as proxy,
                    sse_trio.connect(proxy.url, retry=AT_ONCE) as source,
                ):
                    assert await take(source, len(TEXTS)) == TEXTS, f"cut after {cut} bytes"
                assert cutter.connections >= 2

    async def test_amid_tls(self, certificates: Certificates) -> None:
        async with serving(Logged(story()), tls=certificates.server) as server:
            cutter = Cutter(server)
            async with listening(cutter) as proxy:
                for cut in range(0, 3000, 61):
                    cutter.cuts = iter([cut])
                    url = proxy.url.replace("http:", "https:")
                    async with sse_trio.connect(url, retry=AT_ONCE, tls=certificates.client) as source:
                        assert await take(source, len(TEXTS)) == TEXTS, f"cut after {cut} bytes"

    async def test_the_last_event_id_goes_out_from_the_start(self) -> None:
        async with serving(Logged(story())) as server:
            async with sse_trio.connect(server.url, last_event_id="story-4") as source:
                assert await take(source, 2) == TEXTS[4:]
            assert source.last_event_id == "story-6"

    async def test_204_ends_it(self) -> None:
        """After its last event the server says that there is no more."""
        answers = iter([answer(encode_event("only", id="1")), b"HTTP/1.1 204 No Content\r\n\r\n"])

        async def peer(stream: trio.SocketStream) -> None:
            await read_head(stream)
            await stream.send_all(next(answers))

        async with (
            listening(peer) as server,
            sse_trio.connect(server.url, retry=AT_ONCE) as source,
        ):
            assert await read_all(source) == ["only"]
            assert source.reconnects == 1
            with pytest.raises(StopAsyncIteration):
                await anext(source)

    @pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
    async def test_a_status_that_may_pass_is_tried_again(self, status: str) -> None:
        answers = iter([answer(b"", status), answer(encode_event("at last"))])

        async def peer(stream: trio.SocketStream) -> None:
            await read_head(stream)
            await stream.send_all(next(answers))

        async with listening(peer) as server, sse_trio.connect(server.url, retry=AT_ONCE) as source:
            assert await take(source, 1) == ["at last"]

    @pytest.mark.parametrize(
        ("reply", "status", "text"),
        [
            (answer(b"{}", "401 Unauthorized"), 401, "status 401"),
            (answer(b"", "301 Moved Permanently"), 301, "status 301"),
            (answer(b"<html>", content_type="text/html"), 502, "text/html"),
        ],
    )
    async def test_an_answer_that_is_no_stream_is_final(self, reply: bytes, status: int, text: str) -> None:
        async def peer(stream: trio.SocketStream) -> None:
            await read_head(stream)
            await stream.send_all(reply)

        async with listening(peer) as server, sse_trio.connect(server.url, retry=AT_ONCE) as source:
            with pytest.raises(RemoteProtocolError, match=text) as caught:
                await anext(source)
            assert caught.value.status == status
            assert source.reconnects == 0

    async def test_a_server_that_does_not_speak_http(self) -> None:
        async def peer(stream: trio.SocketStream) -> None:
            await stream.send_all(b"220 mail.example.org ESMTP\r\n")
            await stream.receive_some()

        async with listening(peer) as server, sse_trio.connect(server.url, retry=NO_RETRY) as source:
            with pytest.raises(TransportError):
                await anext(source)


class TestPost:
    """A request with an effect isn't repeated, whatever IDs its events carry."""

    async def ask(self, id: str | None, **options: Any) -> tuple[list[bytes], list[str], Exception | None]:
        """What the server was sent, what the client read and how that ended: each answer is cut."""
        requests: list[bytes] = []

        async def peer(stream: trio.SocketStream) -> None:
            requests.append(await read_head(stream))
            body = encode_event(f"<{len(requests)}>", id=id and f"{id}{len(requests)}")
            await stream.send_all(answer(body).replace(b"length: ", b"length: 9"))

        texts = []
        async with (
            listening(peer) as server,
            sse_trio.connect(server.url, method="POST", body=b"do it", retry=AT_ONCE, **options) as source,
        ):
            try:
                for _ in range(2):
                    texts.append((await anext(source)).data)  # noqa: PERF401  (what came before the error)
            except TransportError as error:
                return requests, texts, error
        return requests, texts, None

    @pytest.mark.parametrize("id", [None, "id-"])
    async def test_it_is_not_repeated(self, id: str | None) -> None:
        requests, texts, error = await self.ask(id)
        assert (len(requests), texts) == (1, ["<1>"])
        assert isinstance(error, TransportError)

    async def test_it_is_read_on_by_get_if_you_say_so(self) -> None:
        requests, texts, error = await self.ask("id-", resume="get")
        assert (texts, error) == (["<1>", "<2>"], None)
        assert requests[0].startswith(b"POST / ")
        assert requests[1].startswith(b"GET / ")
        assert requests[1].endswith(b"\r\n\r\n")
        assert b"last-event-id: id-1\r\n" in requests[1].lower()

    async def test_or_repeated(self) -> None:
        requests, texts, error = await self.ask("id-", resume="always")
        assert (texts, error) == (["<1>", "<2>"], None)
        assert requests[0].endswith(b"\r\n\r\ndo it")
        assert b"last-event-id" not in requests[0].lower()
        assert requests[1].startswith(b"POST / ")
        assert requests[1].endswith(b"\r\n\r\ndo it")
        assert b"last-event-id: id-1\r\n" in requests[1].lower()

    async def test_never_means_never(self) -> None:
        requests, _, error = await self.ask("id-", resume="never")
        assert len(requests) == 1
        assert isinstance(error, TransportError)

    async def test_one_that_ended_properly_is_over(self) -> None:
        requests: list[bytes] = []

        async def peer(stream: trio.SocketStream) -> None:
            requests.append(await read_head(stream))
            await stream.send_all(answer(b"retry: 0\n" + encode_event("done", id="1")))

        rules: tuple[ResumeRule | None, ...] = (None, "always", "never")
        async with listening(peer) as server:
            for resume in rules:
                requests.clear()
                async with sse_trio.connect(
                    server.url, method="POST", body=b"do it", retry=AT_ONCE, resume=resume
                ) as source:
                    assert await read_all(source) == ["done"]
                assert len(requests) == 1

    async def test_one_that_may_have_been_heard_is_not_sent_again(self) -> None:
        requests: list[bytes] = []

        async def peer(stream: trio.SocketStream) -> None:
            requests.append(await read_head(stream))

        async with (
            listening(peer) as server,
            sse_trio.connect(server.url, method="POST", body=b"do it", retry=AT_ONCE) as source,
        ):
            with pytest.raises(TransportError, match="before it answered"):
                await anext(source)
        assert len(requests) == 1

    async def test_one_that_was_never_sent_is(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
            told: list[Reconnect] = []
            async with sse_trio.connect(
                url,
                method="POST",
                retry=RetryPolicy(max_attempts=3, initial_delay=0.0),
                on_reconnect=told.append,
            ) as source:
                with pytest.raises(TransportError, match="could not connect to"):
                    await anext(source)
        assert [reconnect.attempt for reconnect in told] == [2, 3]

    async def test_it_is_read_on_where_the_answer_says(self) -> None:
        requests: list[bytes] = []

        async def peer(stream: trio.SocketStream) -> None:
            requests.append(await read_head(stream))
            first = answer(encode_event("one", id="1"), "201 Created", location="/jobs/7")
            await stream.send_all(first if len(requests) == 1 else answer(encode_event("two", id="2")))

        async with (
            listening(peer) as server,
            sse_trio.connect(server.url, method="POST", body=b"do it", retry=AT_ONCE) as source,
        ):
            assert await take(source, 2) == ["one", "two"]
        assert requests[1].startswith(b"GET /jobs/7 ")


class TestPosition:
    """``last_event_id`` is the reader's."""

    async def test_another_connection_goes_on_from_it_and_loses_nothing(self) -> None:
        async with serving(Logged(story())) as server:
            for count in range(1, len(TEXTS)):
                async with sse_trio.connect(server.url) as source:
                    texts = await take(source, count)
                    assert source.last_event_id == f"story-{count}"
                kept = source.last_event_id
                async with sse_trio.connect(server.url, last_event_id=kept) as source:
                    texts += await take(source, len(TEXTS) - count)
                assert texts == TEXTS


class TestAnswer:
    async def test_what_was_accepted(self) -> None:
        async def peer(stream: trio.SocketStream) -> None:
            await read_head(stream)
            await stream.send_all(answer(encode_event("x"), mcp_session_id="s1"))

        async with listening(peer) as server, sse_trio.connect(server.url) as source:
            assert (source.status, len(source.response_headers)) == (None, 0)
            await anext(source)
            assert source.status == 200
            assert source.response_headers.get("mcp-session-id") == "s1"

    async def test_why_it_was_refused(self) -> None:
        async def peer(stream: trio.SocketStream) -> None:
            await read_head(stream)
            body = b'{"error":"key expired!"}'
            await stream.send_all(answer(body, "401 Unauthorized", "application/json", x_request_id="r1"))

        async with listening(peer) as server, sse_trio.connect(server.url) as source:
            with pytest.raises(RemoteProtocolError, match=r"status 401: .*key expired!") as caught:
                await anext(source)
        assert caught.value.headers.get("x-request-id") == "r1"
        assert caught.value.excerpt == '{"error":"key expired!"}'

    async def test_a_compressed_refusal_is_decoded(self) -> None:
        async def peer(stream: trio.SocketStream) -> None:
            await read_head(stream)
            body = gzip.compress(b'{"error":"key expired!"}')
            await stream.send_all(answer(body, "401 Unauthorized", content_encoding="gzip"))

        async with listening(peer) as server, sse_trio.connect(server.url) as source:
            with pytest.raises(RemoteProtocolError, match=r"key expired!") as caught:
                await anext(source)
        assert caught.value.excerpt == '{"error":"key expired!"}'

    async def test_a_refusal_whose_body_never_ends(self) -> None:
        async def peer(stream: trio.SocketStream) -> None:
            await read_head(stream)
            await stream.send_all(answer(b"no", "403 Forbidden").replace(b"length: 2", b"length: 99"))
            await silent(stream)

        deadlines = SourceDeadlines(refusal=0.05)
        async with (
            listening(peer) as server,
            sse_trio.connect(server.url, deadlines=deadlines) as source,
        ):
            with trio.fail_after(1), pytest.raises(RemoteProtocolError, match="403: 'no'"):
                await anext(source)

    async def test_comments_come_in_their_place(self) -> None:
        async def peer(stream: trio.SocketStream) -> None:
            await read_head(stream)
            await stream.send_all(answer(b": hello\ndata: 1\n\n: between\n\ndata: 2\n\n: behind\n"))

        seen: list[str] = []
        async with (
            listening(peer) as server,
            sse_trio.connect(server.url, on_comment=seen.append, retry=NO_RETRY) as source,
        ):
            while (event := await anext(source, None)) is not None:
                seen.append(event.data)
        assert seen == ["hello", "1", "between", "2", "behind"]

    @pytest.mark.parametrize("limit", ["max_line_bytes", "max_event_bytes"])
    async def test_the_bounds_are_yours(self, limit: str) -> None:
        async def peer(stream: trio.SocketStream) -> None:
            await read_head(stream)
            await stream.send_all(answer(b"data: " + b"x" * 200 + b"\n\n"))

        bound: dict[str, Any] = {limit: 100}
        async with listening(peer) as server, sse_trio.connect(server.url, **bound) as source:
            with pytest.raises(LimitExceeded, match=limit) as caught:
                await anext(source)
        assert caught.value.bound == 100


class TestHeaders:
    """Tokens expire: a function is asked for each attempt."""

    async def tokens(
        self, headers: Callable[[], Any] | dict[str, str], **options: Any
    ) -> tuple[list[str | None], list[str], Exception | None]:
        """What the server was sent, what was read, and how it ended, if not well."""
        sent: list[str | None] = []

        async def peer(stream: trio.SocketStream) -> None:
            head = await read_head(stream)
            token = re.search(rb"authorization: (.*)\r\n", head)
            sent.append(token[1].decode() if token else None)
            await stream.send_all(answer(encode_event(str(len(sent)), id=str(len(sent)))))

        texts = []
        async with (
            listening(peer) as server,
            sse_trio.connect(server.url, headers=headers, retry=AT_ONCE, **options) as source,
        ):
            try:
                texts = await take(source, 3)
            except (OSError, ValueError, TransportError) as error:
                return sent, texts, error
        return sent, texts, None

    async def test_a_plain_function(self) -> None:
        tokens = iter(["one", "two", "three"])
        sent, texts, error = await self.tokens(lambda: {"Authorization": next(tokens)})
        assert (sent, texts, error) == (["one", "two", "three"], ["1", "2", "3"], None)

    async def test_a_mapping_is_read_anew(self) -> None:
        headers = {"authorization": "1"}

        def renew(reconnect: Reconnect) -> None:
            headers["authorization"] = str(reconnect.attempt + 1)

        sent, texts, error = await self.tokens(headers, on_reconnect=renew)
        assert (sent, texts, error) == (["1", "2", "2"], ["1", "2", "3"], None)

    async def test_one_that_waits(self) -> None:
        tokens = iter(["one", "two", "three"])

        async def headers() -> list[tuple[str, str]]:
            await trio.lowlevel.checkpoint()
            return [("authorization", next(tokens))]

        sent, texts, error = await self.tokens(headers)
        assert (sent, texts, error) == (["one", "two", "three"], ["1", "2", "3"], None)

    async def test_what_it_raises_the_iteration_raises(self) -> None:
        def headers() -> dict[str, str]:
            raise OSError("no token to be had")

        sent, _, error = await self.tokens(headers)
        assert sent == []
        assert str(error) == "no token to be had"

    async def test_what_no_header_can_hold(self) -> None:
        sent, _, error = await self.tokens(lambda: {"authorization": "a\r\nforged: b"})
        assert sent == []
        assert isinstance(error, ValueError)

    async def test_it_has_as_long_as_connecting_has(self) -> None:
        async def headers() -> dict[str, str]:
            await trio.sleep_forever()
            raise AssertionError

        deadlines = SourceDeadlines(connect=0.02)
        with trio.fail_after(2):
            sent, _, error = await self.tokens(headers, deadlines=deadlines)
        assert sent == []
        assert isinstance(error, TransportError)
        assert "deadline: connect" in str(error)

    async def test_a_wait_that_is_cancelled_is_made_again(self) -> None:
        asked = 0

        async def headers() -> dict[str, str]:
            nonlocal asked
            asked += 1
            if asked == 1:
                await trio.sleep_forever()
            return {"authorization": "two"}

        async with (
            serving(Logged(story())) as server,
            sse_trio.connect(server.url, headers=headers) as source,
        ):
            with trio.move_on_after(0.02):
                await anext(source)
            assert await take(source, 1) == TEXTS[:1]
        assert asked == 2


class TestMisuse:
    async def test_without_async_with_nothing_is_read_and_that_is_told(self) -> None:
        """An empty loop would look like an empty stream."""
        with pytest.raises(LocalProtocolError, match="async with connect"):
            await anext(sse_trio.connect("http://127.0.0.1:9/"))
        with pytest.raises(LocalProtocolError, match="async with stream_turn"):
            await anext(sse_trio.stream_turn("http://127.0.0.1:9/", {}))

    def test_arguments_of_the_wrong_type(self) -> None:
        wrong: Any = "do it"
        with pytest.raises(TypeError, match="body takes bytes, not str"):
            sse_trio.connect("http://127.0.0.1:9/", method="POST", body=wrong)
        wrong = {"Key": 7}
        with pytest.raises(TypeError, match="the header 'Key' takes str, not int"):
            sse_trio.connect("http://127.0.0.1:9/", headers=wrong)
        wrong = 7
        with pytest.raises(TypeError, match="last_event_id takes str, not int"):
            sse_trio.connect("http://127.0.0.1:9/", last_event_id=wrong)
        with pytest.raises(TypeError, match="url takes str, not int"):
            sse_trio.connect(wrong)
        with pytest.raises(TypeError, match="on_reconnect takes a function or None, not int"):
            sse_trio.connect("http://127.0.0.1:9/", on_reconnect=wrong)
        with pytest.raises(TypeError, match="on_comment takes a function or None, not int"):
            sse_trio.connect("http://127.0.0.1:9/", on_comment=wrong)
        with pytest.raises(TypeError, match="tls takes SSLContext or NoneType, not int"):
            sse_trio.connect("https://127.0.0.1:9/", tls=wrong)
        with pytest.raises(TypeError, match="tls takes SSLContext or NoneType, not int"):
            sse_trio.stream_turn("https://127.0.0.1:9/", {}, tls=wrong)


class TestDeadlines:
    async def test_a_slow_consumer_is_no_silent_server(self) -> None:
        feeds = Feeds()
        async with (
            serving(feeds) as server,
            sse_trio.connect(server.url, deadlines=SourceDeadlines(idle=0.05), retry=NO_RETRY) as source,
            trio.open_nursery() as nursery,
        ):

            async def feed() -> None:
                await eventually(lambda: feeds.streams)
                for number in range(3):
                    feeds.streams[0].send(encode_event(f"<{number}>"))
                    await trio.sleep(0.02)

            nursery.start_soon(feed)
            for number in range(3):
                assert (await anext(source)).data == f"<{number}>"
                await trio.sleep(0.1)
            assert source.reconnects == 0

    async def test_nor_is_one_who_left_off_waiting_and_was_busy_then(self) -> None:
        feeds = Feeds()
        async with (
            serving(feeds) as server,
            sse_trio.connect(server.url, deadlines=SourceDeadlines(idle=0.1), retry=NO_RETRY) as source,
        ):
            with trio.move_on_after(0.05):
                await anext(source)
            feeds.streams[0].send(encode_event("here"))
            await trio.sleep(0.2)
            assert (await anext(source)).data == "here"
            with pytest.raises(TransportError, match="silent for too long"):
                await anext(source)

    async def test_a_connection_that_was_reset_meanwhile_was_no_silence(self) -> None:
        async def reset(client: trio.SocketStream) -> None:
            await client.receive_some()
            await client.send_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
            await trio.sleep(0.1)
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        async with (
            listening(reset) as server,
            sse_trio.connect(server.url, deadlines=SourceDeadlines(idle=0.1), retry=NO_RETRY) as source,
        ):
            with trio.move_on_after(0.05):
                await anext(source)
            await trio.sleep(0.2)
            with pytest.raises(TransportError, match=r"127.0.0.1:\d+ was lost: receiving failed"):
                await anext(source)

    async def test_a_silent_server_is_connected_to_again(self) -> None:
        feeds = Feeds()
        async with (
            serving(feeds) as server,
            sse_trio.connect(server.url, deadlines=SourceDeadlines(idle=0.05), retry=AT_ONCE) as source,
            trio.open_nursery() as nursery,
        ):

            async def feed() -> None:
                await eventually(lambda: len(feeds.streams) == 2)
                assert feeds.streams[0].closed.is_set()
                feeds.streams[1].send(encode_event("here"))

            nursery.start_soon(feed)
            assert (await anext(source)).data == "here"
            assert source.reconnects == 1

    async def test_heartbeats_keep_it_alive(self) -> None:
        feeds = Feeds()
        async with (
            serving(feeds) as server,
            sse_trio.connect(server.url, deadlines=SourceDeadlines(idle=0.1), retry=NO_RETRY) as source,
            trio.open_nursery() as nursery,
        ):

            async def feed() -> None:
                await eventually(lambda: feeds.streams)
                for _ in range(10):
                    feeds.streams[0].send(b": ping\n")
                    await trio.sleep(0.02)
                feeds.streams[0].send(encode_event("here"))

            nursery.start_soon(feed)
            assert (await anext(source)).data == "here"
            assert source.reconnects == 0

    async def test_a_black_hole(self, black_hole: str) -> None:
        deadlines = SourceDeadlines(connect=0.05)
        async with sse_trio.connect(black_hole, deadlines=deadlines, retry=NO_RETRY) as source:
            with trio.fail_after(1), pytest.raises(TransportError, match="connect"):
                await anext(source)

    async def test_a_server_that_takes_the_request_and_says_nothing(self) -> None:
        async with (
            listening(silent) as server,
            sse_trio.connect(
                server.url, deadlines=SourceDeadlines(first_byte=0.05), retry=NO_RETRY
            ) as source,
        ):
            with trio.fail_after(1), pytest.raises(TransportError, match="first_byte"):
                await anext(source)


async def silent(stream: trio.SocketStream) -> None:
    """Read all, say nothing."""
    while await stream.receive_some():
        pass


@pytest.fixture
def black_hole() -> Iterator[str]:
    """The address of a listener whose backlog is full: nobody answers a SYN."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)  # noqa: FBT003  (the standard library's own way)
            with contextlib.suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


class TestFailing:
    async def test_a_refused_connection_has_its_cause(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
            async with sse_trio.connect(url, retry=NO_RETRY) as source:
                with pytest.raises(TransportError, match="Connection refused") as caught:
                    await anext(source)
        assert str(caught.value).startswith(f"could not connect to {url[7:-1]}: ")
        causes = []
        error: BaseException | None = caught.value
        while (error := error.__cause__ if error else None) is not None:
            causes.append(error)
        assert any(isinstance(cause, OSError) for cause in causes)

    @pytest.mark.parametrize("host", ["a..b", "nowhere.invalid", "x" * 70])
    @pytest.mark.parametrize("scheme", ["http", "https"])
    async def test_a_host_that_is_none(self, host: str, scheme: str) -> None:
        async with sse_trio.connect(f"{scheme}://{host}/", retry=NO_RETRY) as source:
            with pytest.raises(TransportError):
                await anext(source)

    @pytest.mark.parametrize("url", ["/path", "ftp://host/", "http://", "http://user:secret@host/"])
    def test_a_url_that_is_none(self, url: str) -> None:
        with pytest.raises(ValueError, match=r"URL"):
            sse_trio.connect(url)

    async def test_the_error_stays(self) -> None:
        async with (
            serving(Feeds(), settings=ServerSettings()) as server,
            sse_trio.connect(server.url, headers={"host": "x"}, retry=NO_RETRY) as source,
        ):
            server.scope.cancel()
            for _ in range(2):
                with pytest.raises(TransportError):
                    await anext(source)


PHASES = ["connecting", "shaking hands", "sending", "waiting", "reading", "backing off"]


class TestCancelling:
    """Whatever is waited for, a cancelled task leaves no socket behind."""

    @pytest.mark.usefixtures("no_leak")
    @pytest.mark.parametrize("phase", PHASES)
    async def test_amid_each_wait(self, phase: str, black_hole: str, certificates: Certificates) -> None:
        gone = trio.Event()
        feeds = Feeds()

        async def peer(stream: trio.SocketStream) -> None:
            if phase == "sending":
                await trio.sleep(0.11)
                with pytest.raises(trio.BrokenResourceError):
                    await silent(stream)
            elif phase == "backing off":
                await read_head(stream)
                await stream.send_all(answer(encode_event("x", id="1")))
            else:
                await silent(stream)
            gone.set()

        async with listening(peer) as server, serving(feeds) as streaming:
            url = {"connecting": black_hole, "reading": streaming.url}.get(phase, server.url)
            options: dict[str, Any] = {"retry": RetryPolicy(initial_delay=8.0)}
            if phase == "shaking hands":
                url, options["tls"] = url.replace("http:", "https:"), certificates.client
            if phase == "sending":
                options |= {"method": "POST", "body": b"x" * 32_000_000}
            before = open_files()
            with trio.move_on_after(0.1) as scope:
                async with sse_trio.connect(url, **options) as source:
                    async for _ in source:
                        pass
            assert scope.cancelled_caught
            if phase == "reading":
                await eventually(feeds.streams[0].closed.is_set, 0.1)
            elif phase != "connecting":
                with trio.fail_after(0.2 if phase == "sending" else 0.1):
                    await gone.wait()
            # The server's end may take a moment to go.
            await eventually(lambda: open_files() <= before)

    async def test_a_cancelled_wait_loses_no_event(self) -> None:
        """A consumer may look at the clock now and then."""
        feeds = Feeds()
        texts: list[str] = []
        async with (
            serving(feeds) as server,
            sse_trio.connect(server.url, retry=NO_RETRY) as source,
            trio.open_nursery() as nursery,
        ):

            async def feed() -> None:
                await eventually(lambda: feeds.streams)
                for number in range(20):
                    feeds.streams[0].send(encode_event(f"<{number}>"))
                    await trio.sleep(0.007)

            nursery.start_soon(feed)
            while len(texts) < 20:
                with trio.move_on_after(0.003):
                    texts.append((await anext(source)).data)
        assert texts == [f"<{number}>" for number in range(20)]

    async def test_cancelling_is_noticed_amid_events_that_are_there(self) -> None:
        async with serving(Logged(numbered_log(100))) as server, sse_trio.connect(server.url) as source:
            await anext(source)
            with trio.CancelScope() as scope:
                scope.cancel()
                await anext(source)
            assert scope.cancelled_caught
            assert (await anext(source)).data == "<2>"


class TestLeaving:
    @pytest.mark.usefixtures("no_leak")
    async def test_a_break_closes_the_connection_at_once(self) -> None:
        feeds = Feeds()
        async with serving(feeds) as server:
            async with trio.open_nursery() as nursery:

                async def feed() -> None:
                    await eventually(lambda: feeds.streams)
                    feeds.streams[0].send(encode_event("one"))

                nursery.start_soon(feed)
                async with sse_trio.connect(server.url) as source:
                    async for _ in source:
                        break
            with trio.fail_after(0.1):
                await feeds.streams[0].closed.wait()

    @pytest.mark.usefixtures("no_leak")
    async def test_an_exception_does_too(self) -> None:
        feeds = Feeds()
        async with serving(feeds) as server:
            with pytest.raises(ZeroDivisionError):
                await fail_inside(server, feeds)
            with trio.fail_after(0.1):
                await feeds.streams[0].closed.wait()


async def fail_inside(server: Server, feeds: Feeds) -> None:
    async with sse_trio.connect(server.url) as source:
        with trio.move_on_after(0.02):
            await anext(source)
        assert feeds.streams
        raise ZeroDivisionError


class TestOtherTasks:
    """The one who leaves need not be the one who reads."""

    @pytest.mark.usefixtures("no_leak")
    @pytest.mark.parametrize("phase", ["connecting", "reading", "backing off"])
    async def test_leaving_ends_another_tasks_wait(self, phase: str, black_hole: str) -> None:
        async def peer(stream: trio.SocketStream) -> None:
            await read_head(stream)
            if phase == "reading":
                await silent(stream)

        retry = RetryPolicy(initial_delay=8.0)
        async with listening(peer) as server, trio.open_nursery() as nursery:
            url = black_hole if phase == "connecting" else server.url
            async with sse_trio.connect(url, retry=retry) as source:
                nursery.start_soon(read_all, source)
                await trio.sleep(0.03)
            left = trio.current_time()
        assert trio.current_time() - left < 0.2


class TestAddresses:
    async def test_a_host_of_several_addresses_of_which_one_answers(self) -> None:
        trio.socket.set_custom_hostname_resolver(Addresses("::1", "127.0.0.1"))
        async with serving(Logged(story())) as server:
            url = f"http://localhost:{server.port}/"
            async with sse_trio.connect(url, retry=NO_RETRY) as source:
                assert await take(source, 1) == TEXTS[:1]

    async def test_none_of_them_answers(self) -> None:
        trio.socket.set_custom_hostname_resolver(Addresses("::1", "127.0.0.1"))
        async with serving(Feeds()) as server:
            pass
        async with sse_trio.connect(f"http://localhost:{server.port}/", retry=NO_RETRY) as source:
            with pytest.raises(TransportError, match="Connection refused") as caught:
                await anext(source)
        assert str(caught.value).count("refused") == 1


class TestEarlyAnswers:
    """A server may answer what it has not read, and never will."""

    @pytest.mark.parametrize("then", ["closes", "reads no further", "reads on"])
    async def test_a_large_request_that_is_refused(self, then: str) -> None:
        async def peer(stream: trio.SocketStream) -> None:
            await read_head(stream)
            await stream.send_all(answer(b"", "413 Content Too Large"))
            if then == "reads no further":
                await trio.sleep(0.2)
            elif then == "reads on":
                await silent(stream)

        for _ in range(5):
            async with (
                listening(peer) as server,
                sse_trio.connect(server.url, method="POST", body=b"x" * 32_000_000, retry=NO_RETRY) as source,
            ):
                with trio.fail_after(2), pytest.raises(RemoteProtocolError) as caught:
                    await anext(source)
            assert caught.value.status == 413

    async def test_an_answer_that_is_there_before_the_request(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The peer has said why and has gone, so sending fails."""

        async def peer(stream: trio.SocketStream) -> None:
            await stream.send_all(answer(b"", "503 Service Unavailable"))
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        open_tcp_stream = trio.open_tcp_stream

        async def open_slowly(*arguments: Any) -> trio.SocketStream:
            stream = await open_tcp_stream(*arguments)
            await trio.sleep(0.02)
            return stream

        async with listening(peer) as server, sse_trio.connect(server.url, retry=NO_RETRY) as source:
            monkeypatch.setattr(trio, "open_tcp_stream", open_slowly)
            with pytest.raises(RemoteProtocolError, match="503"):
                await anext(source)

    async def test_our_own_server_refuses_it(self) -> None:
        async with (
            serving(Feeds()) as server,
            sse_trio.connect(server.url, method="POST", body=b"x" * 32_000_000, retry=NO_RETRY) as source,
        ):
            with pytest.raises(RemoteProtocolError) as caught:
                await anext(source)
        assert caught.value.status == 413

    async def test_a_large_request_arrives_whole(self, certificates: Certificates) -> None:
        body = bytes(range(256)) * 40_000
        feeds = Feeds()
        for tls, trust in ((None, None), (certificates.server, certificates.client)):
            async with (
                serving(feeds, tls=tls, settings=ServerSettings(max_body_bytes=len(body))) as server,
                sse_trio.connect(server.url, method="POST", body=body, tls=trust) as source,
                trio.open_nursery() as nursery,
            ):
                nursery.start_soon(source.__anext__)
                count = len(feeds.requests)
                await eventually(lambda count=count: len(feeds.requests) > count)  # type: ignore[misc]
                nursery.cancel_scope.cancel()
        assert [request.body == body for request in feeds.requests] == [True, True]
