"""Calls of tools in a UI message stream: their arguments come as text, then as a value.

The value counts.  It is compared with the text, so that the text stays as it came where both say the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...blocks import ToolUseBlock, strict_json
from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSON, JSONObject
from ..budget import Budget
from ..fields import optional, required, rest

#: Fields of a call's chunks that have a name in our model, or say nothing of the call itself.
_KNOWN = (
    "type",
    "toolCallId",
    "toolName",
    "input",
    "inputEncoding",
    "inputTextDelta",
    "providerExecuted",
    "errorText",
)


class _Call:
    """A call: its block's index, what came of its arguments, and how far it is."""

    __slots__ = ("by_provider", "fragments", "index", "is_open", "is_text", "whole")

    def __init__(self, index: int, *, is_text: bool, by_provider: bool) -> None:
        self.index = index
        self.by_provider = by_provider
        self.is_text = is_text
        self.fragments: list[str] = []
        self.whole = False  # its arguments are
        self.is_open = True  # its block is


class Calls:
    """The calls of one step, by their ids.

    ``earlier`` are ids of calls, and of questions whether they may be run, that came before the step.
    """

    def __init__(self, budget: Budget, earlier: Iterable[str]) -> None:
        self._budget = budget
        self._earlier = set(earlier)
        self._questions: dict[str, str] = {}  # an approval's ID -> the call that it is for
        self._last_question: dict[str, str] = {}  # a call -> the ID of its last approval request
        self._kept = 0
        self._calls: dict[str, _Call] = {}
        self._replaced: set[int] = set()  # the blocks of calls whose id another call has taken

    def start(self, chunk: JSONObject, index: int) -> ToolUseBlock:
        """The block, with this index, of a call that begins."""
        id_ = required(chunk, "toolCallId", str)
        by_provider = optional(chunk, "providerExecuted", bool) or False
        is_text = optional(chunk, "inputEncoding", str) == "text"
        self._keep(id_)
        before = self._calls.get(id_)
        if before is not None and before.is_open:
            # The browser's side has one call for each id: what began before is that call no more.
            self._replaced.add(before.index)
        self._calls[id_] = _Call(index, is_text=is_text, by_provider=by_provider)
        return ToolUseBlock(
            id_,
            required(chunk, "toolName", str),
            "server_tool_use" if by_provider else "tool_use",
            input_encoding="text" if is_text else "json",
            extra=rest(chunk, *_KNOWN),
        )

    def delta(self, chunk: JSONObject) -> list[BlockEvent]:
        """More of a call's arguments."""
        call = self._calls.get(required(chunk, "toolCallId", str))
        fragment = required(chunk, "inputTextDelta", str)
        if call is None or call.whole:
            raise ValueError("the call has not begun, or its arguments are whole")
        self._keep(fragment)
        call.fragments.append(fragment)
        return [e.ArgumentsDelta(call.index, fragment)]

    def knows(self, chunk: JSONObject) -> bool:
        """Whether the call of ``chunk`` has begun, in this step."""
        return required(chunk, "toolCallId", str) in self._calls

    def check_outcome(self, chunk: JSONObject) -> None:
        """Raise ``ValueError`` where a chunk says what became of a call that has never begun."""
        id_ = chunk["toolCallId"]
        if id_ not in self._calls and id_ not in self._earlier:
            raise ValueError(f"the call {id_!a:.100} has not begun")
        if chunk["type"] == "tool-approval-request":
            self._keep(chunk["approvalId"])
            self._questions[chunk["approvalId"]] = id_
            self._last_question[id_] = chunk["approvalId"]

    def check_answer(self, chunk: JSONObject) -> None:
        """Raise ``ValueError`` where a chunk answers a question about no call, or an outdated one."""
        question = chunk["approvalId"]
        call = self._questions.get(question)
        if question not in self._earlier and (call is None or self._last_question[call] != question):
            raise ValueError(f"the approval {question!a:.100} was not asked for")

    def available(self, chunk: JSONObject) -> list[BlockEvent]:
        """The value of a call's arguments."""
        call = self._calls[chunk["toolCallId"]]
        if not call.is_open:
            return []
        events: list[BlockEvent] = []
        if not call.whole and "input" in chunk:
            events = _value(call, chunk["input"])
        call.whole = True
        call.fragments.clear()
        # Which kind of part a call is was said at its start.
        fields = rest(chunk, *_KNOWN, "dynamic")
        return [*events, e.FieldsDelta(call.index, fields)] if fields else events

    def is_whole(self, id_: str) -> bool:
        """Whether the call with this id has its arguments."""
        return id_ in self._calls and self._calls[id_].whole

    def is_running(self, id_: str) -> bool:
        """Whether the provider runs the call with this id: nobody has to wait for the step to end."""
        return self._calls[id_].by_provider

    def close(self, id_: str) -> int | None:
        """Let a whole call's block end, and give its index; ``None`` if there is none to end."""
        call = self._calls.get(id_)
        if call is None or not call.whole or not call.is_open:
            return None
        call.is_open = False
        return call.index

    def unfinished(self) -> set[int]:
        """The indexes of calls whose arguments are not whole, or whose id another call has taken."""
        return self._replaced | {call.index for call in self._calls.values() if not call.whole}

    def finish_step(self) -> None:
        """The step is over: of its calls, only what became of them may still be reported."""
        ids = [*self._calls, *self._last_question.values()]
        self._earlier.update(ids)
        self.reset_step()
        self._budget.add(sum(map(len, ids)))

    def reset_step(self) -> None:
        """The step has not been."""
        self._calls.clear()
        self._replaced.clear()
        self._questions.clear()
        self._last_question.clear()
        self._budget.add(-self._kept)
        self._kept = 0

    def _keep(self, text: str) -> None:
        self._budget.add(len(text))
        self._kept += len(text)


def _value(call: _Call, value: JSON) -> list[BlockEvent]:
    """The text of the arguments, if it is not what came."""
    came = "".join(call.fragments)
    # A call with invalid arguments has their text in place of the value.
    if came == value or (not call.is_text and _says(came, value)):
        return []
    text = value if call.is_text and isinstance(value, str) else strict_json.dumps(value)
    return [e.TextReplaced(call.index, text) if came else e.ArgumentsDelta(call.index, text)]


def _says(text: str, value: JSON) -> bool:
    try:
        known = strict_json.loads(text) if text.strip(" \t\r\n") else {}
    except ValueError:
        return False
    # Python takes true for 1, and JSON does not.
    return strict_json.dumps(known) == strict_json.dumps(value)
