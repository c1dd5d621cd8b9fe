"""Anthropic's blocks as the npm package ``@ai-sdk/anthropic`` sends them.

Source: https://ai-sdk.dev/providers/ai-sdk-providers/anthropic and the package's ``doStream``
"""

from __future__ import annotations

from collections.abc import Callable

from ...blocks import (
    Block,
    RedactedThinkingBlock,
    ResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    UnknownBlock,
)
from ...blocks.strict_json import JSON, JSONObject
from ..budget import Budget
from ..fields import text
from .camel_case import in_camel_case
from .chunk_types import CALL
from .origin import FIELD, Origin, failure, is_error, output
from .sources import citation_of, source_of

_CODE, _SEARCH = "code_execution", "web_search_tool_result"
#: Tools that run code have one name there, and the kind of call is the input's ``type``.
_CODE_TYPES = {
    "code_execution": "programmatic-tool-call",
    "bash_code_execution": "bash_code_execution",
    "text_editor_code_execution": "text_editor_code_execution",
}


def _references(content: JSON) -> JSON:
    """The tools that a search found."""
    found = content.get("tool_references") if isinstance(content, dict) else None
    return found if isinstance(found, list) else []


def _with_files(content: JSON) -> JSON:
    """The output of code, which has a list of files always."""
    if not isinstance(content, dict):
        return content
    return {**content, "content": content["content"] if content.get("content") is not None else []}


#: What the output of each kind of result is; of any other, its content as it is.
_OUTPUTS: dict[str, Callable[[JSON], JSON]] = {
    _SEARCH: in_camel_case,
    "web_fetch_tool_result": in_camel_case,
    "advisor_tool_result": in_camel_case,
    "tool_search_tool_result": lambda content: in_camel_case(_references(content)),
    "code_execution_tool_result": _with_files,
}
#: Results whose errors are outputs there.
_NEVER_FAIL = frozenset({"bash_code_execution_tool_result", "text_editor_code_execution_tool_result"})
#: Results that say who called.
_HAVE_CALLER = frozenset({_SEARCH, "web_fetch_tool_result"})


