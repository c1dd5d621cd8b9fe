"""Text that grows by fragments, in linear time."""

from __future__ import annotations

import re

#: So many fragments are joined into a page: many small strings cost more than their text.
PAGE = 1024
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


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
        text = "".join(self._pages) + "".join(self.fragments)
        # RFC 8259 section 7: a character outside the Basic Multilingual Plane is escaped as "a
        # 12-character sequence, encoding the UTF-16 surrogate pair".  Providers cut between them.
        if not text.isascii() and _PAIR.search(text):
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        self._pages = [text]
        self.fragments.clear()
        return text
