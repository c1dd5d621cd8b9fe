"""What a decoder keeps between two events, and its bound."""

from __future__ import annotations

from ..blocks import strict_json
from ..blocks.strict_json import JSONObject
from ..errors import LimitExceeded


class Held:
    """Counts what a decoder keeps, in bytes, against ``max_held_bytes``."""

    __slots__ = ("bound", "bytes")

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.bytes = 0

    def add(self, count: int) -> None:
        """Keep ``count`` bytes more; fewer, if it is below 0.

        Raises ``LimitExceeded`` (status 502) beyond the bound.
        """
        self.bytes += count
        if self.bytes > self.bound:
            message = f"the decoder would keep more than max_held_bytes={self.bound}"
            raise LimitExceeded(message, limit="max_held_bytes", bound=self.bound, status=502)


class ChangedFields:
    """Fields that come with every event: which of them say something new."""

    __slots__ = ("_held", "_known", "_sizes")

    def __init__(self, held: Held) -> None:
        self._held = held
        self._known: JSONObject = {}
        self._sizes: dict[str, int] = {}

    def changed(self, fields: JSONObject) -> JSONObject:
        """Those of ``fields`` that are new or have another value, as they are now.

        Null never takes the place of a value, and an object's fields stay where a later one lacks
        them.
        """
        known = self._known
        new: JSONObject = {}
        for name, value in fields.items():
            before = known.get(name)
            after = {**before, **value} if isinstance(before, dict) and isinstance(value, dict) else value
            if name not in known or (after is not None and after != before):
                new[name] = after
                size = len(name) + len(strict_json.dumps(after))
                self._held.add(size - self._sizes.get(name, 0))
                self._sizes[name] = size
        known.update(new)
        return new
