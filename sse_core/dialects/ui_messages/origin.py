"""Where a message comes from: what the browser keeps for that provider.

It comes back to the server with the conversation; without its signature, for one, thinking can't be sent
back to the provider.  The names are those that the provider packages of ``ai`` read.

OpenAI's Responses tell of the items that blocks belong to in the message's extra fields.  There are
items of reasoning without any text: all that there is of them is what OpenAI has to get back.

Source: https://ai-sdk.dev/providers/ai-sdk-providers/anthropic and those of the other providers
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable

from ...blocks import strict_json
from ...blocks.model import Block, RedactedThinkingBlock, TextBlock, ThinkingBlock
from ...blocks.strict_json import JSONObject
from ..held import Held
from .chunk_types import is_field
from .words import is_own

FIELD = "providerMetadata"
#: What marks the items of OpenAI's Responses among a message's extra fields; their index follows.
_ITEM = "output."
_MAX_DIGITS = 10


class Origin:
    """The protocol that a message comes in, and what of it is needed later.  ``items`` are its items."""

    def __init__(self, dialect: str, held: Held) -> None:
        self.dialect = dialect
        self.items: dict[int, JSONObject] = {}
        self._held = held
        self._told: set[int] = set()  # items that have blocks
        self._reasoning: list[int] = []  # items of reasoning, the first of them first

    @property
    def is_own(self) -> bool:
        """Whether its blocks are in this protocol's words."""
        return is_own(self.dialect)

    @property
    def ends_late(self) -> bool:
        """Whether what has to come back of thinking is known only after the thinking has ended."""
        return self.dialect == "openai-responses"

    def note(self, extra: JSONObject) -> None:
        """Keep the items among the message's extra fields.

        Raises ``LimitExceeded`` (status 502) beyond the bound of what is held.
        """
        for name, value in extra.items() if self.ends_late else ():
            index = _index_in(name)
            if index is None or not isinstance(value, dict):
                continue
            self._held.add(len(strict_json.dumps(value)))
            item = self.items.setdefault(index, {})
            item.update(value)
            if item.get("type") == "reasoning" and index not in self._told:
                heapq.heappush(self._reasoning, index)

    def begin(self, block: Block) -> None:
        """A block begins: its item has one."""
        self._told.add(_item_index(block))

    def silent_reasoning(self, before: Block | None = None) -> list[JSONObject]:
        """The items of reasoning that have no block, each of them once; those before the item of a block."""
        end = _item_index(before) if before is not None else math.inf
        silent = []
        while self._reasoning and self._reasoning[0] < end:
            index = heapq.heappop(self._reasoning)
            if index not in self._told:
                self._told.add(index)
                silent.append(self.items[index])
        return silent

    def item_of(self, block: Block) -> JSONObject:
        """The item that a block belongs to."""
        return self.items.get(_item_index(block), {})

    def metadata(self, block: Block) -> JSONObject:
        """The field ``providerMetadata`` of a block's last chunk, in an object; an empty one without it."""
        if self.is_own:
            own = getattr(block, "extra", {}).get(FIELD)
            return {FIELD: own} if is_field(FIELD, own) else {}
        if self.dialect not in _PROVIDERS:
            return {}
        provider, read = _PROVIDERS[self.dialect]
        fields = read(block, self.item_of(block))
        return {FIELD: {provider: fields}} if fields else {}


def _index_in(name: str) -> int | None:
    """The index of the item that an extra field of this name is."""
    index = name.removeprefix(_ITEM)
    is_item = name.startswith(_ITEM) and index.isdecimal() and len(index) <= _MAX_DIGITS
    return int(index) if is_item else None


def _item_index(block: Block) -> int:
    index = getattr(block, "extra", {}).get("output_index")
    return index if type(index) is int else -1


def _anthropic(block: Block, _: JSONObject) -> JSONObject:
    if isinstance(block, ThinkingBlock):
        return {"signature": block.signature} if block.signature else {}
    if isinstance(block, RedactedThinkingBlock):
        return {"redactedData": block.data}
    if isinstance(block, TextBlock):
        return {"citations": block.citations} if block.citations else {}
    caller = getattr(block, "extra", {}).get("caller")  # the model itself, or code that it runs
    if not isinstance(caller, dict):
        return {}
    tool = {"toolId": caller["tool_id"]} if "tool_id" in caller else {}
    return {"caller": {"type": caller.get("type"), **tool}}


def reasoning_item(item: JSONObject) -> JSONObject:
    """What OpenAI has to get back of an item of reasoning."""
    fields: JSONObject = {
        "itemId": item.get("id"),
        "reasoningEncryptedContent": item.get("encrypted_content"),
    }
    return {FIELD: {"openai": fields}}


def _responses(block: Block, item: JSONObject) -> JSONObject:
    if not item:
        return {}
    if isinstance(block, ThinkingBlock):
        fields: JSONObject = reasoning_item(item)[FIELD]["openai"]
        return fields
    phase = {"phase": item["phase"]} if item.get("phase") is not None else {}
    cited = isinstance(block, TextBlock) and block.citations
    return {"itemId": item.get("id"), **phase, **({"annotations": cited} if cited else {})}


def _gemini(block: Block, _: JSONObject) -> JSONObject:
    signature = block.signature if isinstance(block, ThinkingBlock) else None
    signature = signature or getattr(block, "extra", {}).get("thoughtSignature")
    return {"thoughtSignature": signature} if isinstance(signature, str) and signature else {}


#: Dialect -> the name of its provider, and what it has to get back.
_PROVIDERS: dict[str, tuple[str, Callable[[Block, JSONObject], JSONObject]]] = {
    "anthropic": ("anthropic", _anthropic),
    "openai-responses": ("openai", _responses),
    "gemini": ("google", _gemini),
}
