"""Invariant: what of a chunked answer goes past h11 is what h11 would have read, as early, with the same end.

The input is a body with marks (``fuzz/script.py``) where it is cut.
"""

from __future__ import annotations

from typing import Any

from fuzz.chunk_laws import any_cut_is_read_as_by_h11
from fuzz.pieces import CUTS
from fuzz.script import some_of
from sse_http.chunk_path import ChunkPath

HEADER = 0
MAX_LEN = 120
MAX_CALLS = 50
_CHUNKS = (
    b"1\r\nx\r\n",
    b"5\r\nhello\r\n",
    b"00a\r\n0123456789\r\n",
    b"C\r\ndata: 1\r\n\r\n\r\n",
    b"4\r\n\r\n0\r\r\n",
)
_LINES = (b"5\r\n", b"F\r\n", b"0\r\n", b"000\r\n", b"5;x=y\r\n", b"5 \r\n", b"0;x\r\n", b"f" * 15 + b"\r\n")
_WRONG = (
    b"+5\r\n",
    b"0x5\r\n",
    b"1_0\r\n",
    b" 5\r\n",
    b"-1\r\n",
    b"5\n",
    b"5\r",
    b"g\r\n",
    b"\xd9\xa5\r\n",
    b";\r\n",
)
_ENDS = (
    b"0\r\n\r\n",
    b"0\r\nx: y\r\n\r\n",
    b"0\r\n\n",
    b"0\n\n",
    b"00;x\r\nx: y\r\n z\r\n\r\n",
    b"0\r\n: \r\n\r\n",
)
_PARTS = (
    b"\r\n",
    b"\r",
    b"\n",
    b"\n\r",
    b"x",
    b"0",
    b"1" * 15,
    b"1" * 16,
    b"0" * 20,
    b"\0",
    b"\x0b\x0c",
    b";" * 40,
)
PIECES = (*_CHUNKS * 3, *_LINES, *_WRONG, *_ENDS, *_PARTS, *CUTS)
SEEDS = tuple(
    chunk + cut + line + b"hello" + cut + end
    for chunk in _CHUNKS
    for line in (*_CHUNKS, *_LINES, *_WRONG)
    for end in _ENDS[:2]
    for cut in (b"", b"\xfe|")
)


def check(data: bytes, path: Any = ChunkPath) -> None:
    """Give the body in these pieces, and its beginning byte by byte."""
    any_cut_is_read_as_by_h11([chunk for _, chunk in some_of(data, MAX_CALLS, MAX_LEN)], path)
