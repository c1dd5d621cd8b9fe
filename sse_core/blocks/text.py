"""Text that grows by fragments, in linear time."""

from __future__ import annotations

from .surrogates import with_pairs_joined

#: So many fragments are joined into a page: a small string takes some 60 bytes beside its text, and a server
#: holds thousands of messages that are being written.
PAGE = 128


class GrowingText:
    """Text that is appended to often and read now and then.

    Appending costs the same however long the text is.  Reading (``str``) joins what came since
    the last reading, and puts together the halves of a surrogate pair that arrived in two
    fragments; a half alone stays as it is.

    ``fragments`` are those that came last, always in the same list.  Whoever has the list may put another one
    there, as ``append`` does, while there are fewer than ``PAGE``.
    """

    __slots__ = ("_pages", "fragments")

    def __init__(self, text: str = "") -> None:
        self._pages: list[str] = []
        self.fragments: list[str] = [text] if text else []

    def append(self, fragment: str) -> None:
        """Add ``fragment`` at the end."""
        fragments = self.fragments
        if len(fragments) >= PAGE:
            self._pages.append("".join(fragments))
            fragments.clear()
        fragments.append(fragment)

    def replace(self, text: str) -> None:
        """Let ``text`` be all."""
        self._pages.clear()
        self.fragments[:] = [text]

    def __str__(self) -> str:
        if not self.fragments and len(self._pages) == 1:
            return self._pages[0]
        text = with_pairs_joined("".join(self._pages) + "".join(self.fragments))
        self._pages = [text]
        self.fragments.clear()
        return text
