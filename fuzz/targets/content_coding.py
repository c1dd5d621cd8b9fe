"""Invariant: a compressed body, cut anywhere, is decoded to the same bytes or refused by name, within bounds.

The input is a byte that says which codings there are, and a body with marks (``fuzz/script.py``) where it is
cut.
"""

from __future__ import annotations

import gzip
import itertools
import zlib
from typing import Any

from fuzz.content_laws import any_cut_decodes_the_same
from fuzz.pieces import CUTS
from fuzz.script import some_of
from sse_http.content_coding import DECODED, MAX_CODINGS, ContentDecoder

HEADER = 1
MAX_LEN = 400
MAX_CALLS = 100
_NAMES = sorted(DECODED)
#: What the input's first byte chooses from.
CODINGS = tuple(
    itertools.chain.from_iterable(itertools.product(_NAMES, repeat=n) for n in range(1, MAX_CODINGS + 1))
)
_TEXTS = (b"", b"x", b'{"error": {"message": "no"}}' * 3, bytes(3000))
_RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)
_RAW_BODY = _RAW.compress(_TEXTS[2]) + _RAW.flush()
PIECES = (
    *CUTS,
    *(gzip.compress(text, mtime=0) for text in _TEXTS),
    *(zlib.compress(text) for text in _TEXTS),
    *(_RAW_BODY, b"\x1f\x8b\x08", b"\x78\x9c", b"\x28\xb5\x2f\xfd", b"\x03\x00", b"\x00" * 8, b"\xff" * 4),
)
#: Bodies behind each choice: right for one of them, wrong for the others.
SEEDS = tuple(
    bytes([choice]) + piece.replace(b"\xfe", b"\xfeF")
    for choice in range(len(_NAMES))
    for piece in PIECES[len(CUTS) :]
)


def check(data: bytes, make: Any = ContentDecoder) -> None:
    """Decode the body in these chunks, whole, and byte by byte."""
    codings = list(CODINGS[(data or b"\0")[0] % len(CODINGS)])
    any_cut_decodes_the_same([chunk for _, chunk in some_of(data[1:], MAX_CALLS, MAX_LEN)], codings, make)
