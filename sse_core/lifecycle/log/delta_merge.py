"""Adjacent deltas of a log as one event, for a reader who is behind.

Nothing is decoded and nothing is guessed.  A dialect says, as a pattern over the bytes of an event,
which events are a delta of text and nothing else: what stands before the text, the text as JSON writes
it, what stands behind it.  Two neighbours that differ in the text alone are one event with both texts,
for two JSON strings without their quotes, one behind the other, are the string of both.  Any other event
stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_NO_ID = b"\n"  # what follows the data of an event without one


def merged(entries: Iterable[bytes], delta: re.Pattern[bytes], max_bytes: int) -> Iterator[bytes]:
    """``entries``, with adjacent deltas as one.

    - ``entries``: each the bytes of an event.
    - ``delta``: its groups are what stands before the text, the text, and what stands behind it up to the end
      of the data's line.
    - ``max_bytes``: of a merged event's text, unless that of one event alone has more.

    A merged event has the ID of the last in it that has one.
    """
    texts: list[bytes] = []
    around: tuple[bytes, ...] = ()
    last_id = b""
    size = 0
    for entry in entries:
        match = delta.match(entry)
        if match is None:
            yield from _joined(texts, around, last_id)
            texts = []
            yield entry
            continue
        before, text, *behind = match.groups()
        if texts and (around != (before, *behind) or size + len(text) > max_bytes):
            yield from _joined(texts, around, last_id)
            texts = []
        if not texts:
            around, size = (before, *behind), 0
        id_line = entry[match.end() :]
        if not texts or len(id_line) > len(_NO_ID):
            last_id = id_line
        texts.append(text)
        size += len(text)
    yield from _joined(texts, around, last_id)


def _joined(texts: list[bytes], around: tuple[bytes, ...], last_id: bytes) -> Iterator[bytes]:
    if texts:
        yield b"".join([around[0], *texts, *around[1:], last_id])