class AnthropicOrigin(Origin):
    """A message of Anthropic's Messages API."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(budget)
        self._servers: dict[str, JSONObject] = {}  # a call of an MCP server -> what it came with
        self._searched = False  # the pages that were found are sources, so what is cited of them is none

    def metadata(self, block: Block) -> JSONObject:
        """Signature, redacted thinking, citations, the caller of a tool."""
        if isinstance(block, ThinkingBlock):
            return _metadata({"signature": block.signature} if block.signature else {})
        if isinstance(block, RedactedThinkingBlock):
            return _metadata({"redactedData": block.data})
        if isinstance(block, TextBlock):
            return _metadata({"citations": block.citations} if block.citations else {})
        return self._of_call(block) if isinstance(block, ToolUseBlock) else {}

    def _of_call(self, block: ToolUseBlock) -> JSONObject:
        if block.type == "mcp_tool_use":
            server = {"serverName": block.extra["server_name"]} if "server_name" in block.extra else {}
            return _metadata({"type": "mcp-tool-use", **server})
        toolset = {"toolsetName": _toolset(block)} if _toolset(block) else {}
        return _metadata({**toolset, **_caller(block.extra)})

    def begin(self, block: Block) -> list[JSONObject]:
        """Nothing; the server of a call is kept for its result."""
        if isinstance(block, ToolUseBlock) and block.type == "mcp_tool_use":
            self._budget.add(len(block.id))
            self._servers[block.id] = self._of_call(block)
        return []

    def call_name(self, block: ToolUseBlock) -> str:
        """The name of the tool: that of the toolset, and one for all that run code."""
        if _runs_code(block):
            return _CODE
        return _toolset(block) or block.name

    def call_fields(self, block: ToolUseBlock) -> JSONObject:
        """The tools of an MCP server are not known before."""
        return {"dynamic": True} if block.type == "mcp_tool_use" else {}

    def call_opening(self, block: ToolUseBlock) -> str:
        """The kind of call, where the name does not say it."""
        return f'"type":"{_CODE_TYPES[block.name]}"' if _runs_code(block) else ""

    def call_input(self, block: ToolUseBlock, value: JSON) -> JSON:
        """The arguments, with the kind of call where the name does not say it."""
        if not isinstance(value, dict):
            return value
        if _runs_code(block):
            return {"type": _CODE_TYPES[block.name], **value}
        return {**value, "action": block.name} if _toolset(block) else value

    def whole(self, block: ResultBlock | UnknownBlock) -> list[JSONObject]:
        """The output of a tool, a fallback, a compaction."""
        if isinstance(block, ResultBlock):
            return self._result(block.data)
        write = _UNKNOWN.get(block.type)
        return [] if write is None else write(block.data)

    def _result(self, data: JSONObject) -> list[JSONObject]:
        id_, content, kind = data.get(CALL), data.get("content"), data["type"]
        if not isinstance(id_, str):
            return []
        metadata = self._servers.get(id_, _metadata(_caller(data)) if kind in _HAVE_CALLER else {})
        if is_error(content) and kind not in _NEVER_FAIL:
            return [failure(id_, in_camel_case(content), metadata)]
        if data.get("is_error") is True:
            return [failure(id_, content, metadata)]
        value = _OUTPUTS.get(kind, lambda content: content)(content)
        found = content if kind == _SEARCH and isinstance(content, list) else []
        return [output(id_, value, metadata), *(source for page in found for source in self._found(page))]

    def _found(self, page: JSON) -> list[JSONObject]:
        source = source_of(page)
        if source is None:
            return []
        self._searched = True
        return self._sources.new({**source, **_metadata({"pageAge": page.get("page_age")})})

    def cited(self, citation: JSONObject) -> list[JSONObject]:
        """The source, unless a search has already named its sources."""
        return [] if self._searched else super().cited(citation)

    def citation(self, citation: JSONObject) -> JSONObject | None:
        """The citation of a page or of a result that the request brought, whose address is its source."""
        metadata = {"anthropic": citation}
        if citation.get("type") == "search_result_location":
            return citation_of({**citation, "url": citation.get("source")}, metadata)
        return citation_of(citation, metadata)


def _metadata(fields: JSONObject) -> JSONObject:
    return {FIELD: {"anthropic": fields}} if fields else {}


def _caller(data: JSONObject) -> JSONObject:
    """Who calls a tool: the model itself, or code that it runs."""
    caller = data.get("caller")
    if not isinstance(caller, dict):
        return {}
    tool = {"toolId": caller["tool_id"]} if "tool_id" in caller else {}
    return {"caller": {"type": caller.get("type"), **tool}}


def _runs_code(block: ToolUseBlock) -> bool:
    return block.type == "server_tool_use" and block.name in _CODE_TYPES


def _toolset(block: ToolUseBlock) -> str:
    return text(block.extra, "toolset_name", "") if block.type == "tool_use" else ""


def _fallback(data: JSONObject) -> list[JSONObject]:
    fields: JSONObject = {name: data[name] for name in ("from", "to") if name in data}
    return [{"type": "custom", "kind": "anthropic.fallback", **_metadata({"type": "fallback", **fields})}]


def _compaction(data: JSONObject) -> list[JSONObject]:
    """What stands for the conversation before it is a text."""
    summary = text(data, "content", "")
    signature = {"signature": data["signature"]} if data.get("signature") is not None else {}
    start = {"type": "text-start", **_metadata({"type": "compaction", **signature})}
    said = [{"type": "text-delta", "delta": summary}] if summary else []
    return [start, *said, {"type": "text-end"}]


_UNKNOWN: dict[str, Callable[[JSONObject], list[JSONObject]]] = {
    "fallback": _fallback,
    "compaction": _compaction,
}
