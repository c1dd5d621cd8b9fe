"""An event that is the one before with another text, taken without reading all of it again.

Theory.  Almost every event of a stream is a delta, and all of it but the delta's text is as it was in the
event before: that is most of its bytes.  If one string in a JSON text is replaced with another, the value is
the same but for that string.  So an event is read in full once, and is a pattern for the next: what stands
before the text, and what stands after it.  An event that has the same before and after means the same with
another text.

That the text stands where it seems to, and nowhere else, is not taken for granted: the pattern is filled with
another text and read, and has to give the same value with that text in its place.

A decoder that uses this must hold one law: if an event gave one delta and nothing else, then the same event
right after it gives that delta again, and changes nothing in the decoder.  Any event that has to be read in
full may change what events mean, and what was learned before is forgotten.

A text delta of OpenAI's takes a fifth to a seventh of the time like this, one of Anthropic's half.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..blocks import events as e
from ..blocks import strict_json
from ..blocks.events import BlockEvent
from ..blocks.strict_json import JSON
from ..framing import ServerSentEvent

Path = tuple[str | int, ...]
Delta = e.TextDelta | e.ThinkingDelta | e.ArgumentsDelta

#: Longer events are no patterns, in characters: what is kept of a stream stays small.
_MAX_CHARS = 4096
#: After so many patterns in a row that fitted no event, a stream doesn't repeat itself.
_MAX_LESSONS = 8
#: What makes another text of a text.  It is no JSON by itself: where no string stands, it breaks the JSON.
_OTHER = "?"


class DeltaPattern:
    """The pattern of one stream's last event, if it was a delta.

    ``places`` says where in an event's value the text of each kind of delta may stand, in the order in which
    the decoder looks for it.  ``padding`` names the fields of the event that only blur its length: one of
    them may stand after the text, as may spaces at the end.
    """

    __slots__ = (
        "_after",
        "_before",
        "_between",
        "_choice",
        "_fitted",
        "_index",
        "_kind",
        "_lessons",
        "_padding",
        "_places",
        "_quote",
        "_type",
    )

    def __init__(self, places: Mapping[type[Delta], tuple[Path, ...]], padding: tuple[str, ...] = ()) -> None:
        self._places = places
        self._padding = padding
        self._lessons = _MAX_LESSONS
        self._fitted = False
        self._type: str | None = None  # None while there is no pattern: no event is of that type
        self._before = self._after = ""
        self._quote = 0  # where the text's begins: at the end of what stands before it
        self._between: str | None = None  # what stands between the text and the padding, where there is any
        self._kind: type[Any] = e.TextDelta
        self._index = self._choice = 0

    def delta_of(self, sse: ServerSentEvent) -> Delta | None:
        """The delta that ``sse`` is, if it fits the pattern."""
        data = sse.data
        if sse.type != self._type or not data.startswith(self._before):
            return None
        between = self._between
        try:
            text, end = strict_json.string_at(data, self._quote)
            if between is not None:
                if not data.startswith(between, end):
                    return None
                _, end = strict_json.string_at(data, end + len(between) - 1)
        except ValueError:
            return None
        # An empty text is not always reported as a delta.
        if not text or data[end:].rstrip(" ") != self._after:
            return None
        self._fitted = True
        delta: Delta = self._kind(self._index, text, source=sse, choice=self._choice)
        return delta

    def learn(self, sse: ServerSentEvent, events: list[BlockEvent]) -> None:
        """Forget the pattern; ``sse``, of which the decoder has made ``events``, may be the next."""
        if self._fitted:
            self._lessons, self._fitted = _MAX_LESSONS, False
        self._type = None
        event = events[0] if len(events) == 1 else None
        if isinstance(event, Delta) and self._lessons and len(sse.data) <= _MAX_CHARS:
            try:
                self._make_pattern(sse, event)
            except ValueError:
                return  # filled with another text it is no JSON

    def _make_pattern(self, sse: ServerSentEvent, event: Delta) -> None:
        text = event.text
        before, found, after = sse.data.partition(strict_json.dumps(text))
        if not found:
            return  # it is escaped in another way than ours
        self._lessons -= 1
        value = strict_json.loads(sse.data)
        place = next((path for path in self._places[type(event)] if _at(value, path) == text), None)
        if place is None:
            return
        _at(value, place[:-1])[place[-1]] = text + _OTHER
        other = before + strict_json.dumps(text + _OTHER)
        between = None
        name = next((name for name in self._padding if isinstance(value.get(name), str)), "")
        padding = strict_json.dumps(value.get(name))
        if name and padding in after:
            between, _, after = after.partition(padding)
            value[name] += _OTHER
            other += between + strict_json.dumps(value[name])
            between += '"'
        if strict_json.loads(other + after) == value:
            self._type, self._kind, self._index, self._choice = (
                sse.type,
                type(event),
                event.index,
                event.choice,
            )
            self._before, self._between, self._after = before + '"', between, after.rstrip(" ")
            self._quote = len(before)


def _at(value: JSON, path: Path) -> JSON:
    """What stands at ``path``; ``None`` where nothing does."""
    for key in path:
        try:
            value = value[key]
        except (LookupError, TypeError):
            return None
    return value
