"""The law of content codings."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Any

from sse_core.errors import LimitExceeded, RemoteProtocolError
from sse_http.content_coding import ContentDecoder

#: What is decoded at most.
BOUND = 20_000
#: A piece is decoded at a time; zstandard's may be so large.
LARGEST_PIECE = 2**20


def any_cut_decodes_the_same(chunks: list[bytes], codings: list[str], make: Any = ContentDecoder) -> None:
    """Read the body in these chunks, whole, and byte by byte: the same bytes, or refused each time."""
    body = b"".join(chunks)
    whole = decoded([body], codings, make)
    assert decoded(chunks, codings, make) == whole
    assert decoded([body[at : at + 1] for at in range(len(body))], codings, make) == whole
    try:
        known = by_the_library(body, codings)
    except EOFError:
        assert whole is None, "half of a body is none"
    else:
        assert known is None or len(known) > BOUND or whole == known


def decoded(chunks: list[bytes], codings: list[str], make: Any) -> bytes | None:
    """The body, or ``None`` where it was refused by name."""
    decoder = make(codings, max_decoded_bytes=BOUND, max_ratio=2**40)
    body = b""
    try:
        for chunk in chunks:
            for piece in decoder.receive_data(chunk):
                assert len(piece) <= LARGEST_PIECE
                body += piece
        decoder.receive_eof()
    except (RemoteProtocolError, LimitExceeded):
        assert len(body) <= BOUND
        return None
    assert len(body) <= BOUND
    return body


def by_the_library(body: bytes, codings: list[str]) -> bytes | None:
    """The same by the standard library; ``None`` for what it doesn't read.

    Raises ``EOFError`` for half of a gzip member.
    """
    readers: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.decompress,
        "x-gzip": gzip.decompress,
        "deflate": zlib.decompress,
    }
    for coding in reversed(codings):
        if coding not in readers or not body:
            return None
        try:
            body = readers[coding](body)
        except (OSError, zlib.error):
            return None
    return body
