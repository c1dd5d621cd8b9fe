"""What one event costs to decode and to encode, in nanoseconds of CPU time, the best of several rounds.

``split`` is the floor: the same bytes, split at their empty lines and decoded, and nothing understood.
``anthropic`` is the decoder inside the official SDK.  The last lines show growth: nanoseconds for each
byte or line of one event stay what they are while it becomes eight times as large.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from functools import partial

from anthropic._streaming import SSEDecoder

from sse_core import EventStreamDecoder, encode_comment, encode_event

ROUNDS = 7
EVENTS = 10_000
ANTHROPIC_DATA = '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" streaming"}}'
ANTHROPIC = encode_event(ANTHROPIC_DATA, event="content_block_delta")
OPENAI_DATA = (
    '{"id":"chatcmpl-C1","object":"chat.completion.chunk","created":1763726400,"model":"gpt-5","system_'
    'fingerprint":"fp_0","choices":[{"index":0,"delta":{"content":" streaming"},"finish_reason":null}]}'
)
SHAPES = {
    "anthropic": ANTHROPIC,
    "openai": encode_event(OPENAI_DATA),
    "with ids": encode_event(ANTHROPIC_DATA, event="content_block_delta", id="4f2a-1234"),
    "CRLF": ANTHROPIC.replace(b"\n", b"\r\n"),
    "tiny": encode_event("a"),
    "eight lines": encode_event("\n".join(["eight lines"] * 8)),
}

Decode = Callable[[Iterable[bytes]], int]


def ours(chunks: Iterable[bytes]) -> int:
    """How many events this decoder makes of ``chunks``."""
    decoder = EventStreamDecoder()
    return sum(len(decoder.receive_data(chunk)) for chunk in chunks)


def official(chunks: Iterable[bytes]) -> int:
    """How many events the decoder of the SDK makes of ``chunks``."""
    return sum(1 for _ in SSEDecoder().iter_bytes(iter(chunks)))


def split(chunks: Iterable[bytes]) -> int:
    """How many empty lines there are, with everything between them decoded and thrown away."""
    count = 0
    for chunk in chunks:
        blocks = chunk.split(b"\n\n")
        count += len(blocks) - 1
        for block in blocks:
            block.decode()
    return count


def best(step: Callable[[], object], count: int) -> float:
    """Nanoseconds for each of the ``count`` things that ``step`` does."""
    times = []
    for _ in range(ROUNDS):
        started = time.process_time_ns()
        step()
        times.append(time.process_time_ns() - started)
    return min(times) / count


def in_chunks(stream: bytes, size: int) -> list[bytes]:
    """``stream`` in pieces of ``size`` bytes."""
    return [stream[i : i + size] for i in range(0, len(stream), size)]


def decode_time(decode: Decode, event: bytes, size: int, events: int = EVENTS) -> float:
    """Nanoseconds an event, where ``events`` of them come in chunks of ``size`` bytes."""
    return best(partial(decode, in_chunks(event * events, size)), events)


def repeat(step: Callable[[], object]) -> None:
    """Do ``step`` as often as there are events."""
    for _ in range(EVENTS):
        step()


def print_decoding() -> None:
    """Each shape of event: one a chunk, many a chunk, one byte a chunk; ours and others."""
    print("decode, ns an event                one a chunk          16 KB chunks      1-byte chunks")
    print(f"  {'':<20}{'ours':>9}{'SDK':>8}{'split':>8}{'ours':>9}{'SDK':>8}{'split':>8}{'ours':>9}")
    for name, event in SHAPES.items():
        row = f"  {f'{name}, {len(event)} bytes':<20}"
        for size in (len(event), 16384):
            row += f"{decode_time(ours, event, size):>9.0f}{decode_time(official, event, size):>8.0f}"
            row += f"{decode_time(split, event, size):>8.0f}" if b"\r" not in event else f"{'':>8}"
        print(f"{row}{decode_time(ours, event, 1, EVENTS // 20):>9.0f}")


def print_encoding() -> None:
    """What the encoder costs."""
    steps: dict[str, Callable[[], object]] = {
        "event": partial(encode_event, ANTHROPIC_DATA, event="content_block_delta"),
        "with an id": partial(encode_event, ANTHROPIC_DATA, event="content_block_delta", id="4f2a-1234"),
        "comment": partial(encode_comment, "ping"),
    }
    print("encode, ns")
    for name, step in steps.items():
        print(f"  {name:<20}{best(partial(repeat, step), EVENTS):>9.0f}")


def print_growth() -> None:
    """One event that becomes eight times as large."""
    print("one large event                  small   8 x as large")
    shapes: dict[str, Callable[[int], tuple[bytes, int]]] = {
        "a line, 4 KB chunks": lambda n: (b"data: " + b"x" * (n << 20) + b"\n\n", 4096),
        "a line, 1-byte chunks": lambda n: (b"data: " + b"x" * (n << 16) + b"\n\n", 1),
        "data lines, 16 KB": lambda n: (b"data: 0123456789\n" * (50_000 * n) + b"\n", 16384),
    }
    for name, shape in shapes.items():
        small, large = (
            best(partial(ours, in_chunks(stream, size)), len(stream)) for stream, size in map(shape, (1, 8))
        )
        print(f"  {name:<24}{small:>9.2f}{large:>9.2f}  ns a byte")


def main() -> None:
    """Print the figures."""
    print(f"Python {sys.version.split()[0]}")
    print_decoding()
    print_encoding()
    print_growth()


if __name__ == "__main__":
    main()
