"""A message to the object that the browser's side keeps of it: a ``UIMessage``.

It is made of the chunks that an encoder would send, as ``readUIMessageStream`` of the npm package ``ai``
makes it.

Source: https://ai-sdk.dev/docs/reference/ai-sdk-core/ui-message
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from ...blocks import Block, Message, TextBlock, ThinkingBlock, ToolUseBlock
from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSON, JSONObject
from .chunks import Chunks
from .ui_message import UIMessage
from .vocabulary import DROPPED, METADATA, is_own


def to_response(message: Message) -> JSONObject:
    """The ``UIMessage`` that the browser's side makes of the message: id, role and parts.

    The input of a call whose arguments are not whole is missing; ``rawInput`` is what came of them.
    """
    chunks = Chunks(began=False, max_held_bytes=sys.maxsize)  # what a message may hold is bounded elsewhere
    made = UIMessage()
    for event in _events(message):
        for chunk in chunks.write(event) or []:
            made.receive(chunk)
    return made.value


def _events(message: Message) -> Iterator[BlockEvent]:
    """The events that the message may have been made of."""
    own = is_own(message.dialect)
    yield e.MessageStart(message.id, message.model, extra=message.extra, dialect=message.dialect)
    yield e.MessageDelta(message.stop_reason)
    for name in [METADATA] if own else message.extra:
        yield e.ItemsDelta(name, _list(message, name))
    dropped = {index for index in _list(message, DROPPED) if type(index) is int} if own else set()
    blocks = [(index, block) for index, block in message.indexed_blocks.items() if index not in dropped]
    for index, block in sorted(blocks, key=lambda item: item[0]):
        yield e.BlockStart(index, block)
        last = block is blocks[-1][1] and message.completeness != "complete"
        if _is_whole(block, own=own, last=last):
            yield e.BlockStop(index)
    if message.completeness == "complete":
        yield e.MessageStop()
    elif message.completeness == "truncated" and not own:
        yield e.MessageCut("truncated")


def _list(message: Message, name: str) -> list[JSON]:
    items = message.extra.get(name)
    return items if isinstance(items, list) else []


def _is_whole(block: Block, *, own: bool, last: bool) -> bool:
    """Whether the block had ended.  Of another protocol's texts only the last can be open, and may be."""
    if isinstance(block, ToolUseBlock):
        return block.state in {"complete", "invalid"}
    if own and isinstance(block, TextBlock | ThinkingBlock):
        return block.extra.get("state") == "done"
    return own or not last
