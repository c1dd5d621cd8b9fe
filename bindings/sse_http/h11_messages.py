"""Heads of messages: from h11's to ours and back, with the rules that h11 leaves to its user.

h11 has read the grammar when a head comes here.  What is added is what an origin server must not
let pass: framing that two implementations could read in two ways, other versions, tunnels, and
targets that are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import h11

from sse_core.errors import RemoteProtocolError
from sse_core.headers import Headers
from sse_core.lifecycle.machine import HTTPRequest
from sse_core.urls import parse_url

from .application import Request
from .exchange import has_body
from .forward_proxy import ForwardProxy
from .reason_phrase import reason_phrase
from .tunnel import proxy_fields

_ABSOLUTE = re.compile(r"https?://(?P<authority>[^/?]+)(?P<rest>.*)", re.IGNORECASE)

#: Fields that say where a body ends: that is for the server to know.
_FRAMING = frozenset({"content-length", "transfer-encoding"})
#: Fields about one connection (RFC 9110 section 7.6.1) or its body, which only the sender can know.
_CONNECTION_FIELDS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_USER_AGENT = "sse-core"


def headers_of(head: h11.Request | h11.Response) -> Headers:
    """h11's fields as ours."""
    return Headers([(name.decode("ascii"), value.decode("latin-1")) for name, value in head.headers])


def read_request(head: h11.Request, client: str) -> Request:
    """The request that ``head`` begins, its body still empty.

    Raises ``RemoteProtocolError``, with the status to answer.
    """
    headers = _with_event_id(headers_of(head))
    _check_version(head)
    _check_framing(head, headers)
    method, target = head.method.decode("ascii"), head.target.decode("ascii")
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute:
        # RFC 9112 section 3.2.2: an origin server "MUST ignore the received Host header field (if
        # any) and instead use the host information of the request-target."
        headers = headers.replaced({"host": absolute["authority"]})
        target = absolute["rest"] if absolute["rest"].startswith("/") else "/" + absolute["rest"]
    elif not target.startswith("/") and (method, target) != ("OPTIONS", "*"):
        raise RemoteProtocolError("The request's target is neither a path nor an http URL.")
    path, _, query = target.partition("?")
    return Request(method, path, query, headers, client=client)


def _with_event_id(headers: Headers) -> Headers:
    """``headers`` with ``Last-Event-ID`` as the text that it was; what is no UTF-8 stays as it is."""
    # WHATWG HTML 9.2.4: "Let lastEventIDValue be the EventSource object's last event ID string, encoded as
    # UTF-8."
    value = headers.get("last-event-id") or ""
    if value.isascii():
        return headers
    try:
        return headers.replaced({"last-event-id": value.encode("latin-1").decode()})
    except UnicodeDecodeError:
        return headers


def _check_version(head: h11.Request) -> None:
    if not head.http_version.startswith(b"1."):
        raise RemoteProtocolError("This server speaks HTTP/1.1 only.", status=505)
    if head.method == b"CONNECT":
        # RFC 9110 section 9.3.6: it asks for a tunnel, "intended only for use in requests to a proxy".
        raise RemoteProtocolError("This server is no proxy: it makes no tunnels.", status=501)


def _check_framing(head: h11.Request, headers: Headers) -> None:
    if "transfer-encoding" not in headers:
        return
    if "content-length" in headers:
        # RFC 9112 section 6.1: "A server MAY reject a request that contains both Content-Length and
        # Transfer-Encoding"; it is how requests are smuggled past a proxy.
        raise RemoteProtocolError("The request has both Content-Length and Transfer-Encoding.")
    if head.http_version == b"1.0":
        # The same section: a server that receives an HTTP/1.0 message with Transfer-Encoding "MUST
        # treat the message as if the framing is faulty".
        raise RemoteProtocolError("HTTP/1.0 has no Transfer-Encoding.")


def is_chunked(head: h11.Response, method: str) -> bool:
    """Whether ``head`` begins a body of chunks, as an answer to a request with ``method``."""
    # h11 has seen to it that no other coding is named.
    return has_body(method, head.status_code) and any(
        name == b"transfer-encoding" for name, _ in head.headers
    )


def response_head(
    status: int, headers: Headers, *, length: int | None = None, close: bool = False, date: str | None = None
) -> h11.Response:
    """The head of an answer, for h11 to send.

    - ``length``: its body's, in bytes, or ``None`` if it isn't known.
    - ``close``: it is the connection's last.
    - ``date``: for the Date field, if the answer has none.

    Raises ``h11.LocalProtocolError`` or ``ValueError`` for a status or a value that can't be sent.
    """
    fields = [(name, value) for name, value in headers if name not in _FRAMING]
    # RFC 9110 section 8.6: "A server MUST NOT send a Content-Length header field" with 204, and with
    # 304 only the one that a 200 would have had, which nobody knows here.
    if length is not None and status not in {204, 304}:
        fields.append(("content-length", str(length)))
    if close:
        fields.append(("connection", "close"))
    if date is not None and "date" not in headers:
        fields.append(("date", date))
    return h11.Response(status_code=status, headers=as_bytes(fields), reason=reason_phrase(status).encode())


def request_bytes(http: h11.Connection, head: h11.Request, body: bytes) -> bytes:
    """A request as h11 frames it, with a ``head`` that :func:`request_head` has made."""
    parts = [http.send(head)]
    if body:
        parts.append(http.send(h11.Data(data=body)))
    parts.append(http.send(h11.EndOfMessage()))
    return b"".join(parts)


def request_head(request: HTTPRequest, proxy: ForwardProxy | None = None) -> h11.Request:
    """The head of ``request``, for h11 to send; to ``proxy``, if there is one that passes it on.

    Raises ``ValueError`` for a URL that is none, and for what can't stand in a head.
    """
    target = parse_url(request.url)
    if request.method == "CONNECT":
        # RFC 9110 section 9.3.6: it makes a tunnel, and what follows is no longer HTTP.
        raise ValueError("this request can't be sent: CONNECT is for proxies")
    fields = [("host", target.authority), *_defaults(request)]
    path = target.path
    if proxy is not None:
        # RFC 9112 section 3.2.2: "When making a request to a proxy, other than a CONNECT or server-wide
        # OPTIONS request (as detailed below), a client MUST send the target URI in "absolute-form" as the
        # request-target."
        path = f"http://{target.authority}{path}"
        fields += proxy_fields(proxy)
    fields += [(name, value) for name, value in request.headers if name not in _CONNECTION_FIELDS]
    try:
        return h11.Request(method=request.method.encode(), target=path.encode(), headers=as_bytes(fields))
    except h11.LocalProtocolError as error:
        # h11 quotes what it refuses, as b'...', and that may be a credential.
        raise ValueError(f"this request can't be sent: {str(error).partition(' b')[0]}") from None


def _defaults(request: HTTPRequest) -> list[tuple[str, str]]:
    fields = [("connection", "close"), ("accept-encoding", "identity")]
    if request.body or request.method in {"POST", "PUT", "PATCH"}:
        fields.append(("content-length", str(len(request.body))))
    if "user-agent" not in request.headers:
        fields.append(("user-agent", _USER_AGENT))
    return fields


def as_bytes(fields: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Our fields as h11's.  Raises ``ValueError`` for text that can't be sent."""
    return [(name.encode("ascii"), _value_as_bytes(name, value)) for name, value in fields]


def _value_as_bytes(name: str, value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        # The value itself is not named: it may be a credential.
        raise ValueError(f"header {name!r} can't be sent: it holds characters beyond ISO-8859-1") from None
