"""A message of another protocol as Anthropic would send it.

Theory.  In Anthropic's streams one block is open at a time: it stops before the next starts, and
``message_delta`` comes after all of them.  Chat completions let calls grow side by side and stop them all
at the end.  Indexes would say which delta belongs where, but readers in the wild (litellm, for one) give
each delta to the block that started last.  So one block is sent as it grows, the first that has not
stopped; what comes of later ones waits, within ``max_held_bytes``, until it has.  Text, thinking and the
first call never wait: only what comes after a call that goes on does.

A block that has not stopped by the end of the message is left without a stop, as Anthropic leaves a call
that ``max_tokens`` has cut.  So is a call whose arguments are no JSON, or were replaced: what was sent can't
be taken back, and nobody may run it.  The next block begins all the same.

https://docs.claude.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...blocks import Block, Message, ThinkingBlock, ToolUseBlock, strict_json
from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSONObject
from ..budget import Budget
from ..portable_block import (
    AnsweredCalls,
    ArgumentsText,
    client_calls,
    native_reason,
    portable_event,
    portable_message,
    portable_stop_reason,
)
from . import vocabulary

#: What an event that waits costs beside its text, in bytes.
_EVENT_BYTES = 200
#: The one field of a free-text tool's input.  Anthropic's tools take JSON.
_INPUT = "input"
_INPUT_BEGIN, _INPUT_END = f'{{"{_INPUT}":"', '"}'

_Delta = e.TextDelta | e.ThinkingDelta | e.SignatureDelta | e.ArgumentsDelta
_OfBlock = e.BlockStart | _Delta | e.BlockStop


class _Block:
    """A block that has not been sent to its end."""

    __slots__ = ("arguments", "bytes", "index", "outdated", "runs", "stopped", "waiting", "writes_text")

    def __init__(self, block: Block, budget: Budget) -> None:
        self.index = -1  # Anthropic's index, once the block has begun
        self.stopped = False
        self.outdated = False
        self.waiting: list[_OfBlock] = []
        self.bytes = 0  # what `waiting` costs
        self.runs = isinstance(block, ToolUseBlock) and block.type == "tool_use"  # by the client
        self.arguments = (
            ArgumentsText(block, budget) if isinstance(block, ToolUseBlock) and self.runs else None
        )
        self.writes_text = isinstance(block, ToolUseBlock) and block.input_encoding == "text"


class Translation:
    """Block events of another protocol to those that Anthropic's decoder would give.  One a stream."""

    def __init__(self, max_held_bytes: int) -> None:
        self._budget = Budget(max_held_bytes)
        self._blocks: dict[int, _Block] = {}  # by the other protocol's index
        self._line: deque[_Block] = deque()  # the same, in order: the first is open
        self._next = 0
        self._calls = False
        self._cut_call = False  # a call has ended that may not be reported as whole
        self._answered = AnsweredCalls()
        self._stop_reason: str | None = None
        self._native: str | None = None
        self._usage: JSONObject = {}

    def translate(self, event: BlockEvent) -> list[BlockEvent]:
        """The block events that stand for ``event``.  Raises ``LimitExceeded`` beyond ``max_held_bytes``."""
        self._answered.note(event)
        if isinstance(event, e.MessageStart | e.MessageDelta):
            self._note(event)
        plain = portable_event(event)
        if plain is None:
            return []
        handler = _HANDLERS.get(type(plain))
        return [plain] if handler is None else handler(self, plain)

    def _note(self, event: e.MessageStart | e.MessageDelta) -> None:
        """Keep what is sent at the end."""
        self._stop_reason = portable_stop_reason(event.stop_reason) or self._stop_reason
        self._native = native_reason(event.extra) or self._native
        known = {name: value for name, value in event.usage.items() if value is not None}
        self._usage.update(known)

    def _start(self, event: e.MessageStart) -> list[BlockEvent]:
        start = e.MessageStart(event.id, event.model, event.role, vocabulary.usage(event.usage))
        sent: list[BlockEvent] = [start]
        for index, block in enumerate(event.blocks):
            sent += [*self._block_start(e.BlockStart(index, block)), *self._block_stop(e.BlockStop(index))]
        return sent

    def _block_start(self, event: e.BlockStart) -> list[BlockEvent]:
        block = event.block
        known = self._blocks[event.index] = _Block(block, self._budget)
        self._line.append(known)
        self._calls = self._calls or known.runs
        sent = self._emit(known, e.BlockStart(event.index, _began(block)))
        if known.writes_text:
            sent += self._emit(known, e.ArgumentsDelta(event.index, _INPUT_BEGIN))
        if isinstance(block, ToolUseBlock) and block.raw_arguments:
            sent += self._arguments(known, e.ArgumentsDelta(event.index, block.raw_arguments))
        return sent

    def _delta(self, event: _Delta) -> list[BlockEvent]:
        known = self._blocks.get(event.index)
        if known is None:
            return []
        if isinstance(event, e.ArgumentsDelta):
            if known.arguments is not None:
                known.arguments.append(event.text)
            return self._arguments(known, event)
        return self._emit(known, event)

    def _arguments(self, known: _Block, event: e.ArgumentsDelta) -> list[BlockEvent]:
        if known.writes_text:
            event = replace(event, text=strict_json.dumps(event.text)[1:-1])
        return self._emit(known, event)

    def _replaced(self, event: e.TextReplaced) -> list[BlockEvent]:
        known = self._blocks.get(event.index)
        if known is not None:
            known.outdated = known.runs
        return []

    def _block_stop(self, event: e.BlockStop) -> list[BlockEvent]:
        known = self._blocks.pop(event.index, None)
        if known is None:
            return []
        sent: list[BlockEvent] = []
        if known.outdated or not (known.arguments is None or known.arguments.is_whole()):
            self._cut_call = True
        else:
            sent += self._emit(known, e.ArgumentsDelta(event.index, _INPUT_END)) if known.writes_text else []
            sent += self._emit(known, event)
        known.stopped = True
        while self._line and self._line[0].stopped:
            self._line.popleft()
            sent += self._release(self._line[0]) if self._line else []
        return sent

    def _emit(self, known: _Block, event: _OfBlock) -> list[BlockEvent]:
        """``event`` now, if its block is the open one; else it waits."""
        if known is self._line[0]:
            return [self._say(known, event)]
        size = _EVENT_BYTES + len(repr(event).encode())
        self._budget.add(size)
        known.bytes += size
        known.waiting.append(event)
        return []

    def _release(self, known: _Block) -> list[BlockEvent]:
        """What waited of a block."""
        sent: list[BlockEvent] = [self._say(known, event) for event in known.waiting]
        self._budget.add(-known.bytes)
        known.waiting, known.bytes = [], 0
        return sent

    def _say(self, known: _Block, event: _OfBlock) -> BlockEvent:
        if isinstance(event, e.BlockStart):
            known.index, self._next = self._next, self._next + 1
        return event if event.index == known.index else replace(event, index=known.index)

    def _message_delta(self, _: e.MessageDelta) -> list[BlockEvent]:
        """It is sent at the end: the stop reason often comes before the blocks stop."""
        return []

    def _stop(self, event: e.MessageStop) -> list[BlockEvent]:
        cut_call = self._cut_call or self._answered.seen or any(known.runs for known in self._line)
        reason = vocabulary.stop_reason(
            self._stop_reason, calls=self._calls, cut_call=cut_call, native=self._native
        )
        return [*self._rest(), e.MessageDelta(reason, vocabulary.usage(self._usage)), event]

    def _failure(self, event: e.StreamError | e.MessageCut) -> list[BlockEvent]:
        """What waited, and the figures that came, are sent; no stop reason: it would look like an end."""
        facts = [e.MessageDelta(usage=vocabulary.usage(self._usage))] if self._usage else []
        return [*self._rest(), *facts, event]

    def _rest(self) -> list[BlockEvent]:
        return [event for known in self._line for event in self._release(known)]


