"""Messages that came in another protocol: what of them has a form in any.

Text, thinking, calls and what they have in common pass.  What is in the provider's own words does
not: extra fields, citations, lists beside the blocks, blocks that are kept verbatim, all that is
unknown.  One extra field is common to all: ``field`` = ``refusal`` marks the text of a refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..blocks import (
    Block,
    Message,
    RedactedThinkingBlock,
    ResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    strict_json,
)
from ..blocks import events as e
from ..blocks.events import BlockEvent
from ..blocks.stop_reasons import StopWord, meaning_of, tools_may_run_after
from ..blocks.strict_json import JSONObject
from ..blocks.text import GrowingText
from ..blocks.token_counts import COUNTED, TokenCounts
from .budget import Budget
from .fields import rest, text

#: Where OpenRouter, and our own encoder, have the stop reason in the words of the model's provider.
#: https://openrouter.ai/announcements/standardized-finish-reasons
NATIVE_REASON = "choice.native_finish_reason"


def native_reason(extra: JSONObject) -> str | None:
    """The stop reason that the model's own provider gave, where a host says it beside its own."""
    return text(extra, NATIVE_REASON, "") or None


def is_translated(dialect: str, own: str) -> bool:
    """Whether a message of ``dialect`` is another protocol's; without a name it counts as one's own."""
    return dialect not in {"", own}


def is_whole(block: Block) -> bool:
    """Whether ``block`` is whole.  A call whose arguments are no JSON never is: nobody may run it."""
    return not isinstance(block, ToolUseBlock) or block.state == "complete"


def client_calls(message: Message) -> tuple[bool, bool]:
    """Whether the message has calls that the client runs, and whether one of them may not be run.

    That is one that is not whole or whose arguments are no JSON, or whose result is in the message: no other
    protocol has a form for such a result, and without it the call would be run again.
    """
    calls = [tool for tool in message.tools if tool.type == "tool_use"]
    return bool(calls), _is_answered(message) or not all(is_whole(tool) for tool in calls)


def _is_answered(message: Message) -> bool:
    answered = AnsweredCalls()
    answered.note_all(message.blocks)
    return answered.seen


class AnsweredCalls:
    """Whether the result of a call that the client would run is in the message: ``seen``."""

    def __init__(self) -> None:
        self.seen: bool = False
        self._calls: set[str] = set()

    def note(self, event: BlockEvent) -> None:
        """Look at an event of the message."""
        if isinstance(event, e.BlockStart):
            self.note_all([event.block])
        elif isinstance(event, e.MessageStart):
            self.note_all(event.blocks)

    def note_all(self, blocks: list[Block]) -> None:
        """Look at blocks of the message, in their order."""
        for block in blocks:
            if isinstance(block, ToolUseBlock) and block.type == "tool_use":
                self._calls.add(block.id)
            elif isinstance(block, ResultBlock):
                self.seen = self.seen or block.answers in self._calls


class ArgumentsText:
    """The text of a call's arguments, kept until the call ends: only then it is known to be JSON.

    Clients parse what came of a text that is none (Anthropic's official SDKs close what is open), and would
    run the call with half of its arguments.  So an encoder that sends arguments as they come has to know.
    """

    __slots__ = ("_budget", "_size", "_text")

    def __init__(self, call: ToolUseBlock, budget: Budget) -> None:
        self._budget = budget
        self._size = 0
        self._text = GrowingText() if call.input_encoding == "json" else None
        self.append(call.raw_arguments)

    def append(self, fragment: str) -> None:
        """More of it.  Raises ``LimitExceeded`` beyond the bound on what is kept."""
        if self._text is not None:
            self._budget.add(len(fragment))
            self._size += len(fragment)
            self._text.append(fragment)

    def is_whole(self) -> bool:
        """Whether the text, which has come to its end, is what the call takes; it is not kept any longer."""
        text, self._text = self._text, None
        self._budget.add(-self._size)
        if text is None or strict_json.is_blank(str(text)):
            return True
        try:
            strict_json.loads(str(text))
        except ValueError:
            return False
        return True


def portable_block(block: Block) -> Block | None:
    """``block`` without its provider's own words; ``None`` where nothing is left."""
    change = _BLOCKS.get(type(block))
    return None if change is None else change(block)


def portable_event(event: BlockEvent) -> BlockEvent | None:
    """``event`` without its provider's own words; ``None`` where nothing is left."""
    if isinstance(event, _OWN_WORDS):
        return None
    change = _EVENTS.get(type(event))
    return event if change is None else change(event)


def portable_message(message: Message) -> Message:
    """A copy of ``message``, with its alternatives, without its provider's own words."""
    portable = Message()
    for name in ("id", "model", "role", "stop_reason", "completeness", "error", "dialect"):
        setattr(portable, name, getattr(message, name))
    portable.usage = dict(_portable_usage(message.usage))
    portable.stop_reason = portable_stop_reason(message.stop_reason)
    portable.indexed_blocks = {
        index: left
        for index, block in message.indexed_blocks.items()
        if (left := portable_block(block)) is not None
    }
    if _is_answered(message) and tools_may_run_after(message.stop_reason):
        portable.stop_reason = "max_tokens"  # nobody may run any of its calls
    portable.alternatives = {index: portable_message(other) for index, other in message.alternatives.items()}
    return portable


def portable_stop_reason(word: str | None) -> str | None:
    """A stop reason in words that every protocol knows, where its own dialect has given it a meaning."""
    if not isinstance(word, StopWord) or meaning_of(str(word)) == word.meaning:
        return word
    return word.meaning


def _portable_usage(usage: JSONObject) -> JSONObject:
    """Usage with names that every protocol knows, where its own dialect has counted it."""
    return TokenCounts.of(usage).named() if COUNTED in usage else usage


def _text(block: TextBlock) -> Block:
    refusal = block.extra.get("field") == "refusal"
    return TextBlock(block.text, extra={"field": "refusal"} if refusal else {})


def _tool(block: ToolUseBlock) -> Block:
    return ToolUseBlock(**rest(block.values(), "extra"))


_BLOCKS: dict[type[Block], Callable[[Any], Block]] = {
    TextBlock: _text,
    ThinkingBlock: lambda block: ThinkingBlock(block.thinking, block.signature),
    RedactedThinkingBlock: lambda block: RedactedThinkingBlock(block.data),
    ToolUseBlock: _tool,
}


def _start(event: e.MessageStart) -> BlockEvent:
    return e.MessageStart(
        event.id,
        event.model,
        event.role,
        _portable_usage(event.usage),
        [portable for block in event.blocks if (portable := portable_block(block)) is not None],
        portable_stop_reason(event.stop_reason),
        dialect=event.dialect,
        choice=event.choice,
    )


def _block_start(event: e.BlockStart) -> BlockEvent | None:
    portable = portable_block(event.block)
    return None if portable is None else e.BlockStart(event.index, portable, event.model, choice=event.choice)


def _message_delta(event: e.MessageDelta) -> BlockEvent:
    return e.MessageDelta(
        portable_stop_reason(event.stop_reason), _portable_usage(event.usage), choice=event.choice
    )


#: Events that have nothing but the provider's own words.
_OWN_WORDS = (e.CitationDelta, e.FieldsDelta, e.ItemsDelta, e.UnknownDelta, e.UnknownEvent)
_EVENTS: dict[type[BlockEvent], Callable[[Any], BlockEvent | None]] = {
    e.MessageStart: _start,
    e.BlockStart: _block_start,
    e.MessageDelta: _message_delta,
}
