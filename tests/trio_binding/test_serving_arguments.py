"""What ``serve`` can't serve is said at once, in one sentence that says what to do."""

# ruff: noqa: ARG001, ARG002  (the face of a handler has a request)

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial, wraps
from typing import Any

import pytest
import trio

import sse_trio
from sse_http import Reply, Request
from tests.trio_binding.support import Feeds, fetch, serving


def plain(request: Request) -> Reply:
    return Reply(200)


def generator(request: Request) -> Iterator[str]:
    yield "x"


async def handler(request: Request) -> Reply:
    return Reply(200)


async def stream(request: Request) -> AsyncIterator[str]:
    yield "x"


async def takes_more(more: object, request: Request) -> Reply:
    return Reply(200)


class Plain:
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


@pytest.mark.parametrize(
    ("served", "words"),
    [
        (object(), r"an application, or a handler: async def handler\(request\); not object"),
        (None, "not NoneType"),
        ("x", "not str"),
        (plain, "plain def: write async def"),
        (Plain(), "plain def"),
        (Plain().method, "plain def"),
        (partial(plain), "plain def"),
        (decorated(plain), "plain def"),
        (lambda _: Reply(200), "plain def"),
        (generator, "this generator is not async"),
        (stream(Request("GET", "/")), "pass the handler itself"),
        (HalfAnApplication(), "an application needs upstreams, handle_timeout, close, deadline, waker too"),
    ],
)
async def test_what_cannot_be_served(served: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words) as raised:
        await sse_trio.serve(served)
    assert "\n" not in str(raised.value)


async def test_a_handler_that_was_called() -> None:
    called = handler(Request("GET", "/"))
    with pytest.raises(TypeError, match="pass the handler itself"):
        await sse_trio.serve(called)  # type: ignore[arg-type]
    called.close()


@pytest.mark.parametrize(
    "served",
    [
        handler,
        stream,
        Async(),
        Async().method,
        partial(takes_more, 1),
        decorated(handler),
        Feeds(lambda _: Reply(200)),
    ],
)
async def test_what_can(served: Any) -> None:
    async with serving(served) as server:
        assert b"200 OK" in await fetch(server)


async def test_nothing_is_listening_afterwards() -> None:
    with trio.CancelScope() as scope, pytest.raises(TypeError):
        await sse_trio.serve(plain, port=1)  # type: ignore[arg-type]  # nobody may listen on this port
    assert not scope.cancelled_caught


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("host", 5, "host takes str, not int"),
        ("port", "80", "port takes int, not str"),
        ("tls", True, "tls takes SSLContext or NoneType, not bool"),
        ("upstream_tls", "ca.pem", "upstream_tls takes SSLContext or NoneType, not str"),
        ("settings", {}, "settings takes ServerSettings or NoneType, not dict"),
        ("handler_settings", {}, "handler_settings takes HandlerSettings or NoneType, not dict"),
        ("max_connections", "5", "max_connections takes int, not str"),
        ("on_refusal", 5, "on_refusal takes a function or None, not int"),
        ("grace", "1", "grace takes int or float, not str"),
    ],
)
async def test_an_argument_of_the_wrong_type(name: str, value: object, words: str) -> None:
    arguments: dict[str, Any] = {name: value}
    with pytest.raises(TypeError, match=words):
        await sse_trio.serve(handler, **arguments)


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", -1), ("port", 70_000), ("max_connections", 0), ("grace", -1.0), ("grace", float("nan"))],
)
async def test_an_argument_out_of_its_range(name: str, value: float) -> None:
    arguments: dict[str, Any] = {name: value}
    with pytest.raises(ValueError, match=f"{name} must be .*{value}"):
        await sse_trio.serve(handler, **arguments)
