"""Differences that are listed in a data file, each with the reason why the other side is wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.acceptance.recorded import ABSENT

#: A place where two JSON values differ: its path, our value, theirs.
Difference = tuple[str, Any, Any]


class Listed:
    """The reasons of a file, and the differences under them.

    In an entry ``(any)`` is any value, and ``(repeated)`` is ours several times over.
    """

    def __init__(self, name: str) -> None:
        self.reasons = json.loads(Path(__file__).with_name(name).read_text())
        self._entries = [entry for reason in self.reasons for entry in reason["differences"]]

    def unlisted(self, differences: Iterable[Difference]) -> list[Difference]:
        """Those that no entry knows."""
        return [found for found in differences if not any(_is(entry, *found) for entry in self._entries)]

    def expect_each_as_often_as_listed(self, differences: Iterable[Difference]) -> None:
        """No entry may be one too many, nor hide more than it says; each has a reason."""
        assert all(len(reason["reason"]) > 20 for reason in self.reasons)
        places = list(enumerate(self._entries))
        counts = Counter(place for found in differences for place, entry in places if _is(entry, *found))
        assert [counts[place] for place, _ in places] == [entry["count"] for entry in self._entries]


def _is(entry: dict[str, Any], path: str, ours: Any, theirs: Any) -> bool:
    if entry["path"] != path or (entry["ours"] == "(any)" and ours == ABSENT):
        return False
    values = {"(any)": theirs != ABSENT, "(repeated)": _is_repeated(ours, theirs)}
    same = (
        values[entry["theirs"]]
        if isinstance(entry["theirs"], str) and entry["theirs"] in values
        else theirs == entry["theirs"]
    )
    return same and entry["ours"] in ("(any)", ours)


def _is_repeated(ours: Any, theirs: Any) -> bool:
    if not isinstance(ours, str) or not isinstance(theirs, str) or not ours:
        return False
    return theirs == ours * (len(theirs) // len(ours))
