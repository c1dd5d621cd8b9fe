"""Reasoning: what a host calls it, the forms that it has, and what of it was reported before.

Hosts have it under several names, some under two of them at once, and OpenRouter has the text of
``reasoning`` in ``reasoning_details``, too, in the same chunk or a later one.  So the text of one name is
the reasoning, and what another name has is reported where it is something else.
"""

from __future__ import annotations

from ...blocks.strict_json import JSON, JSONObject, dumps

#: Fields of a message that hold its reasoning, in order of preference, since a chunk may have several; and
#: how the extra fields of a thinking block name them (``thinking`` there is a part of Mistral's content).
REASONING = {
    "reasoning_content": "reasoning_content",
    "reasoning": "reasoning",
    "reasoning_text": "reasoning_text",  # GitHub Copilot
    "thinking": "message.thinking",
}
DETAILS = "reasoning_details"
#: Fields that hold the text of a part or an object, in order of preference.
_TEXTS = ("text", "thinking", "summary", "content", "reasoning_text", "reasoning")
_READ = frozenset({*_TEXTS, "signature", "type"})
#: Objects that stand in each other: deeper, there is no text.
_MAX_DEPTH = 8
#: Characters of reasoning that are kept to be compared with what other names have.
_MAX_COMPARED = 2**18
#: Characters of a piece of it, beyond which another begins.
_PIECE = 1024


def text_of(value: JSON, depth: int = 0) -> str:
    """The text in a value of any form: itself, that of an object, or those of a list, joined.

    A number stands for its text: a token that is a digit arrives as one.  True and false are no text here,
    but say whether there is any.
    """
    if isinstance(value, str):
        return value
    if type(value) in (int, float):
        return dumps(value)
    if depth == _MAX_DEPTH:
        return ""
    if isinstance(value, list):
        return "".join(text_of(item, depth + 1) for item in value)
    if isinstance(value, dict):
        return next((text for name in _TEXTS if (text := text_of(value.get(name), depth + 1))), "")
    return ""


def signature_of(value: JSON, depth: int = 0) -> str:
    """The last signature in an object, in a list or in what stands in them."""
    if depth == _MAX_DEPTH:
        return ""
    if isinstance(value, list):
        return next((found for item in reversed(value) if (found := signature_of(item, depth + 1))), "")
    if not isinstance(value, dict):
        return ""
    signature = value.get("signature")
    if isinstance(signature, str) and signature:
        return signature
    return next((found for name in _TEXTS if (found := signature_of(value.get(name), depth + 1))), "")


def detail_text(item: JSON) -> str:
    """The text of an item of ``reasoning_details``."""
    names = {"reasoning.text": "text", "reasoning.summary": "summary"}
    if not isinstance(item, dict) or not isinstance(item.get("type"), str):
        return ""
    text = item.get(names.get(item["type"], ""))
    return text if isinstance(text, str) else ""


def fields_beside(value: JSON) -> JSONObject:
    """What an object, or those of a list, have beside their text, signature and type."""
    objects = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]
    return {name: inner for item in objects for name, inner in item.items() if name not in _READ}


class SeenReasoning:
    """The reasoning that was reported, and how far each name has come in it."""

    def __init__(self) -> None:
        self._pieces = [""]
        self._size = 0
        self._leader = ""  # the name that brought something last
        self._places: dict[str, tuple[int, int]] = {}  # name -> number of a piece, characters of it

    def note(self, name: str, text: str) -> None:
        """``text`` was reported, and ``name`` had it."""
        self._leader = name
        self._size += len(text)
        if self._size <= _MAX_COMPARED:
            if len(self._pieces[-1]) < _PIECE:
                self._pieces[-1] += text
            else:
                self._pieces.append(text)
        self.follow(name)

    def follow(self, name: str) -> None:
        """What ``name`` has next comes after all that was reported."""
        self._places[name] = (len(self._pieces) - 1, len(self._pieces[-1]))

    def news(self, name: str, text: str) -> str:
        """That of ``text`` which ``name`` has and which was not reported before.

        Beyond ``_MAX_COMPARED`` characters, that is nothing, but for the name that brought something last.
        """
        if not text or name == self._leader or not self._leader:
            return text
        if self._size > _MAX_COMPARED:
            return ""
        # All of it once more, at the end; else what comes next.
        starts = [(0, 0)] if len(text) == self._size else []
        for start in [*starts, self._places.get(name, (0, 0))]:
            place, count = self._compare(text, start)
            if place is not None:
                self._places[name] = place
                return text[count:]
        return text

    def _compare(self, text: str, place: tuple[int, int]) -> tuple[tuple[int, int] | None, int]:
        """Where ``text`` ends in what was reported from ``place`` on, and how much of it is there.

        The place is ``None`` where something else stands there.
        """
        number, start = place
        count = 0
        while True:
            piece = self._pieces[number]
            more = text[count : count + len(piece) - start]
            if not piece.startswith(more, start):
                return None, 0
            count += len(more)
            start += len(more)
            if count == len(text) or number + 1 == len(self._pieces):
                return (number, start), count
            number, start = number + 1, 0
