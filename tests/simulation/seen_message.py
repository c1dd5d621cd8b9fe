"""What somebody has seen of a turn's message, compared with what the provider said, word by word."""

from __future__ import annotations

from typing import Protocol

from sse_core.blocks import BlockEvent, MessageStart, MessageStop

from .answers import Answer, place_and_words
from .world import World


class Truth(Protocol):
    """Knows what the provider said."""

    def answer_of(self, message_id: str) -> Answer | None:
        """The answer that this message is, if there is one."""


class SeenMessage:
    """The text of each block, as far as it was seen.  It looks at what is new only."""

    __slots__ = ("_blocks", "_starts", "_truth", "_whose", "_world", "answer", "length")

    def __init__(self, world: World, truth: Truth, whose: str) -> None:
        self._world = world
        self._truth = truth
        self._whose = whose
        self.begin_anew()

    def begin_anew(self) -> None:
        """What was seen is taken back."""
        self.answer: Answer | None = None
        self.length = 0  #: of all blocks
        self._blocks: dict[int, str] = {}
        self._starts = 0

    def take(self, event: BlockEvent) -> None:
        """Look at one more event."""
        if isinstance(event, MessageStart):
            self._start(event)
        elif isinstance(event, MessageStop):
            if self.answer is None or self.length != self.answer.length:
                self._world.fail("a part is taken for the whole", self._whose)
        elif (said := place_and_words(event)) is not None:
            self._say(*said)

    def _start(self, event: MessageStart) -> None:
        answer = self._truth.answer_of(event.id)
        if answer is None:
            self._world.fail("a message that nobody sent", f"{self._whose}: {event.id}")
        self._starts += 1
        if self._starts > answer.starts or (self.answer is not None and answer is not self.answer):
            self._world.fail("two message starts", f"{self._whose}: {event.id}")
        self.answer = answer

    def _say(self, index: int, words: str) -> None:
        known = self._blocks.get(index, "")
        if self.answer is None or not self.answer.blocks.get(index, "").startswith(words, len(known)):
            self._world.fail(
                "text that the provider did not say", f"{self._whose}: {known[-40:]!r}, {words!r}"
            )
        self._blocks[index] = known + words
        self.length += len(words)
