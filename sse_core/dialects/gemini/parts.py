"""Gemini's parts: blocks to the parts that they came as, and parts that have no block of their own.

Source: https://ai.google.dev/api/caching#Part
"""

from __future__ import annotations

from ...blocks import Block, ResultBlock, TextBlock, ThinkingBlock, ToolUseBlock, UnknownBlock
from ...blocks.strict_json import JSONObject
from ..fields import rest
from .calls import CALL, CALL_ID

#: Parts that say what the provider ran itself, and what came of it.
_RAN_BY_PROVIDER = frozenset({"executableCode", "codeExecutionResult", "toolCall", "toolResponse"})
#: Fields of a part that stand beside what it holds.
_BESIDE = frozenset({"thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata"})
#: The type of a block whose part can't be spread beside a ``type``: it stands in the field of this name.
_PART = "part"


def verbatim(part: JSONObject) -> ResultBlock | UnknownBlock:
    """The block that keeps a part as it came: its type is the name of what the part holds."""
    kind = next((name for name in part if name not in _BESIDE), None)
    if kind is None or "type" in part:
        return UnknownBlock({"type": _PART, _PART: part})
    data = {"type": kind, **part}
    return ResultBlock(data) if kind in _RAN_BY_PROVIDER else UnknownBlock(data)


def part_of(block: Block) -> JSONObject | None:
    """The part that a whole block is; ``None`` for what Gemini has no form for."""
    if isinstance(block, TextBlock):
        part = {"text": block.text, **extra_of(block)}
        return part if len(part) > 1 or block.text else None
    if isinstance(block, ThinkingBlock):
        extra = extra_of(block)
        part = {"text": block.thinking, "thought": True, **extra}
        return part if extra or block.thinking else None
    if isinstance(block, ToolUseBlock):
        return _call_part(block) if block.type == "tool_use" else None
    if isinstance(block, ResultBlock | UnknownBlock):
        part = block.data[_PART] if block.type == _PART else rest(block.data, "type")
        return part if isinstance(part, dict) and part else None
    return None


def extra_of(block: TextBlock | ThinkingBlock) -> JSONObject:
    """What stands beside the text of a block in its part."""
    signature = block.signature if isinstance(block, ThinkingBlock) else None
    signed = {} if signature is None else {"thoughtSignature": signature}
    return {**signed, **rest(block.extra, "field")}


def _call_part(tool: ToolUseBlock) -> JSONObject:
    args = whole_args(tool)
    if args is not None:
        # A call without arguments may have none, or an empty object.
        return _with_arguments(tool, {"args": args} if args or tool.raw_arguments else {})
    # What is not whole says so, in the protocol's own word, and can't be taken for what the model said.
    known = {"args": {"INVALID_JSON": tool.raw_arguments}} if tool.raw_arguments else {}
    return _with_arguments(tool, {**known, "willContinue": True})


def _with_arguments(tool: ToolUseBlock, arguments: JSONObject) -> JSONObject:
    """The part of a call; ``arguments`` are the fields that hold them."""
    id_ = tool.extra.get(CALL_ID, tool.id)
    call = {name.removeprefix(CALL): value for name, value in tool.extra.items() if name.startswith(CALL)}
    call |= {"name": tool.name, **arguments}
    call = rest(call, "id") | ({"id": id_} if id_ else {})
    beside = {name: value for name, value in tool.extra.items() if not name.startswith(CALL)}
    return {**beside, "functionCall": call}


def whole_args(tool: ToolUseBlock) -> JSONObject | None:
    """The arguments of a whole call as Gemini has them, an object; ``None`` where they are none."""
    if tool.state != "complete":
        return None
    if tool.input_encoding == "text":
        return {"input": tool.arguments}
    return tool.arguments if isinstance(tool.arguments, dict) else None
