"""Eight times the bytes take about eight times as long, whatever the chunks are; never the square of it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from sse_core import EventStreamDecoder, encode_event


def in_chunks(stream: bytes, size: int) -> None:
    decoder = EventStreamDecoder()
    events = [
        event for i in range(0, len(stream), size) for event in decoder.receive_data(stream[i : i + size])
    ]
    assert len(events) == 1


def large_blocks_at_once(megabytes: int) -> None:
    block = b"data: a\ndata: " + b"x" * 24_600 + b"\n\n"
    assert len(EventStreamDecoder().receive_data(block * (40 * megabytes))) == 40 * megabytes


SHAPES: dict[str, tuple[int, Callable[[int], object]]] = {
    "one_line": (2**18, lambda n: in_chunks(b"data: " + b"x" * n + b"\n\n", 4096)),
    "one_byte_chunks": (2**13, lambda n: in_chunks(b"data: " + b"x" * n + b"\n\n", 1)),
    "data_lines": (10_000, lambda n: in_chunks(b"data: 0123456789\n" * n + b"\n", 16384)),
    "data_lines_at_once": (10_000, lambda n: in_chunks(b"data: 0123456789\n" * n + b"\n", 2**30)),
    "crlf_lines": (10_000, lambda n: in_chunks(b"data: 0123456789\r\n" * n + b"\r\n", 50)),
    "large_blocks_at_once": (4, large_blocks_at_once),
    "comments": (10_000, lambda n: in_chunks(b": ping\n" * n + b"data: x\n\n", 100)),
    "a_long_comment": (2**18, lambda n: in_chunks(b":" + b"x" * n + b"\ndata: x\n\n", 100)),
    "empty_lines": (2**15, lambda n: in_chunks(b"data: x\n\n" + b"\n" * n, 1000)),
    "carriage_returns": (2**15, lambda n: in_chunks(b"data: x\r\r" + b"\r" * n, 1000)),
    "bad_utf8": (2**15, lambda n: in_chunks(b"data: " + b"\xf0\x9f" * n + b"\n\n", 1000)),
    "encode_lines": (10_000, lambda n: encode_event("0123456789\r\n" * n)),
    "encode_surrogates": (2**15, lambda n: encode_event("\ud83d" * n)),
}


def seconds(work: Callable[[int], object], size: int) -> float:
    """The best of three, in CPU time."""
    times = []
    for _ in range(3):
        start = time.process_time()
        work(size)
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.untraced
def test_growth_is_linear(shape: str) -> None:
    size, work = SHAPES[shape]
    small, large = seconds(work, size), seconds(work, 8 * size)
    # A square would be 64 times; a busy machine and cold caches may double what is due.
    assert large < 24 * small + 0.01, (small, large)
