"""Why an attempt failed: a status, an error for the client, a reason for the log."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...blocks import StreamError
from ...dialects.cuts import CUTS, TYPES_OF_CUTS
from ...errors import LimitExceeded, RemoteProtocolError, TurnError
from ...headers import Headers
from ...urls import parse_url
from .answer_stream import WrongDialect
from .turn_table import Outcome


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed.

    - ``status``: the HTTP status for a client that has not got a head yet: the provider's own if it sent one
      of an error, else 502 or 504.
    - ``error``: what a client is sent; its ``retryable`` says whether the same request may succeed later.
    - ``outcome``: what it means for the turn.
    - ``headers``: those of the answer, if the failure was one.
    - ``reason``: for whoever runs this side, for logs and exceptions: the error's message, or more.
    """

    status: int
    error: StreamError
    outcome: Outcome = Outcome.FAILED
    headers: Headers = field(default_factory=Headers)
    reason: str = ""

    def __post_init__(self) -> None:
        if not self.reason:
            object.__setattr__(self, "reason", self.error.message)

    @classmethod
    def broken(cls, message: str, *, retryable: bool, headers: Headers | None = None) -> Failure:
        """The provider doesn't answer as it should."""
        error = StreamError("api_error", message, retryable=retryable, kind="server")
        return cls(502, error, headers=headers or Headers())

    @classmethod
    def unreachable(cls, url: str, reason: str, *, retryable: bool) -> Failure:
        """No connection to the host of ``url`` could be made."""
        place = parse_url(url).address
        message = f"The provider can't be reached: the connection to {place} could not be made: {reason}"
        return cls.broken(message, retryable=retryable)

    @classmethod
    def unreadable(cls, error: RemoteProtocolError | LimitExceeded) -> Failure:
        """The stream breaks the protocol, or a bound of ours, or is of another dialect."""
        # What is beyond a bound will be so again, and so will another dialect.
        retryable = isinstance(error, RemoteProtocolError) and not isinstance(error, WrongDialect)
        return cls.broken(f"The provider's stream is broken: {error}", retryable=retryable)

    @classmethod
    def cut(cls, reason: str, *, retryable: bool = True) -> Failure:
        """The stream ended early; whoever has read a part of it gets no other error than that."""
        type, message = CUTS["truncated"]
        error = StreamError(type, message, retryable=retryable, kind="cut")
        return cls(TYPES_OF_CUTS[type][0], error, Outcome.TRUNCATED, reason=reason)

    @classmethod
    def stopped(cls) -> Failure:
        """The turn was stopped: no failure of anybody's, an error where there must be an answer."""
        type, message = CUTS["stopped"]
        status, retryable = TYPES_OF_CUTS[type]
        error = StreamError(type, message, retryable=retryable, kind="cut")
        return cls(status, error, Outcome.STOPPED)

    @classmethod
    def expired(cls, message: str, *, retryable: bool) -> Failure:
        """A deadline passed."""
        error = StreamError("timeout_error", message, retryable=retryable, kind="timeout")
        return cls(504, error, Outcome.EXPIRED)

    def exception(self) -> TurnError:
        """The failure as an exception."""
        error = self.error
        return TurnError(
            f"the turn ended as {self.outcome.value}: {error.type}: {self.reason}",
            outcome=self.outcome.value,
            status=self.status,
            type=error.type,
            code=error.code,
            retryable=error.retryable,
        )
