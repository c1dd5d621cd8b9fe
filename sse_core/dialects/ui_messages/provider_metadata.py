"""What a browser keeps of a block for the provider: it comes back to the server with the conversation.

Without its signature, thinking can't be sent back to the provider.  The names are those that the
provider packages of ``ai`` read: https://ai-sdk.dev/providers/ai-sdk-providers/anthropic
"""

from __future__ import annotations

from collections.abc import Callable

from ...blocks.model import Block, RedactedThinkingBlock, TextBlock, ThinkingBlock, ToolUseBlock
from ...blocks.strict_json import JSON, JSONObject
from .words import is_own

FIELD = "providerMetadata"


def provider_metadata(dialect: str, block: Block) -> JSONObject:
    """The field ``providerMetadata`` of a block's last chunk: alone in an object, which is empty without."""
    if is_own(dialect):
        own = getattr(block, "extra", {}).get(FIELD)
        return {FIELD: own} if isinstance(own, dict) else {}
    if dialect not in _PROVIDERS:
        return {}
    provider, read = _PROVIDERS[dialect]
    fields = read(block)
    return {FIELD: {provider: fields}} if fields else {}


def _anthropic(block: Block) -> JSONObject:
    if isinstance(block, ThinkingBlock):
        return {"signature": block.signature} if block.signature else {}
    if isinstance(block, RedactedThinkingBlock):
        return {"redactedData": block.data}
    if isinstance(block, TextBlock):
        return {"citations": block.citations} if block.citations else {}
    return _anthropic_call(block.extra) if isinstance(block, ToolUseBlock) else {}


def _anthropic_call(extra: JSONObject) -> JSONObject:
    """Who calls: the model itself, or code that it runs on the provider's side."""
    caller: JSON = extra.get("caller")
    if not isinstance(caller, dict):
        return {}
    tool = {"toolId": caller["tool_id"]} if "tool_id" in caller else {}
    return {"caller": {"type": caller.get("type"), **tool}}


#: Dialect -> the name of its provider, and what it has to get back.
_PROVIDERS: dict[str, tuple[str, Callable[[Block], JSONObject]]] = {
    "anthropic": ("anthropic", _anthropic),
}
