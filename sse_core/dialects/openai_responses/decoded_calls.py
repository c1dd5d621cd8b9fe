"""The calls among the items of a response, as blocks: how they begin, grow and end.

A call's arguments are whole with its item.  Some hosts send an item twice, first without its arguments: so
where the end of a function's call says nothing that can be run, the call stays open, and ends with the
response.

An item that calls one of OpenAI's own tools has its arguments in fields.  If the client is to run it, it
is a call like any other.  Of some only the response's end says who runs them: they wait, and are the
provider's if their output comes.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...blocks import ToolUseBlock, strict_json
from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSONObject
from ..budget import Budget
from ..fields import rest, text
from .client_calls import arguments_of, runner_of, tool_name
from .decoded_item import DecodedItem
from .decoded_part import DecodedPart
from .part_forms import CALLS, FIELD, text_of


class DecodedCalls:
    """The calls of a response.  ``blocks`` gives each block its index."""

    def __init__(self, budget: Budget, blocks: Iterator[int]) -> None:
        self._budget = budget
        self._blocks = blocks
        self._due: dict[int, DecodedPart] = {}  # those that were reported as whole, and may come again
        # By the call_id: those of which it is not known who runs them, as they are now, and whether whole.
        self._unclaimed: dict[str, tuple[DecodedItem, JSONObject, bool]] = {}
        self._answered: set[str] = set()

    def is_due(self, item: DecodedItem) -> bool:
        """Whether a call was reported as whole and is still open."""
        return item.index in self._due

    def grow(self, item: DecodedItem | None, fragment: str) -> list[BlockEvent] | None:
        """More arguments; ``None`` after their end.

        A call that was not announced has no name: it begins with its end, which says everything.
        """
        if item is None or item.call is None:
            return []
        if not item.call.is_open:
            return None
        return item.call.grow(fragment)

    def become(self, item: DecodedItem | None, arguments: str | None) -> list[BlockEvent]:
        """The arguments are these."""
        call = None if item is None else item.call
        return [] if call is None or arguments is None or not call.is_open else call.become(arguments)

    def take(self, item: DecodedItem, data: JSONObject, *, whole: bool) -> list[BlockEvent] | None:
        """What ``data``, a call with arguments as it is now, says that is new.

        ``None`` for one that nobody could run or answer.
        """
        name, id_ = text(data, "name", ""), text(data, "id" if item.type == "mcp_call" else "call_id", "")
        is_complete = whole and data.get("status") != "incomplete"
        if is_complete and not id_:
            id_ = text(data, "id", "")  # a host that has no call_id takes the item's id for it
        if item.call is None and whole and not (name and id_):
            return None
        events = item.update(rest(data, CALLS[item.type]))
        if item.call is None:
            if not (name and id_):
                return events
            block = ToolUseBlock(
                id_,
                name,
                "mcp_tool_use" if item.type == "mcp_call" else "tool_use",
                input_encoding="text" if item.type == "custom_tool_call" else "json",
            )
            events += self._begin(item, block)
        call, arguments = item.call, text_of(data.get(CALLS[item.type]))
        if call is None or not call.is_open:
            return events
        if is_complete:
            return events + self._end(item, call, arguments)
        # One that was cut is never whole, though the protocol ends it.
        return events + (call.become(arguments) if arguments or (whole and arguments is not None) else [])

    def _begin(self, item: DecodedItem, block: ToolUseBlock) -> list[BlockEvent]:
        block.extra["output_index"] = item.index
        item.call = DecodedPart(next(self._blocks), None, self._budget)
        return [e.BlockStart(item.call.index, block)]

    def _end(self, item: DecodedItem, call: DecodedPart, arguments: str | None) -> list[BlockEvent]:
        self._due.pop(item.index, None)
        if item.type != "function_call" or arguments is None or _is_json(arguments):
            return self.become(item, arguments) + call.stop()
        if strict_json.is_blank(arguments):
            arguments = None  # takes nothing back
            if call.has_text:
                return call.stop()
        self._due[item.index] = call
        return self.become(item, arguments)

    def take_tool(self, item: DecodedItem, data: JSONObject, *, whole: bool) -> list[BlockEvent] | None:
        """What ``data``, a call of one of OpenAI's own tools, says that is new.

        ``None`` for one that the client does not run.
        """
        runner = "provider" if item.call_id in self._answered else runner_of(data)
        self._claim(item.call_id)
        if item.call is None and (runner == "provider" or (whole and not item.call_id)):
            return None
        events = item.update(data)
        if item.call is None and runner == "unknown" and item.call_id:
            self._budget.add(len(strict_json.dumps(data)))
            self._unclaimed[item.call_id] = (item, data, whole)
            return events
        return events + self._run(item, data, whole=whole)

    def _run(self, item: DecodedItem, data: JSONObject, *, whole: bool) -> list[BlockEvent]:
        """It is the client's."""
        if not item.call_id:
            return []
        events: list[BlockEvent] = []
        if item.call is None:
            block = ToolUseBlock(item.call_id, tool_name(item.type), extra={FIELD: item.type})
            events = self._begin(item, block)
        call = item.call
        if call is not None and call.is_open and whole and data.get("status") != "incomplete":
            events += call.become(arguments_of(data)) + call.stop()
        return events

    def answer(self, call_id: str) -> tuple[DecodedItem, JSONObject, bool] | None:
        """The output of a call has come: the call that waited for it, as :meth:`take_tool` got it."""
        if call_id and call_id not in self._answered:
            self._budget.add(len(call_id))
            self._answered.add(call_id)
        return self._claim(call_id)

    def _claim(self, call_id: str) -> tuple[DecodedItem, JSONObject, bool] | None:
        unclaimed = self._unclaimed.pop(call_id, None)
        if unclaimed is not None:
            self._budget.add(-len(strict_json.dumps(unclaimed[1])))
        return unclaimed

    def end(self) -> list[BlockEvent]:
        """The response has ended: what is due ends with it."""
        events: list[BlockEvent] = []
        for call in self._due.values():
            events += call.stop()
        for item, data, whole in self._unclaimed.values():
            events += self._run(item, data, whole=whole)
        return events

    def cut(self) -> list[BlockEvent]:
        """The stream has ended, and the response had not: nothing of it is whole."""
        return [
            event
            for item, data, _ in self._unclaimed.values()
            for event in self._run(item, data, whole=False)
        ]


def _is_json(arguments: str) -> bool:
    try:
        strict_json.loads(arguments)
    except ValueError:
        return False
    return True
