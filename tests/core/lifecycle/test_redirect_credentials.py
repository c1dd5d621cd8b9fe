"""A request that was led to another origin says that it may carry no credential."""

from __future__ import annotations

from sse_core.headers import Headers
from sse_core.lifecycle import HTTPRequest
from sse_core.lifecycle.redirect import redirected


def led(request: HTTPRequest, status: int, place: str) -> HTTPRequest:
    return redirected(request, status, Headers({"location": place}))


def test_within_its_origin_it_may() -> None:
    assert led(HTTPRequest("https://a/"), 302, "/on").credentials


def test_elsewhere_it_may_not_and_never_again() -> None:
    request = led(HTTPRequest("https://a/", "PUT"), 307, "https://b/")
    assert not request.credentials
    request = led(request, 303, "/see")  # which makes a GET of it
    assert (request.method, request.credentials) == ("GET", False)
    assert not led(request, 302, "https://a/").credentials
