"""One choice of a chat completion: its deltas to block events.

An answer is one object with ``content``, ``refusal``, reasoning and ``tool_calls``, whose parts come
in any order.  Here text and thinking are blocks in the order in which they came: one of them is open
at a time.  Calls may grow side by side, and are whole at the end of the stream only: neither that
their text parses nor that another call begins says so.
"""

from __future__ import annotations

from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.model import TextBlock, ThinkingBlock, UnknownBlock
from ...blocks.strict_json import JSON, JSONObject
from ..fields import optional, required, rest
from ..held import ChangedFields, Held
from .tools import Calls

#: Fields of a message that hold its reasoning, in order of preference: a chunk may have both.
REASONING = ("reasoning_content", "reasoning")
#: What marks fields of the choice and of its message among the extra fields of ours.
CHOICE, MESSAGE = "choice.", "message."
DETAILS = f"{MESSAGE}reasoning_details"
AUDIO = f"{MESSAGE}audio"
LOGPROBS = f"{CHOICE}logprobs"
#: After these reasons a call may be cut, and nothing says whether it was.
_CUTTING_REASONS = frozenset({"length", "content_filter", "max_tokens", "model_length", "error"})
_TEXTS = frozenset({"content", "refusal"})
_RARE = frozenset({"refusal", "annotations", "tool_calls", "function_call"})
_KNOWN = frozenset({"role", "content", "reasoning_details", *_RARE})


class Choice:
    """The decoder of one choice.

    ``finish_reason`` is the last that came, or one after which calls may be cut; ``None`` before one.

    ``call_fragments`` is how many fragments of calls were in the item that came last.
    """

    def __init__(self, held: Held) -> None:
        self.finish_reason: str | None = None
        self.call_fragments = 0
        self._fields = ChangedFields(held)
        self._calls = Calls(held)
        self._next = 0
        self._open: str | None = None  # the field that the open block of text or thinking is of
        self._index = 0  # that block's index

    def receive(self, data: JSONObject) -> list[BlockEvent]:
        """The block events of one item of ``choices``.

        Raises ``ValueError`` for one that lacks the right types, ``LimitExceeded`` beyond
        ``max_held_bytes``.
        """
        delta = delta_of(data)
        self.call_fragments = 0
        events = [*self._reasoning(delta), *self._content(delta.get("content"))]
        # Most deltas have none of these, so that it is cheaper to ask for all of them at once.
        if not _RARE.isdisjoint(delta):
            events += self._rare(delta)
        events += self._items(data, delta)
        return events + self._facts(data, delta)

    def finish(self) -> list[BlockEvent]:
        """The stream has come to its end, and so has all that is open."""
        events = [*self._close(), *self._calls.flush(self._next)]
        return events if self.finish_reason in _CUTTING_REASONS else events + self._calls.stop()

    def cut(self) -> list[BlockEvent]:
        """The stream was cut: nothing is whole, but what was held is told."""
        return self._calls.flush(self._next)

    def _rare(self, delta: JSONObject) -> list[BlockEvent]:
        """What most deltas don't have."""
        events = self._grow("refusal", optional(delta, "refusal", str))
        for annotation in optional(delta, "annotations", list) or []:
            events += self._annotation(annotation)
        for call in optional(delta, "tool_calls", list) or []:
            events += self._call(call)
        function = optional(delta, "function_call", dict)
        if function is not None:
            # The form of a call before there were several: as one that no index of a call can be.
            events += self._call({"index": -1, "type": "function_call", "function": function})
        return events

    def _reasoning(self, delta: JSONObject) -> list[BlockEvent]:
        for name in REASONING:
            value = delta.get(name)
            if isinstance(value, str) and value:
                return self._grow(name, value)
        # Snowflake sends nothing but the details; OpenRouter sends their text twice.
        details = optional(delta, "reasoning_details", list)
        return self._grow("reasoning_details", "".join(map(_detail_text, details))) if details else []

    def _content(self, content: JSON) -> list[BlockEvent]:
        if content is None or isinstance(content, str):
            return self._grow("content", content)
        if not isinstance(content, list):
            raise ValueError("content is neither text nor a list")  # noqa: TRY004  (a peer's mistake)
        return [event for part in content for event in self._part(part)]

    def _part(self, part: JSON) -> list[BlockEvent]:
        """One item of a content that is a list, as Mistral sends it."""
        kind = required(part, "type", str) if isinstance(part, dict) else ""
        if not kind:
            raise ValueError("a part of the content has no type")
        text = _part_text(part, kind)
        if text is None:
            return [*self._close(), *self._whole(UnknownBlock(part))]
        field = "content" if kind == "text" else "thinking"
        events = self._grow(field, text)
        extra = rest(part, "type", kind)
        return [*events, e.FieldsDelta(self._index, extra)] if extra and self._open == field else events

    def _annotation(self, annotation: JSON) -> list[BlockEvent]:
        if not isinstance(annotation, dict):
            raise ValueError("an annotation is no object")  # noqa: TRY004  (a peer's mistake)
        # Its index is its place in the list, of which a message that is whole has no need.
        return [*self._turn_to("content"), e.CitationDelta(self._index, rest(annotation, "index"))]

    def _call(self, call: JSON) -> list[BlockEvent]:
        self.call_fragments += 1
        events = self._calls.receive(call, self._next)
        if not any(isinstance(event, e.BlockStart) for event in events):
            return events
        self._next += 1
        return [*self._close(), *events]

    def _items(self, data: JSONObject, delta: JSONObject) -> list[BlockEvent]:
        """What comes in lists that grow."""
        events: list[BlockEvent] = []
        details = optional(delta, "reasoning_details", list)
        if details:
            if self._open in {*REASONING, "reasoning_details"}:
                signatures = [item["signature"] for item in details if _is_signed(item)]
                events += [e.SignatureDelta(self._index, signature) for signature in signatures[-1:]]
            events.append(e.ItemsDelta(DETAILS, details))
        if isinstance(delta.get("audio"), dict):
            events.append(e.ItemsDelta(AUDIO, [delta["audio"]]))
        for name, items in (optional(data, "logprobs", dict) or {}).items():
            if isinstance(items, list) and items:
                events.append(e.ItemsDelta(f"{LOGPROBS}.{name}", items))
        return events

    def _facts(self, data: JSONObject, delta: JSONObject) -> list[BlockEvent]:
        """The finish reason and the fields that have no name here, where they are new."""
        fields = {CHOICE + name: value for name, value in data.items() if name not in _OF_CHOICE}
        for name, value in delta.items():
            # An empty text opens no block, but says that the field is a text and not null.
            is_empty_text = name in _TEXTS and value == ""
            if is_empty_text or (name not in _KNOWN and _is_fact(name, value)):
                fields[MESSAGE + name] = value
        if "logprobs" in data:
            fields[LOGPROBS] = _without_items(data["logprobs"])
        new = self._fields.changed(fields) if fields else fields
        reason = optional(data, "finish_reason", str) or None
        # A call that may be cut is not whole because another reason comes later.
        if reason == self.finish_reason or self.finish_reason in _CUTTING_REASONS:
            reason = None
        self.finish_reason = reason or self.finish_reason
        return [e.MessageDelta(reason, extra=new)] if reason or new else []

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
        events = self._close()
        self._open, self._index = field, self._next
        self._next += 1
        extra = {} if field == "content" else {"field": field}
        block = TextBlock(extra=extra) if field in _TEXTS else ThinkingBlock(extra=extra)
        return [*events, e.BlockStart(self._index, block)]

    def _close(self) -> list[BlockEvent]:
        if self._open is None:
            return []
        self._open = None
        return [e.BlockStop(self._index)]

    def _whole(self, block: UnknownBlock) -> list[BlockEvent]:
        index, self._next = self._next, self._next + 1
        return [e.BlockStart(index, block), e.BlockStop(index)]


