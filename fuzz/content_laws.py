"""The law of content codings."""

from __future__ import annotations

import zlib
from typing import Any

from sse_core.errors import LimitExceeded, RemoteProtocolError
from sse_core.testing import pieces_of_size
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
    assert decoded(pieces_of_size(body, 1), codings, make) == whole
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
    """The same by zlib, for one member and nothing behind it; ``None`` for anything else.

    Raises ``EOFError`` for half of a member.
    """
    for coding in reversed(codings):
        wbits = {"gzip": 31, "x-gzip": 31, "deflate": 15}.get(coding)
        if wbits is None or not body:
            return None
        library = zlib.decompressobj(wbits)
        try:
            body, is_whole = library.decompress(body), library.eof
        except zlib.error:
            return None
        if not is_whole:
            raise EOFError
        if library.unused_data:
            return None
    return body
