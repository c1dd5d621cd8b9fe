"""Where turns are sent: a provider's address, dialect and policies, as plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from .. import dialects
from ..blocks import MessageAccumulator
from ..dialects import Dialect
from ..headers import Headers
from .machine import HTTPRequest
from .policies import Deadlines, OnDisconnect
from .retry import Jitter, RetryPolicy, no_jitter
from .turn import Turn


@dataclass(frozen=True, slots=True)
class Upstream:
    """A provider's streaming endpoint.

    ``url`` is absolute and whole (``https://api.anthropic.com/v1/messages``); ``headers`` carry
    the credentials; ``dialect`` is its wire protocol, or the name of one that there is.
    """

    url: str
    headers: Headers = field(default_factory=Headers)
    dialect: str | Dialect = "anthropic"
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    deadlines: Deadlines = field(default_factory=Deadlines)

    def turn(
        self,
        body: bytes | Mapping[str, object],
        *,
        on_disconnect: OnDisconnect | None = None,
        jitter: Jitter = no_jitter,
        accumulator: MessageAccumulator | None = None,
    ) -> Turn:
        """A turn, not yet started, that sends ``body``.

        A mapping is sent as JSON with what the dialect needs to stream (``"stream": true``) in it;
        bytes are sent as they are.  ``accumulator`` is a new one; give one to set its bounds.
        """
        dialect = self.dialect if isinstance(self.dialect, Dialect) else dialects.get(self.dialect)
        fields = {"content-type": "application/json", "accept": "text/event-stream"}
        request = HTTPRequest(self.url, "POST", self.headers.replaced(fields), _as_bytes(body, dialect))
        return Turn(
            request,
            dialect,
            retry=self.retry,
            deadlines=self.deadlines,
            on_disconnect=on_disconnect,
            jitter=jitter,
            accumulator=accumulator,
        )


def _as_bytes(body: bytes | Mapping[str, object], dialect: Dialect) -> bytes:
    return body if isinstance(body, bytes) else json.dumps({**body, **dialect.request_fields}).encode()
