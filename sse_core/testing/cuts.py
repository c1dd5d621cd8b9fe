"""Bytes in pieces, as a network may deliver them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise


def pieces(data: bytes, at: Iterable[int]) -> list[bytes]:
    """``data``, cut at the offsets ``at``, in whatever order they are; no piece is empty."""
    places = sorted({0, len(data), *(place for place in at if 0 < place < len(data))})
    return [data[start:end] for start, end in pairwise(places)]


def pieces_of_size(data: bytes, size: int) -> list[bytes]:
    """``data`` in pieces of ``size`` bytes; the last may be shorter.

    Raises ``ValueError`` for a size below 1.
    """
    if size < 1:
        raise ValueError(f"size is a number of bytes, 1 or more: {size!r}")
    return [data[start : start + size] for start in range(0, len(data), size)]


def every_cut(data: bytes) -> Iterator[list[bytes]]:
    """``data`` whole, byte by byte, and in two at each place, with an empty piece between the two.

    A decoder that remembers no more than where it stands is wrong at one of these if it is wrong anywhere.
    They are as many as there are bytes, so it takes a second at some ten thousand bytes.
    """
    yield [data]
    yield pieces_of_size(data, 1)
    for place in range(len(data) + 1):
        yield [data[:place], b"", data[place:]]
