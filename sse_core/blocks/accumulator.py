"""Block events in, a message out.

Theory.  A message is a row of content blocks.  Each is open from its ``BlockStart`` to its
``BlockStop``, and only an open block can grow.  A tool's arguments are text until its
``BlockStop``: they are parsed once, then, and never earlier, because a text of which a part is
missing can look complete (``1`` of ``12``).  The message ends once: by its own end marker, by an
error, or by a cut.  What was open then stays open-ended: a tool that has not been complete by then
never will be.

Several answers to one request (``n`` > 1) are a message each, built by a builder of its own
(``message_builder.py``) within the same bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..errors import LocalProtocolError
from . import events as e
from . import strict_json
from .message import Message
from .message_builder import HANDLERS, MessageBuilder
from .message_size import MessageSize, too_much
from .strict_json import JSON
from .text import PAGE


class MessageAccumulator:
    """Makes a message of block events, whatever dialect they come from.

    - ``parse_json`` makes a value of the text of a tool's arguments, and raises ``ValueError`` where it
      can't; it is called once for each tool that has such a text, at its ``BlockStop``.
    - ``max_message_bytes`` bounds what the message may hold, its alternatives included, counted in bytes of
      UTF-8 (objects as JSON).
    - ``max_blocks`` bounds the number of content blocks, those of alternatives included.
    - ``max_choices`` bounds the number of answers.

    ``message`` is the message so far, the same object all along.
    """

    def __init__(
        self,
        *,
        parse_json: Callable[[str], JSON] = strict_json.loads,
        max_message_bytes: int = 64 * 2**20,
        max_blocks: int = 10_000,
        max_choices: int = 128,
    ) -> None:
        self._parse_json = parse_json
        self._max_choices = max_choices
        self._size = MessageSize(max_message_bytes, max_blocks)
        self._builder = MessageBuilder(parse_json, self._size)
        self.message: Message = self._builder.message
        # What the last event made longer, if it was a delta.
        self._kind: type[e.BlockEvent] | None = None
        self._index = 0
        self._fragments: list[str] = []

    @property
    def max_message_bytes(self) -> int:
        """The bound on what the message may hold, in bytes."""
        return self._size.max_bytes

    @property
    def max_blocks(self) -> int:
        """The bound on the number of content blocks."""
        return self._size.max_blocks

    @property
    def max_choices(self) -> int:
        """The bound on the number of answers."""
        return self._max_choices

    @property
    def message_bytes(self) -> int:
        """What the message holds, as ``max_message_bytes`` counts it."""
        return self._size.bytes

    def snapshot(self) -> Iterator[e.BlockEvent]:
        """The events that make the message as it is now, alternatives included.

        Whoever takes these and then those that follow has the same message as whoever took them all; but
        what has no place in the message (``unknown``) comes behind the block that it was for, or last.
        """
        yield from self._builder.snapshot()
        for choice, other in self._builder.alternatives.items():
            for event in other.snapshot():
                event.choice = choice
                yield event

    def receive(self, event: e.BlockEvent) -> None:
        """Take one block event.  What comes after the message's end is ignored.

        Raises ``RemoteProtocolError`` (status 502) for an event that can't come now,
        ``LimitExceeded`` for one that takes the message beyond ``max_message_bytes``, ``max_blocks``
        or ``max_choices``, ``LocalProtocolError`` for what is no block event.  The message keeps what it
        had; give a ``MessageCut`` to end it.
        """
        # Almost every event makes the same text longer as the event before.  Then all that `_receive` asks
        # has just been answered: such a delta costs half.
        delta: Any = event
        fragments = self._fragments
        if (
            type(event) is self._kind
            and delta.index == self._index
            and delta.choice == 0
            and delta.cursor is None
            and len(fragments) < PAGE
        ):
            text: str = delta.text
            size = self._size
            count = size.bytes + (len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass")))
            if count <= size.max_bytes:
                size.bytes = count
                fragments.append(text)
                return
        self._kind = None
        self._receive(event)

    def _receive(self, event: e.BlockEvent) -> None:
        message = self.message
        if message.completeness != "streaming":
            return
        handler = HANDLERS.get(type(event))
        if handler is None:
            raise LocalProtocolError(f"{type(event).__name__} is no block event")
        builder = self._builder if event.choice == 0 else self._alternative(event.choice)
        if builder.message.completeness == "streaming":
            grown = handler(builder, event)
            if grown is not None and event.choice == 0:
                delta: Any = event
                self._kind, self._index, self._fragments = type(event), delta.index, grown.fragments
        if not message.output_seen:
            message.output_seen = e.is_visible(event)
        if event.cursor is not None:
            message.resume_cursor = event.cursor

    def _alternative(self, choice: int) -> MessageBuilder:
        """The builder of another answer to the same request."""
        alternatives = self._builder.alternatives
        known = alternatives.get(choice)
        if known is not None:
            return known
        if len(alternatives) + 1 >= self._max_choices:
            raise too_much("max_choices", self._max_choices)
        other = MessageBuilder(self._parse_json, self._size)
        alternatives[choice] = other
        self.message.alternatives[choice] = other.message
        return other
