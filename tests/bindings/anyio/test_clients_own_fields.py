"""What a client adds to each request goes to no other origin, and what it would decode is bounded."""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Callable
from typing import Any

import aiohttp
import anyio
import brotli  # type: ignore[import-untyped]
import httpx
import httpx2
import pytest

import sse_anyio
from sse_core import encode_event
from sse_core.errors import TransportError
from tests.bindings.peers import Act, Head, Peer, answer
from tests.bindings.test_transports import RUNNERS

SECRETS = {"Authorization": "Bearer secret-1", "X-Api-Key": "secret-2", "User-Agent": "theirs"}


def httpx_clients(library: Any) -> list[Callable[[], Any]]:
    return [
        lambda: library.AsyncClient(headers=SECRETS),
        lambda: library.AsyncClient(auth=("user", "secret-3")),
        lambda: library.AsyncClient(cookies={"session": "secret-4"}),
        lambda: library.AsyncClient(params={"key": "secret-5"}),
    ]


def aiohttp_session_with_auth() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return aiohttp.ClientSession(auth=aiohttp.BasicAuth("user", "secret-6"))


CLIENTS: list[tuple[str, Callable[[], Any]]] = [
    *(("httpx", client) for client in httpx_clients(httpx)),
    *(("httpx2", client) for client in httpx_clients(httpx2)),
    ("aiohttp", lambda: aiohttp.ClientSession(headers=SECRETS)),
    ("aiohttp", aiohttp_session_with_auth),
]


async def first_event(url: str, make: Callable[[], Any]) -> str:
    async with make() as client, sse_anyio.connect(url, transport=client) as stream:
        return (await anext(stream)).data


@pytest.mark.parametrize(("runner", "make"), CLIENTS)
def test_no_credential_of_a_clients_own_goes_to_another_origin(runner: str, make: Callable[[], Any]) -> None:
    event = encode_event("x")
    other = Peer([[Head(), answer(event)]])
    first = Peer([[Head(), answer(b"", "307 Temporary Redirect", location="{other}evil")]])
    with (
        other.running(RUNNERS[runner], {}) as there,
        first.running(RUNNERS[runner], {"other": there}) as here,
    ):
        assert anyio.run(first_event, here.url, make) == "x"
        assert b"GET /evil HTTP/1.1" in there.requests[0]
        assert b"secret" not in there.requests[0]
        assert b"cookie:" not in there.requests[0].lower()
        # RFC 7617 has the secret in Base64.
        assert b"secret" in here.requests[0] or b"\r\nauthorization: basic " in here.requests[0].lower()
        assert b"authorization" not in there.requests[0].lower()


@pytest.mark.parametrize("runner", ["httpx", "httpx2", "aiohttp"])
def test_a_redirect_within_its_origin_keeps_them(runner: str) -> None:
    make = next(make for name, make in CLIENTS if name == runner)
    scripts: list[list[Act]] = [
        [Head(), answer(b"", "307 Temporary Redirect", location="/on")],
        [Head(), answer(encode_event("x"))],
    ]
    with Peer(scripts).running(RUNNERS[runner], {}) as server:
        assert anyio.run(first_event, server.url, make) == "x"
        assert all(b"Bearer secret-1" in request for request in server.requests)


@pytest.mark.parametrize("library", [httpx, httpx2])
@pytest.mark.parametrize(("coding", "compress"), [("br", brotli.compress), ("gzip", gzip.compress)])
def test_a_bomb_ends_with_its_limit(library: Any, coding: str, compress: Callable[[bytes], bytes]) -> None:
    bomb = answer(compress(b"data: " + bytes(40_000_000) + b"\n\n"), content_encoding=coding)
    runner = RUNNERS[library.__name__]
    with Peer([[Head(), bomb]]).running(runner, {}) as server:
        with pytest.raises(TransportError, match="max_ratio"):
            anyio.run(first_event, server.url, library.AsyncClient)
        assert b"accept-encoding: identity" in server.requests[0].lower()


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_coding_that_nothing_undoes_here_is_named(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sse_http.answer_body.body_decoder.__kwdefaults__", {"decoded": frozenset({"gzip"})})
    compressed = answer(brotli.compress(encode_event("x")), content_encoding="br")
    with (
        Peer([[Head(), compressed]]).running(RUNNERS[library.__name__], {}) as server,
        pytest.raises(TransportError, match="pip install brotli"),
    ):
        anyio.run(first_event, server.url, library.AsyncClient)
