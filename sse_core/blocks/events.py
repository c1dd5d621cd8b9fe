"""Block events: what every provider's stream is made of, whatever its wire protocol.

A dialect's decoder turns each ``ServerSentEvent`` into block events, its encoder turns them back.
``index`` says which content block an event belongs to.  ``choice`` says which of several answers to
one request (``n`` > 1), 0 being the message itself; the end of the message ends them all.  ``source``
is the provider's own event, verbatim, on the first block event made from it (on its error, if one is
among them): where the protocol in and out is the same, an encoder sends it on unchanged, so that
nothing unknown is lost.  ``cursor`` is where the provider can send the stream on from after that
event, if it can.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from ..framing import ServerSentEvent
from .content_blocks import Block, TextBlock, ThinkingBlock
from .strict_json import JSON, JSONObject

ErrorKind = Literal[
    "invalid_request",
    "authentication",
    "permission",
    "billing",  #: no money or no quota left: waiting does not help
    "not_found",
    "too_large",
    "rate_limit",
    "overloaded",
    "timeout",
    "server",
    "refusal",  #: a filter of the provider's would not have it
    "cut",  #: the stream was cut, stopped or broken; the provider said nothing of it
    "unknown",
]


@dataclass(slots=True, kw_only=True)
class BlockEvent:
    """The root of all block events."""

    source: ServerSentEvent | None = field(default=None, repr=False, compare=False)
    choice: int = field(default=0, repr=False)
    cursor: int | str | None = field(default=None, repr=False, compare=False)


@dataclass(slots=True)
class MessageStart(BlockEvent):
    """A message begins.  ``blocks`` holds what it begins with, almost always nothing.

    ``dialect`` names the protocol that the message comes in.  ``extra``, of the message and of its
    blocks, is in that protocol's terms, and an encoder of another one leaves it out.
    """

    id: str
    model: str
    role: str = "assistant"
    usage: JSONObject = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    stop_reason: str | None = None
    extra: JSONObject = field(default_factory=dict)  #: fields of the provider's that have no name here
    dialect: str = field(default="", compare=False)


@dataclass(slots=True)
class BlockStart(BlockEvent):
    """A content block begins; ``block`` is what it begins with.  The accumulator copies it.

    A tool's arguments follow as ``ArgumentsDelta``; ``block.raw_arguments`` is empty.
    """

    index: int
    block: Block
    model: str | None = None  #: the model that writes from here on, where the provider says so


@dataclass(slots=True)
class GrowthDelta(BlockEvent):
    """More ``text`` of a block that grows: the root of the three deltas that most of a stream is made of."""

    index: int
    text: str


@dataclass(slots=True)
class TextDelta(GrowthDelta):
    """More text of a text block."""


@dataclass(slots=True)
class ThinkingDelta(GrowthDelta):
    """More text of a thinking block."""


@dataclass(slots=True)
class SignatureDelta(BlockEvent):
    """The signature of a thinking block: assigned, not appended."""

    index: int
    signature: str


@dataclass(slots=True)
class ArgumentsDelta(GrowthDelta):
    """More of the text of a tool's arguments, which may end in the middle of anything."""


@dataclass(slots=True)
class TextReplaced(BlockEvent):
    """The whole text, thinking or arguments' text of an open block, which is not what its deltas said.

    Rare: where a provider sends all of the text at the end (OpenAI Responses), and it differs.
    """

    index: int
    text: str


@dataclass(slots=True)
class CitationDelta(BlockEvent):
    """One more citation of a text block, as the provider sent it."""

    index: int
    citation: JSONObject


@dataclass(slots=True)
class FieldsDelta(BlockEvent):
    """Fields of a block that come late: assigned, not appended."""

    index: int
    fields: JSONObject


@dataclass(slots=True)
class UnknownDelta(BlockEvent):
    """A delta of a kind that this version does not know, verbatim."""

    index: int
    delta: JSONObject


