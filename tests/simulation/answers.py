"""What a provider says: numbered words, so that one that is lost, or comes twice, is found.

A plan says of which blocks an answer is.  An answer is a plan in the bytes of a dialect, with what is
true of it: the text of each block, which begins with what the block is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from sse_core import dialects, encode_events
from sse_core.blocks import (
    ArgumentsDelta,
    Block,
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    SignatureDelta,
    StreamError,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
)

#: The blocks of an answer: kind and number of words.  The calls of "two tools" grow in turns.
Plan = tuple[tuple[str, int], ...]

PLANS: tuple[Plan, ...] = (
    (("text", 1),),
    (("text", 3),),
    (("text", 12),),
    (("text", 40),),
    (("text", 40),),
    (("text", 120),),
    (("thinking", 10), ("text", 20)),
    (("text", 8), ("tool", 12)),
    (("tool", 30),),
    (("thinking", 4), ("two tools", 15)),
    (("text", 5), ("two tools", 4)),
)
#: Anthropic says more than OpenAI's chunks can.
ANTHROPIC_PLANS: tuple[Plan, ...] = (
    *PLANS,
    (("text", 2), ("server tool", 5), ("text", 20)),
    (("thinking", 6), ("text", 10), ("thinking", 6), ("tool", 6), ("text", 10)),
)
LONGEST_WORD = 12
#: In these an event has a number, so a reader takes one that comes twice once.
NUMBERED = {"openai-responses"}


def plans(dialect: str) -> tuple[Plan, ...]:
    """The plans that this dialect has a form for."""
    if dialect == "anthropic":
        return ANTHROPIC_PLANS
    # Gemini sends a call whole, when its block ends.
    return PLANS[:7] if dialect == "gemini" else PLANS


@dataclass(frozen=True)
class Answer:
    """A plan in the bytes of a dialect.  ``body`` has an item for each event before the ending."""

    body: tuple[bytes, ...]
    ending: bytes
    blocks: dict[int, str]  #: what is said, by index
    length: int  #: of all of them
    starts: int  #: how often it begins: a provider may say that twice


@cache
def answer(dialect: str, plan: Plan, attempt: int, *, repeats: bool = False) -> Answer:
    """The answer that the ``attempt``-th attempt of a turn gets.  It ``repeats`` its start and a delta."""
    encoder = dialects.get(dialect).Encoder()
    said = [(event, encode_events(encoder.send(event))) for event in _events(dialect, plan, attempt)]
    ending = b"".join(encoded for event, encoded in said if isinstance(event, MessageDelta | MessageStop))
    body = [(event, encoded) for event, encoded in said if not isinstance(event, MessageDelta | MessageStop)]
    if repeats:
        delta = next(at for at, (event, _) in enumerate(body) if isinstance(event, _DELTAS))
        body = [body[0], body[0], *body[1:delta], body[delta], *body[delta:]]
    blocks: dict[int, str] = {}
    for event, _ in said if dialect in NUMBERED else body:
        place = place_and_words(event)
        if place is not None:
            blocks[place[0]] = blocks.get(place[0], "") + place[1]
    return Answer(
        tuple(encoded for _, encoded in body if encoded),
        ending,
        blocks,
        sum(map(len, blocks.values())),
        2 if repeats else 1,
    )


def message_id(attempt: int) -> str:
    """The ID of the message that the ``attempt``-th attempt gets."""
    return f"m{attempt}"


@cache
def error(dialect: str, *, may_pass: bool) -> bytes:
    """The bytes of an error within the stream."""
    kind = "overloaded_error" if may_pass else "invalid_request_error"
    return encode_events(dialects.get(dialect).Encoder().send(StreamError(kind, "No.", retryable=may_pass)))


@cache
def ping(dialect: str) -> bytes:
    """A sign of life: an event where the protocol has one, else a comment."""
    return encode_events(dialects.get(dialect).Encoder().send(Ping())) or b": ping\n\n"


# What an event says


def _opening(event: BlockStart) -> tuple[int, str]:
    block = event.block
    return event.index, f"<{block.type} {block.name}>" if isinstance(
        block, ToolUseBlock
    ) else f"<{block.type}>"


_DELTAS = (TextDelta, ThinkingDelta, ArgumentsDelta)
_SAYS: dict[type[BlockEvent], Callable[[Any], tuple[int, str]]] = {
    BlockStart: _opening,
    TextDelta: lambda event: (event.index, event.text),
    ThinkingDelta: lambda event: (event.index, event.text),
    ArgumentsDelta: lambda event: (event.index, event.text),
}


def place_and_words(event: BlockEvent) -> tuple[int, str] | None:
    """The block that ``event`` adds to, and what it adds; ``None`` for one that says nothing."""
    says = _SAYS.get(type(event))
    return None if says is None else says(event)


# The events of a plan


def _word(attempt: int, number: int) -> str:
    """A word that no other place of the turn's answers has; of two bytes a character here and there."""
    return f"{attempt}.{number}é " if number % 3 else f'{attempt}."{number}" '


def _events(dialect: str, plan: Plan, attempt: int) -> Iterator[BlockEvent]:
    yield MessageStart(message_id(attempt), "model", usage={"input_tokens": 7}, dialect=dialect)
    index = number = 0
    for kind, words in plan:
        blocks = _KINDS[kind](index)
        for place, block in enumerate(blocks):
            yield BlockStart(index + place, block)
        for word in range(words):
            for place, block in enumerate(blocks):
                yield _delta(index + place, block, attempt, number, first=word == 0, last=word == words - 1)
                number += 1
        for place, block in enumerate(blocks):
            if isinstance(block, ThinkingBlock) and dialect == "anthropic":
                yield SignatureDelta(index + place, f"signature {attempt}")
            yield BlockStop(index + place)
        index += len(blocks)
    stop = "tool_use" if plan[-1][0] in {"tool", "two tools"} else "end_turn"
    yield MessageDelta(stop, {"output_tokens": number})
    yield MessageStop()


def _delta(index: int, block: Block, attempt: int, number: int, *, first: bool, last: bool) -> BlockEvent:
    word = _word(attempt, number)
    if isinstance(block, TextBlock):
        return TextDelta(index, word)
    if isinstance(block, ThinkingBlock):
        return ThinkingDelta(index, word)
    # A list of strings, whole only with the last fragment.
    return ArgumentsDelta(index, f'{"[" if first else ", "}"{attempt}.{number}"{"]" if last else ""}')


_KINDS: dict[str, Callable[[int], list[Block]]] = {
    "text": lambda _: [TextBlock()],
    "thinking": lambda _: [ThinkingBlock()],
    "tool": lambda index: [ToolUseBlock(f"call_{index}", "look")],
    "two tools": lambda index: [
        ToolUseBlock(f"call_{index}", "look"),
        ToolUseBlock(f"call_{index + 1}", "see"),
    ],
    "server tool": lambda index: [ToolUseBlock(f"srv_{index}", "search", "server_tool_use")],
}
