"""By which way a client connects, as its arguments and the environment say."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from sse_http import ForwardProxy, Proxies, Route
from sse_io.client_route import client_route

PROXY = ForwardProxy("proxy.test", 3128)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", "direct.test")


def test_the_environments_is_the_default() -> None:
    route = client_route().http
    assert route == Route(proxies=Proxies(https=PROXY, no_proxy="direct.test", even_loopback=False))


def test_the_environment_is_not_trusted() -> None:
    assert client_route(trust_env=False).http == Route()


def test_ones_own_is_for_everything() -> None:
    assert client_route(proxy="http://proxy.test:3128").http == Route(proxies=Proxies(PROXY, PROXY))


def test_a_unix_socket_needs_none() -> None:
    tls = ssl.create_default_context()
    route = client_route(uds="/x", tls=tls)
    assert (route.http, route.tls) == (Route("/x"), tls)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"tls": 7}, TypeError, "^tls takes"),
        ({"uds": 7}, TypeError, "^uds takes"),
        ({"proxy": 7}, TypeError, "^proxy takes"),
        ({"trust_env": 1}, TypeError, "^trust_env takes"),
        ({"proxy": "socks5://x"}, ValueError, "^proxy: a proxy's URL"),
        ({"proxy": "http://x", "uds": "/x"}, ValueError, "two ways to connect"),
    ],
)
def test_what_cannot_be(options: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        client_route(**options)
