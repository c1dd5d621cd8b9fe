"""What a message and its blocks have in common: they are compared and shown by their attributes."""

from __future__ import annotations

from typing import Any, ClassVar


class Record:
    """Equality and repr by the attributes named in ``_shown``."""

    __slots__ = ()
    _shown: ClassVar[tuple[str, ...]] = ()

    def values(self) -> dict[str, Any]:
        """Its attributes by name."""
        return {name: getattr(self, name) for name in self._shown}

    def __eq__(self, other: object) -> bool:
        return self.values() == other.values() if isinstance(other, type(self)) else NotImplemented

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # these objects change

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.values().items())
        return f"{type(self).__name__}({shown})"
