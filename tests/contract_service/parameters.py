"""What a harness asks a stream to be like, checked, and as arguments of ``connect``.

Source: https://github.com/launchdarkly/sse-contract-tests/blob/main/docs/service_spec.md, "Create stream".
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sse_core import RetryPolicy, SourceDeadlines
from sse_core.lifecycle import EventSource
from sse_http import ClientExchange, new_request, parse_url

#: The largest event that a harness sends has 128 MiB.
MAX_BYTES = 256 * 1024 * 1024
#: A harness sees to it that its tests end; it may break many connections before.
ATTEMPTS = 1000


class BadParameters(ValueError):
    """The request's body is not what the description says."""


@dataclass(frozen=True)
class Parameters:
    """The body of "Create stream"."""

    stream_url: str
    callback_url: str
    tag: str = ""
    initial_delay: float | None = None  #: seconds
    read_timeout: float | None = None  #: seconds
    last_event_id: str = ""
    method: str = "GET"
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def retry(self) -> RetryPolicy:
        """When a lost connection is made again."""
        if self.initial_delay is None:
            return RetryPolicy(max_attempts=ATTEMPTS)
        return RetryPolicy(max_attempts=ATTEMPTS, initial_delay=self.initial_delay, jitter=0.0)

    def arguments(self, last_event_id: str) -> dict[str, Any]:
        """Arguments of ``connect``; ``last_event_id`` is where to go on from."""
        deadlines = (
            SourceDeadlines() if self.read_timeout is None else SourceDeadlines(idle=self.read_timeout)
        )
        return {
            "url": self.stream_url,
            "method": self.method,
            "headers": self.headers,
            "body": self.body.encode(),
            "last_event_id": last_event_id,
            "retry": self.retry,
            "resume": None if self.method == "GET" else "always",
            "deadlines": deadlines,
            "max_line_bytes": MAX_BYTES,
            "max_event_bytes": MAX_BYTES,
            "trust_env": False,
        }

    def check(self) -> None:
        """Raises ``ValueError`` for what no ``connect`` takes."""
        self.arguments(self.last_event_id)
        request = new_request(
            self.stream_url, method=self.method, headers=self.headers, body=self.body.encode()
        )
        ClientExchange(EventSource(request, last_event_id=self.last_event_id))  # makes its head


def _member(fields: dict[str, Any], name: str, kind: type, default: Any) -> Any:
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, kind) or isinstance(value, bool):
        raise BadParameters(f"{name} is not of the type {kind.__name__}: {value!r}")
    return value


def _seconds(fields: dict[str, Any], name: str) -> float | None:
    milliseconds = _member(fields, name, int, None)
    return None if milliseconds is None else milliseconds / 1000


def read_parameters(body: bytes) -> Parameters:
    """The parameters of a stream.  Raises ``BadParameters``."""
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise BadParameters(f"the body is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise BadParameters("the body is no JSON object")
    headers = _member(fields, "headers", dict, {})
    if not all(isinstance(value, str) for value in headers.values()):
        raise BadParameters("headers are texts")
    parameters = Parameters(
        _member(fields, "streamUrl", str, ""),
        _member(fields, "callbackUrl", str, ""),
        _member(fields, "tag", str, ""),
        _seconds(fields, "initialDelayMs"),
        _seconds(fields, "readTimeoutMs"),
        _member(fields, "lastEventId", str, ""),
        _member(fields, "method", str, "GET"),
        _member(fields, "body", str, ""),
        headers,
    )
    try:
        parse_url(parameters.callback_url)
        parameters.check()
    except ValueError as error:
        raise BadParameters(str(error)) from error
    return parameters
