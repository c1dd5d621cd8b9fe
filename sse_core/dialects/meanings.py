"""What the words of a dialect of one's own mean: where its decoder leaves that open, its ``Dialect`` says it.

Of a word that nobody has given a meaning, the tables of all hosts' words count:
``sse_core.blocks.stop_reasons``, ``sse_core.blocks.token_counts`` and ``sse_core.dialects.provider_errors``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace

from ..blocks.events import BlockEvent, ErrorKind, MessageDelta, MessageStart, StreamError
from ..blocks.stop_reasons import StopReason, StopWord
from ..blocks.strict_json import JSONObject
from ..blocks.token_counts import TokenCounts
from ..framing import ServerSentEvent
from .event_codec import EventDecoder, held_events
from .provider_errors import PASSING_KINDS


@dataclass(frozen=True, slots=True)
class Meanings:
    """What a dialect's words mean."""

    stop_reasons: Mapping[str, StopReason]
    token_counts: Callable[[JSONObject], TokenCounts] | None
    error_kinds: Mapping[str, ErrorKind]

    def __bool__(self) -> bool:
        return bool(self.stop_reasons or self.token_counts or self.error_kinds)

    def word(self, stop_reason: str | None) -> str | None:
        """The stop reason with its meaning; one that has a meaning keeps it."""
        if stop_reason is None or isinstance(stop_reason, StopWord) or stop_reason not in self.stop_reasons:
            return stop_reason
        return StopWord(stop_reason, self.stop_reasons[stop_reason])

    def explain(self, error: StreamError) -> StreamError:
        """Let an error that nobody has given a kind have the one of its code, or else of its type."""
        kind = self.error_kinds.get(error.code or "") or self.error_kinds.get(error.type)
        if error.kind == "unknown" and kind is not None:
            error.kind = kind
            error.retryable = error.retryable or kind in PASSING_KINDS
        return error


class MeaningDecoder:
    """A decoder whose events say what their words mean."""

    def __init__(self, decoder: EventDecoder, meanings: Meanings) -> None:
        self._decoder = decoder
        self._meanings = meanings
        self._counts = TokenCounts()

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        """The block events that ``sse`` stands for.  Raises what the decoder raises."""
        return [self._explained(event) for event in self._decoder.receive_event(sse)]

    def receive_eof(self) -> list[BlockEvent]:
        """The events of the stream's end."""
        return [self._explained(event) for event in self._decoder.receive_eof()]

    def held_events(self) -> list[BlockEvent]:
        """What the decoder holds back, if it is one that does."""
        return [self._explained(event) for event in held_events(self._decoder)]

    def _explained(self, event: BlockEvent) -> BlockEvent:
        if isinstance(event, StreamError):
            self._meanings.explain(event)
        elif isinstance(event, MessageStart | MessageDelta):
            event.stop_reason = self._meanings.word(event.stop_reason)
            if event.usage and self._meanings.token_counts is not None:
                event.usage = {**event.usage, **self._count(self._meanings.token_counts(event.usage))}
        return event

    def _count(self, counts: TokenCounts) -> JSONObject:
        """All counts so far, as the last that came of each says."""
        named = {field.name: getattr(counts, field.name) for field in fields(counts)}
        known = {name: count for name, count in named.items() if count is not None}
        self._counts = replace(self._counts, **known)
        return self._counts.counted()
