"""One choice of a chat completion: its deltas to block events.

An answer is one object with ``content``, ``refusal``, reasoning and ``tool_calls``, whose parts come
in any order.  Here text and thinking are blocks in the order in which they came: one of them is open
at a time.  Calls may grow side by side, and are whole at the end of the stream only: neither that
their text parses nor that another call begins says so.

What has another type than it should is read as what it stands for, or kept as it is: the stream goes on.
"""

from __future__ import annotations

from ...blocks import TextBlock, ThinkingBlock, UnknownBlock
from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.stop_reasons import StopReason, meaning_of
from ...blocks.strict_json import JSON, JSONObject
from ..budget import Budget, ChangedFields
from ..fields import rest
from .fragments import Fragments
from .parts import read_part
from .reasoning import DETAILS, REASONING, SeenReasoning, detail_text, fields_beside, signature_of, text_of
from .tools import Calls

#: What marks fields of the choice and of its message among the extra fields of ours.
CHOICE, MESSAGE = "choice.", "message."
#: Lists that grow.
ALL_DETAILS = f"{MESSAGE}{DETAILS}"
IMAGES = f"{MESSAGE}images"
AUDIO = f"{MESSAGE}audio"
LOGPROBS = f"{CHOICE}logprobs"
#: After such reasons a call may be cut, and nothing says whether it was.
_CUTTING: frozenset[StopReason] = frozenset({"max_tokens", "refusal", "error"})
_TEXTS = frozenset({"content", "refusal"})
_RARE = frozenset({"refusal", "annotations", "tool_calls", "function_call"})
_LISTS = frozenset({DETAILS, "audio", "images"})
_KNOWN = frozenset({"role", "content", DETAILS, *_RARE})
#: What says the same as what is named here, where that has come.
_REASONS = frozenset({*REASONING, DETAILS})


