"""A recorded stream, played again byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from .steps import Step

# WHATWG HTML section 9.2.5: an event ends with a blank line, and a line with CRLF, LF or CR.  The
# groups are atomic, or CRLF would be taken for two ends.
_BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_TOKEN = re.compile(rb"^event: ?content_block_delta\b", re.MULTILINE)


def pieces(recording: bytes) -> list[bytes]:
    """The recording cut after each blank line; joined they are the recording."""
    ends = [match.end() for match in _BLANK_LINE.finditer(recording)]
    cuts = [0, *ends, len(recording)]
    return [recording[start:end] for start, end in pairwise(cuts) if start < end]


def replay_steps(recorded: list[bytes], rate: float | None) -> Iterator[Step]:
    """One step for each of the ``pieces``, ``rate`` a second (0 or ``None``: as fast as it can).

    A recording may be of any protocol, so faults count every event of it; tokens are counted for
    ``content_block_delta`` events.
    """
    gap = 1 / rate if rate else 0.0
    for number, piece in enumerate(recorded):
        yield Step(number * gap, piece, content=True, tokens=1 if _TOKEN.search(piece) else 0)