#: Fields of a choice that are read elsewhere.  Writer sends each delta twice, as `message` too.
_OF_CHOICE = frozenset({"index", "delta", "message", "finish_reason", "logprobs", "usage"})


def delta_of(choice: JSONObject) -> JSONObject:
    """What a choice adds: its ``delta``, or all of its ``message`` where a host does not stream."""
    return optional(choice, "delta", dict) or optional(choice, "message", dict) or {}


def _is_fact(name: str, value: JSON) -> bool:
    """Whether a field says all of itself at once; reasoning and audio come in fragments."""
    if name == "audio":
        return not isinstance(value, dict)
    return name not in REASONING or not isinstance(value, str)


def _is_signed(item: JSON) -> bool:
    return isinstance(item, dict) and isinstance(item.get("signature"), str) and item["signature"] != ""


def _without_items(logprobs: JSON) -> JSON:
    """The lists are told of as they grow; what is left says which there are."""
    if not isinstance(logprobs, dict):
        return logprobs
    return {name: [] if isinstance(value, list) else value for name, value in logprobs.items()}


def _detail_text(item: JSON) -> str:
    names = {"reasoning.text": "text", "reasoning.summary": "summary"}
    if not isinstance(item, dict) or not isinstance(item.get("type"), str):
        return ""
    text = item.get(names.get(item["type"], ""))
    return text if isinstance(text, str) else ""


def _part_text(part: JSONObject, kind: str) -> str | None:
    """The text of a part; ``None`` where it is no text or holds more than that."""
    if kind == "text":
        return required(part, "text", str)
    inner = part.get("thinking") if kind == "thinking" else None
    if not isinstance(inner, list) or not all(_is_text(item) for item in inner):
        return None
    return "".join(item["text"] for item in inner)


def _is_text(item: JSON) -> bool:
    return isinstance(item, dict) and item.keys() == {"type", "text"} and isinstance(item["text"], str)
