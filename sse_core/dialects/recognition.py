"""Which dialect an event fits, for whoever reads a stream with the wrong one.

Decoders take what they don't know for something new and give an ``UnknownEvent``.  So a stream of another
protocol gives unknown events only, to its end.  ``Recognition`` notes whether any event was known, and says
what is wrong if none was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ..blocks import strict_json
from ..blocks.events import BlockEvent, MessageStart, Ping, UnknownEvent
from ..blocks.strict_json import JSONObject
from ..framing import ServerSentEvent
from .gemini.vocabulary import MARKS

#: Characters of an event's data that are read.  What is longer fits no dialect that could be named.
MAX_CHARACTERS = 256 * 1024
#: Characters of an event that a message quotes.
_EXCERPT = 100
#: So many events of another dialect, and none of the right one before, are no accident: some gateways tell of
#: their own work first, as of a response that was created and is in progress.
ENOUGH = 4
_PING = re.compile(r'"type"\s*:\s*"ping"')
#: https://docs.claude.com/en/docs/build-with-claude/streaming
_ANTHROPIC = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
    }
)
#: https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
_UI_MESSAGES = (
    *("text-", "reasoning-", "tool-input-", "tool-output-", "tool-approval-"),
    *("start-step", "finish-step", "reset-step", "message-metadata"),
)
#: These are words for anything: a host of another dialect may have events of its own that are named so.
_COMMON = frozenset({"start", "finish", "abort", "file", "custom"})
_COMMON_BEGIN = ("source-", "data-")


def recognized(sse: ServerSentEvent) -> str | None:
    """The name of the dialect that ``sse`` fits by the shape of its data, or ``None``.

    An error fits none: the protocols' errors are too much alike, and each decoder knows most of them.
    """
    kind, data = _read(sse)
    return next((name for name, fits in _SHAPES.items() if fits(kind, data)), None)


def _read(sse: ServerSentEvent) -> tuple[str, JSONObject]:
    """The type of an event, and its data; an empty object where that is none, or is too long."""
    try:
        data = strict_json.loads(sse.data) if len(sse.data) <= MAX_CHARACTERS else None
    except ValueError:
        data = None
    if not isinstance(data, dict):
        return "", {}
    kind = data.get("type", sse.type)
    return kind if isinstance(kind, str) else "", data


def _is_common(sse: ServerSentEvent) -> bool:
    """Whether an event says too little to be another dialect's for certain."""
    kind, data = _read(sse)
    is_figure = "candidates" not in data and len(MARKS & data.keys()) == 1
    return kind in _COMMON or kind.startswith(_COMMON_BEGIN) or is_figure


class Recognition:
    """Whether any event of one stream was of the dialect that it is read with."""

    def __init__(self) -> None:
        self.known = False  #: an event was
        self._first: ServerSentEvent | None = None  # of those that were not
        self._fitting: list[str | None] = []  # what the first of them fit

    def note(self, sse: ServerSentEvent, events: Sequence[BlockEvent]) -> None:
        """``sse`` came, and a decoder has made ``events`` of it.

        A sign of life is the same in most protocols, and so is no event at all: neither says anything.
        """
        kinds = {type(event) for event in events}
        if UnknownEvent in kinds:
            self.unknown(sse)
            kinds -= {MessageStart, UnknownEvent}  # some decoders begin the message with whatever comes first
        self.known = self.known or not kinds <= {Ping}

    def unknown(self, sse: ServerSentEvent) -> None:
        """``sse`` came, and a decoder can make nothing of it.

        A ping in another protocol's words is a ping nevertheless, and says nothing.
        """
        if _is_ping(sse):
            return
        self._first = self._first or sse
        if len(self._fitting) < ENOUGH and not _is_common(sse):
            self._fitting.append(recognized(sse))

    def failure(self, dialect: str) -> str | None:
        """What is wrong with a stream that was read as ``dialect`` to its end, in words.

        ``None`` if an event was known or is a new one of ``dialect``, or if none has come.  To ask again
        would give the same.
        """
        is_own = self.known or dialect in self._fitting
        return None if is_own or self._first is None else mismatch(self._first, dialect)

    def certainty(self, dialect: str, *, enough: int = ENOUGH) -> str | None:
        """The same before the end, as soon as it can be known: the stream began as one of another dialect.

        ``enough``: how many events have to fit the same one.  Such as any host may have prove nothing.
        """
        if len(self._fitting) < enough or len(set(self._fitting)) > 1 or self._fitting[0] is None:
            return None
        return self.failure(dialect)


def mismatch(first: ServerSentEvent, dialect: str) -> str:
    """What to say of a stream that begins with ``first`` and is none of ``dialect``'s."""
    fitting = recognized(first)
    advice = f"it fits dialect {fitting!r}" if fitting else "it fits no dialect that is known here"
    excerpts = f"{first.type[:_EXCERPT]!a} with data {first.data[:_EXCERPT]!a}"
    return f"no event of the stream was one of dialect {dialect!r}; the first was {excerpts}: {advice}"


def _is_ping(sse: ServerSentEvent) -> bool:
    return sse.type == "ping" or _PING.search(sse.data, 0, _EXCERPT) is not None


def _is_chat(_: str, data: JSONObject) -> bool:
    kind, choices = data.get("object"), data.get("choices")
    if isinstance(kind, str):
        return kind.startswith("chat.completion")
    first = choices[0] if isinstance(choices, list) and choices else None
    return isinstance(first, dict) and ("delta" in first or "message" in first)


#: Dialect -> whether an event of this type (its name where the data has none) with this data is one of it.
_SHAPES: dict[str, Callable[[str, JSONObject], bool]] = {
    "anthropic": lambda kind, _: kind in _ANTHROPIC,
    "openai-responses": lambda kind, _: kind.startswith("response."),
    "ui-messages": lambda kind, _: kind.startswith(_UI_MESSAGES + _COMMON_BEGIN) or kind in _COMMON,
    "openai-chat": _is_chat,
    "gemini": lambda _, data: not MARKS.isdisjoint(data),
}
