"""What a message should be after any block events, as simply as can be."""

from __future__ import annotations

import json
from typing import Any

from sse_core import Message
from sse_core.blocks import (
    BlockEvent,
    BlockStart,
    BlockStop,
    GrowthDelta,
    MessageCut,
    MessageStart,
    MessageStop,
    StreamError,
    TextBlock,
    TextReplaced,
    ThinkingBlock,
    ToolUseBlock,
)

#: (choice, index of the block)
_Place = tuple[int, int]


class BlockModel:
    """The texts of a message's blocks, which of them are whole, and how the message ended."""

    def __init__(self) -> None:
        self._texts: dict[_Place, str] = {}
        self._whole: set[_Place] = set()
        self._started: set[int] = set()
        self._completeness = "streaming"

    def receive(self, event: BlockEvent) -> None:
        """Take an event that an accumulator has taken."""
        if self._completeness != "streaming":
            return
        if isinstance(event, MessageStart):
            self._start(event)
        elif isinstance(event, BlockStart):
            self._texts[event.choice, event.index] = _text_of(event.block)
        elif isinstance(event, GrowthDelta):
            self._texts[event.choice, event.index] += event.text
        elif isinstance(event, TextReplaced):
            self._texts[event.choice, event.index] = event.text
        elif isinstance(event, BlockStop):
            self._whole.add((event.choice, event.index))
        elif isinstance(event, MessageStop):
            self._completeness = "complete"
        elif isinstance(event, StreamError):
            self._completeness = "failed"
        elif isinstance(event, MessageCut):
            self._completeness = event.completeness

    def _start(self, event: MessageStart) -> None:
        """The same start twice is a repetition."""
        if event.choice not in self._started:
            self._started.add(event.choice)
            for index, block in enumerate(event.blocks):
                self._texts[event.choice, index] = _text_of(block)
                self._whole.add((event.choice, index))

    def agrees_with(self, message: Message) -> None:
        """Each text is as it should be, and a call is whole only after its block's end."""
        assert self._completeness in {message.completeness, "streaming"}
        for choice, answer in {0: message, **message.alternatives}.items():
            for index, block in answer.indexed_blocks.items():
                place = choice, index
                if isinstance(block, TextBlock | ThinkingBlock | ToolUseBlock):
                    text = _joined(self._texts[place])
                    assert _text_of(block) == text, f"block {place}: {_text_of(block)!r} and not {text!r}"
                if isinstance(block, ToolUseBlock):
                    self._is_resolved(block, whole=place in self._whole)

    def _is_resolved(self, tool: ToolUseBlock, *, whole: bool) -> None:
        if tool.state == "complete":
            assert whole, f"{tool} is complete before its end"
        elif tool.state == "invalid":
            assert whole, f"{tool} is invalid before its end"
        else:
            assert not whole, f"{tool} has ended"
            assert tool.arguments is None, f"{tool} has arguments before its end"
        if tool.state == "complete" and tool.input_encoding == "json" and tool.raw_arguments.strip(" \t\r\n"):
            assert repr(tool.arguments) == repr(json.loads(tool.raw_arguments)), f"{tool}: other arguments"


def _text_of(block: Any) -> str:
    for name in ("text", "thinking", "raw_arguments"):
        if hasattr(block, name):
            return str(getattr(block, name))
    return ""


def _joined(text: str) -> str:
    """``text`` with whole surrogate pairs."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
