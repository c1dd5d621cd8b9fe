"""A connection that was lost and will be made again: how long to wait, and what is reported of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from ...errors import SSEError
from ..retry import Jitter, RetryPolicy


@dataclass(frozen=True, slots=True)
class Reconnect:
    """An event source has no connection any more, and will make another one after a wait.

    It is no event of the stream's: nothing of this came from the server.
    """

    attempt: int  #: the number of the coming attempt, since the last event; ``max_attempts`` is the last
    delay: float  #: seconds to wait before it
    last_event_id: str  #: the ID that it will send; empty if there is none
    error: SSEError | None  #: how the connection failed; ``None`` if the answer came to its proper end

    @property
    def reason(self) -> str:
        """Why, in words for a person."""
        return "the server ended its answer" if self.error is None else str(self.error)


#: Called with each reconnect.
OnReconnect = Callable[[Reconnect], None]


def reconnection_delay(
    policy: RetryPolicy,
    attempts: int,
    jitter: Jitter,
    *,
    reconnection_time: int | None = None,
    retry_after: float | None = None,
) -> float:
    """Seconds to wait before the next attempt.

    - ``policy``: its own delay grows from attempt to attempt, where nobody asked for another.
    - ``attempts``: how many there were without an event.
    - ``jitter``: the binding's randomness.
    - ``reconnection_time``: the stream's, in milliseconds; it is kept between the policy's bounds of one.
    - ``retry_after``: what a refusal asks for, in seconds; it goes before ``reconnection_time``.
    """
    attempts = max(attempts, 1)
    if reconnection_time is None or retry_after is not None:
        return policy.delay(attempts, jitter, retry_after)
    # 9.2.3: "Wait a delay equal to the reconnection time of the event source." "Optionally, wait
    # some more."  So here jitter adds, where it takes away from a delay of our own.
    # That time is the server's: 0 would be hundreds of connections in a second, 2147483647 is 24 days.
    base = min(max(reconnection_time / 1000, policy.min_reconnection_time), policy.max_reconnection_time)
    patient = dataclasses.replace(policy, initial_delay=base, max_delay=max(policy.max_delay, base))
    return patient.delay(attempts) * (1 + policy.jitter * jitter())
