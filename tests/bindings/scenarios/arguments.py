"""What can't be called or served is refused at once, in one sentence that says what to do."""

# ruff: noqa: ARG001, ARG002  (the face of a handler has a request)

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any

import pytest

from sse_core.errors import LocalProtocolError
from sse_core.lifecycle import SourceDeadlines
from sse_http import Reply, Request

from ..applications import Feeds
from ..runner import Runner
from ..server_scenario import ServerScenario
from ..server_steps import Fetch

URL = "http://127.0.0.1:9/"


@dataclass(frozen=True)
class Refused:
    """A call that raises this, with these words, in one line."""

    name: str
    call: Callable[[Runner], object]
    kind: type[Exception]
    words: str

    def play(self, runner: Runner) -> None:
        with pytest.raises(self.kind, match=self.words) as raised:
            self.call(runner)
        assert "\n" not in str(raised.value)


def connect(kind: type[Exception], words: str, url: Any = URL, **options: Any) -> Refused:
    name = f"connect({url!r}, {', '.join(options)})"
    return Refused(name, lambda runner: runner.connect(url, **options), kind, words)


def serve(kind: type[Exception], words: str, served: Any, **options: Any) -> Refused:
    def call(runner: Runner) -> None:
        with runner.serving(served, **options):
            raise AssertionError("it is served")

    name = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return Refused(f"serve({name or words[:40]})", call, kind, words)


def not_entered(call: Callable[[Runner], Any]) -> Callable[[Runner], object]:
    """An empty loop would look like an empty stream."""

    def read(runner: Runner) -> object:
        stream = call(runner)

        async def take() -> object:
            return await anext(stream)

        return runner.run(take)

    return read


def blocking(request: Request) -> Reply:
    return Reply(200)


def generator(request: Request) -> Iterator[str]:
    yield "x"


async def handler(request: Request) -> Reply:
    return Reply(200)


async def stream(request: Request) -> AsyncIterator[str]:
    yield "x"


async def takes_more(more: object, request: Request) -> Reply:
    return Reply(200)


class Blocking:
    def __call__(self, request: Request) -> Reply:
        return Reply(200)

    def method(self, request: Request) -> Reply:
        return Reply(200)


class Async:
    async def __call__(self, request: Request) -> Reply:
        return Reply(200)

    async def method(self, request: Request) -> Reply:
        return Reply(200)


def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def wrapper(request: Request) -> Any:
        return function(request)

    return wrapper


class HalfAnApplication:
    def handle(self, request: Request, now: float) -> Reply:
        return Reply(200)


def a_handler_that_was_called(runner: Runner) -> None:
    called = handler(Request("GET", "/"))
    try:
        with runner.serving(called):
            raise AssertionError("it is served")
    finally:
        called.close()


def given(served: Any) -> Callable[[Runner], Any]:
    return lambda _: served


