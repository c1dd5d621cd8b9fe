"""The script of a generation: settings and a request in, the events and their times out.

The script is lazy.  A million tokens cost nothing until somebody takes them.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice

from . import events, prose
from .events import Event
from .messages_request import MessagesRequest
from .settings import Settings
from .steps import Step

DEFAULT_RATE = 50.0  #: tokens a second
_THINKING_RATE = 20.0  #: tokens a second, when the text comes as fast as it can

#: Arguments with every trap: escapes, a surrogate pair in escapes, numbers to cut, nested values.
TOOL_ARGUMENTS = (
    '{"location": "München, \\"Altstadt\\"", "days": [1, 2, 30], "exact": -12.5e-1, '
    '"options": {"wind": true, "sea": null}, "note": "a\\tb\\n\\u00e9 \\ud83c\\udf26 東京 👩‍🚀 \\\\ end"}'
)
_DEFAULT_TOOL = "get_weather"


@dataclass(frozen=True, slots=True)
class _Block:
    """A content block: what it begins with, its deltas, and their times in seconds after the request.

    - ``opening``: the block as it begins, still empty.
    - ``deltas``: of a token each.
    - ``count``: how many of these there are.
    - ``begin``, ``gap``, ``end``: when the first comes, the time between two, and when the block is whole.
    - ``head``, ``tail``: deltas before and after these that are no tokens.
    """

    opening: Event
    deltas: Iterable[Event]
    count: int
    begin: float
    gap: float
    end: float
    head: tuple[Event, ...] = ()
    tail: tuple[Event, ...] = ()


def script(settings: Settings, request: MessagesRequest, message_id: str) -> Iterator[Step]:
    """The steps of one generation, from ``message_start`` to ``message_stop``.

    - ``settings``: how much of what comes, and how fast.
    - ``request``: the question, and the model that is to answer.
    - ``message_id``: begins with ``msg_``.

    The message and its first block start at once, as the provider's do; the first content comes at
    ``settings.ttft``, the text ``settings.thinking`` seconds after that.  The same settings and
    the same question give the same text.
    """
    cut = settings.tokens > request.max_tokens
    blocks = _blocks(settings, request, message_id)
    yield Step(0.0, events.message_start(message_id, request.model, request.input_tokens))
    for index, block in enumerate(blocks):
        yield from _block_steps(index, block)
    end = blocks[-1].end if blocks else settings.ttft
    stop_reason = "max_tokens" if cut else "tool_use" if _calls_tool(settings, request) else "end_turn"
    count = sum(block.count for block in blocks)
    yield Step(end, events.message_delta(stop_reason, request.input_tokens, max(1, count)))
    yield Step(end, events.message_stop())


def _block_steps(index: int, block: _Block) -> Iterator[Step]:
    yield Step(block.begin if index else 0.0, events.block_start(index, block.opening))
    if index == 0:
        yield Step(0.0, events.PING)
    for delta in block.head:
        yield Step(block.begin, events.block_delta(index, delta))
    for number, delta in enumerate(block.deltas):
        at = block.begin + number * block.gap
        yield Step(at, events.block_delta(index, delta), content=True, tokens=1)
    for delta in block.tail:
        yield Step(block.end, events.block_delta(index, delta))
    yield Step(block.end, events.block_stop(index))


def _blocks(settings: Settings, request: MessagesRequest, message_id: str) -> list[_Block]:
    rate = DEFAULT_RATE if settings.rate is None else settings.rate
    gap = 1 / rate if rate else 0.0
    seed = zlib.crc32(request.question.encode())
    blocks = []
    if settings.thinking:
        blocks.append(_thinking(settings, rate or _THINKING_RATE, seed))
    begin = settings.ttft + settings.thinking
    count = min(settings.tokens, request.max_tokens)
    if count:
        blocks.append(_text(begin, gap, count, prose.answer(seed, request.question)))
        begin += count * gap
    if _calls_tool(settings, request) and settings.tokens <= request.max_tokens:
        blocks.append(_tool(begin, gap, request.tool or _DEFAULT_TOOL, message_id))
    return blocks


def _calls_tool(settings: Settings, request: MessagesRequest) -> bool:
    """A call that has its result is not made again."""
    return settings.tool and not request.has_result


def _thinking(settings: Settings, rate: float, seed: int) -> _Block:
    count = max(1, round(settings.thinking * rate))
    thoughts = islice(prose.thoughts(seed), count)
    signature = base64.b64encode(hashlib.sha512(b"%d" % seed).digest()).decode()
    return _Block(
        opening={"type": "thinking", "thinking": "", "signature": ""},
        deltas=({"type": "thinking_delta", "thinking": thought} for thought in thoughts),
        count=count,
        begin=settings.ttft,
        gap=settings.thinking / count,
        end=settings.ttft + settings.thinking,
        tail=({"type": "signature_delta", "signature": signature},),
    )


def _text(begin: float, gap: float, count: int, texts: Iterator[str]) -> _Block:
    return _Block(
        opening={"type": "text", "text": ""},
        deltas=({"type": "text_delta", "text": text} for text in islice(texts, count)),
        count=count,
        begin=begin,
        gap=gap,
        end=begin + (count - 1) * gap,
    )


def _tool(begin: float, gap: float, name: str, message_id: str) -> _Block:
    fragments = list(_fragments(TOOL_ARGUMENTS))
    tool_id = "toolu_" + message_id.removeprefix("msg_")
    return _Block(
        opening={"type": "tool_use", "id": tool_id, "name": name, "input": {}},
        deltas=({"type": "input_json_delta", "partial_json": text} for text in fragments),
        count=len(fragments),
        begin=begin,
        gap=gap,
        end=begin + (len(fragments) - 1) * gap,
        # The real ones begin with a fragment that is empty.
        head=({"type": "input_json_delta", "partial_json": ""},),
    )


def _fragments(text: str) -> Iterator[str]:
    """The text in pieces of 3 to 12 characters, cut in the middle of anything."""
    start = 0
    for length in cycle((3, 12, 5, 7, 4, 9, 11, 6, 8, 10)):
        if start >= len(text):
            return
        yield text[start : start + length]
        start += length
