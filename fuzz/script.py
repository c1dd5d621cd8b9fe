r"""Bytes as a script of calls, so that a fuzzer that knows only bytes can write sequences of calls.

The stream's bytes stand as they are.  The byte 0xFE, which no UTF-8 has, is a mark, and the byte after it
says what happens there:

    | receive_data ends here: another chunk follows      E receive_eof     R reset
    0 to 9  the chunk that ends here is given 2, 4, 8 ... 1024 times       F the byte 0xFE itself
    a to j  the chunk that ends here is 2, 4, 8 ... 1024 times as long

Any other byte after a mark is taken for ``|``.  So every input is a script, and a mark moves with the
bytes around it when a fuzzer inserts or removes some: that is why the cuts are no list of numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

#: The name of a decoder's method, and what it is given.
Call = tuple[str, bytes]

MARK = b"\xfe"
CUT = b"\xfe|"
_PART = re.compile(rb"\xfe(.?)", re.DOTALL)
_ENDS = {b"E": "receive_eof", b"R": "reset"}


def calls_of(script: bytes) -> Iterator[Call]:
    """The calls that ``script`` asks for."""
    chunk, *rest = _PART.split(script)
    for operation, following in zip(rest[::2], rest[1::2], strict=True):
        if operation == b"F":
            chunk += MARK + following
            continue
        if b"a" <= operation <= b"j":
            chunk *= 2 ** (operation[0] - b"a"[0] + 1)
        times = 2 ** (1 + int(operation)) if operation.isdigit() else 1
        if chunk or operation not in _ENDS:
            yield from [("receive_data", chunk)] * times
        if operation in _ENDS:
            yield _ENDS[operation], b""
        chunk = following
    if chunk:
        yield "receive_data", chunk


def some_of(script: bytes, max_calls: int, max_bytes: int) -> Iterator[Call]:
    """The first of these calls: no more of them, and no more bytes, than a law can take in no time."""
    for name, data in islice(calls_of(script), max_calls):
        yield name, data[:max_bytes]
        max_bytes -= len(data)
        if max_bytes < 0:
            return


def script_of(calls: Iterable[Call]) -> bytes:
    """A script of these calls."""
    letters = {name: MARK + letter for letter, name in _ENDS.items()}
    parts = [letters.get(name) or data.replace(MARK, b"\xfeF") + CUT for name, data in calls]
    return b"".join(parts)
