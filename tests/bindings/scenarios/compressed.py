"""Streams of servers that compress unasked."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import brotli  # type: ignore[import-untyped]
import zstandard

from sse_core import encode_event
from sse_core.errors import TransportError
from sse_core.lifecycle import Outcome

from ..client_scenario import ClientScenario, Connect, Error, Turn
from ..client_steps import Take
from ..peers import Act, Head, Send, Silence, answer, scripted
from .reconnecting import AT_ONCE

TEXTS = ["<1> zwölf", "<2> zwölf"]
BOMB = gzip.compress(bytes(20_000_000))
CONNECTING_AGAIN_IS_NO_USE = {"reconnects": 0}


def deflate(wbits: int) -> Callable[[], Callable[[bytes], bytes]]:
    def new() -> Callable[[bytes], bytes]:
        encoder = zlib.compressobj(wbits=wbits)
        return lambda data: encoder.compress(data) + encoder.flush(zlib.Z_SYNC_FLUSH)

    return new


def new_brotli() -> Callable[[bytes], bytes]:
    encoder = brotli.Compressor()
    return lambda data: encoder.process(data) + encoder.flush()


def new_zstd() -> Callable[[bytes], bytes]:
    encoder = zstandard.ZstdCompressor().compressobj()
    return lambda data: encoder.compress(data) + encoder.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)


CODINGS = {"gzip": deflate(31), "deflate": deflate(15), "br": new_brotli, "zstd": new_zstd}


def flushed(coding: str) -> list[Act]:
    """Two events, each flushed, and then nothing that could push them out."""
    encode = CODINGS[coding]()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: {coding}\r\n\r\n"
    return [Head(), Send(head.encode()), *[Send(encode(encode_event(text))) for text in TEXTS], Silence()]


SCENARIOS = [
    *(
        ClientScenario(
            name=f"each event of a stream in {coding} comes with its bytes",
            peers={"server": scripted(*flushed(coding))},
            calls=[Connect(do=[Take(2)], texts=TEXTS)],
        )
        for coding in CODINGS
    ),
    ClientScenario(
        name="a bomb in place of a stream",
        peers={"server": scripted(Head(), answer(BOMB, content_encoding="gzip"))},
        calls=[
            Connect(
                options={"retry": AT_ONCE},
                do=[Take(1)],
                errors=[Error(TransportError, r"stands for more than 256 bytes .*\(limit: max_ratio\)")],
                stream=CONNECTING_AGAIN_IS_NO_USE,
            ),
            Turn(outcome=Outcome.TRUNCATED, stream={"attempts": 1}),
        ],
    ),
]
