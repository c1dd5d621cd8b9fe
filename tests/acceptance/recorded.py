"""Recorded streams: read whole or in pieces, and compared with what an official SDK made of them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sse_core import EventStreamDecoder, Message, MessageAccumulator, ServerSentEvent, testing
from sse_core.blocks import BlockEvent
from sse_core.dialects import Dialect
from sse_core.testing import pieces_of_size

#: What stands for the value of a side that has none.
ABSENT = "(absent)"


def stream(path: Path) -> bytes:
    """The bytes of a stream; where only the payloads were recorded, each framed as an event."""
    if path.suffix == ".sse":
        return path.read_bytes()
    payloads = [line for line in path.read_bytes().split(b"\n") if line.strip()]
    return b"".join(b"data: " + payload + b"\n\n" for payload in payloads)


def framed(pieces: Iterable[bytes]) -> list[ServerSentEvent]:
    """The events of a stream that came in these pieces."""
    decoder = EventStreamDecoder()
    events = [event for piece in pieces for event in decoder.receive_data(piece)]
    decoder.receive_eof()
    return events


def decoded(dialect: Dialect, events: Iterable[ServerSentEvent]) -> Iterator[BlockEvent]:
    """The block events of a stream and its end."""
    decoder = dialect.Decoder()
    for event in events:
        yield from decoder.receive_event(event)
    yield from decoder.receive_eof()


def accumulated(events: Iterable[BlockEvent], **settings: Any) -> Message:
    """The message that the events make, by an accumulator with these settings."""
    return testing.message_of(events, accumulator=MessageAccumulator(**settings))


def message_of(dialect: Dialect, *pieces: bytes) -> Message:
    """The message of a stream that came in these pieces."""
    return accumulated(decoded(dialect, framed(pieces)))


def splits(data: bytes, seed: str) -> Iterator[list[bytes]]:
    """``data`` in single bytes, and in twenty random ways."""
    yield pieces_of_size(data, 1)
    dice = random.Random(seed)
    for _ in range(20):
        cuts = sorted(dice.randrange(len(data) + 1) for _ in range(dice.randrange(1, 40)))
        yield [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Each place where two JSON values differ: its path, our value, theirs."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in sorted(ours.keys() | theirs.keys()):
            inner = ours.get(name, ABSENT), theirs.get(name, ABSENT)
            yield from differences(*inner, f"{path}.{name}".lstrip("."))
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for pair in zip(ours, theirs, strict=True):
            yield from differences(*pair, f"{path}[]")
    elif ours != theirs:
        yield path, ours, theirs
