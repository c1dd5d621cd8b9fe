"""Closing what a handler gave."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sse_io.iterator_closing import close_iterator, holds


class Raising:
    """An iterator whose ``aclose`` raises."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    async def aclose(self) -> None:
        raise self._error


def finish(iterator: object) -> None:
    """Close what waits for nothing."""
    with pytest.raises(StopIteration):
        close_iterator(iterator).send(None)


def test_a_generator_is_closed() -> None:
    async def numbers() -> AsyncIterator[int]:
        yield 1

    iterator = numbers()
    finish(iterator)
    with pytest.raises(StopAsyncIteration):
        anext(iterator).send(None)  # type: ignore[attr-defined]


def test_what_needs_no_closing() -> None:
    finish(object())


def test_what_closes_a_generator_is_no_error_in_a_group_either() -> None:
    finish(Raising(BaseExceptionGroup("of a group of tasks", [GeneratorExit()])))


def test_what_else_is_in_it_is_raised() -> None:
    group = BaseExceptionGroup("of a group of tasks", [GeneratorExit(), ValueError("its own")])
    with pytest.raises(ExceptionGroup) as caught:
        close_iterator(Raising(group)).send(None)
    assert repr(caught.value.exceptions) == "(ValueError('its own'),)"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KeyboardInterrupt(), True),
        (SystemExit(), False),
        (BaseExceptionGroup("", [ValueError(), BaseExceptionGroup("", [KeyboardInterrupt()])]), True),
        (BaseExceptionGroup("", [SystemExit(), ValueError()]), False),
    ],
    ids=repr,
)
def test_whose_an_exception_is(error: BaseException, *, expected: bool) -> None:
    assert holds(error, (KeyboardInterrupt,)) is expected
