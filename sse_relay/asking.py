"""From an HTTP request to what a client asks for: one pure function, one plain object."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from sse_core.headers import Headers
from sse_core.lifecycle import OnDisconnect
from sse_http import Request

from .config import PASSED_HEADERS, RelayConfig

_TURN_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")
_NEVER_PASSED = ("cookie", "expect", "keep-alive", "last-event-id", "proxy-*", "te", "turn-*", "upgrade")
_CREDENTIALS = ("x-api-key", "authorization")


class BadRequest(Exception):
    """The client's request can't be served as it is; the text says what to mend."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a turn, checked."""

    body: bytes  #: for the provider: always with ``"stream": true``
    digest: bytes  #: of the body as the client sent it
    streaming: bool  #: whether the client wants the events or the whole message
    turn_id: str | None  #: the client's own name for the turn
    on_disconnect: OnDisconnect
    headers: Headers  #: for the provider


def read_asked(request: Request, config: RelayConfig) -> Asked:
    """Check a request for a turn.  Raises ``BadRequest``."""
    message = _read_object(request.body)
    streaming = message.get("stream", False)
    if not isinstance(streaming, bool):
        raise BadRequest('"stream" must be true or false.')
    return Asked(
        body=request.body if streaming else json.dumps({**message, "stream": True}).encode(),
        digest=hashlib.sha256(request.body).digest(),
        streaming=streaming,
        turn_id=_read_turn_id(request.headers.get("turn-id")),
        on_disconnect=_read_on_disconnect(request.headers.get("turn-on-disconnect"), config),
        headers=_passed_headers(request.headers, config),
    )


def shown_key(headers: Headers) -> str:
    """The credential that a client shows, or an empty text."""
    key = headers.get("x-api-key") or headers.get("authorization") or ""
    return key.removeprefix("Bearer ").strip()


def owner_of(headers: Headers) -> bytes:
    """Who a client is, to tell its turns from others': a digest of the credential it shows."""
    return hashlib.sha256(shown_key(headers).encode()).digest()


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("The body is not JSON. Send a Messages request as a JSON object.") from None
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.")
    return value


def _read_turn_id(text: str | None) -> str | None:
    if text is not None and not _TURN_ID.fullmatch(text):
        raise BadRequest("Turn-Id must be 16 to 64 letters, digits, hyphens and underscores.")
    return text


def _read_on_disconnect(text: str | None, config: RelayConfig) -> OnDisconnect:
    if text is None:
        return OnDisconnect()
    try:
        return OnDisconnect.parse(text, max_seconds=config.max_disconnect_seconds)
    except ValueError as error:
        raise BadRequest(f"Turn-On-Disconnect: {error}.") from None


def _passed_headers(headers: Headers, config: RelayConfig) -> Headers:
    patterns = [*PASSED_HEADERS, *(pattern.lower() for pattern in config.pass_headers)]
    kept = [
        (name, value)
        for name, value in headers
        if _matches(name, patterns) and not _matches(name, _NEVER_PASSED) and name not in _CREDENTIALS
    ]
    if config.api_key is not None:
        kept.append(("x-api-key", config.api_key))
    elif not config.client_keys:
        kept += [(name, value) for name, value in headers if name in _CREDENTIALS]
    return Headers(kept)


def _matches(name: str, patterns: tuple[str, ...] | list[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
