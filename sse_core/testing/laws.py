"""Laws that code which reads event streams has to obey, whatever it makes of them.

Each is a function that tries your code, and raises ``AssertionError`` with what was tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from ..blocks import BlockEvent, MessageStop
from ..dialects import Dialect
from ..errors import SSEError
from ..iteration import iter_turn
from .cuts import every_cut, places
from .exchange import Exchange
from .faults import every_fault
from .streams import stream_of

_Result = TypeVar("_Result")

#: So many places of a stream are tried, evenly spread where there are more.
MOST = 300

#: What a reader shows of an answer, and whether it takes it for whole.
Reading = tuple[str, bool]


def check_any_cut(read: Callable[[Iterable[bytes]], _Result], data: bytes, *, most: int = MOST) -> _Result:
    """Wherever a network cuts ``data`` into pieces, ``read`` makes the same of it; what that is.

    - ``read``: your code: a stream's bytes, in pieces, to anything that can be compared.
    - ``data``: the stream.
    - ``most``: how many of its places are tried, by :func:`every_cut`.

    Raises ``AssertionError`` with the first cut that makes a difference, or that makes ``read`` raise.
    """
    whole = read([data])
    for cut in every_cut(data, most=most):
        try:
            result = read(cut)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} at the cut {_shown(cut)}: {error}") from error
        if result != whole:
            raise AssertionError(f"{result!r} at the cut {_shown(cut)}, and {whole!r} without one")
    return whole


def _shown(cut: list[bytes]) -> str:
    if len(cut) == 3:
        return f"after byte {len(cut[0])}, {cut[0][-12:]!r} | {cut[2][:12]!r}"
    return "between all bytes"


def check_part_is_not_whole(
    is_whole: Callable[[bytes], bool], dialect: str | Dialect, data: bytes, *, most: int = MOST
) -> None:
    """No part of an answer is taken for the whole, and the whole one is.

    - ``is_whole``: your code: the bytes of a body that ended properly, to whether that was all.
    - ``dialect``: of the answer.
    - ``data``: the bytes of an answer that is complete.
    - ``most``: how many of its parts are tried, evenly spread where there are more.

    A part is whole where its protocol says so: in chat completions behind the ``finish_reason``, even if
    ``[DONE]`` is lacking.  Raises ``AssertionError`` with the first part that is taken for what it isn't, and
    ``ValueError`` for ``data`` that isn't complete.
    """
    if not _says_that_it_is_whole(dialect, data):
        raise ValueError("the data are no complete answer of this dialect")
    if not is_whole(data):
        raise AssertionError("the whole answer is not taken for whole")
    for size in places(data, most):
        if is_whole(data[:size]) and not _says_that_it_is_whole(dialect, data[:size]):
            raise AssertionError(
                f"{size} of {len(data)} bytes are taken for whole: ... {data[:size][-40:]!r}"
            )


def _says_that_it_is_whole(dialect: str | Dialect, data: bytes) -> bool:
    try:
        return any(isinstance(event, MessageStop) for event in iter_turn([data], dialect))
    except SSEError:
        return False


def check_faults_are_seen(
    read: Callable[[Iterator[bytes]], Reading],
    dialect: str | Dialect,
    block_events: Iterable[BlockEvent],
    *,
    most: int = MOST,
) -> None:
    """Whatever goes wrong with an answer, what is shown is a beginning of it, and only all of it is whole.

    - ``read``: your code: the body's pieces, from an iterator that raises ``OSError`` as an HTTP client
      would, to the text that a user was shown and whether he was told that it is whole.
    - ``dialect``: of the answer.
    - ``block_events``: of an answer that is complete, as :func:`whole_answer` gives them.
    - ``most``: at how many places of it each fault is tried, evenly spread where there are more.

    Raises ``AssertionError`` with the fault that is not seen, or that makes ``read`` raise.
    """
    good = Exchange((stream_of(dialect, block_events),))
    text, is_whole = read(good.chunks())
    if not is_whole:
        raise AssertionError("an answer that nothing is wrong with is not taken for whole")
    for fault in every_fault(dialect, good, most=most):
        bad = fault(good)
        if bad.status != good.status:
            continue  # a status is judged before the body is read
        try:
            shown, is_whole = read(bad.chunks())
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} with {fault}: {error}") from error
        if not text.startswith(shown):
            raise AssertionError(f"{shown!r} is shown of {text!r}, with {fault}")
        if is_whole and not _says_that_it_is_whole(dialect, b"".join(bad.body)):
            raise AssertionError(f"{shown!r} is taken for whole, with {fault}")