class Choice:
    """The decoder of one choice.

    ``finish_reason`` is the last that came, or one after which calls may be cut; ``None`` before one.

    ``call_fragments`` is how many fragments of calls were in the item that came last.
    """

    def __init__(self, budget: Budget) -> None:
        self.finish_reason: str | None = None
        self.call_fragments: int = 0
        self._fields = ChangedFields(budget)
        self._fragments = Fragments(budget)
        self._calls = Calls(budget)
        self._seen = SeenReasoning()
        self._came: set[str] = set()  # fields of the message that were more than empty
        self._has_deltas = False
        self._next = 0
        self._open: str | None = None  # the field that the open block of text or thinking is of
        self._index = 0  # that block's index

    def receive(self, data: JSONObject, *, is_chunk: bool = True) -> list[BlockEvent]:
        """The block events of one item of ``choices``; ``is_chunk``: of what calls itself a chunk.

        Raises ``LimitExceeded`` beyond ``max_held_bytes``.
        """
        delta = self._new_in(data, is_chunk=is_chunk)
        self.call_fragments = 0
        events = [*self._reasoning(delta), *self._content(delta.get("content"))]
        # Most deltas have none of these, so that it is cheaper to ask for all of them at once.
        if not _RARE.isdisjoint(delta):
            events += self._rare(delta)
        if not _LISTS.isdisjoint(delta):
            events += self._lists(delta)
        if data.get("logprobs") is not None:
            events += self._logprobs(data["logprobs"])
        return events + self._facts(data, delta)

    def thought(self, text: str) -> None:
        """A thinking delta has come by another way, like the one before."""
        self._seen.note(self._open or "", text)

    def finish(self) -> list[BlockEvent]:
        """The stream has come to its end, and so has all that is open."""
        events = [*self._close(), *self.cut()]
        return events if _may_cut(self.finish_reason) else events + self._calls.stop()

    def cut(self) -> list[BlockEvent]:
        """The stream was cut: nothing is whole, but what was held back is given out."""
        events = self.held_events()
        self._calls.flush(self._next)
        return events

    def held_events(self) -> list[BlockEvent]:
        """What is held back, as it is given out if the stream is cut now."""
        left = self._fragments.unreported()
        facts: list[BlockEvent] = [e.MessageDelta(extra=left)] if left else []
        return [*facts, *self._calls.held_events(self._next)]

    def _new_in(self, data: JSONObject, *, is_chunk: bool) -> JSONObject:
        """The delta; or of a ``message``, which is all of the choice, what has not come yet.

        A ``message`` of a chunk is a delta too, where a host has no other.
        """
        delta, message = _object(data.get("delta")), _object(data.get("message"))
        if message and not any(delta.values()):
            if self._has_deltas or (self._came and not is_chunk):
                message = {name: value for name, value in message.items() if not self._has(name)}
            delta = {**delta, **message}
        elif delta:
            self._has_deltas = True
        if not self._came.issuperset(delta):
            self._came.update([name for name, value in delta.items() if value])
        return delta

    def _has(self, name: str) -> bool:
        return name in self._came or (name in _REASONS and not _REASONS.isdisjoint(self._came))

    def _rare(self, delta: JSONObject) -> list[BlockEvent]:
        """What most deltas don't have."""
        events = self._grow("refusal", text_of(delta.get("refusal")))
        for annotation in _list(delta.get("annotations")):
            events += self._annotation(annotation)
        events += self._call(_list(delta.get("tool_calls")))
        function = delta.get("function_call")
        if isinstance(function, dict):
            # The form of a call before there were several: as one that no index of a call can be.
            events += self._call([{"index": -1, "type": "function_call", "function": function}])
        return events

    def _reasoning(self, delta: JSONObject) -> list[BlockEvent]:
        if _REASONS.isdisjoint(delta):
            return []
        events: list[BlockEvent] = []
        has_grown = False
        for name, field in REASONING.items():
            value = delta.get(name)
            if value is None:
                continue
            news = self._seen.news(field, text_of(value))
            # Two names of one chunk say the same, in whatever words.
            if news and has_grown:
                self._seen.follow(field)
            elif news:
                has_grown = True
                events += self._think(field, news)
            if isinstance(value, dict | list) and self._open == field:
                events += self._beside(value, fields_beside(value))
        # Snowflake sends nothing but the details; OpenRouter sends their text twice.
        if DETAILS in delta:
            news = self._seen.news(DETAILS, "".join(map(detail_text, _list(delta[DETAILS]))))
            if news and has_grown:
                self._seen.follow(DETAILS)
            elif news:
                events += self._think(DETAILS, news)
        return events

    def _think(self, field: str, text: str) -> list[BlockEvent]:
        self._seen.note(field, text)
        return self._grow(field, text)

    def _beside(self, value: JSON, extra: JSONObject) -> list[BlockEvent]:
        """What stands beside the text of the block that is open."""
        signature = signature_of(value)
        events: list[BlockEvent] = [e.SignatureDelta(self._index, signature)] if signature else []
        return [*events, e.FieldsDelta(self._index, extra)] if extra else events

    def _content(self, content: JSON) -> list[BlockEvent]:
        if content is None or isinstance(content, str):
            return self._grow("content", content)
        return [event for part in _list(content) for event in self._part(part)]

    def _part(self, part: JSON) -> list[BlockEvent]:
        """One item of a content that is a list, as Mistral sends it, or a content that is another value."""
        read = read_part(part)
        if read is not None:
            events = self._grow(read.field, read.text)
            if self._open != read.field:
                return events
            return events + self._beside(None if read.field == "content" else part, read.extra)
        if isinstance(part, dict) and isinstance(part.get("type"), str):
            return self._whole(UnknownBlock(part))
        return [e.ItemsDelta(f"{MESSAGE}content", [part])]

    def _annotation(self, annotation: JSON) -> list[BlockEvent]:
        if not isinstance(annotation, dict):
            return [e.ItemsDelta(f"{MESSAGE}annotations", [annotation])]
        # Its index is its place in the list, of which a message that is whole has no need.
        return [*self._turn_to("content"), e.CitationDelta(self._index, rest(annotation, "index"))]

    def _call(self, items: list[JSON]) -> list[BlockEvent]:
        self.call_fragments += len(items)
        events = self._started(self._calls.receive(items, self._next))
        # What comes after a call comes after its name, too.
        return [*self._close(), *events] if self._calls.wait or _has_start(events) else events

    def _started(self, events: list[BlockEvent]) -> list[BlockEvent]:
        self._next += sum(isinstance(event, e.BlockStart) for event in events)
        return events

    def _lists(self, delta: JSONObject) -> list[BlockEvent]:
        """What comes in lists that grow."""
        events: list[BlockEvent] = []
        details = _list(delta.get(DETAILS))
        if details:
            if self._open in {*REASONING.values(), DETAILS}:
                signatures = [item["signature"] for item in details if _is_signed(item)]
                events += [e.SignatureDelta(self._index, signature) for signature in signatures[-1:]]
            events.append(e.ItemsDelta(ALL_DETAILS, details))
        if isinstance(delta.get("audio"), dict):
            events.append(e.ItemsDelta(AUDIO, [delta["audio"]]))
        images = _list(delta.get("images"))
        return [*events, e.ItemsDelta(IMAGES, images)] if images else events

    def _logprobs(self, logprobs: JSON) -> list[BlockEvent]:
        return [
            e.ItemsDelta(f"{LOGPROBS}.{name}", items)
            for name, items in _object(logprobs).items()
            if isinstance(items, list) and items
        ]

    def _facts(self, data: JSONObject, delta: JSONObject) -> list[BlockEvent]:
        """The finish reason and the fields that have no name here, where they are new."""
        fields = {CHOICE + name: value for name, value in data.items() if name not in _OF_CHOICE}
        # An empty text opens no block, but says that the field is a text and not null.
        fields |= {MESSAGE + name: "" for name in _TEXTS if delta.get(name) == ""}
        if "logprobs" in data:
            fields[LOGPROBS] = _without_items(data["logprobs"])
        new = self._fields.changed(fields) if fields else fields
        others = {MESSAGE + name: v for name, v in delta.items() if self._is_fact(name, v)}
        if others:
            new = {**new, **self._fragments.receive(others)}
        reason = _reason(data.get("finish_reason"))
        # A call that may be cut is not whole because another reason comes later.
        if reason == self.finish_reason or _may_cut(self.finish_reason):
            reason = None
        self.finish_reason = reason or self.finish_reason
        return [e.MessageDelta(reason, extra=new)] if reason or new else []

    def _is_fact(self, name: str, value: JSON) -> bool:
        """Whether a field has no name here, or is not what its name says."""
        if name in REASONING:
            return value is None or not (
                isinstance(value, str) or text_of(value) or self._open == REASONING[name]
            )
        if name == "audio":
            return not isinstance(value, dict)
        if name == "images":
            return not _list(value) and name not in self._came
        return name not in _KNOWN

    def _grow(self, field: str, text: str | None) -> list[BlockEvent]:
        if not text:
            return []
        events = self._turn_to(field)
        delta = e.TextDelta if field in _TEXTS else e.ThinkingDelta
        return [*events, delta(self._index, text)]

    def _turn_to(self, field: str) -> list[BlockEvent]:
        """Let the block that holds ``field`` be the open one."""
        if field == self._open:
            return []
        events = self._make_room()
        self._open, self._index = field, self._next
        self._next += 1
        extra = {} if field == "content" else {"field": field}
        block = TextBlock(extra=extra) if field in _TEXTS else ThinkingBlock(extra=extra)
        return [*events, e.BlockStart(self._index, block)]

    def _make_room(self) -> list[BlockEvent]:
        """Another block is to begin: what is open ends, and calls that wait begin."""
        return [*self._close(), *self._started(self._calls.begin(self._next))]

    def _close(self) -> list[BlockEvent]:
        if self._open is None:
            return []
        self._open = None
        return [e.BlockStop(self._index)]

    def _whole(self, block: UnknownBlock) -> list[BlockEvent]:
        events = self._make_room()
        index, self._next = self._next, self._next + 1
        return [*events, e.BlockStart(index, block), e.BlockStop(index)]


