"""Whether to try again, and when: a policy as plain data, and two pure functions beside it.

The delays and statuses are those of the official SDKs: exponential, jittered downwards, and the
server's own word (``retry-after-ms``, ``Retry-After``) before ours.  ``Retry-After`` is RFC 9110
section 10.2.3, https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3: seconds or an HTTP date.  A
date is read against the answer's own ``Date`` field, so that a wrong clock on this side does no harm;
an answer without one, by the time of day that the binding hands in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..blocks import StreamError
from ..dialects.provider_errors import RETRYABLE_STATUSES
from ..headers import Headers
from ..http_date import read_http_date
from .durations import check_number, read_number

#: Returns a number in [0, 1); the binding's randomness.
Jitter = Callable[[], float]

#: The time of day, in seconds since 1970 (UTC); the binding's ``time.time``.
WallClock = Callable[[], float]

_SECONDS = (
    "initial_delay",
    "max_delay",
    "max_retry_after",
    "min_reconnection_time",
    "max_reconnection_time",
)


def no_jitter() -> float:
    """The jitter of a test: none."""
    return 0.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to try again.

    - ``max_attempts``: counts the first one too.
    - ``initial_delay``, ``multiplier``, ``max_delay``: the wait in seconds, times ``multiplier`` for each
      further attempt, at most ``max_delay``.
    - ``jitter``: the fraction of it by which it is made shorter at random, at most.
    - ``max_retry_after``: a server that asks for more seconds is not tried again: its user had better
      know now.
    - ``retry_statuses``: single HTTP statuses; every status of 500 and above is retried too.  What a turn's
      provider says of its error in the body goes before the status, but not before a status that is put in
      here, or left out of the default's.
    - ``retry_refusals``: without it no status is retried, whatever the answer says.
    - ``retry_timeouts``: an attempt that brought no head or nothing visible in time is made again; by default
      it isn't, since another would meet the same deadline, and be billed like the first.
    - ``after_output``: what follows where a part of the answer was shown: ``never`` another attempt; or
      ``retract``, for readers who can take back what they were shown, if the provider ran no tool and nobody
      ran one.
    - ``min_reconnection_time``, ``max_reconnection_time``: between these an event source keeps the wait that
      an event stream asks for by its ``retry`` field, in seconds (the least is Firefox's).

    Raises ``ValueError`` for what no attempts and no delays can be.
    """

    max_attempts: int = 3
    initial_delay: float = 0.5
    multiplier: float = 2.0
    max_delay: float = 8.0
    jitter: float = 0.25
    max_retry_after: float = 60.0
    retry_statuses: frozenset[int] = RETRYABLE_STATUSES
    retry_refusals: bool = True
    retry_timeouts: bool = False
    after_output: Literal["never", "retract"] = "never"
    min_reconnection_time: float = 0.5
    max_reconnection_time: float = 300.0

    def __post_init__(self) -> None:
        for name in ("max_attempts", "jitter", "multiplier", *_SECONDS):
            check_number(name, getattr(self, name))
        # Each condition says what is right: whatever is compared with "nan" is false.
        if not self.max_attempts >= 1:
            raise ValueError("max_attempts counts the first attempt: it must be at least 1")
        if not 0 <= self.jitter <= 1:
            raise ValueError("jitter is a fraction: it must be between 0 and 1")
        if not 1 <= self.multiplier < math.inf:
            raise ValueError("multiplier must be a finite number, not below 1")
        for name in _SECONDS:
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be a finite number of seconds, not below zero")
        if self.min_reconnection_time > self.max_reconnection_time:
            raise ValueError("min_reconnection_time must not be above max_reconnection_time")

    def allows(self, attempts: int, retry_after: float | None = None) -> bool:
        """Whether one more attempt may follow after ``attempts`` of them."""
        return attempts < self.max_attempts and (retry_after or 0.0) <= self.max_retry_after

    def delay(self, attempts: int, jitter: Jitter = no_jitter, retry_after: float | None = None) -> float:
        """Seconds to wait after ``attempts`` failed attempts: what the server asked for, else ours."""
        if retry_after is not None and retry_after > 0:
            return retry_after
        return self._grown_delay(attempts) * (1 - self.jitter * jitter())

    def _grown_delay(self, attempts: int) -> float:
        try:
            grown = self.initial_delay * float(self.multiplier) ** (attempts - 1)
        except OverflowError:
            # Thousands of attempts in a row: the power is beyond a float, but zero times it is not.
            grown = math.inf if self.initial_delay else 0.0
        return min(grown, self.max_delay)

    def retries_status(self, status: int, headers: Headers) -> bool:
        """Whether an answer with this status may be better the next time.

        ``x-should-retry`` is the provider's own word (Anthropic's and OpenAI's SDKs heed it).
        """
        return self._retries(headers, otherwise=status in self.retry_statuses or status >= 500)

    def retries_refusal(self, status: int, headers: Headers, error: StreamError) -> bool:
        """Whether an answer that says ``error`` in its body may be better the next time.

        The error's own word goes before its status: a quota that is used up comes with 429, as a rate limit
        does.  An error that means nothing to its dialect has no such word.
        """
        is_policys_own = status < 500 and status in self.retry_statuses ^ RETRYABLE_STATUSES
        is_silent = error.kind == "unknown" and not error.retryable
        if is_policys_own or is_silent:
            return self.retries_status(status, headers)
        return self._retries(headers, otherwise=error.retryable)

    def _retries(self, headers: Headers, *, otherwise: bool) -> bool:
        if not self.retry_refusals:
            return False
        should_retry = headers.get("x-should-retry")
        return should_retry == "true" if should_retry in {"true", "false"} else otherwise


#: One attempt, and what comes of it is final.
NO_RETRY = RetryPolicy(max_attempts=1)

#: An event source by the letter (WHATWG HTML 9.2.2 and 9.2.3): whatever the network does is tried again
#: for ever, after "a few seconds" at first, and a server that refuses gets no other request.
BROWSER_RETRY = RetryPolicy(max_attempts=10**9, initial_delay=3.0, max_delay=30.0, retry_refusals=False)


def retry_after_seconds(headers: Headers, wall_clock: WallClock | None = None) -> float | None:
    """The delay that an answer asks for, in seconds, or ``None`` if it asks for none.

    ``retry-after-ms`` (milliseconds) goes before ``Retry-After`` (seconds or an HTTP date).  A
    value that is neither, or not above zero, is as good as none; so is a date in an answer without
    ``Date``, if there is no ``wall_clock`` to read it by.
    """
    milliseconds = _positive(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = _positive(text)
    return seconds if seconds is not None else _seconds_until(text, headers.get("date"), wall_clock)


def _positive(text: str | None) -> float | None:
    # A number too large for a float is "inf" here, which is more than any policy waits.
    return read_number(text or "") or None


def _seconds_until(later: str | None, date: str | None, wall_clock: WallClock | None) -> float | None:
    end, start = read_http_date(later or ""), read_http_date(date or "")
    if end is None:
        return None
    if start is not None:
        seconds = (end - start).total_seconds()
    elif wall_clock is not None:
        # RFC 9110 section 6.6.1: "A recipient with a clock that receives a response message without a
        # Date header field MUST record the time it was received".
        seconds = end.timestamp() - wall_clock()
    else:
        return None
    return seconds if seconds > 0 else None
