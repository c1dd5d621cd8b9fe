"""Where a redirect leads, and what goes along.

The rules are Fetch's, https://fetch.spec.whatwg.org/#http-redirect-fetch, and stricter in three
points, since no page's origin guards the requests here: to another origin go only fields that are
known to hold no credential, and no body at all; and nobody is led from https to http.
"""

from __future__ import annotations

import dataclasses
from urllib.parse import urldefrag, urljoin, urlsplit

from ..errors import LimitExceeded, RemoteProtocolError
from ..headers import Headers
from ..urls import parse_url
from .machine import HTTPRequest

#: Fetch: "If request's redirect count is 20, then return a network error."
DEFAULT_MAX_REDIRECTS = 20

_STATUSES = frozenset({301, 302, 303, 307, 308})
#: Those after which method and body stay what they were (RFC 9110 sections 15.4.8 and 15.4.9).
_KEEPING = frozenset({307, 308})

#: The fields that go along to another origin.  A list of credentials would never be complete: providers
#: call their keys ``x-api-key``, ``api-key``, ``x-goog-api-key``, and the next one otherwise.
HARMLESS_FIELDS = frozenset(
    {"accept", "accept-language", "cache-control", "last-event-id", "pragma", "user-agent"}
)


def is_redirect(status: int, headers: Headers) -> bool:
    """Whether an answer says to ask elsewhere.  Without a ``Location`` it says nothing of the kind."""
    return status in _STATUSES and "location" in headers


def redirected(request: HTTPRequest, status: int, headers: Headers) -> HTTPRequest:
    """What to send after ``request`` was answered with this redirect.

    Raises ``RemoteProtocolError`` for a redirect that must not be followed.
    """
    url = _location(request.url, headers)
    current, target = parse_url(request.url), parse_url(url)
    if current.secure and not target.secure:
        raise _refused("from https to http")
    if _becomes_get(status, request.method):
        request = as_get(request, request.url)
    if target.origin != current.origin:
        request = _for_strangers(request)
    return dataclasses.replace(request, url=url)


def repeated(request: HTTPRequest, status: int, headers: Headers) -> HTTPRequest:
    """What to send after a request that has an effect, and that is to have it elsewhere, as it is.

    Raises ``RemoteProtocolError`` for a redirect that makes another request of it, or leads to another
    origin: neither body nor credentials go there.  To https of the same host they do.
    """
    if status not in _KEEPING:
        raise _refused(f"with status {status}, which keeps no {request.method}")
    url = _location(request.url, headers)
    current, target = parse_url(request.url), parse_url(url)
    if current.secure and not target.secure:
        raise _refused("from https to http")
    is_same_host = target.host == current.host and current.unix_path is None
    if target.origin != current.origin and not (target.secure and is_same_host):
        raise _refused("to another origin, which would be sent the request's body and credentials")
    return dataclasses.replace(request, url=url)


def too_many_redirects(bound: int) -> LimitExceeded:
    """One more would be beyond the bound."""
    message = f"the server redirects more than {bound} times (limit: max_redirects)"
    return LimitExceeded(message, limit="max_redirects", bound=bound, status=502)


def as_get(request: HTTPRequest, url: str) -> HTTPRequest:
    """A GET of ``url`` with the fields of ``request``, but for those that describe its body."""
    kept = [(name, value) for name, value in request.headers if not name.startswith("content-")]
    return dataclasses.replace(request, url=url, method="GET", headers=Headers(kept), body=b"")


def resolved(url: str, reference: str) -> str | None:
    """What ``reference`` means in an answer from ``url``, without a fragment.

    ``None`` if that is no http or https URL, or one with credentials in it, or names another Unix socket:
    which of them there are on this machine is nothing for a peer to choose.
    """
    try:
        absolute = urldefrag(_joined(url, reference)).url
        current, target = parse_url(url), parse_url(absolute)
    except ValueError:
        return None
    return absolute if target.unix_path in {None, current.unix_path} else None


def _joined(url: str, reference: str) -> str:
    """``urljoin``, which knows nothing of http+unix."""
    scheme, colon, rest = url.partition(":")
    if scheme.lower() != "http+unix" or urlsplit(reference).scheme:
        return urljoin(url, reference)
    return scheme + colon + urljoin(f"http:{rest}", reference).partition(":")[2]


def _location(url: str, headers: Headers) -> str:
    locations = headers.get_all("location")
    target = resolved(url, locations[0])
    if target is None:
        raise _refused("to what is no http or https URL, or has credentials in it")
    if len(locations) > 1:
        # Fetch fails too where a field that may come once comes more often.
        raise _refused("to several URLs at once")
    return target


def _becomes_get(status: int, method: str) -> bool:
    # Fetch: "internalResponse's status is 301 or 302 and request's method is `POST`" or
    # "internalResponse's status is 303 and request's method is not `GET` or `HEAD`".
    if status == 303:
        return method not in {"GET", "HEAD"}
    return status in {301, 302} and method == "POST"


def _for_strangers(request: HTTPRequest) -> HTTPRequest:
    if request.body:
        raise _refused("to another origin, which would be sent the request's body")
    kept = [(name, value) for name, value in request.headers if name in HARMLESS_FIELDS]
    return dataclasses.replace(request, headers=Headers(kept), credentials=False)


def _refused(where: str) -> RemoteProtocolError:
    # Without the URL: a key may stand in it, and messages end up in logs.
    return RemoteProtocolError(f"the server redirects {where}", status=502)
