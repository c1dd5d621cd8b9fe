"""``asgi(application)``: requests, bodies, bounds, streams and the connections that an application makes."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest

from sse_asgi import ASGIApplication, asgi
from sse_http import (
    AllowedPeers,
    Guard,
    Refusal,
    Reply,
    Request,
    ServerSettings,
)
from sse_relay.config import RelayConfig
from sse_relay.provider import Provider, Settings
from sse_relay.relay import Relay
from tests.bindings.applications import Feed, Feeds
from tests.bindings.asgi.server import Connection, answering, scope_of, whole_answer
from tests.bindings.test_trio import RUNNER, TrioServing

Run = Callable[..., Any]


def answer(run: Run, application: ASGIApplication, scope: dict[str, Any], **named: Any) -> Connection:
    async def play() -> Connection:
        return await whole_answer(application, Connection(scope, **named))

    connection: Connection = run(play)
    return connection


def echo(request: Request) -> Reply:
    return Reply.json(
        200,
        {
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "client": request.client,
            "body": request.body.decode(),
            "last": request.last_event_id,
            "key": request.headers.get("x-key"),
        },
    )


def test_a_request_and_its_reply(run: Run) -> None:
    scope = scope_of(
        "/a%20b", {"X-Key": "é", "Last-Event-ID": "ü"}, method="POST", query="x=1", root_path="/mounted"
    )
    connection = answer(run, asgi(Feeds(echo)), scope, body=[b"on", b"e"])
    assert connection.status == 200
    assert connection.headers["content-length"] == str(len(connection.body))
    assert json.loads(connection.body) == {
        "method": "POST",
        "path": "/a%20b",
        "query": "x=1",
        "client": "127.0.0.1",
        "body": "one",
        "last": "ü",
        "key": "Ã©",  # RFC 9110: a field's value is ISO-8859-1
    }
    assert connection.whole


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"raw_path": None, "path": "/a b/ü"}, "/a%20b/%C3%BC"),
        ({"root_path": "/m", "path": "/m", "raw_path": b"/m"}, "/"),
        ({"root_path": "/m", "path": "/x", "raw_path": b"/x"}, "/x"),  # as servers had it before 2023
        ({"client": None}, "/"),
    ],
)
def test_a_path_as_servers_give_it(run: Run, changes: dict[str, Any], path: str) -> None:
    connection = answer(run, asgi(Feeds(echo)), {**scope_of(), **changes})
    assert json.loads(connection.body)["path"] == path


def test_a_stream_piece_by_piece(run: Run) -> None:
    feeds = Feeds()

    async def play() -> None:
        connection = Connection(scope_of())
        async with answering(asgi(feeds), connection):
            await connection.until(lambda: feeds.streams)
            feed = feeds.streams[0]
            feed.send(b"one")
            await connection.until(lambda: connection.body == b"one")
            feed.send(b"two")
            feed.end()
            await connection.ended.wait()
        assert connection.body == b"onetwo"
        assert connection.whole
        assert feed.closed

    run(play)


@pytest.mark.parametrize("how", ["leaves", "aborts"])
def test_a_stream_that_is_not_whole(run: Run, how: str) -> None:
    feeds = Feeds()

    async def play() -> None:
        connection = Connection(scope_of())
        async with answering(asgi(feeds), connection):
            await connection.until(lambda: feeds.streams)
            feeds.streams[0].send(b"one")
            await connection.until(lambda: connection.body)
            if how == "leaves":
                connection.leave()
            else:
                feeds.streams[0].end("ABORTED")
            with anyio.fail_after(0.5):
                await connection.ended.wait()
        assert not connection.whole
        assert feeds.streams[0].closed

    run(play)


def test_a_stream_that_learns_late_that_it_is_a_reply(run: Run) -> None:
    async def play() -> None:
        feed = Feed(None)
        connection = Connection(scope_of())
        async with answering(asgi(Feeds(lambda _: feed)), connection):
            await anyio.sleep(0.01)
            feed.head = Reply(404, body=b"no")
            feed.waker()
            await connection.ended.wait()
        assert (connection.status, connection.body, connection.whole) == (404, b"no", True)

    run(play)


def test_a_handler(run: Run) -> None:
    async def handler(request: Request) -> AsyncIterator[str]:
        yield request.path
        yield "two"

    connection = answer(run, asgi(handler), scope_of("/a"))
    assert connection.data == ["/a", "two"]
    assert connection.whole
    with pytest.raises(TypeError, match="plain def"):
        asgi(lambda _: Reply(200))  # type: ignore[arg-type, return-value]


def test_a_handler_that_raises(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def handler(_: Request) -> Reply:
        raise RuntimeError("a secret")

    connection = answer(run, asgi(handler), scope_of())
    assert connection.status == 500
    assert b"secret" not in connection.body
    assert "a secret" in caplog.text


class Judge(Feeds):
    """An application that looks at heads."""

    def check_head(self, request: Request, now: float) -> Reply | int | None:  # noqa: ARG002  (ChecksHeads)
        if "key" not in request.headers:
            return Reply(401, reason="no key")
        if request.path == "/raises":
            raise RuntimeError("a secret")
        return 5


def test_a_head_is_judged_before_the_body_is_read(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    application = asgi(Judge(echo))
    body = [b"abc", b"def"]
    connection = answer(run, application, scope_of(method="POST"), body=body)
    assert connection.status == 401
    assert len(connection._pieces) == 2  # noqa: SLF001  (nothing was read)
    assert 'status=401 client="127.0.0.1" request="POST /" reason="no key"' in caplog.text
    too_large = answer(run, asgi(Judge(echo)), scope_of(headers={"key": "k"}, method="POST"), body=body)
    assert too_large.status == 413
    assert b"max_body_bytes" in too_large.body
    assert answer(run, asgi(Judge(echo)), scope_of("/raises", {"key": "k"})).status == 500


def test_bodies_are_bounded(run: Run) -> None:
    settings = ServerSettings(max_body_bytes=4, max_total_body_bytes=16)
    said = answer(
        run, asgi(Feeds(echo), settings=settings), scope_of(headers={"content-length": "5"}, method="POST")
    )
    assert said.status == 413
    slow = ServerSettings(request_timeout=0.02, upload_timeout=0.02)

    async def play() -> Connection:
        connection = Connection(scope_of(method="POST"), body=())
        return await whole_answer(asgi(Feeds(echo), settings=slow), connection)

    assert run(play).status == 408

    async def leave() -> None:
        connection = Connection(scope_of(method="POST"), body=())
        feeds = Feeds(echo)
        async with answering(asgi(feeds), connection):
            await anyio.sleep(0.01)
            connection.leave()
            await connection.ended.wait()
        assert (connection.sent, feeds.requests) == ([], [])

    run(leave)


def test_a_guard_around_it(run: Run) -> None:
    guarded = Guard(Feeds(echo), AllowedPeers(hosts=frozenset({"good.test"})))
    assert answer(run, asgi(guarded), scope_of(headers={"host": "evil.test"})).status == 421
    guarded = Guard(Feeds(echo), AllowedPeers(hosts=frozenset({"good.test"})))
    assert answer(run, asgi(guarded), scope_of(headers={"host": "good.test"})).status == 200


def test_it_lives_as_long_as_its_server(run: Run) -> None:
    feeds = Feeds()

    async def play() -> None:
        sent: list[str] = []
        begun, over = anyio.Event(), anyio.Event()

        async def receive() -> dict[str, str]:
            if not begun.is_set():
                begun.set()
                return {"type": "lifespan.startup"}
            await over.wait()
            return {"type": "lifespan.shutdown"}

        async def send(message: Any) -> None:
            sent.append(message["type"])

        application = asgi(feeds)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(application, {"type": "lifespan"}, receive, send)
            connection = Connection(scope_of())
            async with answering(application, connection):
                await connection.until(lambda: feeds.streams)
                over.set()
                await connection.until(lambda: feeds.closed)
                feeds.streams[0].end()
        assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]

    run(play)


def test_an_operator_has_a_record_of_what_the_application_refuses(run: Run) -> None:
    """As with the project's own servers: what isn't served, and no mistake or upstream's failure."""
    for status, is_refusal in {200: False, 302: False, 401: True, 404: True, 502: False, 503: True}.items():
        refusals: list[Refusal] = []
        application = asgi(Feeds(lambda _, status=status: Reply(status)), on_refusal=refusals.append)  # type: ignore[misc]
        assert answer(run, application, scope_of("/path")).status == status
        requests = [(refusal.status, refusal.client, refusal.request) for refusal in refusals]
        assert requests == [(status, "127.0.0.1", "GET /path")] * is_refusal


