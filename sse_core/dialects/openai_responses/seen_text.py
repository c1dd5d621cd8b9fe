"""What was seen already, as digests: enough to know whether something is new, whatever its length."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from ...blocks import strict_json
from ...blocks.json_pieces import join_surrogates
from ...blocks.strict_json import JSON, JSONObject
from ..budget import Budget

_DIGEST_BYTES = 16
#: What a field costs beside its name: its digest and its place.
_FIELD_BYTES = 100
_UTF16 = ("utf-16-le", "surrogatepass")


class SeenText:
    """The length and a digest of a text that came in fragments.

    A fragment may end between the halves of a surrogate pair: the first half waits for the second,
    since only the character has a form in UTF-8 that the whole text has too.
    """

    __slots__ = ("_bytes", "_digest", "_half")

    def __init__(self) -> None:
        self._bytes = 0
        self._digest = _new()
        self._half = ""

    @property
    def has_text(self) -> bool:
        """Whether anything was seen."""
        return self._bytes > 0 or self._half != ""

    def add(self, fragment: str) -> None:
        """``fragment`` has come."""
        text, self._half = join_surrogates(self._half + fragment)
        data = text.encode("utf-8", "surrogatepass")
        self._digest.update(data)
        self._bytes += len(data)

    @property
    def size(self) -> int:
        """How long it is, in bytes of UTF-8."""
        return self._bytes

    def is_begin_of(self, data: memoryview) -> bool:
        """Whether ``data`` begins with what was seen, and something was, in whole characters."""
        is_whole = self._bytes > 0 and not self._half
        return is_whole and _new(data[: self._bytes]).digest() == self._digest.digest()

    def rest_of(self, whole: str) -> str | None:
        """What ``whole`` has beyond what was seen; ``None`` if it does not begin with that."""
        data = memoryview(whole.encode("utf-8", "surrogatepass"))
        begin = _new(data[: self._bytes])
        if begin.digest() != self._digest.digest():
            return None
        rest = str(data[self._bytes :], "utf-8", "surrogatepass")
        return _without_half(rest, self._half) if self._half else rest


def rest_of_all(seen: Iterable[SeenText], whole: str) -> str | None:
    """What ``whole`` has beyond all these texts, one after another; ``None`` if it does not begin with them.

    Nor where one of them is empty: each text takes its part of ``whole``, so that this costs what it is long.
    """
    data = memoryview(whole.encode("utf-8", "surrogatepass"))
    for text in seen:
        if not text.is_begin_of(data):
            return None
        data = data[text.size :]
    return str(data, "utf-8", "surrogatepass")


class SeenFields:
    """Fields that come with several events: which of them say something new."""

    __slots__ = ("_budget", "_digests")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._digests: dict[str, bytes] = {}

    def changed(self, fields: JSONObject) -> JSONObject:
        """Those of ``fields`` that are new or have another value.  From now on they count as seen."""
        new: JSONObject = {}
        for name, value in fields.items():
            digest = digest_of(value)
            if self._digests.get(name) != digest:
                if name not in self._digests:
                    self._budget.add(len(name) + _FIELD_BYTES)
                self._digests[name] = digest
                new[name] = value
        return new

    def has(self, name: str) -> bool:
        """Whether a value of ``name`` was seen."""
        return name in self._digests


def digest_of(value: JSON) -> bytes:
    """A digest of a JSON value."""
    return _new(strict_json.dumps(value).encode()).digest()


def _new(data: bytes | memoryview = b"") -> blake2b:
    return blake2b(data, digest_size=_DIGEST_BYTES)


def _without_half(text: str, half: str) -> str | None:
    """``text`` without the first half of its first pair, if that is ``half``."""
    data, first = text[:1].encode(*_UTF16), half.encode(*_UTF16)
    return data[len(first) :].decode(*_UTF16) + text[1:] if data.startswith(first) else None
