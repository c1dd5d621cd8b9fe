"""All cases, one decoder: which passed, which failed and why, and which it cannot be given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.cases import Case, Group
from conformance.process import DecoderFailed, DecoderProcess
from conformance.verdict import OFFERS, applies, judge


@dataclass(frozen=True)
class Failure:
    """The first way to feed a case that gave something wrong."""

    case: Case
    run: str
    reason: str


@dataclass
class Tally:
    """One group's results."""

    passed: int = 0
    not_offered: int = 0
    failures: list[Failure] = field(default_factory=list)

    @property
    def counted(self) -> int:
        """How many cases the decoder was judged by."""
        return self.passed + len(self.failures)


@dataclass
class Report:
    """One decoder's results."""

    command: tuple[str, ...]
    hello: dict[str, Any]
    tallies: dict[str, Tally]

    @property
    def failures(self) -> list[Failure]:
        """Of all groups."""
        return [failure for tally in self.tallies.values() for failure in tally.failures]

    @property
    def passed(self) -> int:
        """Of all groups."""
        return sum(tally.passed for tally in self.tallies.values())

    @property
    def counted(self) -> int:
        """Of all groups."""
        return sum(tally.counted for tally in self.tallies.values())

    @property
    def not_offered(self) -> int:
        """Of all groups."""
        return sum(tally.not_offered for tally in self.tallies.values())


def run_suite(
    command: Sequence[str], groups: Sequence[Group], *, timeout: float = 10, max_answer: int = 2**20
) -> Report:
    """Run all cases of ``groups`` against the decoder that ``command`` starts.

    ``timeout`` (seconds) and ``max_answer`` (bytes) are for each answer.
    Raises :class:`DecoderFailed` if the decoder does not even start and introduce itself.
    """
    with DecoderProcess(command, timeout=timeout, max_answer=max_answer) as decoder:
        hello = decoder.hello()
        offers = _offers(hello)
        tallies = {}
        for group in groups:
            tally = tallies[group.name] = Tally()
            for case in group.cases:
                if not applies(case, offers):
                    tally.not_offered += 1
                elif failure := run_case(decoder, case, offers):
                    tally.failures.append(failure)
                else:
                    tally.passed += 1
    return Report(tuple(command), hello, tallies)


def run_case(decoder: DecoderProcess, case: Case, offers: frozenset[str]) -> Failure | None:
    """Feed one case in each of its ways; the first that goes wrong is the failure.

    What goes wrong is tried again in a new process, and only then a failure: some decoders keep something
    of one stream for the next, and a case must fail on its own account, and by itself.
    """
    for name, chunks in case.runs():
        if _try(decoder, case, chunks, offers) is None:
            continue
        decoder.stop()
        if (reason := _try(decoder, case, chunks, offers)) is not None:
            return Failure(case, name, reason)
    return None


def _try(decoder: DecoderProcess, case: Case, chunks: Sequence[bytes], offers: frozenset[str]) -> str | None:
    try:
        answer = decoder.ask(chunks, case.initial_last_event_id)
    except DecoderFailed as error:
        return str(error)
    return judge(case, chunks, answer, offers)


def _offers(hello: dict[str, Any]) -> frozenset[str]:
    offers = hello.get("offers", [])
    if not isinstance(offers, list) or not OFFERS.issuperset(offers):
        raise DecoderFailed(f"offers {offers!r}, of which only {sorted(OFFERS)} mean anything")
    return frozenset(offers)