def test_what_is_no_http(run: Run) -> None:
    connection = answer(run, asgi(Feeds(echo)), scope_of(kind="websocket"))
    assert connection.sent == [{"type": "websocket.close", "code": 1000}]
    assert isinstance(answer(run, asgi(Feeds(echo)), scope_of(kind="mqtt")).error, NotImplementedError)


def test_the_relay_and_its_provider(run: Run) -> None:
    provider = Provider(Settings(tokens=20, rate=0, ttft=0), clock=lambda: 0.0)
    question = {
        "model": "m",
        "max_tokens": 50,
        "stream": True,
        "messages": [{"role": "user", "content": "Why?"}],
    }
    with RUNNER.serving(provider) as serving:
        assert isinstance(serving, TrioServing)
        for host in ("127.0.0.1", "localhost"):  # an address, and a name that is looked up
            numbers = iter(range(100))
            relay = Relay(
                RelayConfig(f"http://{host}:{serving.port}"),
                new_id=lambda numbers=numbers: f"turn-of-the-test-{next(numbers)}",  # type: ignore[misc]
            )
            connection = answer(
                run,
                asgi(relay),
                scope_of("/v1/messages", {"content-type": "application/json"}, method="POST"),
                body=[json.dumps(question).encode()],
            )
            assert connection.status == 200
            assert connection.whole
            assert connection.events[-1].type == "message_stop"


@pytest.mark.parametrize(
    "arguments",
    [
        {"settings": 7},
        {"handler_settings": ServerSettings()},
        {"upstream_tls": "ca.pem"},
        {"on_refusal": 7},
    ],
)
def test_arguments_of_another_type(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(arguments))):
        asgi(Feeds(), **arguments)
