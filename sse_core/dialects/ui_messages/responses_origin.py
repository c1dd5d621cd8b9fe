"""The items of OpenAI's Responses as the npm package ``@ai-sdk/openai`` sends them.

The message's extra fields name the items that blocks belong to.  There are items of reasoning without any
text: all that there is of them is what OpenAI has to get back, and before the item that they led to.

Source: https://ai-sdk.dev/providers/ai-sdk-providers/openai and the package's ``doStream``
"""

from __future__ import annotations

import heapq
import math
import re
from collections import defaultdict, deque

from ...blocks import (
    Block,
    ResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    UnknownBlock,
    VerbatimBlock,
    strict_json,
)
from ...blocks.strict_json import JSONObject
from ..budget import Budget
from ..fields import text
from .openai_citation import source_id, source_of_citation
from .origin import FIELD, Origin
from .responses_items import CLIENT_ITEMS, ITEMS, NOTHING, Item, call_metadata, mcp_result
from .sources import citation_of, placed_citation

#: What marks the items among a message's extra fields; their index follows.
_ITEM = re.compile(r"output\.([0-9]{1,10})")

_WITH_TEXT = ("message", "reasoning")


class ResponsesOrigin(Origin):
    """A response."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(budget)
        self._items: dict[int, JSONObject] = {}
        self._free: dict[tuple[str, str | None], deque[int]] = defaultdict(deque)  # items without a block
        self._taken: set[int] = set()  # items that have one
        self._reasoning: list[int] = []  # items of reasoning, the first of them first
        self._searches: deque[str] = deque()  # searches for tools whose output is to come
        self._tools: dict[tuple[str, str], JSONObject] = {}  # the items of calls, by type and id
        self._found: set[str] = set()  # kinds of citations whose sources a tool has named

    def note(self, extra: JSONObject) -> None:
        """Keep the items among the message's extra fields."""
        for name, value in extra.items():
            place = _ITEM.fullmatch(name)
            if place is None or not isinstance(value, dict):
                continue
            self._budget.add(len(strict_json.dumps(value)))
            index = int(place[1])
            if index not in self._items:
                self._items[index] = {}
                self._expect(index, value)
            known = self._items[index]
            # Some hosts give an item another id with each event: the first is that of its text.
            first = {"id": known["id"]} if known.get("type") in _WITH_TEXT and "id" in known else {}
            known.update({**value, **first})

    def _expect(self, index: int, item: JSONObject) -> None:
        kind = text(item, "type", "")
        self._free[kind, text(item, "id", "")].append(index)
        self._free[kind, None].append(index)
        if kind == "reasoning":
            heapq.heappush(self._reasoning, index)

    def begin(self, block: Block) -> list[JSONObject]:
        """The items of reasoning without a text that come before the item of a block."""
        index = self._place(block)
        if not _is_hidden(block):
            self._taken.add(index)
        return self._silent(index)

    def finish(self) -> list[JSONObject]:
        """The items of reasoning without a text that are left."""
        return self._silent(math.inf)

    def _place(self, block: Block) -> int:
        """The index of the item that a block is of, or is."""
        if not isinstance(block, VerbatimBlock):
            index = getattr(block, "extra", {}).get("output_index")
            return index if type(index) is int else -1
        # A block that is an item says nothing of its place: it is the first of its kind that has no block.
        for key in ((block.type, text(block.data, "id", "")), (block.type, None)):
            free = self._free[key]
            while free:
                index = free.popleft()
                if index not in self._taken:
                    return index
        return -1

    def _silent(self, end: float) -> list[JSONObject]:
        chunks: list[JSONObject] = []
        while self._reasoning and self._reasoning[0] < end:
            index = heapq.heappop(self._reasoning)
            if index not in self._taken:
                self._taken.add(index)
                metadata = _reasoning(self._items[index])
                chunks += [{"type": "reasoning-start", **metadata}, {"type": "reasoning-end"}]
        return chunks

    def goes_on(self, text: Block, block: Block | None = None) -> bool:
        """Whether both are parts of one item's content: there, a message is one text.

        What has to come back of a text is known only when its item has ended, and so it may go on till then.
        """
        if block is None:
            return True
        both = isinstance(text, TextBlock) and isinstance(block, TextBlock)
        return both and -1 != self._place(text) == self._place(block)

    def metadata(self, block: Block) -> JSONObject:
        """The item's id, and what OpenAI has to get back of it."""
        item = self._items.get(self._place(block)) if not isinstance(block, VerbatimBlock) else None
        if not item or _is_hidden(block):
            return {}
        if isinstance(block, ThinkingBlock):
            return _reasoning(item)
        if isinstance(block, ToolUseBlock):
            # The item of an MCP server's call comes with its result: with both, it would go back twice.
            return {} if block.type == "mcp_tool_use" else call_metadata(item)
        phase = {"phase": item["phase"]} if item.get("phase") is not None else {}
        cited = {"annotations": block.citations} if isinstance(block, TextBlock) and block.citations else {}
        return {FIELD: {"openai": {"itemId": item.get("id"), **phase, **cited}}}

    def item(self, block: ToolUseBlock) -> UnknownBlock | None:
        """The item that a call of one of OpenAI's own tools is: it is among the message's extra fields."""
        item = self._items.get(self._place(block), {})
        kind = text(block.extra, "field", "")
        if block.type != "tool_use" or kind not in CLIENT_ITEMS or kind != item.get("type"):
            return None
        self._tools[kind, block.id] = item
        return UnknownBlock(item)

    def call_name(self, block: ToolUseBlock) -> str:
        """The name of the tool, which for an MCP server's has a prefix."""
        return f"mcp.{block.name}" if block.type == "mcp_tool_use" else block.name

    def call_fields(self, block: ToolUseBlock) -> JSONObject:
        """The tools of an MCP server are not known before."""
        return {"dynamic": True} if block.type == "mcp_tool_use" else {}

    def outcome(self, block: ToolUseBlock) -> list[JSONObject]:
        """What an MCP server's tool gave."""
        item = self._items.get(self._place(block), {})
        return mcp_result(block, item) if block.type == "mcp_tool_use" else []

    def start(self, block: ResultBlock | UnknownBlock) -> list[JSONObject]:
        """The call that an item is."""
        item, data = self._item_of(block)
        return item.start(data)

    def whole(self, block: ResultBlock | UnknownBlock) -> list[JSONObject]:
        """The arguments of the call, and its output where OpenAI has run it."""
        item, data = self._item_of(block)
        return [*item.whole(self._with_call(data)), *self._sources_of(item, data)]

    def _item_of(self, block: ResultBlock | UnknownBlock) -> tuple[Item, JSONObject]:
        """How an item is sent, and what it is now."""
        tool = self._tools.get((block.type, text(block.data, "call_id", "")))
        if tool is not None:
            return CLIENT_ITEMS[block.type], tool
        return ITEMS.get(block.type, NOTHING), block.data

    def _with_call(self, data: JSONObject) -> JSONObject:
        """The item, with the id of the call that it belongs to where only its place says so.

        A search for tools that OpenAI runs has no ``call_id``, nor has its output: the first output is that
        of the first search.
        """
        if data["type"] == "tool_search_call" and data.get("call_id") is None:
            self._searches.append(text(data, "id", ""))
        if data["type"] == "tool_search_output" and data.get("call_id") is None and self._searches:
            return {**data, "call_id": self._searches.popleft()}
        return data

    def _sources_of(self, item: Item, data: JSONObject) -> list[JSONObject]:
        chunks: list[JSONObject] = []
        for source in item.sources(data):
            self._found.add("url_citation" if "url" in source else "file_citation")
            chunks += self._sources.new(source, source_id(source))
        return chunks

    def cited(self, citation: JSONObject) -> list[JSONObject]:
        """The source, unless a search has already named its sources."""
        source = source_of_citation(citation)
        if source is None or text(citation, "type", "") in self._found:
            return []
        return self._sources.new(source, source_id(source))

    def citation(self, citation: JSONObject) -> JSONObject | None:
        """The citation of an address or of a file."""
        source = source_of_citation(citation)
        if source is None or "url" in source:
            return citation_of(citation)
        if citation.get("type") == "file_path":
            return None
        named = {"type": "source", "sourceType": "document", "id": citation["file_id"], **source}
        return placed_citation(citation, named)


def _reasoning(item: JSONObject) -> JSONObject:
    """What OpenAI has to get back of an item of reasoning."""
    encrypted = item.get("encrypted_content")
    return {FIELD: {"openai": {"itemId": item.get("id"), "reasoningEncryptedContent": encrypted}}}


def _is_hidden(block: Block) -> bool:
    """Whether a block is reasoning as such, which the package drops: it does not go back as a summary."""
    return isinstance(block, ThinkingBlock) and block.extra.get("field") == "reasoning_text"
