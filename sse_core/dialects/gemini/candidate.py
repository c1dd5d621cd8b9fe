"""One candidate: its parts to block events.

Parts are appended.  Those of text that follow each other are one block while they are of one kind, thought
or not.  A part that says more than its text, a ``thoughtSignature`` above all, is a block of its own: the
signature is for the text that it came with, and has to go back with just that.

Source: https://ai.google.dev/gemini-api/docs/thought-signatures
"""

from __future__ import annotations

from ...blocks import TextBlock, ThinkingBlock
from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.stop_reasons import tools_may_run_after
from ...blocks.strict_json import JSON, JSONObject
from ..budget import Budget, ChangedFields
from ..fields import optional, rest, take
from .calls import Calls
from .parts import verbatim

#: What marks fields of the candidate and of its content among the message's extra fields.
CANDIDATE, CONTENT = "candidate.", "content."
#: Objects of the candidate whose lists grow: each response has the items that belong to its own parts.
GROWING = ("citationMetadata", "logprobsResult")
#: Fields that are read elsewhere.
_OF_CANDIDATE = ("content", "index", "finishReason")


class Candidate:
    """The decoder of one candidate; ``prefix`` begins the ids of calls that have none.

    ``finish_reason`` is the last that came, or one that lets no call run; ``None`` before one.
    """

    def __init__(self, budget: Budget, prefix: str) -> None:
        self.finish_reason: str | None = None
        self._prefix = prefix
        self._fields = ChangedFields(budget)
        self._calls = Calls(budget)
        self._next = 0
        self._open: type[TextBlock | ThinkingBlock] | None = None  # the kind of text that grows
        self._index = 0  # its block

    def receive(self, data: JSONObject) -> list[BlockEvent]:
        """The block events of one item of ``candidates``.

        Raises ``ValueError`` for one that lacks the right types, ``LimitExceeded`` beyond
        ``max_held_bytes``.
        """
        content = optional(data, "content", dict) or {}
        parts = optional(content, "parts", list) or []
        events = [event for part in parts for event in self._part(part)]
        for name in GROWING:
            events += _items(name, data.get(name))
        return events + self._facts(data, content)

    def finish(self) -> list[BlockEvent]:
        """The stream has come to its end, and so has the text.  A call that goes on has not."""
        return self._close()

    def _part(self, part: JSON) -> list[BlockEvent]:
        if not isinstance(part, dict):
            raise ValueError("a part is no object")  # noqa: TRY004  (a peer's mistake)
        call = optional(part, "functionCall", dict)
        if call is not None:
            return self._call(part, call)
        text = optional(part, "text", str)
        if text is not None:
            return self._text(part, text)
        # A part that holds nothing is none.
        return self._verbatim(part) if rest(part, "thought") else []

    def _text(self, part: JSONObject, text: str) -> list[BlockEvent]:
        kind = ThinkingBlock if optional(part, "thought", bool) else TextBlock
        extra = {name: value for name, value in rest(part, "text", "thought").items() if value is not None}
        if extra:
            return self._signed(kind, text, extra)
        return [*self._turn_to(kind), _delta(kind, self._index, text)] if text else []

    def _signed(
        self, kind: type[TextBlock | ThinkingBlock], text: str, extra: JSONObject
    ) -> list[BlockEvent]:
        """A text with more than itself: a block of its own, all of which is known when it begins."""
        before, index = self._close(), self._take()
        if kind is ThinkingBlock:
            signature = take(extra, "thoughtSignature", str, None)
            start = e.BlockStart(index, ThinkingBlock("", signature, extra))
        else:
            start = e.BlockStart(index, TextBlock(extra=extra))
        said = [_delta(kind, index, text)] if text else []
        return [*before, start, *said, e.BlockStop(index)]

    def _call(self, part: JSONObject, call: JSONObject) -> list[BlockEvent]:
        if optional(call, "name", str):
            return [*self._close(), *self._calls.begin(part, call, self._take(), self._prefix)]
        more = self._calls.go_on(part, call)
        if more is not None:
            return more
        # The end of a call that had ended is nothing; anything else may be.
        return self._verbatim(part) if call or len(part) > 1 else []

    def _verbatim(self, part: JSONObject) -> list[BlockEvent]:
        before, index = self._close(), self._take()
        return [*before, e.BlockStart(index, verbatim(part)), e.BlockStop(index)]

    def _facts(self, data: JSONObject, content: JSONObject) -> list[BlockEvent]:
        """The finish reason and the fields that have no name here, where they are new."""
        fields = {CANDIDATE + name: value for name, value in rest(data, *_OF_CANDIDATE).items()}
        fields |= {CONTENT + name: value for name, value in rest(content, "parts", "role").items()}
        for name in GROWING:
            if CANDIDATE + name in fields:
                fields[CANDIDATE + name] = _without_items(fields[CANDIDATE + name])
        new = self._fields.changed(fields)
        reason = optional(data, "finishReason", str) or None
        # After one that lets no call run, another can't.
        decided = self.finish_reason is not None and not tools_may_run_after(self.finish_reason)
        if reason == self.finish_reason or decided:
            reason = None
        self.finish_reason = reason or self.finish_reason
        return [e.MessageDelta(reason, extra=new)] if reason or new else []

    def _turn_to(self, kind: type[TextBlock | ThinkingBlock]) -> list[BlockEvent]:
        """Let a block of this kind be the open one."""
        if kind is self._open:
            return []
        before, self._index = self._close(), self._take()
        self._open = kind
        return [*before, e.BlockStart(self._index, kind())]

    def _close(self) -> list[BlockEvent]:
        if self._open is None:
            return []
        self._open = None
        return [e.BlockStop(self._index)]

    def _take(self) -> int:
        """The next block's index."""
        index, self._next = self._next, self._next + 1
        return index


def _delta(kind: type[TextBlock | ThinkingBlock], index: int, text: str) -> BlockEvent:
    return e.ThinkingDelta(index, text) if kind is ThinkingBlock else e.TextDelta(index, text)


def _items(name: str, value: JSON) -> list[BlockEvent]:
    """The items that the lists of an object grow by."""
    lists = value if isinstance(value, dict) else {}
    return [
        e.ItemsDelta(f"{CANDIDATE}{name}.{inner}", items)
        for inner, items in lists.items()
        if isinstance(items, list) and items
    ]


def _without_items(value: JSON) -> JSON:
    """The lists are reported as they grow; what is left says which there are."""
    if not isinstance(value, dict):
        return value
    return {name: [] if isinstance(inner, list) else inner for name, inner in value.items()}
