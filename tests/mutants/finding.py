"""Looking for an input that breaks a law of ``fuzz/``, without the help of coverage."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from fuzz.engine import changed, target

TRIES = 20_000


def change_bytes(data: bytes, max_size: int) -> bytes:
    """Change one byte, as simply as can be: no coverage leads this test."""
    if not data:
        return data
    place = hash(data) % len(data)
    return (data[:place] + bytes([hash(data) % 251]) + data[place + 1 :])[:max_size]


def first_finding(name: str, check: Callable[[bytes], None], tries: int = TRIES) -> BaseException | None:
    """What the first of some thousand changed seeds raises."""
    module, dice = target(name), random.Random(1)
    corpus = list(module.SEEDS)
    for number in range(tries):
        data = dice.choice(corpus)
        if number >= len(module.SEEDS):
            data = changed(module, data, module.MAX_LEN, dice.getrandbits(32), change_bytes)
        else:
            data = corpus[number]
        try:
            check(data)
        except Exception as error:  # noqa: BLE001  (whatever it is: it must not be there)
            return error
        if dice.random() < 0.05:
            corpus.append(data)
    return None


def check_of(name: str, *what: Any) -> Callable[[bytes], None]:
    module = target(name)
    return lambda data: module.check(data, *what)
