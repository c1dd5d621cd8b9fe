"""Where a message comes from: how its blocks are sent, and what of them has to come back.

What a page sends back with the conversation is what it has received: without its signature, for one, thinking
can't be sent back to the provider, and a tool under another name than the provider's package of ``ai`` gives
it is dropped from the next request, with its result.  So each provider has an origin of its own, which sends
its blocks as that package does.

Source: https://ai-sdk.dev/providers/ai-sdk-providers/anthropic and those of the other providers
"""

from __future__ import annotations

from typing import ClassVar

from ...blocks import (
    Block,
    ResultBlock,
    ToolUseBlock,
    UnknownBlock,
    strict_json,
)
from ...blocks.strict_json import JSON, JSONObject
from ..budget import Budget
from .chunk_types import CALL, is_field, is_part, output_of
from .sources import Sources, citation_of, is_citation, source_of

FIELD = "providerMetadata"
#: Fields of a call in this protocol that have no name in ours.
_OF_CALL = ("dynamic", "title", "toolMetadata")


class Origin:
    """A protocol of which nothing has to come back."""

    is_own: ClassVar[bool] = False

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._sources = Sources(budget)

    def note(self, extra: JSONObject) -> None:
        """Keep what extra fields of the message say of its blocks.

        Raises ``LimitExceeded`` (status 502) beyond the bound of what is kept.
        """

    def begin(self, block: Block) -> list[JSONObject]:
        """The chunks of what comes before a block that begins now."""
        return []

    def finish(self) -> list[JSONObject]:
        """The chunks of what is still to be sent at the message's end."""
        return []

    def goes_on(self, text: Block, block: Block | None = None) -> bool:
        """Whether a text whose block has ended goes on with ``block``; without one, whether it may go on."""
        return False

    def metadata(self, block: Block) -> JSONObject:
        """The field ``providerMetadata`` of a block's chunks, in an object; an empty one without it."""
        return {}

    def call_name(self, block: ToolUseBlock) -> str:
        """The tool's name."""
        return block.name

    def call_fields(self, block: ToolUseBlock) -> JSONObject:
        """What else a call's chunks have."""
        return {}

    def call_opening(self, block: ToolUseBlock) -> str:
        """A field that comes before the others in the text of a call's arguments, as JSON."""
        return ""

    def call_input(self, block: ToolUseBlock, value: JSON) -> JSON:
        """The value of a call's arguments as the browser's side has it."""
        return value

    def outcome(self, block: ToolUseBlock) -> list[JSONObject]:
        """The chunks of what became of a call, where the block of the call says so itself."""
        return []

    def item(self, block: ToolUseBlock) -> UnknownBlock | None:
        """The item that a call is, where it is sent as one."""
        return None

    def start(self, block: ResultBlock | UnknownBlock) -> list[JSONObject]:
        """The chunks of a block that is kept verbatim, as far as they are known at its beginning."""
        return []

    def whole(self, block: ResultBlock | UnknownBlock) -> list[JSONObject]:
        """The further chunks of that block, which is whole now."""
        return _result(block.data) if isinstance(block, ResultBlock) else []

    def cited(self, citation: JSONObject) -> list[JSONObject]:
        """The chunks of the source that a text cites, if it is new."""
        return self._sources.new(source_of(citation))

    def citation(self, citation: JSONObject) -> JSONObject | None:
        """A citation as the end of its text has it; ``None`` for what has no form there."""
        return citation_of(citation)

    def items(self, name: str, items: list[JSON]) -> None:
        """A list among the message's extra fields has these items more."""


class OwnOrigin(Origin):
    """A message in this protocol's own words, or one that says nothing of its protocol."""

    is_own = True

    def metadata(self, block: Block) -> JSONObject:
        """What it came with."""
        own = getattr(block, "extra", {}).get(FIELD)
        return {FIELD: own} if is_field(FIELD, own) else {}

    def call_fields(self, block: ToolUseBlock) -> JSONObject:
        """Those that a browser takes."""
        extra = block.extra
        return {name: extra[name] for name in _OF_CALL if name in extra and is_field(name, extra[name])}

    def whole(self, block: ResultBlock | UnknownBlock) -> list[JSONObject]:
        """The chunk that it holds."""
        if isinstance(block, UnknownBlock):
            return [dict(block.data)] if is_part(block.data) else []
        own = output_of(block.data)
        return [own] if own is not None else _result(block.data)

    def cited(self, citation: JSONObject) -> list[JSONObject]:
        """Nothing: its sources are parts of their own."""
        return []

    def citation(self, citation: JSONObject) -> JSONObject | None:
        """It as it is, where a browser takes it."""
        return citation if is_citation(citation) else None


def call(id_: str, name: str, input_: JSON, **fields: JSON) -> JSONObject:
    """The chunk of a call whose arguments are known."""
    return {
        "type": "tool-input-available",
        "toolCallId": id_,
        "toolName": name,
        "input": input_,
        **fields,
    }


def call_start(id_: str, name: str, **fields: JSON) -> JSONObject:
    """The chunk of a call that begins."""
    return {"type": "tool-input-start", "toolCallId": id_, "toolName": name, **fields}


def output(id_: str, value: JSON, metadata: JSONObject | None = None) -> JSONObject:
    """The chunk of what a tool gave that the provider ran."""
    chunk = {"type": "tool-output-available", "toolCallId": id_, "output": value}
    return {**chunk, "providerExecuted": True, **(metadata or {})}


def failure(id_: str, error: JSON, metadata: JSONObject | None = None) -> JSONObject:
    """The chunk of how a tool failed that the provider ran."""
    message = error if isinstance(error, str) else strict_json.dumps(error)
    chunk = {"type": "tool-output-error", "toolCallId": id_, "errorText": message}
    return {**chunk, "providerExecuted": True, **(metadata or {})}


def is_error(content: JSON) -> bool:
    """Whether the content of a result is an error, as ``web_search_tool_result_error`` is."""
    kind = content.get("type") if isinstance(content, dict) else None
    return isinstance(kind, str) and kind.endswith("_error")


def _result(data: JSONObject) -> list[JSONObject]:
    """A result as Anthropic has it, from nobody knows where."""
    id_, content = data.get(CALL), data.get("content")
    if not isinstance(id_, str):
        return []
    failed = data.get("is_error") is True or is_error(content)
    return [failure(id_, content) if failed else output(id_, content)]
