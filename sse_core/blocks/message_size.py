"""How much a message holds, and how much it may."""

from __future__ import annotations

from ..errors import LimitExceeded
from . import strict_json
from .strict_json import JSON


class MessageSize:
    """What a message and its alternatives hold together.

    ``bytes`` is their texts in bytes of UTF-8, objects as JSON; ``blocks`` is the number of content blocks.
    """

    __slots__ = ("blocks", "bytes", "max_blocks", "max_bytes")

    def __init__(self, max_bytes: int, max_blocks: int) -> None:
        self.max_bytes: int = max_bytes
        self.max_blocks: int = max_blocks
        self.bytes: int = 0
        self.blocks: int = 0

    def add_text(self, text: str) -> None:
        """Count a text.  Raises ``LimitExceeded`` if that is too much."""
        self.bytes += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if self.bytes > self.max_bytes:
            raise too_much("max_message_bytes", self.max_bytes)

    def add_json(self, value: JSON) -> None:
        """Count a JSON value.  Raises ``LimitExceeded`` if that is too much."""
        self.add_text(strict_json.dumps(value))

    def add_block(self, values: JSON) -> None:
        """Count a block that has these values.  Raises ``LimitExceeded`` if that is too much."""
        if self.blocks >= self.max_blocks:
            raise too_much("max_blocks", self.max_blocks)
        self.add_json(values)
        self.blocks += 1


def too_much(limit: str, bound: int) -> LimitExceeded:
    """The error for a message beyond one of its bounds."""
    return LimitExceeded(f"the message is beyond {limit}={bound}", limit=limit, bound=bound, status=502)
