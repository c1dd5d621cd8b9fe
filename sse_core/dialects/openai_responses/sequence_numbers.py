"""``sequence_number``: which events of a resumed stream were seen before."""

from __future__ import annotations

from ...blocks.strict_json import JSONObject

#: So many of the first numbers are remembered with what they were the number of.
_REMEMBERED = 8


class SequenceNumbers:
    """The numbers of a stream's events.  ``last`` is the last that was seen, ``None`` without numbers.

    An event whose number is not above the last is a repetition, unless the numbers are no use: a host
    may give all events the same, or begin anew with each item.  Then a number soon belongs to events of
    two types, and from there on no number counts.
    """

    def __init__(self, starting_after: int | None = None) -> None:
        self.last = starting_after
        self._types: dict[int, str] = {}
        self._are_of_use = True

    def see(self, kind: str, data: JSONObject) -> bool:
        """Whether an event of this type was seen before.  Now it is."""
        number = data.get("sequence_number")
        if type(number) is not int or not self._are_of_use:
            return False
        if self._types.get(number, kind) != kind:
            self.last, self._are_of_use = None, False
            return False
        if self.last is not None and number <= self.last:
            return True
        self.last = number
        if len(self._types) < _REMEMBERED:
            self._types[number] = kind
        return False
