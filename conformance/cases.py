"""The vectors in ``tests/vectors``, read and made ready to run.  Their format is in that folder's README."""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
VECTORS = ROOT / "tests" / "vectors"

_ESCAPE = re.compile(r"\\(\\|x[0-9A-F]{2})")


@dataclass(frozen=True)
class Case:
    """One case: a stream, how it may be cut, and what it means."""

    name: str
    group: str
    stream: bytes
    splits: tuple[tuple[int, ...], ...]
    initial_last_event_id: str | None
    needs: frozenset[str]
    expected: dict[str, Any]
    rule: str
    sentence: str
    url: str
    reason: str

    def runs(self) -> Iterator[tuple[str, list[bytes]]]:
        """Each way to feed the stream, and what to call it: whole, at its splits, byte by byte."""
        byte_by_byte = tuple(range(1, len(self.stream)))
        ways = {(): "whole", **{split: f"cut at {list(split)}" for split in self.splits}}
        ways.setdefault(byte_by_byte, "byte by byte")
        for split, name in ways.items():
            yield name, cut(self.stream, split)


@dataclass(frozen=True)
class Group:
    """The cases of one file."""

    name: str
    about: str
    order: int
    cases: tuple[Case, ...]


def cut(stream: bytes, offsets: Iterable[int]) -> list[bytes]:
    """``stream`` cut at ``offsets``, which ascend and lie within it."""
    edges = [0, *offsets, len(stream)]
    return [stream[start:end] for start, end in itertools.pairwise(edges)]


def bytes_of_text(text: str) -> bytes:
    r"""The bytes that a case's ``text`` stands for: UTF-8, but ``\xHH`` is a byte and ``\\`` a backslash.

    Raises ``ValueError`` for a backslash before anything else.
    """
    pieces = []
    position = 0
    for match in _ESCAPE.finditer(text):
        pieces.append(_plain(text[position : match.start()]))
        pieces.append(b"\\" if match[1] == "\\" else bytes.fromhex(match[1][1:]))
        position = match.end()
    pieces.append(_plain(text[position:]))
    return b"".join(pieces)


def _plain(text: str) -> bytes:
    if "\\" in text:
        raise ValueError(rf"a backslash is written \\, a byte \xHH: {text!r}")
    return text.encode()


def text_of_bytes(stream: bytes) -> str:
    """How ``stream`` is written as a case's ``text``."""
    text = stream.decode("utf-8", "surrogateescape").replace("\\", "\\\\")
    return "".join(
        f"\\x{ord(character) - 0xDC00:02X}" if "\udc80" <= character <= "\udcff" else character
        for character in text
    )


def case_of(group: str, data: dict[str, Any]) -> Case:
    """A case as it stands in a file."""
    return Case(
        name=data["name"],
        group=group,
        stream=base64.b64decode(data["base64"], validate=True),
        splits=tuple(map(tuple, data["splits"])),
        initial_last_event_id=data.get("initialLastEventId"),
        needs=frozenset(data.get("needs", ())),
        expected=data["expected"],
        rule=data["rule"],
        sentence=data["sentence"],
        url=data["url"],
        reason=data["reason"],
    )


def files(folder: Path = VECTORS) -> dict[Path, dict[str, Any]]:
    """The files that hold cases, and what is in them."""
    contents = {path: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}
    return {path: content for path, content in contents.items() if "cases" in content}


def load(folder: Path = VECTORS) -> list[Group]:
    """All groups, in their order."""
    groups = [
        Group(
            content["group"],
            content["about"],
            content["order"],
            tuple(case_of(content["group"], case) for case in content["cases"]),
        )
        for content in files(folder).values()
    ]
    return sorted(groups, key=lambda group: group.order)


def select(groups: list[Group], names: Iterable[str]) -> list[Group]:
    """The groups with only those cases whose name, or whose group's name, is in ``names``.

    Raises ``ValueError`` for a name that is none.
    """
    wanted = set(names)
    known = {group.name for group in groups} | {case.name for group in groups for case in group.cases}
    if unknown := sorted(wanted - known):
        raise ValueError(f"no case and no group has this name: {', '.join(unknown)}")
    chosen = [
        Group(
            group.name,
            group.about,
            group.order,
            tuple(case for case in group.cases if {case.name, group.name} & wanted),
        )
        for group in groups
    ]
    return [group for group in chosen if group.cases]
