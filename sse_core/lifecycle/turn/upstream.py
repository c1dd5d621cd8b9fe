"""Where turns are sent: a provider's address, dialect and policies, as plain data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ... import dialects
from ...arguments import check_bound, check_callable, check_type
from ...blocks import MessageAccumulator
from ...dialects import Dialect
from ...framing.decoder import DEFAULT_MAX_BYTES
from ...headers import Headers, HeadersLike
from ..machine import HTTPRequest, OnComment
from ..policies import Deadlines, OnDisconnect
from ..retry import Jitter, RetryPolicy, WallClock, no_jitter
from .turn import Turn

#: What a turn's request says of itself, whatever else it says.
_OURS = {"content-type": "application/json", "accept": "text/event-stream"}


@dataclass(frozen=True, slots=True)
class Upstream:
    """A provider's streaming endpoint.

    - ``url``: absolute and complete (``https://api.anthropic.com/v1/messages``).
    - ``headers``: the credentials and whatever else the provider wants; or a function that gives them and
      is called for each attempt, where they expire.
    - ``dialect``: the wire protocol, or the name of one that there is.
    - ``retry``, ``deadlines``: when to try again, and how long to wait for what.
    - ``max_line_bytes``, ``max_event_bytes``: of the answer, as for
      :class:`sse_core.EventStreamDecoder`.
    - ``on_comment``: called with each comment of the answer, in its place among the events.

    Raises ``TypeError`` for an argument of another type, and ``ValueError`` for a dialect that there is not
    and for bounds below 1.
    """

    url: str
    headers: HeadersLike | Callable[[], HeadersLike] = field(default_factory=Headers)
    dialect: str | Dialect = "anthropic"
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    deadlines: Deadlines = field(default_factory=Deadlines)
    max_line_bytes: int = DEFAULT_MAX_BYTES
    max_event_bytes: int = DEFAULT_MAX_BYTES
    on_comment: OnComment | None = None

    def __post_init__(self) -> None:
        check_type("url", self.url, str)
        check_type("dialect", self.dialect, str, Dialect)
        if isinstance(self.dialect, str):
            dialects.get(self.dialect)
        check_type("retry", self.retry, RetryPolicy)
        check_type("deadlines", self.deadlines, Deadlines)
        check_bound("max_line_bytes", self.max_line_bytes)
        check_bound("max_event_bytes", self.max_event_bytes)
        check_callable("on_comment", self.on_comment)
        if not callable(self.headers):
            # Not a mapping of somebody's: it could change, and its repr would show credentials.
            object.__setattr__(self, "headers", Headers(self.headers))

    def turn(
        self,
        body: bytes | Mapping[str, object],
        *,
        on_disconnect: OnDisconnect | None = None,
        jitter: Jitter = no_jitter,
        wall_clock: WallClock | None = None,
        accumulator: MessageAccumulator | None = None,
    ) -> Turn:
        """A turn, not yet started.

        - ``body``: what it sends.  A mapping is sent as JSON with what the dialect needs to stream
          (``"stream": true``) in it; bytes are sent as they are.
        - ``on_disconnect``: what it does when its last reader has gone.
        - ``jitter``, ``wall_clock``: the binding's randomness and time of day, as for :class:`Turn`.
        - ``accumulator``: a new one; give one to set its bounds.

        Raises ``TypeError`` and ``ValueError`` for a ``body`` that can't be JSON.
        """
        dialect = self.dialect if isinstance(self.dialect, Dialect) else dialects.get(self.dialect)
        given = self.headers
        headers = Headers(_OURS) if callable(given) else _with_ours(given)
        request = HTTPRequest(self.url, "POST", headers, _as_bytes(body, dialect))
        return Turn(
            request,
            dialect,
            headers=(lambda: _with_ours(given())) if callable(given) else None,
            retry=self.retry,
            deadlines=self.deadlines,
            on_disconnect=on_disconnect,
            jitter=jitter,
            wall_clock=wall_clock,
            accumulator=accumulator,
            on_comment=self.on_comment,
            max_line_bytes=self.max_line_bytes,
            max_event_bytes=self.max_event_bytes,
        )


def _with_ours(headers: HeadersLike) -> Headers:
    return Headers(headers).replaced(_OURS)


def _as_bytes(body: bytes | Mapping[str, object], dialect: Dialect) -> bytes:
    if isinstance(body, bytes):
        return body
    check_type("body", body, Mapping, bytes, hint="the provider's request, or its JSON")
    return json.dumps({**body, **dialect.request_fields}, allow_nan=False).encode()