@dataclass(slots=True)
class BlockStop(BlockEvent):
    """A content block is complete.  Only now are a tool's arguments parsed."""

    index: int


@dataclass(slots=True)
class MessageDelta(BlockEvent):
    """Facts about the whole message.  ``None`` and absent keys leave what was known before."""

    stop_reason: str | None = None
    usage: JSONObject = field(default_factory=dict)
    extra: JSONObject = field(default_factory=dict)


@dataclass(slots=True)
class MessageReset(BlockEvent):
    """All that came of the message is taken back: it begins anew.

    Only a turn gives it, and only where its policy says that whoever reads can take back what was shown.
    """


@dataclass(slots=True)
class ItemsDelta(BlockEvent):
    """More items of the list ``name`` among the message's extra fields: appended."""

    name: str
    items: list[JSON]


@dataclass(slots=True)
class MessageStop(BlockEvent):
    """The protocol's own end marker: the message is complete."""


@dataclass(slots=True)
class Ping(BlockEvent):
    """The provider's sign of life.  Never progress."""


@dataclass(slots=True)
class StreamError(BlockEvent):
    """The provider reported an error within its stream; the message has failed.

    ``type`` and ``code`` are the provider's own (``overloaded_error``), ``kind`` is what they mean,
    by the same names for all providers.  ``retryable`` says whether the same request may succeed later,
    ``retry_after`` is the delay that it wants, in seconds.
    """

    type: str
    message: str
    code: str | None = None
    retryable: bool = False
    retry_after: float | None = None
    extra: JSONObject = field(default_factory=dict)
    kind: ErrorKind = field(default="unknown", compare=False)


@dataclass(slots=True)
class MessageCut(BlockEvent):
    """The message ends without its end marker; what is there of it stays as it is.

    Made by a decoder at an early end of the stream (``truncated``), or by a turn that was stopped
    (``stopped``) or has failed for a reason outside the stream (``failed``).
    """

    completeness: Literal["truncated", "stopped", "failed"]


@dataclass(slots=True)
class UnknownEvent(BlockEvent):
    """An event of a kind that this version does not know, verbatim."""

    data: JSONObject


def is_visible(event: BlockEvent) -> bool:
    """Whether a reader who is shown ``event`` has seen a part of the answer.

    Until the first visible event a request may be repeated without anybody noticing; after it,
    never in silence.  Visible are characters of text, thinking and arguments, and every block
    that is more than an empty text or thinking block: a tool's name is a part of the answer.
    """
    if isinstance(event, GrowthDelta):
        return event.text != ""
    shows = _SHOWS.get(type(event))
    return shows is not None and shows(event)


def _is_empty(block: Block) -> bool:
    if isinstance(block, TextBlock):
        return not block.text and not block.citations
    return isinstance(block, ThinkingBlock) and not block.thinking and not block.signature


_SHOWS: dict[type[BlockEvent], Callable[[Any], bool]] = {
    SignatureDelta: lambda _: True,
    CitationDelta: lambda _: True,
    FieldsDelta: lambda _: True,
    UnknownDelta: lambda _: True,
    TextReplaced: lambda event: event.text != "",
    ItemsDelta: lambda event: event.items != [],
    BlockStart: lambda event: not _is_empty(event.block),
    MessageStart: lambda event: event.blocks != [],
}

__all__ = [
    "ArgumentsDelta",
    "BlockEvent",
    "BlockStart",
    "BlockStop",
    "CitationDelta",
    "ErrorKind",
    "FieldsDelta",
    "GrowthDelta",
    "ItemsDelta",
    "JSONObject",
    "MessageCut",
    "MessageDelta",
    "MessageReset",
    "MessageStart",
    "MessageStop",
    "Ping",
    "SignatureDelta",
    "StreamError",
    "TextDelta",
    "TextReplaced",
    "ThinkingDelta",
    "UnknownDelta",
    "UnknownEvent",
    "is_visible",
]
