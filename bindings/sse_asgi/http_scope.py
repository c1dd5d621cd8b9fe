"""From a scope of ASGI's to a request, and from a head to ASGI's message.

https://asgi.readthedocs.io/en/latest/specs/www.html#http-connection-scope
"""

from __future__ import annotations

from urllib.parse import quote

from sse_core.headers import Headers
from sse_http import Request, StreamHead

from .asgi_types import Message, Scope

#: What a path may have in it beside letters and digits: RFC 3986 section 3.3.
_PATH_SIGNS = "/:@!$&'()*+,;=-._~"


def request_of(scope: Scope, body: bytes = b"") -> Request:
    """The request that ``scope`` is of, below the path at which the application is mounted.

    - ``scope``: of the type http.
    - ``body``: the content, if it has been read.
    """
    return Request(
        scope.get("method", "GET"),
        _path_of(scope),
        scope.get("query_string", b"").decode("latin-1"),
        Headers(_field(name, value) for name, value in scope.get("headers", ())),
        body,
        (scope.get("client") or ("", 0))[0] or "",
    )


def start_of(head: StreamHead, *, content_length: int | None = None) -> Message:
    """The message that begins an answer."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in head.headers]
    if content_length is not None:
        headers.append((b"content-length", b"%d" % content_length))
    return {"type": "http.response.start", "status": head.status, "headers": headers}


def _path_of(scope: Scope) -> str:
    """The path as it came, percent-encoded; where it is known only decoded, encoded again."""
    raw, root = scope.get("raw_path"), scope.get("root_path", "")
    path = raw.partition(b"?")[0].decode("latin-1") if raw else quote(scope["path"], _PATH_SIGNS)
    # "root_path: The root path this application is mounted at"; servers give the whole path since 2023.
    prefix = quote(root, _PATH_SIGNS)
    return path.removeprefix(prefix) or "/" if root and path.startswith(prefix) else path


def _field(name: bytes, value: bytes) -> tuple[str, str]:
    """WHATWG HTML 9.2.4: Last-Event-ID is "encoded as UTF-8"; all else is RFC 9110's."""
    key = name.decode("latin-1")
    if key.lower() == "last-event-id":
        return key, value.decode("utf-8", "replace")
    return key, value.decode("latin-1")
