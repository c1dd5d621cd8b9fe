"""A string that arrives in pieces."""

from __future__ import annotations

from .surrogates import ends_in_high_half, with_pairs_joined

_PAGE = 1024  #: so many pieces are joined into a page: many small strings cost more than their text


class StringPieces:
    """The pieces of a string that nobody has taken yet."""

    __slots__ = ("_pages", "_pieces")

    def __init__(self) -> None:
        self._pages: list[str] = []
        self._pieces: list[str] = []

    def append(self, piece: str) -> None:
        """Add ``piece`` at the end."""
        pieces = self._pieces
        pieces.append(piece)
        if len(pieces) == _PAGE:
            self._pages.append("".join(pieces))
            pieces.clear()

    def take(self) -> str:
        """All pieces as one string; they are gone from here."""
        text = "".join(self._pieces)
        self._pieces.clear()
        if self._pages:
            text = "".join([*self._pages, text])
            self._pages.clear()
        return text


def join_surrogates(text: str) -> tuple[str, str]:
    """``text`` with each surrogate pair as the one character that it stands for, and what has to wait.

    That is a high surrogate at the end, whose other half may be on its way.
    """
    half = text[-1] if ends_in_high_half(text) else ""
    return with_pairs_joined(text[: len(text) - len(half)]), half
