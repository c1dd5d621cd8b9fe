"""What an operator may set of the relay, with its defaults."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate
from urllib.parse import urlsplit

from sse_core.blocks import MessageAccumulator
from sse_core.blocks.json_structure import JSONBounds
from sse_core.lifecycle import Deadlines, RetryPolicy, SubscriptionSettings
from sse_http import Proxies, parse_url

from .routes import ROUTES, Route

#: What a header can carry as it is, and a person can type: a line ending that came along with a
#: key from a file would break every request.
_KEY = re.compile(r"[\x21-\x7e]+")

_POSITIVE = ("log_bytes", "retained_bytes", "max_turns", "max_client_turns", "max_unread_turns")
_DURATIONS = ("head_hold", "retention", "max_disconnect_seconds")


@dataclass(frozen=True, slots=True)
class RelayConfig:
    """The relay's settings: seconds and bytes.

    - ``upstream``: the provider's base URL, to which a route's path is added.
    - ``api_key``: is sent in place of what a client sends; without it a client's own credentials are
      passed on.
    - ``client_keys``: the keys that clients must show, if there are any.
    - ``pass_headers``: patterns such as ``Sim-*`` of further headers to pass on.
    - ``routes``: the protocols that are spoken.

    Raises ``ValueError``, with the name of the setting and never a key, for what can't work.
    """

    upstream: str
    api_key: str | None = field(default=None, repr=False)
    client_keys: frozenset[str] = field(default_factory=frozenset, repr=False)
    pass_headers: tuple[str, ...] = ()
    simulated: bool = False  #: makes the page show the simulated provider's settings
    model: str = ROUTES[0].model  #: what the page asks for
    proxies: Proxies | None = None  #: forward proxies on the way to ``upstream``
    routes: tuple[Route, ...] = field(default=ROUTES, repr=False)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    deadlines: Deadlines = field(default_factory=Deadlines)
    readers: SubscriptionSettings = field(default_factory=SubscriptionSettings)
    head_hold: float = 2.0  #: how long a failure may still become the status of the answer
    json_bounds: JSONBounds = field(default_factory=JSONBounds)  #: what a request's body may be made of
    log_bytes: int = 4 * 1024 * 1024  #: what is retained of one turn's events, at most
    new_accumulator: Callable[[], MessageAccumulator] = MessageAccumulator  #: its bounds are a message's
    retention: float = 60.0  #: how long a finished turn can still be read
    retained_bytes: int = 64 * 1024 * 1024  #: events and messages of all finished turns together
    max_turns: int = 1000  #: turns that run at the same time
    max_client_turns: int | None = None  #: those of one client; ``None`` leaves it all of ``max_turns``
    max_unread_turns: int | None = None  #: those of one client that nobody reads; ``None`` is half of them
    max_disconnect_seconds: float = 3600.0  #: the most that Turn-On-Disconnect may ask for

    def __post_init__(self) -> None:
        _check_upstream(self.upstream, self.routes)
        if self.api_key is not None:
            _check_key("api_key", self.api_key)
        for key in self.client_keys:
            _check_key("client_keys", key)
        if self.retry.after_output != "never":
            raise ValueError("retry: after_output must be never: this protocol's clients can't take back")
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be above zero")
        for name in _DURATIONS:
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be a finite number of seconds, not below zero")

    @property
    def client_turns(self) -> int:
        """How many turns one client may have."""
        return self.max_turns if self.max_client_turns is None else self.max_client_turns

    @property
    def unread_turns(self) -> int:
        """How many turns of one client may go on without a reader."""
        return (self.max_turns + 1) // 2 if self.max_unread_turns is None else self.max_unread_turns


def _check_upstream(upstream: str, routes: tuple[Route, ...]) -> None:
    try:
        parse_url(upstream)
    except ValueError as error:
        raise ValueError(f"upstream: {error}") from None
    if "?" in upstream or "#" in upstream:
        raise ValueError("upstream: a base URL has no query and no fragment; a path is added to it")
    path = urlsplit(upstream).path.rstrip("/")
    for route in routes:
        parts = route.path.split("/")[1:]
        first, beginnings = f"/{parts[0]}", accumulate(parts, "{}/{}".format, initial="")
        if path.endswith(tuple(beginnings)[1:]):
            raise ValueError(f"upstream: leave out {first} at its end; {route.path} is added to it")


def _check_key(name: str, key: str) -> None:
    if not _KEY.fullmatch(key):
        raise ValueError(f"{name}: a key is one or more visible ASCII characters, without white space")