_HANDLERS: dict[type[BlockEvent], Callable[[Translation, Any], list[BlockEvent]]] = {
    e.MessageStart: Translation._start,
    e.BlockStart: Translation._block_start,
    e.TextDelta: Translation._delta,
    e.ThinkingDelta: Translation._delta,
    e.SignatureDelta: Translation._delta,
    e.ArgumentsDelta: Translation._delta,
    e.TextReplaced: Translation._replaced,
    e.BlockStop: Translation._block_stop,
    e.MessageDelta: Translation._message_delta,
    e.MessageStop: Translation._stop,
    e.StreamError: Translation._failure,
    e.MessageCut: Translation._failure,
}


def translated(message: Message) -> Message:
    """A message of another protocol as Anthropic would have sent it."""
    calls, cut_call = client_calls(message)
    plain = portable_message(message)
    plain.stop_reason = vocabulary.stop_reason(
        portable_stop_reason(message.stop_reason),
        calls=calls,
        cut_call=cut_call,
        native=native_reason(message.extra),
    )
    plain.usage = vocabulary.usage(message.usage)
    plain.indexed_blocks = {index: _whole(block) for index, block in plain.indexed_blocks.items()}
    return plain


def _began(block: Block) -> Block:
    """A plain block as it begins in Anthropic's protocol."""
    if isinstance(block, ThinkingBlock):
        # Anthropic's clients look for a signature in every block of thinking.
        return ThinkingBlock(block.thinking, block.signature or "")
    if isinstance(block, ToolUseBlock):
        return ToolUseBlock(block.id, block.name, block.type, start_input=block.start_input)
    return block


def _whole(block: Block) -> Block:
    """A plain block as it stands in a message of Anthropic's."""
    if isinstance(block, ToolUseBlock) and block.input_encoding == "text":
        end = _INPUT_END if block.state == "complete" else ""
        return ToolUseBlock(
            block.id,
            block.name,
            block.type,
            raw_arguments=_INPUT_BEGIN + strict_json.dumps(block.raw_arguments)[1:-1] + end,
            arguments={_INPUT: block.arguments},
            state=block.state,
        )
    return block if isinstance(block, ToolUseBlock) else _began(block)
