"""Anthropic's content blocks, both ways.

Source: https://docs.claude.com/en/api/messages
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast, get_args

from ...blocks import (
    Block,
    RedactedThinkingBlock,
    ResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolType,
    ToolUseBlock,
    UnknownBlock,
)
from ...blocks.strict_json import JSON, JSONObject
from ..fields import optional, required, rest


def read_block(data: JSON) -> Block:
    """The block that a ``content_block`` is.  Raises ``ValueError`` for one that lacks something."""
    if not isinstance(data, dict):
        raise ValueError("a content block is no object")  # noqa: TRY004  (a peer's mistake)
    kind = required(data, "type", str)
    read = _READERS.get(kind)
    if read is not None:
        return read(data)
    return ResultBlock(data) if kind.endswith("_tool_result") else UnknownBlock(data)


def _read_text(data: JSONObject) -> Block:
    citations = optional(data, "citations", list)
    if not all(isinstance(citation, dict) for citation in citations or []):
        raise ValueError("a citation is no object")
    extra = rest(data, "type", "text", "citations")
    return TextBlock(optional(data, "text", str) or "", citations, extra)


def _read_thinking(data: JSONObject) -> Block:
    extra = rest(data, "type", "thinking", "signature")
    return ThinkingBlock(optional(data, "thinking", str) or "", optional(data, "signature", str), extra)


def _read_redacted_thinking(data: JSONObject) -> Block:
    return RedactedThinkingBlock(required(data, "data", str), rest(data, "type", "data"))


def _read_tool(data: JSONObject) -> Block:
    return ToolUseBlock(
        required(data, "id", str),
        required(data, "name", str),
        cast(ToolType, data["type"]),
        start_input=data.get("input"),
        extra=rest(data, "type", "id", "name", "input"),
    )


_READERS: dict[str, Callable[[JSONObject], Block]] = {
    "text": _read_text,
    "thinking": _read_thinking,
    "redacted_thinking": _read_redacted_thinking,
    **dict.fromkeys(get_args(ToolType), _read_tool),
}


def write_block(block: Block) -> JSONObject:
    """The ``content_block`` that a block begins with."""
    return _WRITERS[type(block)](block)


def write_whole_block(block: Block) -> JSONObject:
    """The block as it stands in a response object."""
    data = write_block(block)
    if isinstance(block, ToolUseBlock):
        data["input"] = _input(block)
    return data


def _input(tool: ToolUseBlock) -> JSON:
    if tool.state == "complete":
        return tool.arguments
    # https://docs.claude.com/en/docs/agents-and-tools/tool-use/fine-grained-tool-streaming: invalid
    # JSON that has to go back to the model is wrapped in an object.  So it does here: neither half
    # an input nor an empty one may be taken for what the model said.
    return {"INVALID_JSON": tool.raw_arguments} if tool.raw_arguments else tool.start_input


def _write_text(block: TextBlock) -> JSONObject:
    citations = {} if block.citations is None else {"citations": block.citations}
    return {"type": "text", "text": block.text, **citations, **block.extra}


def _write_thinking(block: ThinkingBlock) -> JSONObject:
    signature = {} if block.signature is None else {"signature": block.signature}
    return {"type": "thinking", "thinking": block.thinking, **signature, **block.extra}


def _write_redacted_thinking(block: RedactedThinkingBlock) -> JSONObject:
    return {"type": "redacted_thinking", "data": block.data, **block.extra}


def _write_tool(block: ToolUseBlock) -> JSONObject:
    return {
        "type": block.type,
        "id": block.id,
        "name": block.name,
        "input": block.start_input,
        **block.extra,
    }


def _write_verbatim(block: ResultBlock | UnknownBlock) -> JSONObject:
    return dict(block.data)


_WRITERS: dict[type[Block], Callable[[Any], JSONObject]] = {
    TextBlock: _write_text,
    ThinkingBlock: _write_thinking,
    RedactedThinkingBlock: _write_redacted_thinking,
    ToolUseBlock: _write_tool,
    ResultBlock: _write_verbatim,
    UnknownBlock: _write_verbatim,
}
