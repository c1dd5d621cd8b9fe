"""What a route is: all that the relay has to know of one provider's protocol, as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from sse_core.blocks.strict_json import JSONObject
from sse_core.dialects import Credential, Dialect
from sse_core.headers import Headers
from sse_core.lifecycle import SubscriptionSettings
from sse_http import EVENT_STREAM_HEADERS, Problem, Reply

#: RFC 6750 section 2.1: what every client may show its key in, whatever its provider's protocol says.
BEARER = Credential("authorization", "Bearer")


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One protocol, between clients and a provider; one is another's equal only if it is the same.

    - ``name``: what its requests are called, for messages.
    - ``dialect``: how its streams are read and written, where its requests go, where its keys stand.
    - ``upstream``: the provider's own base URL.
    - ``model``: what the page asks for, unless the operator says otherwise.
    - ``passed_headers``: patterns of a request's header fields that go on to the provider.
    - ``returned_headers``: patterns of header fields of the provider's answer that go back to the client.
    - ``error_types``: the protocol's word for each kind of ``Problem``, and for our own: ``conflict``,
      ``gone``, ``stopped``.
    - ``error_body``: makes an error's body of its status, its type and its message.
    - ``max_body_bytes``: of a request; the provider takes no more.
    """

    name: str
    dialect: Dialect
    upstream: str
    model: str
    passed_headers: tuple[str, ...]
    returned_headers: tuple[str, ...]
    error_types: Mapping[str, str]
    error_body: Callable[[int, str, str], JSONObject]
    max_body_bytes: int

    @property
    def path(self) -> str:
        """Where clients send requests, and where the relay sends them at the provider."""
        return self.dialect.request_path

    @property
    def stream_headers(self) -> Headers:
        """What the head of each of its event streams says."""
        return _stream_headers(self)

    @property
    def credential(self) -> Credential:
        """Where the provider wants its key."""
        return self.dialect.credential or BEARER

    def url(self, upstream: str, query: str) -> str:
        """Where requests go at the provider with the base URL ``upstream``."""
        return upstream.rstrip("/") + self.path + (f"?{query}" if query else "")

    def error_type(self, kind: str) -> str:
        """The protocol's word for a kind of problem."""
        return self.error_types.get(kind) or self.error_types["server"]

    def reader_settings(self, settings: SubscriptionSettings) -> SubscriptionSettings:
        """``settings`` without heartbeats, where the protocol's clients fail at a comment."""
        return settings if self.dialect.comments_are_safe else replace(settings, heartbeat=None)

    def problem_reply(self, problem: Problem) -> Reply:
        """``problem`` as an answer in the shape of this protocol."""
        body = self.error_body(problem.status, self.error_type(problem.kind), problem.message)
        return Reply.json(problem.status, body, problem.headers, reason=problem.message)


@lru_cache
def _stream_headers(route: Route) -> Headers:
    return Headers([*EVENT_STREAM_HEADERS, *route.dialect.response_headers.items()])


@lru_cache
def credential_fields(routes: tuple[Route, ...]) -> tuple[str, ...]:
    """The header fields in which clients may show a key: each protocol's own, and a bearer token's."""
    return _unique([*(route.credential.header for route in routes), BEARER.header])


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    own = dict.fromkeys(names)
    return (*(name for name in own if name != BEARER.header), BEARER.header)
