"""HTTP fields as a small immutable sequence, looked up without regard to case.

Field names are kept in lower case; values are text (ISO-8859-1 on the wire, RFC 9110 section 5.5,
https://www.rfc-editor.org/rfc/rfc9110#section-5.5).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from .arguments import check_type

HeadersLike = Mapping[str, str] | Iterable[tuple[str, str]]


def as_headers(fields: HeadersLike) -> Headers:
    """``fields`` as they are if they are ``Headers``, else made into some."""
    return fields if isinstance(fields, Headers) else Headers(fields)


class Headers:
    """HTTP fields in their order.

    Made from a mapping or from pairs; iterates as ``(name, value)`` pairs with names in lower
    case.  Raises ``ValueError`` for a name that is no token and for a value with CR, LF or NUL
    in it, so that nothing made from it can forge a field (RFC 9110 section 5.5); and ``TypeError`` for
    what is neither a mapping nor pairs, and for names and values that are not text.
    """

    __slots__ = ("_pairs",)

    def __init__(self, fields: HeadersLike = ()) -> None:
        self._pairs: tuple[tuple[str, str], ...]
        if isinstance(fields, Headers):
            self._pairs = fields._pairs  # noqa: SLF001  (its own)
            return
        checked = [(_checked_name(name), _checked_value(name, value)) for name, value in _pairs(fields)]
        self._pairs = tuple(checked)

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of the field ``name``, or ``default``."""
        wanted = name.lower()
        return next((value for key, value in self._pairs if key == wanted), default)

    def get_all(self, name: str) -> list[str]:
        """Every value of the field ``name``, in order."""
        wanted = name.lower()
        return [value for key, value in self._pairs if key == wanted]

    def replaced(self, fields: HeadersLike) -> Headers:
        """A copy in which ``fields`` stand in place of all of the same names."""
        new = as_headers(fields)
        names = {name for name, _ in new}
        return self.where(lambda name: name not in names) + new

    def where(self, wanted: Callable[[str], object]) -> Headers:
        """The fields whose name is ``wanted``, which is called with names in lower case."""
        return _of_checked(tuple([pair for pair in self._pairs if wanted(pair[0])]))

    def __add__(self, other: Headers) -> Headers:
        return _of_checked(self._pairs + other._pairs)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __eq__(self, other: object) -> bool:
        return self._pairs == other._pairs if isinstance(other, Headers) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._pairs)

    def __repr__(self) -> str:
        # Names only: a value may be a credential, and a repr ends up in logs.
        return f"<Headers {', '.join(name for name, _ in self._pairs)}>"


def _of_checked(pairs: tuple[tuple[str, str], ...]) -> Headers:
    headers = Headers()
    headers._pairs = pairs  # noqa: SLF001  (its own)
    return headers


_TOKEN = re.compile("[!#$%&'*+.^_`|~0-9a-z-]+")


def _pairs(fields: HeadersLike) -> list[tuple[str, str]]:
    if isinstance(fields, Mapping):
        return list(fields.items())
    try:
        return [(name, value) for name, value in fields]
    except (TypeError, ValueError):
        kind = type(fields).__name__
        raise TypeError(f"Headers takes a mapping, or pairs of a name and a value, not {kind}") from None


def _checked_name(name: str) -> str:
    check_type("the name of a header", name, str)
    lowered = name.lower()
    # RFC 9110 section 5.6.2: "token = 1*tchar".  Not only ASCII has a lower case in ASCII: U+212A,
    # the sign of the kelvin, has.
    if not name.isascii() or not _TOKEN.fullmatch(lowered):
        raise ValueError(f"header name {ascii(name)} is not a token (RFC 9110 section 5.6.2)")
    return lowered


def _checked_value(name: str, value: str) -> str:
    check_type(f"the header {name!r}", value, str)
    # RFC 9110 section 5.5: "Field values containing CR, LF, or NUL characters are invalid and
    # dangerous"
    if "\r" in value or "\n" in value or "\0" in value:
        raise ValueError(f"the value of header {name!r} holds CR, LF or NUL")
    # The same section: "A field value does not include leading or trailing whitespace."
    return value.strip(" \t")
