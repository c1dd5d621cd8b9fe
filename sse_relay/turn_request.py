"""From an HTTP request to what a client asks for: one pure function, one record."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from sse_core.errors import LimitExceeded
from sse_core.headers import Headers
from sse_core.lifecycle import OnDisconnect
from sse_http import Request

from .config import RelayConfig
from .credentials import digest
from .field_names import matcher
from .request_body import NotAnObjectError, RequestBody
from .routes import Route, credential_fields
from .routes.route import BEARER

_TURN_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")
_QUERY = re.compile(r"[!\"$-~]*")  # visible ASCII, without the beginning of a fragment
#: What is for this hop only, for the relay itself, or says who and where the client is.
_NEVER_PASSED = (
    *("connection", "expect", "keep-alive", "proxy-*", "te", "trailer", "transfer-encoding", "upgrade"),
    *("content-encoding", "last-event-id", "turn-*"),
    *("cookie", "forwarded", "origin", "referer", "via", "x-forwarded-*"),
)


class BadRequest(Exception):
    """The client's request can't be served as it is; the text says what to mend."""


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """A request for a turn, checked."""

    route: Route  #: the protocol that it is in
    body: bytes  #: for the provider: always with ``"stream": true``
    query: str  #: for the provider
    digest: bytes  #: of query and body as the client sent them
    streaming: bool  #: whether the client wants the events or the whole message
    turn_id: str | None  #: the client's own name for the turn
    on_disconnect: OnDisconnect
    headers: Headers  #: for the provider


def read_turn_request(request: Request, route: Route, config: RelayConfig) -> TurnRequest:
    """Check a request for a turn.

    - ``request``: as it came.
    - ``route``: the protocol that it is in.
    - ``config``: the bounds, the keys, and which headers are passed on.

    Raises ``BadRequest``.
    """
    body = _read_body(request.body, route, config)
    if not isinstance(body.stream, bool):
        raise BadRequest('"stream" must be true or false.')
    return TurnRequest(
        route,
        body=body.streaming(),
        query=_read_query(request.query),
        digest=hashlib.sha256(digest(request.query) + hashlib.sha256(request.body).digest()).digest(),
        streaming=body.stream,
        turn_id=_read_turn_id(request.headers.get("turn-id")),
        on_disconnect=_read_on_disconnect(request.headers.get("turn-on-disconnect"), config),
        headers=_passed_headers(request.headers, route, config),
    )


def _read_body(body: bytes, route: Route, config: RelayConfig) -> RequestBody:
    try:
        return RequestBody(body, config.json_bounds)
    except LimitExceeded as error:
        raise BadRequest(f"The body is not JSON that is read here: {error}.") from None
    except NotAnObjectError:
        raise BadRequest("The body must be a JSON object.") from None
    except (ValueError, RecursionError):
        message = f"The body is not JSON. Send a {route.name} request as a JSON object."
        raise BadRequest(message) from None


def _read_query(text: str) -> str:
    if not _QUERY.fullmatch(text):
        raise BadRequest("The query has characters that a URL can't have: percent-encode them.")
    return text


def is_turn_id(text: str) -> bool:
    """Whether a client may name a turn so."""
    return _TURN_ID.fullmatch(text) is not None


def _read_turn_id(text: str | None) -> str | None:
    if text is not None and not is_turn_id(text):
        raise BadRequest("Turn-Id must be 16 to 64 letters, digits, hyphens and underscores.")
    return text


def _read_on_disconnect(text: str | None, config: RelayConfig) -> OnDisconnect:
    if text is None:
        return OnDisconnect()
    try:
        return OnDisconnect.parse(text, max_seconds=config.max_disconnect_seconds)
    except ValueError as error:
        raise BadRequest(f"Turn-On-Disconnect: {error}.") from None


def _passed_headers(headers: Headers, route: Route, config: RelayConfig) -> Headers:
    is_wanted = matcher((*route.passed_headers, *config.pass_headers))
    is_unwanted = matcher((*_NEVER_PASSED, *credential_fields(config.routes)))
    # RFC 9110 section 7.6.1: "for each connection-option in this field, remove any header or trailer
    # field(s) from the message with the same name as the connection-option".
    options = {name.strip().lower() for value in headers.get_all("connection") for name in value.split(",")}
    passed = headers.where(lambda name: is_wanted(name) and not is_unwanted(name) and name not in options)
    if config.api_key is not None:
        return passed + Headers([route.credential.field(config.api_key)])
    if config.client_keys:
        return passed
    return passed + headers.where({route.credential.header, BEARER.header}.__contains__)