REFUSED = [
    *(
        connect(ValueError, "URL", url)
        for url in ("/path", "ftp://host/", "http://", "http://user:secret@host/")
    ),
    connect(TypeError, "url takes str, not int", 7),
    connect(TypeError, "body takes bytes, not str", method="POST", body="do it"),
    connect(TypeError, "content takes bytes or str, not int", content=7),
    connect(TypeError, "body, content and json are three ways", body=b"x", json={}),
    connect(TypeError, "params takes Mapping or Iterable, not int", params=7),
    connect(TypeError, "timeout takes int or float, not str", timeout="5"),
    connect(ValueError, "timeout must be .*: 0", timeout=0),
    connect(TypeError, "give one of the two", timeout=5, deadlines=SourceDeadlines()),
    connect(TypeError, "follow_redirects takes bool, not int", follow_redirects=1),
    Refused(
        "stream_turn(timeout)",
        lambda runner: runner.stream_turn(URL, {}, timeout=0),
        ValueError,
        "timeout must be .*: 0",
    ),
    connect(TypeError, "the header 'Key' takes str, not int", headers={"Key": 7}),
    connect(TypeError, "last_event_id takes str, not int", last_event_id=7),
    connect(TypeError, "on_reconnect takes a function or None, not int", on_reconnect=7),
    connect(TypeError, "on_comment takes a function or None, not int", on_comment=7),
    connect(TypeError, "uds takes str or NoneType, not bytes", uds=b"/run/x.sock"),
    connect(TypeError, "proxy takes str or NoneType, not int", proxy=7),
    connect(ValueError, "proxy: a proxy's URL has to begin with http", proxy="socks5://127.0.0.1"),
    connect(ValueError, "uds and proxy are two ways", proxy="http://127.0.0.1", uds="/x"),
    connect(TypeError, "trust_env takes bool, not int", trust_env=1),
    connect(TypeError, "tls takes SSLContext or NoneType, not int", tls=7),
    Refused(
        "stream_turn(tls)",
        lambda runner: runner.stream_turn(URL, {}, tls=7),
        TypeError,
        "tls takes SSLContext or NoneType, not int",
    ),
    Refused(
        "connect without with",
        not_entered(lambda runner: runner.connect(URL)),
        LocalProtocolError,
        "with connect",
    ),
    Refused(
        "stream_turn without with",
        not_entered(lambda runner: runner.stream_turn(URL, {})),
        LocalProtocolError,
        "with stream_turn",
    ),
    Refused(
        "serve(a handler that was called)", a_handler_that_was_called, TypeError, "pass the handler itself"
    ),
    *(
        serve(TypeError, words, served)
        for served, words in (
            (object(), r"an application, or a handler: (async )?def handler\(request\); not object"),
            (None, "not NoneType"),
            ("x", "not str"),
            (stream(Request("GET", "/")), "pass the handler itself"),
            (
                HalfAnApplication(),
                "an application needs upstreams, handle_timeout, close, deadline, waker too",
            ),
        )
    ),
    # Nobody may listen on this port: nothing is tried before the arguments were looked at.
    serve(TypeError, "not str", "x", port=1),
    *(
        serve(TypeError, words, handler, **{name: value})
        for name, value, words in (
            ("host", 5, "host takes str, not int"),
            ("port", "80", "port takes int, not str"),
            ("uds", 7, "uds takes str or NoneType, not int"),
            ("tls", True, "tls takes SSLContext or NoneType, not bool"),
            ("upstream_tls", "ca.pem", "upstream_tls takes SSLContext or NoneType, not str"),
            ("settings", {}, "settings takes ServerSettings or NoneType, not dict"),
            ("handler_settings", {}, "handler_settings takes HandlerSettings or NoneType, not dict"),
            ("max_connections", "5", "max_connections takes int, not str"),
            ("on_refusal", 5, "on_refusal takes a function or None, not int"),
            ("grace", "1", "grace takes int or float, not str"),
            ("drain", "1", "drain takes int or float, not str"),
            ("reuse_port", 1, "reuse_port takes bool, not int"),
        )
    ),
    serve(TypeError, "what the function tls returns takes SSLContext, not str", handler, tls=str),
    *(
        serve(ValueError, f"{name} must be .*{value}", handler, **{name: value})
        for name, value in (
            ("port", -1),
            ("port", 70_000),
            ("max_connections", 0),
            ("grace", -1.0),
            ("drain", -1.0),
            ("grace", float("nan")),
        )
    ),
]
#: Only a binding with an event loop refuses these: a blocking handler would stop everybody.
REFUSED_WHERE_HANDLERS_ARE_ASYNC = [
    serve(TypeError, words, served)
    for served, words in (
        (blocking, "plain def: write async def"),
        (Blocking(), "plain def"),
        (Blocking().method, "plain def"),
        (partial(blocking), "plain def"),
        (decorated(blocking), "plain def"),
        (lambda _: Reply(200), "plain def"),
        (generator, "this generator is not async"),
    )
]
#: And only one without refuses these: nobody would run them.
REFUSED_WHERE_HANDLERS_BLOCK = [
    serve(TypeError, words, served, adapted=False)
    for served, words in (
        (handler, "this one is async: sse_trio.serve and sse_anyio.serve take it"),
        (stream, "this one is async"),
        (Async(), "this one is async"),
        (Async().method, "this one is async"),
        (partial(handler), "this one is async"),
        (decorated(handler), "this one is async"),
        (generator(Request("GET", "/")), "pass the handler itself, without calling it"),
    )
]
SCENARIOS = [
    ServerScenario(name=f"can be served: {name}", served=given(served), steps=[Fetch()])
    for name, served in {
        "a handler": handler,
        "an async generator": stream,
        "a callable object": Async(),
        "a method": Async().method,
        "a partial": partial(takes_more, 1),
        "a decorated handler": decorated(handler),
        "an application": Feeds(lambda _: Reply(200)),
    }.items()
]
