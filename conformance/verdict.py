"""Whether a decoder's answer is right: pure, so that every verdict can be tested with made-up answers.

A decoder says at the start what it can report (its "offers").  What it can't is not compared, and a case
that would prove nothing without it is not counted.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

from conformance.cases import Case

#: What a decoder may offer beside an event's type and data; conformance/README.md says what each means.
OFFERS = frozenset(
    {
        "event.id",
        "event.lastEventId",
        "event.retry",
        "end.lastEventId",
        "end.reconnectionTime",
        "initialLastEventId",
    }
)

#: The longest value that is quoted in a reason, in characters.
QUOTED = 120


def applies(case: Case, offers: Iterable[str]) -> bool:
    """Whether ``case`` proves anything about a decoder that offers this: one of its needs must be met."""
    return not case.needs or not case.needs.isdisjoint(offers)


def judge(case: Case, chunks: Sequence[bytes], answer: dict[str, Any], offers: Iterable[str]) -> str | None:
    """What is wrong with ``answer`` to ``chunks``, or ``None`` if nothing is."""
    if "error" in answer:
        return f"raised {_short(answer['error'])}"
    try:
        return _judge(case, chunks, answer, frozenset(offers))
    except (KeyError, TypeError, AttributeError) as error:
        return f"an answer that breaks the protocol: {error!r}"


def _judge(case: Case, chunks: Sequence[bytes], answer: dict[str, Any], offers: frozenset[str]) -> str | None:
    expected = case.expected
    wanted = [_compared(event, expected, offers) for event in expected["events"]]
    got = [_compared(event, expected, offers) for event in answer["events"]]
    if got != wanted:
        return _difference(got, wanted)
    for number, (event, given) in enumerate(zip(expected["events"], answer["events"], strict=True), 1):
        if late := _late(event, given, chunks):
            return f"event {number} {late}"
    return _end(expected, answer, offers)


def _compared(event: dict[str, Any], expected: dict[str, Any], offers: frozenset[str]) -> dict[str, Any]:
    """Of an event that is expected or given, what is compared."""
    seen = {"type": event["type"], "data": event["data"]}
    if "event.lastEventId" in offers:
        seen["lastEventId"] = event["lastEventId"]
    if "event.id" in offers:
        seen["id"] = event.get("id")
    if "event.retry" in offers and "reconnectionTime" in expected:
        seen["retry"] = event.get("retry")
    return seen


def _difference(got: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> str:
    for number, (ours, theirs) in enumerate(itertools.zip_longest(wanted, got), 1):
        if theirs is None:
            return f"event {number} did not come: {_short(ours)}"
        if ours is None:
            return f"event {number} should not have come: {_short(theirs)}"
        if ours != theirs:
            keys = [key for key in ours if ours[key] != theirs[key]]
            differs = "; ".join(f"{key} {_short(theirs[key])}, not {_short(ours[key])}" for key in keys)
            return f"event {number} has {differs}"
    raise AssertionError("the lists are equal")


def _late(event: dict[str, Any], given: dict[str, Any], chunks: Sequence[bytes]) -> str | None:
    """``completeAt`` is the number of bytes that make the event complete."""
    if "completeAt" not in event:
        return None
    ends = itertools.accumulate(map(len, chunks))
    due = next(number for number, end in enumerate(ends, 1) if end >= event["completeAt"])
    if given["chunk"] is None:
        return f"came only with the end of the stream; chunk {due} had completed it"
    if given["chunk"] > due:
        return f"came with chunk {given['chunk']}; chunk {due} had completed it"
    return None


def _end(expected: dict[str, Any], answer: dict[str, Any], offers: frozenset[str]) -> str | None:
    for name in ("lastEventId", "reconnectionTime"):
        if f"end.{name}" in offers and name in expected and answer[name] != expected[name]:
            return f"{name} is {_short(answer[name])} at the end, not {_short(expected[name])}"
    return None


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}... ({len(text)} characters)"
