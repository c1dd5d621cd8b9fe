"""What an operator may set of the relay, with its defaults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sse_core.blocks import MessageAccumulator
from sse_core.lifecycle import Deadlines, RetryPolicy, SubscriptionSettings

#: What the relay always passes on to the provider, if a client sends it.
PASSED_HEADERS = ("anthropic-version", "anthropic-beta")


@dataclass(frozen=True, slots=True)
class RelayConfig:
    """The relay's settings: seconds and bytes.

    ``upstream`` is the provider's base URL, to which ``/v1/messages`` is added.  ``api_key`` is
    sent as ``x-api-key`` in place of what a client sends; without it a client's own credentials
    are passed on.  ``client_keys``, if there are any, are the keys that clients must show.
    ``pass_headers`` are patterns such as ``Sim-*`` of further headers to pass on.
    """

    upstream: str
    api_key: str | None = field(default=None, repr=False)
    client_keys: frozenset[str] = field(default_factory=frozenset, repr=False)
    pass_headers: tuple[str, ...] = ()
    simulated: bool = False  #: tells the page to show the simulated provider's settings
    model: str = "claude-sonnet-4-5"  #: what the page asks for
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    deadlines: Deadlines = field(default_factory=Deadlines)
    readers: SubscriptionSettings = field(default_factory=SubscriptionSettings)
    head_hold: float = 2.0  #: how long a failure may still become the status of the answer
    log_bytes: int = 4 * 1024 * 1024  #: what is retained of one turn's events, at most
    new_accumulator: Callable[[], MessageAccumulator] = MessageAccumulator  #: its bounds are a message's
    retention: float = 60.0  #: how long a finished turn can still be read
    retained_bytes: int = 64 * 1024 * 1024  #: events and messages of all finished turns together
    max_turns: int = 1000  #: turns that run at the same time
    max_disconnect_seconds: float = 3600.0  #: the most that Turn-On-Disconnect may ask for