#: Fields of a choice that are read elsewhere.  Writer sends each delta twice, as `message` too.
_OF_CHOICE = frozenset({"index", "delta", "message", "finish_reason", "logprobs", "usage"})


def delta_of(choice: JSONObject) -> JSONObject:
    """What a choice adds: its ``delta``, or all of its ``message`` where a host does not stream."""
    return _object(choice.get("delta")) or _object(choice.get("message"))


def _object(value: JSON) -> JSONObject:
    return value if isinstance(value, dict) else {}


def _list(value: JSON) -> list[JSON]:
    """The items of a list; a value that should be a list is its only item."""
    if isinstance(value, list):
        return value
    return [] if value in (None, "") else [value]


def _reason(value: JSON) -> str | None:
    """A finish reason.  DashScope says ``"null"`` before there is one; SGLang has had an object."""
    reason = value.get("type") if isinstance(value, dict) else value
    return reason if isinstance(reason, str) and reason not in ("", "null") else None


def _may_cut(reason: str | None) -> bool:
    return reason is not None and meaning_of(reason) in _CUTTING


def _has_start(events: list[BlockEvent]) -> bool:
    return any(isinstance(event, e.BlockStart) for event in events)


def _is_signed(item: JSON) -> bool:
    return isinstance(item, dict) and isinstance(item.get("signature"), str) and item["signature"] != ""


def _without_items(logprobs: JSON) -> JSON:
    """The lists are reported as they grow; what is left says which there are."""
    if not isinstance(logprobs, dict):
        return logprobs
    return {name: [] if isinstance(value, list) else value for name, value in logprobs.items()}
