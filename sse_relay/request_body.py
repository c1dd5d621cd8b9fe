"""A request's body: whether it is a JSON object, what its ``stream`` says, and the same body with it true.

A body may have 32 MiB, and while it is read no stream of anybody's goes on.  So it is bounded by what it is
made of before anything is made of it, it is read member by member, and of what is read nothing is kept: the
provider gets the client's own bytes.

Source: https://www.rfc-editor.org/rfc/rfc8259
"""

from __future__ import annotations

import codecs
import gc
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

from sse_core.blocks import strict_json
from sse_core.blocks.json_structure import JSONBounds
from sse_core.blocks.strict_json import JSON

_PIECE_BYTES = 64 * 1024
_SPACE = r"[ \t\n\r]*"  # RFC 8259 section 2
_BEGINNING = re.compile(_SPACE + r"\{" + _SPACE)
_NAME = re.compile(r'"([^"\\\x00-\x1f]*)"' + _SPACE + ":" + _SPACE)  #: one without escapes
_COLON = re.compile(_SPACE + ":" + _SPACE)
_SIGN = re.compile(_SPACE + "([,}])" + _SPACE)


class RequestBody:
    """A body that is a JSON object within ``bounds``.

    Raises ``ValueError`` for what is none, and ``LimitExceeded`` for what is beyond a bound.
    """

    def __init__(self, body: bytes, bounds: JSONBounds) -> None:
        bounds.check(body)
        _check_encoding(body)
        self._body = body
        self._begin = 0  # of the first member
        self._is_empty = False
        self._places: list[tuple[int, int]] = []  # of the values of "stream"
        self.stream: JSON = False  #: the value of the member "stream", the last one if there are several
        with _no_collector():
            # One byte is one character, so that places are the body's own.  What is not ASCII stands in
            # strings only, and nobody looks at these.
            self._read(body.decode("latin-1"))

    def _read(self, text: str) -> None:
        beginning = _BEGINNING.match(text)
        if beginning is None:
            # Whatever else it is, it is no object; but it may be no JSON either.
            _decoder.decode(text)
            raise NotAnObjectError
        self._begin = beginning.end()
        end = _SIGN.match(text, self._begin)
        self._is_empty = end is not None and end[1] == "}"
        if end is None or not self._is_empty:
            end = self._read_members(text, self._begin)
        if end.end() != len(text):
            raise ValueError("something follows the object")

    def _read_members(self, text: str, position: int) -> re.Match[str]:
        """Read them all, and give the object's end."""
        while True:
            name, begin = _name_at(text, position)
            value, end = _decoder.raw_decode(text, begin)
            if name == "stream":
                self.stream = value
                self._places.append((begin, end))
            sign = _match(_SIGN, text, end)
            if sign[1] == "}":
                return sign
            position = sign.end()

    def streaming(self) -> bytes:
        """The body, with ``"stream": true``; all else is as it came."""
        if self.stream is True:
            return self._body
        body = memoryview(self._body)  # a slice of bytes would be a copy
        if not self._places:
            member = b'"stream":true' + (b"" if self._is_empty else b",")
            return b"".join([body[: self._begin], member, body[self._begin :]])
        pieces: list[bytes | memoryview] = []
        position = 0
        for begin, end in self._places:
            pieces += [body[position:begin], b"true"]
            position = end
        return b"".join([*pieces, body[position:]])


class NotAnObjectError(ValueError):
    """It is JSON, but no object."""


def _name_at(text: str, position: int) -> tuple[str, int]:
    """A member's name, and where its value begins."""
    name = _NAME.match(text, position)
    if name is not None:
        return name[1], name.end()
    if not text.startswith('"', position):
        raise ValueError("a name should be here")
    escaped, position = strict_json.string_at(text, position)
    return escaped, _match(_COLON, text, position).end()


def _match(sign: re.Pattern[str], text: str, position: int) -> re.Match[str]:
    match = sign.match(text, position)
    if match is None:
        raise ValueError("a sign is missing")
    return match


def _check_encoding(body: bytes) -> None:
    # RFC 8259 section 8.1: "JSON text exchanged between systems [...] MUST be encoded using UTF-8".
    if body.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(body), _PIECE_BYTES):
        decoder.decode(body[start : start + _PIECE_BYTES])
    decoder.decode(b"", final=True)


@contextmanager
def _no_collector() -> Iterator[None]:
    """What is made here is gone at the end and has no cycles; to look for some takes longer than to read."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _refuse(constant: str) -> JSON:
    # RFC 8259 section 6: "Numeric values that cannot be represented in the grammar below (such
    # as Infinity and NaN) are not permitted."
    raise ValueError(f"{constant} is not JSON")


# What numbers and objects become is nobody's business: to make a number of a million digits takes a time
# that is quadratic in them, and a dictionary more than all the rest.
_decoder = json.JSONDecoder(parse_constant=_refuse, parse_int=len, parse_float=len, object_pairs_hook=len)
