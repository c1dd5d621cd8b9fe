"""By which way connections go to where URLs lead."""

from __future__ import annotations

import pytest

from sse_core.urls import parse_url
from sse_http import Endpoint, Route

UNIX = "http+unix://%2Frun%2Fx.sock/"


@pytest.mark.parametrize(
    ("route", "url", "endpoint", "detour"),
    [
        (Route(), "https://host:8443/", Endpoint("host", 8443, tls=True), ""),
        (Route(), UNIX, Endpoint("localhost", 80, unix_path="/run/x.sock"), ""),
        (
            Route(uds="y.sock"),
            "https://host/",
            Endpoint("host", 443, tls=True, unix_path="y.sock"),
            "the Unix socket 'y.sock'",
        ),
        (Route(uds="y.sock"), UNIX, Endpoint("localhost", 80, unix_path="/run/x.sock"), ""),
    ],
)
def test_where_to_connect(route: Route, url: str, endpoint: Endpoint, detour: str) -> None:
    assert route.endpoint(parse_url(url)) == endpoint
    assert route.detour(parse_url(url)) == detour
