"""Bytes in pieces, as a network may deliver them."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable, Iterator
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


def places(data: bytes, most: int) -> range:
    """Where ``data`` can be cut: everywhere, or at ``most`` places as far from each other as can be."""
    return range(0, len(data) + 1, 1 + len(data) // most)


def every_cut(data: bytes, *, most: int = sys.maxsize) -> Iterator[list[bytes]]:
    """``data`` whole, byte by byte, and in two at each place, with an empty piece between the two.

    - ``data``: the bytes.
    - ``most``: at so many places, evenly spread, where there are more: to read long data at each of its
      bytes takes a time that grows with the square of their size.
    """
    yield [data]
    yield pieces_of_size(data, 1)
    for place in places(data, most):
        yield [data[:place], b"", data[place:]]


async def as_async(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """``chunks`` as an asynchronous HTTP client gives them; it waits for nothing, under any event loop."""
    for chunk in chunks:
        yield chunk
