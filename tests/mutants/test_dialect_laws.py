"""The laws of ``fuzz/`` for dialects, the accumulator and JSON find every wrong one soon, and take ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import find, settings
from hypothesis.errors import NoSuchExample

from fuzz.engine import target
from sse_core import JSONFragments, RemoteProtocolError, dialects
from sse_core.blocks import BlockEvent
from sse_core.dialects import Dialect
from tests.core.dialects.executable import messages, obeys
from tests.mutants.finding import first_finding
from tests.mutants.wrong_dialects import (
    ACCUMULATORS,
    DECODERS,
    ENCODERS,
    ENCODERS_OF_CALLS,
    Decoder,
    Encoder,
    with_decoder,
    with_encoder,
    with_the_reason_that_came,
    without_json,
)

TARGETS = [*(f"dialect_{name}" for name in dialects.names()), "accumulator", "json_fragments"]


def found(dialect: Dialect, tries: int = 4000) -> BaseException | None:
    name = f"dialect_{dialect.name}"
    return first_finding(name, lambda data: target(name).check(data, dialect), tries)


@pytest.mark.parametrize("name", TARGETS)
def test_ours_obeys(name: str) -> None:
    assert first_finding(name, target(name).check, 300) is None


@pytest.mark.parametrize("right", [with_decoder(Decoder), with_encoder(Encoder)])
def test_what_is_to_be_made_wrong_obeys(right: Dialect) -> None:
    assert found(right, 200) is None


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_wrong_decoder_is_found(decoder: type[Decoder]) -> None:
    assert found(with_decoder(decoder)) is not None


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_wrong_encoder_is_found(encoder: type[Encoder]) -> None:
    assert found(with_encoder(encoder)) is not None


def test_a_response_that_is_no_json_is_found() -> None:
    assert isinstance(found(without_json()), TypeError)


def breaks_the_law_of_calls(dialect: Dialect) -> list[BlockEvent]:
    """A message for which it does."""

    def breaks(events: list[BlockEvent]) -> bool:
        try:
            obeys(dialect, events)
        except (AssertionError, RemoteProtocolError):  # what is written can't even be read
            return True
        return False

    return find(messages(), breaks, settings=settings(max_examples=2000, database=None))


@pytest.mark.parametrize("encoder", ENCODERS_OF_CALLS)
def test_an_encoder_that_has_a_wrong_call_run_is_found(encoder: type[Encoder]) -> None:
    assert breaks_the_law_of_calls(with_encoder(encoder))


def test_a_response_that_has_a_wrong_call_run_is_found() -> None:
    assert breaks_the_law_of_calls(with_the_reason_that_came())


def test_an_encoder_that_is_right_is_not() -> None:
    with pytest.raises(NoSuchExample):
        breaks_the_law_of_calls(with_encoder(Encoder))


@pytest.mark.parametrize("accumulator", ACCUMULATORS)
def test_a_wrong_accumulator_is_found(accumulator: type[Any]) -> None:
    check = target("accumulator").check
    assert first_finding("accumulator", lambda data: check(data, accumulator), 4000) is not None


class GuessesNumbers(JSONFragments):
    """A number is known as soon as it can be one."""

    def receive(self, text: str) -> Any:
        values = super().receive(text)
        if self._state == "number" and not self._outer and "".join(self._number).isdigit():
            values.append(((), int("".join(self._number))))
        return values


class EndsEarly(JSONFragments):
    """What lacks its end is what it is so far."""

    def finish(self) -> Any:
        return self.value


class TakesBack(JSONFragments):
    """An unfinished string is shown with the half of an escape that is there."""

    @property
    def value(self) -> Any:
        known = super().value
        return [*known, self._deferred] if isinstance(known, list) and self._deferred else known


class JoinsNoPairs(JSONFragments):
    """Half a surrogate pair is never half of anything."""

    def receive(self, text: str) -> Any:
        return super().receive(text.encode("utf-8", "replace").decode())


class NotANumber(JSONFragments):
    """What is beyond a double is infinite."""

    def __init__(self, **options: Any) -> None:
        super().__init__(parse_float=float, **options)


class Slurps(JSONFragments):
    """``json.loads`` at the end: it takes NaN."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.text = ""

    def receive(self, text: str) -> Any:
        self.text += text
        return []

    def finish(self) -> Any:
        return json.loads(self.text)


@pytest.mark.parametrize("reader", [GuessesNumbers, EndsEarly, TakesBack, JoinsNoPairs, NotANumber, Slurps])
def test_a_wrong_reader_of_json_is_found(reader: type[JSONFragments]) -> None:
    check = target("json_fragments").check
    assert first_finding("json_fragments", lambda data: check(data, reader)) is not None
