"""Why an attempt failed, and in which words."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..blocks import StreamError
from ..dialects import Dialect
from ..headers import Headers
from .turn_table import Outcome

#: Bytes of a refusal's body that are read.
MAX_REFUSAL_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed.

    ``status`` is the HTTP status for a client that has not got a head yet: the provider's own if
    it sent one that tells of an error, else 502 or 504.  ``error`` is what a client is told.
    ``headers`` are those of the answer, if the failure was one.
    """

    status: int
    error: StreamError
    outcome: Outcome = Outcome.FAILED
    headers: Headers = field(default_factory=Headers)

    @classmethod
    def broken(cls, message: str, *, retryable: bool) -> Failure:
        """The provider can't be reached, or doesn't answer as it should."""
        return cls(502, StreamError("api_error", message, retryable=retryable))

    @classmethod
    def cut(cls, message: str) -> Failure:
        """The stream ended early."""
        return cls(502, StreamError("api_error", message, retryable=True), Outcome.TRUNCATED)

    @classmethod
    def expired(cls, message: str, *, retryable: bool) -> Failure:
        """A deadline passed."""
        return cls(504, StreamError("timeout_error", message, retryable=retryable), Outcome.EXPIRED)


class Refusal:
    """An answer that is an error, while its body comes."""

    def __init__(self, status: int, headers: Headers) -> None:
        self._status = status
        self._headers = headers
        self._body: list[bytes] = []
        self._bytes = 0

    def receive_data(self, data: bytes) -> bool:
        """Take bytes of the body; whether there are as many now as are read."""
        self._body.append(data)
        self._bytes += len(data)
        return self._bytes >= MAX_REFUSAL_BYTES

    def failure(self, dialect: Dialect) -> Failure:
        """What the answer says, as far as it has come."""
        body = b"".join(self._body)[:MAX_REFUSAL_BYTES]
        error = dialect.parse_error(self._status, body, self._headers)
        return Failure(self._status, error, headers=self._headers)
