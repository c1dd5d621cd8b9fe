"""What a decoder or an encoder keeps between two events, and its bound."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from ..blocks import strict_json
from ..blocks.strict_json import JSON, JSONObject
from ..errors import LimitExceeded


class Budget:
    """Counts what is kept, in bytes, against ``max_held_bytes``."""

    __slots__ = ("bound", "bytes")

    def __init__(self, bound: int) -> None:
        self.bound: int = bound
        self.bytes: int = 0

    def add(self, count: int) -> None:
        """Keep ``count`` bytes more; fewer, if it is below 0.

        Raises ``LimitExceeded`` (status 502) beyond the bound.
        """
        self.bytes += count
        if self.bytes > self.bound:
            message = f"more than max_held_bytes={self.bound} would have to be kept between two events"
            raise LimitExceeded(message, limit="max_held_bytes", bound=self.bound, status=502)


class ChangedFields:
    """Fields that come with every event: which of them say something new."""

    __slots__ = ("_budget", "_known", "_sizes")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._known: JSONObject = {}
        self._sizes: dict[str, int] = {}

    def changed(self, fields: JSONObject) -> JSONObject:
        """Those of ``fields`` that are new or have another value, as they are now.

        Null never takes the place of a value, and an object's fields stay where a later one lacks
        them.  What comes again of an object, since another of its fields is new, counts as kept: else an
        object that grows by a field with each event would take the square of the time.
        """
        known = self._known
        new: JSONObject = {}
        for name, value in fields.items():
            before = known.get(name)
            if isinstance(before, dict) and isinstance(value, dict):
                if any(key not in before or before[key] != inner for key, inner in value.items()):
                    new[name] = {**before, **value}
                    self._count(name, new[name], again=before.keys() - value.keys())
            elif name not in known or (value is not None and value != before):
                new[name] = value
                self._count(name, value)
        known.update(new)
        return new

    def _count(self, name: str, value: JSON, again: AbstractSet[str] = frozenset()) -> None:
        """Count ``value`` as what is kept of ``name``, and those of its fields that come ``again``."""
        size = len(name) + len(strict_json.dumps(value))
        self._budget.add(size - self._sizes.get(name, 0))
        self._sizes[name] = size
        if again:
            self._budget.add(len(strict_json.dumps({key: value[key] for key in again})))
