"""Invariant: what is encoded is refused by its field's name, or read back as those events and nothing more.

The input is a script of fields (``fuzz/encoding.py``): any texts, as data, event, id, retry and comments.
"""

from __future__ import annotations

from fuzz.encoding import EncodeComment, EncodeEvent, EncodeEvents, encoded_is_read_back
from fuzz.pieces import ENCODER_SEEDS, FIELDS
from sse_core import encode_comment, encode_event, encode_events

HEADER = 0
MAX_LEN = 300
PIECES = FIELDS
SEEDS = ENCODER_SEEDS


def check(
    data: bytes,
    encode: EncodeEvent = encode_event,
    comment: EncodeComment = encode_comment,
    encode_all: EncodeEvents = encode_events,
) -> None:
    """Encode each event, look at its lines, read all of them back, and write them once more in one call."""
    encoded_is_read_back(data, encode, comment, encode_all)
