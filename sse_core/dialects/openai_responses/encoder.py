"""TEMPORARY: stands in for the encoder that is written on another branch.  To be thrown away."""

from __future__ import annotations

from ...blocks.events import BlockEvent
from ...framing import ServerSentEvent


class Encoder:
    """Sends an event's ``source``, nothing else."""

    def __init__(self, *, verbatim: bool = False) -> None:
        self.verbatim = verbatim

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        """The event that ``event`` was made from."""
        return [event.source] if self.verbatim and event.source is not None else []
