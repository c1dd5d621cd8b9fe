"""What a turn may do, as plain data: deadlines, and what follows when the last reader has gone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from .durations import check_durations, check_number, read_number


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a turn waits for each thing, in seconds; ``None`` waits as long as the whole turn may take.

    Only what the reader can see resets ``output_gap``: a provider that stalls behind its own pings
    is a provider that stalls.  The defaults fit slow providers: a local model that reads a long prompt is
    silent for minutes before its head, and the official SDKs wait 600 s for it; where arguments come
    value by value, a long one takes minutes.  Raises ``ValueError`` for what is not above zero, or not
    finite.
    """

    connect: float | None = 10.0  #: to open the transport, TLS included
    first_byte: float | None = 600.0  #: from the request to the head of the answer
    refusal: float | None = 30.0  #: from the head of an answer that is an error to its end
    first_output: float | None = 900.0  #: from the request to the first visible output
    output_gap: float | None = 300.0  #: between two visible outputs
    whole: float | None = 3600.0  #: from start to end, all attempts and back-off included

    def __post_init__(self) -> None:
        check_durations(self)


@dataclass(frozen=True, slots=True)
class SourceDeadlines:
    """How long an event source waits for each thing, in seconds; ``None`` waits for ever.

    Any byte resets ``idle``, a heartbeat's too: it finds peers that have gone without a word.
    Raises ``ValueError`` for what is not above zero, or not finite.
    """

    connect: float | None = 10.0  #: to open the transport, TLS included
    first_byte: float | None = 60.0  #: from the request to the head of the answer
    idle: float | None = 120.0  #: between two reads that gave something
    refusal: float | None = 5.0  #: from the head of a refusal to the end of its body

    def __post_init__(self) -> None:
        check_durations(self)


@dataclass(frozen=True, slots=True)
class OnDisconnect:
    """What happens to a turn whose last reader has gone.

    - ``cancel``: it is stopped at once.
    - ``detach``: it goes on for so many seconds, kept for a reader who comes back.
    - ``drain``: it is read for so many seconds to learn its usage, but nothing is kept, and nobody can come
      back.

    Raises ``ValueError`` for seconds that are below zero, or not finite.
    """

    kind: Literal["cancel", "detach", "drain"] = "cancel"
    seconds: float = 0.0

    def __post_init__(self) -> None:
        check_number("seconds", self.seconds)
        if not 0 <= self.seconds < math.inf:
            raise ValueError(f"seconds must be a finite number, not below zero: {self.seconds!r}")

    @classmethod
    def parse(cls, text: str, *, max_seconds: float = 3600.0) -> OnDisconnect:
        """Read ``cancel``, ``detach=SECONDS`` or ``drain=SECONDS``; the seconds in decimals.

        Raises ``ValueError``, with a text for the person who wrote it, for anything else and for
        more than ``max_seconds``.
        """
        text = text.strip()
        kind, equals, number = text.partition("=")
        if text == "cancel":
            return cls()
        if kind in {"detach", "drain"} and equals:
            return cls(kind, _seconds(number, max_seconds))  # type: ignore[arg-type]  # narrowed above
        raise ValueError("expected cancel, detach=SECONDS or drain=SECONDS")


def _seconds(number: str, max_seconds: float) -> float:
    seconds = read_number(number)
    if seconds is None or seconds > max_seconds:
        raise ValueError(f"expected a number of seconds from 0 to {max_seconds:g} after the =")
    return seconds
