"""Mutations that know what a stream is made of: lines, line ends, fields, blocks and marks.

libFuzzer's own mutations change bytes, and find the rare ones; these move whole parts, which a change of
bytes hits by luck only.  Each input of the fuzzer is changed in one of both ways.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

_PART = re.compile(rb"[^\r\n\xfe]*(?:\r\n|\r|\n|\xfe.|$)", re.DOTALL)
_LINE_END = re.compile(rb"\r\n|\r|\n")
_LINE_ENDS = (b"\n", b"\r", b"\r\n")


def parts_of(body: bytes) -> list[bytes]:
    """``body`` in parts, each with the line end or the mark that ends it."""
    return [part for part in _PART.findall(body) if part]


def _insert(parts: list[bytes], dice: random.Random, pieces: Sequence[bytes]) -> None:
    place = dice.randint(0, len(parts))
    parts[place:place] = dice.choices(pieces, k=dice.choice((1, 2, 4)))


def _insert_inside(parts: list[bytes], dice: random.Random, pieces: Sequence[bytes]) -> None:
    index = dice.randrange(len(parts))
    place = dice.randint(0, len(parts[index]))
    parts[index] = parts[index][:place] + dice.choice(pieces) + parts[index][place:]


def _remove(parts: list[bytes], dice: random.Random, _: Sequence[bytes]) -> None:
    first = dice.randrange(len(parts))
    del parts[first : first + dice.randint(1, 3)]


def _repeat(parts: list[bytes], dice: random.Random, _: Sequence[bytes]) -> None:
    first = dice.randrange(len(parts))
    parts[first:first] = parts[first : first + dice.randint(1, 4)]


def _swap(parts: list[bytes], dice: random.Random, _: Sequence[bytes]) -> None:
    one, other = dice.randrange(len(parts)), dice.randrange(len(parts))
    parts[one], parts[other] = parts[other], parts[one]


def _end_otherwise(parts: list[bytes], dice: random.Random, _: Sequence[bytes]) -> None:
    end = dice.choice(_LINE_ENDS)
    first = dice.randrange(len(parts)) if dice.getrandbits(1) else 0
    parts[first:] = [_LINE_END.sub(end, part) for part in parts[first:]]


_CHANGES = (_insert, _insert, _insert_inside, _insert_inside, _remove, _repeat, _swap, _end_otherwise)


def mutate(
    data: bytes,
    max_size: int,
    seed: int,
    *,
    header: int,
    pieces: Sequence[bytes],
    mutate_bytes: Callable[[bytes, int], bytes],
) -> bytes:
    """Change the bytes of ``data``, or its parts after the ``header``; the same way for the same seed."""
    dice = random.Random(seed)
    if len(data) <= header or dice.getrandbits(1):
        return mutate_bytes(data, max_size)
    parts = parts_of(data[header:])
    for _ in range(dice.choice((1, 2, 4, 8))):
        if parts:
            dice.choice(_CHANGES)(parts, dice, pieces)
    return (data[:header] + b"".join(parts))[:max_size]
