"""Streams to decode: what providers send, in shapes that decoders find easy and hard."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sse_core import encode_event

#: How a stream is cut: bytes a chunk; 0 is one event a chunk.
CHUNKINGS = {"an event": 0, "16 KB": 16 * 1024, "1 MB": 2**20, "1 byte": 1}

_WORDS = " the a stream of events is read, one by one; and each word (some — like café — not ASCII) counts."


@dataclass(frozen=True)
class Corpus:
    """One message's worth of events, which is repeated as often as a measurement needs."""

    name: str
    message: tuple[bytes, ...]

    def events(self, count: int) -> list[bytes]:
        """The bytes of ``count`` events, each by itself."""
        message = self.message
        return [message[i % len(message)] for i in range(count)]

    def chunks(self, count: int, size: int) -> list[bytes]:
        """``count`` events in chunks of ``size`` bytes, or one a chunk if that is 0."""
        events = self.events(count)
        return in_chunks(b"".join(events), size) if size else events


def in_chunks(stream: bytes, size: int) -> list[bytes]:
    """``stream`` in pieces of ``size`` bytes."""
    return [stream[i : i + size] for i in range(0, len(stream), size)]


def _texts() -> Iterator[str]:
    dice = random.Random(3)  # noqa: S311  (the same words every time)
    words = _WORDS.split(" ")
    while True:
        yield " " + dice.choice(words)


def _anthropic() -> Iterator[tuple[str, str]]:
    """Type and data of each event of a message, as the Messages API sends them."""
    texts = _texts()
    usage = {"input_tokens": 25, "output_tokens": 1}
    message = {"id": "msg_01", "type": "message", "role": "assistant", "content": [], "usage": usage}
    bodies: list[dict[str, object]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": next(texts)},
            }
            for _ in range(194)
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 194}},
        {"type": "message_stop"},
    ]
    for body in bodies:
        yield str(body["type"]), json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _openai() -> Iterator[str]:
    """The data of each chunk of a chat completion."""
    for text in [*(text for _, text in zip(range(199), _texts(), strict=False))]:
        chunk = {
            "id": "chatcmpl-CdyT4nkUmN2SxPj0cIo6fUQhV0001",
            "object": "chat.completion.chunk",
            "created": 1763726400,
            "model": "gpt-5-2025-08-07",
            "service_tier": "default",
            "system_fingerprint": None,
            "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}],
        }
        yield json.dumps(chunk, ensure_ascii=False, separators=(",", ":"))
    yield "[DONE]"


def _with_crlf(message: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(event.replace(b"\n", b"\r\n") for event in message)


def _corpora() -> Iterator[Corpus]:
    pairs = list(_anthropic())
    anthropic = tuple(encode_event(data, event=kind) for kind, data in pairs)
    openai = tuple(encode_event(data) for data in _openai())
    ids = [f"4f2a9c11-{number}" for number in range(len(pairs))]
    lines = "\n".join(f"line {number} of a piece of text that has some" for number in range(8))
    yield Corpus("anthropic", anthropic)
    yield Corpus("anthropic CRLF", _with_crlf(anthropic))
    yield Corpus("openai chat", openai)
    yield Corpus("openai chat CRLF", _with_crlf(openai))
    yield Corpus("tiny", tuple(encode_event(letter) for letter in "abcdefgh"))
    yield Corpus("8 lines", (encode_event(lines, event="text"),))
    yield Corpus("8 lines CRLF", _with_crlf((encode_event(lines, event="text"),)))
    # As sse-relay sends them, as sse-starlette does, and as writers do that leave out the space.
    yield Corpus(
        "id after data",
        tuple(encode_event(data, event=kind, id=id_) for (kind, data), id_ in zip(pairs, ids, strict=True)),
    )
    yield Corpus(
        "id first, CRLF",
        tuple(
            f"id: {id_}\r\nevent: {kind}\r\ndata: {data}\r\n\r\n".encode()
            for (kind, data), id_ in zip(pairs, ids, strict=True)
        ),
    )
    yield Corpus("no spaces", tuple(f"event:{kind}\ndata:{data}\n\n".encode() for kind, data in pairs))
    yield Corpus("1 MB lines", (encode_event("0123456789abcdef" * 65536, event="picture"),))


#: By name.
CORPORA = {corpus.name: corpus for corpus in _corpora()}

#: What grows: a stream of ``n`` units in one event, and how it is cut.
GROWTH: dict[str, tuple[int, Callable[[int], bytes]]] = {
    "a line of n MB, 4 KB chunks": (4096, lambda n: b"data: " + b"x" * (n << 20) + b"\n\n"),
    "n x 64 KB, 1-byte chunks": (1, lambda n: b"data: " + b"x" * (n << 16) + b"\n\n"),
    "n x 50,000 data lines, 16 KB chunks": (16384, lambda n: b"data: 0123456789\n" * (50_000 * n) + b"\n"),
}
