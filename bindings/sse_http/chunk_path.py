"""The chunks of a running answer, read without h11: only those that leave nothing to decide.

h11 costs more for a chunk than all the rest of an event's way.  So a chunk that lies whole in the bytes,
with a size of a few digits and nothing else in its line, goes past h11, which stands meanwhile where that
chunk begins.  RFC 9112 section 7.1, https://www.rfc-editor.org/rfc/rfc9112#section-7.1: ::

    chunk      = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
    chunk-size = 1*HEXDIG

Of a chunk that is not whole yet h11 is given what has come, and then exactly what it lacks: it stands at
the beginning of a chunk again, and whole chunks go past it again.  Everything else is h11's, to the end of
the answer: an extension, the last chunk and its trailers, a size of many digits, and whatever is wrong.
"""

from __future__ import annotations

import re

#: A line that says a size and nothing else.  h11 reads up to twenty digits; nobody sends so many.
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})\r\n")
_HALF_SIZE_LINE = re.compile(rb"[0-9A-Fa-f]{1,15}\r?")
_END = b"\r\n"


class ChunkPath:
    """The body of one chunked answer, from its first byte on: what of it goes past h11."""

    __slots__ = ("_half_line", "_missing", "is_open")

    def __init__(self) -> None:
        self.is_open: bool = True  #: until something comes that h11 has to read, and all that follows
        self._missing = 0  # bytes of a chunk that h11 reads
        self._half_line = b""

    def split(self, data: bytes) -> tuple[bytes, bytes, bytes]:
        """The next bytes of the body, in three parts.

        - What the whole chunks hold that come first.
        - What h11 is to be given next.
        - What is to be split again after that; empty if h11 is given nothing.
        """
        if self._missing:
            piece, rest = data[: self._missing], data[self._missing :]
            self._missing -= len(piece)
            return b"", piece, rest
        if self._half_line:
            data = self._take_half_line() + data
        line = _SIZE_LINE.match(data)
        if line is not None and data[-2:] == _END and (size := int(line[1], 16)):
            begin = line.end()
            if begin + size + 2 == len(data):
                return data[begin:-2], b"", b""  # one chunk, as almost always
        content, rest = _read_whole(data)
        return content, self._for_h11(rest) if rest else b"", b""

    def end(self) -> bytes:
        """Nothing more will come, and h11 reads on: what it has not been given yet."""
        self.is_open = False
        return self._take_half_line()

    def _take_half_line(self) -> bytes:
        line, self._half_line = self._half_line, b""
        return line

    def _for_h11(self, rest: bytes) -> bytes:
        """What is not a whole chunk, but for a line that is not whole yet and may be a size's."""
        if _HALF_SIZE_LINE.fullmatch(rest):
            self._half_line = rest
            return b""
        line = _SIZE_LINE.match(rest)
        size = 0 if line is None else int(line[1], 16)
        if line is not None and size > 0:
            # None is missing where the chunk has another end than its own.
            self._missing = max(line.end() + size + len(_END) - len(rest), 0)
        self.is_open = self._missing > 0
        return rest


def _read_whole(data: bytes) -> tuple[bytes, bytes]:
    """What the whole chunks at the beginning of ``data`` hold, and what follows them."""
    contents: list[bytes] = []
    at, size = 0, len(data)
    while at < size and (line := _SIZE_LINE.match(data, at)) is not None:
        begin = line.end()
        end = begin + int(line[1], 16)
        if end == begin or data[end : end + 2] != _END:  # one of no bytes is the last chunk
            break
        contents.append(data[begin:end])
        at = end + 2
    return b"".join(contents), data[at:]
