"""A turn as text, for whoever wants nothing else of it."""

from __future__ import annotations

from ...blocks import Block, BlockEvent, BlockStart, MessageStart, TextBlock, TextDelta


def text_of(event: BlockEvent) -> str:
    """The answer's text that ``event`` adds, of the first choice; empty for every other event."""
    if event.choice != 0:
        return ""
    if isinstance(event, TextDelta):
        return event.text
    if isinstance(event, BlockStart):
        return _text(event.block)
    return "".join(map(_text, event.blocks)) if isinstance(event, MessageStart) else ""


def _text(block: Block) -> str:
    return block.text if isinstance(block, TextBlock) else ""
