"""Whole answers of models, as the bytes of any protocol, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .. import dialects
from ..blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    Message,
    MessageAccumulator,
    MessageDelta,
    MessageStart,
    MessageStop,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    strict_json,
)
from ..blocks.strict_json import JSON
from ..dialects import Dialect
from ..framing import ServerSentEvent, encode_events
from ..iteration import iter_turn

#: Characters of one delta: small, so that a short answer has several.
_DELTA = 5


def whole_answer(
    text: str = "Hello, world!",
    *,
    thinking: str = "",
    calls: Mapping[str, JSON] | None = None,
    id: str = "msg_1",
    model: str = "a-model",
) -> list[BlockEvent]:
    """The block events of an answer that is complete, in deltas of a few characters.

    - ``text``: what it says; nothing, if empty.
    - ``thinking``: what it thinks before that.
    - ``calls``: of tools, by name, with their arguments; their IDs are ``call_0``, ``call_1`` and so on.
    - ``id``, ``model``: of the message.
    """
    events: list[BlockEvent] = [MessageStart(id, model, dialect="anthropic", usage={"input_tokens": 7})]
    if thinking:
        events += [BlockStart(0, ThinkingBlock()), *(ThinkingDelta(0, part) for part in _parts(thinking))]
        events.append(BlockStop(0))
    if text:
        at = 1 if thinking else 0
        events += [
            BlockStart(at, TextBlock()),
            *(TextDelta(at, part) for part in _parts(text)),
            BlockStop(at),
        ]
    first = bool(thinking) + bool(text)
    for number, (name, arguments) in enumerate((calls or {}).items()):
        at = first + number
        parts = _parts(strict_json.dumps(arguments))
        events.append(BlockStart(at, ToolUseBlock(f"call_{number}", name)))
        events += [*(ArgumentsDelta(at, part) for part in parts), BlockStop(at)]
    return [*events, MessageDelta("tool_use" if calls else "end_turn", {"output_tokens": 9}), MessageStop()]


def _parts(text: str) -> list[str]:
    return [text[at : at + _DELTA] for at in range(0, len(text), _DELTA)]


def events_of(dialect: str | Dialect, block_events: Iterable[BlockEvent]) -> list[ServerSentEvent]:
    """The events of a stream of ``dialect`` that says ``block_events``."""
    encoder = _dialect(dialect).Encoder()
    return [sse for event in block_events for sse in encoder.send(event)]


def stream_of(dialect: str | Dialect, block_events: Iterable[BlockEvent]) -> bytes:
    """The bytes of a stream of ``dialect`` that says ``block_events``: a whole answer's, or a part's."""
    return encode_events(events_of(dialect, block_events))


def block_events_of(dialect: str | Dialect, events: Iterable[ServerSentEvent]) -> list[BlockEvent]:
    """What the ``events`` of a stream of ``dialect`` say, and its end behind them."""
    decoder = _dialect(dialect).Decoder()
    said = [event for sse in events for event in decoder.receive_event(sse)]
    return said + decoder.receive_eof()


def message_of(
    block_events: Iterable[BlockEvent], *, accumulator: MessageAccumulator | None = None
) -> Message:
    """The message that ``block_events`` make.

    - ``block_events``: as a decoder gives them.
    - ``accumulator``: a new one; give one to set its bounds.

    Raises ``RemoteProtocolError`` and ``LimitExceeded``, as the accumulator does.
    """
    accumulator = accumulator or MessageAccumulator()
    for event in block_events:
        accumulator.receive(event)
    return accumulator.message


def read_message(dialect: str | Dialect, chunks: Iterable[bytes]) -> Message:
    """The message of a stream of ``dialect`` that came in these ``chunks``, and then ended.

    Raises what :func:`sse_core.iter_turn` raises.
    """
    with iter_turn(chunks, dialect) as turn:
        for _ in turn:
            pass
    return turn.message


def _dialect(dialect: str | Dialect) -> Dialect:
    return dialects.get(dialect) if isinstance(dialect, str) else dialect
