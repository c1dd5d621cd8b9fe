"""A message that is still growing, as block events: what a reader is given who comes too late for its own.

Whoever has taken these events and takes those that follow has the message that everybody else has.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from . import events as e
from .content_blocks import Block, TextBlock, ThinkingBlock, ToolUseBlock
from .message import Message

#: Characters of text in one delta: a reader need not take a long answer in one event.
_PIECE = 16 * 1024


def snapshot(message: Message, open_blocks: Container[int]) -> Iterator[e.BlockEvent]:
    """The events that make ``message``, of which the blocks ``open_blocks`` have not stopped.

    What has no place in the message comes behind the block that it was for, or last.
    """
    yield e.MessageStart(
        message.id,
        message.model,
        message.role,
        usage=dict(message.usage),
        extra=dict(message.extra),
        dialect=message.dialect,
    )
    unplaced = list(message.unknown)
    for index, block in sorted(message.indexed_blocks.items()):
        yield from _block(index, block)
        yield from [event for event in unplaced if getattr(event, "index", None) == index]
        if index not in open_blocks:
            yield e.BlockStop(index)
    yield from [event for event in unplaced if not hasattr(event, "index")]
    if message.stop_reason is not None:
        yield e.MessageDelta(message.stop_reason)
    yield from _end(message)


def _end(message: Message) -> Iterator[e.BlockEvent]:
    if message.error is not None:
        yield message.error
    elif message.completeness == "complete":
        yield e.MessageStop()
    elif message.completeness != "streaming":
        yield e.MessageCut(message.completeness)


def _block(index: int, block: Block) -> Iterator[e.BlockEvent]:
    if isinstance(block, TextBlock):
        yield e.BlockStart(index, TextBlock("", _listed(block), dict(block.extra)))
        yield from (e.TextDelta(index, piece) for piece in _pieces(block.text))
    elif isinstance(block, ThinkingBlock):
        yield e.BlockStart(index, ThinkingBlock("", block.signature, dict(block.extra)))
        yield from (e.ThinkingDelta(index, piece) for piece in _pieces(block.thinking))
    elif isinstance(block, ToolUseBlock):
        yield e.BlockStart(index, _unsaid(block))
        yield from (e.ArgumentsDelta(index, piece) for piece in _pieces(block.raw_arguments))
    else:
        yield e.BlockStart(index, block.copy())


def _listed(block: TextBlock) -> list[e.JSONObject] | None:
    return None if block.citations is None else list(block.citations)


def _unsaid(block: ToolUseBlock) -> ToolUseBlock:
    """The call as it began."""
    return ToolUseBlock(
        block.id,
        block.name,
        block.type,
        start_input=block.start_input,
        input_encoding=block.input_encoding,
        extra=dict(block.extra),
    )


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
