"""A message to the ``chat.completion`` object that OpenAI sends where it does not stream.

Source: https://platform.openai.com/docs/api-reference/chat/object
"""

from __future__ import annotations

from typing import Any

from ...blocks import Block, Message, TextBlock, ThinkingBlock, ToolUseBlock, UnknownBlock, strict_json
from ...blocks.strict_json import JSON, JSONObject
from ..portable_block import NATIVE_REASON, client_calls, is_translated, portable_message
from .choice import ALL_DETAILS, AUDIO, CHOICE, LOGPROBS, MESSAGE
from .parts import REASONING_PART, THINKING, whole_part
from .reasoning import DETAILS, REASONING
from .vocabulary import NAME, finish_reason, native_reason, usage

#: Fields of a detail of reasoning that are fragments of one text; all others are assigned.
_TEXTS_OF_DETAILS = ("text", "summary", "data")
#: Thinking that came as a part of the content.
_OF_PARTS = frozenset({THINKING, REASONING_PART})


def to_response(message: Message) -> JSONObject:
    """The response object that the provider would have sent without streaming, with all choices.

    Arguments that are not whole stand in it as the text that came of them.  Fields that the
    provider did not send are not made up, but for ``content``, ``refusal`` and ``finish_reason``,
    which OpenAI's own answers always have.  A message that came in another protocol is put in OpenAI's
    terms, with its own stop reason as ``native_finish_reason``.
    """
    if is_translated(message.dialect, NAME):
        message = _translated(message)
    answers = {0: message, **message.alternatives}
    beside = (CHOICE, MESSAGE)
    response: JSONObject = {
        "id": message.id,
        "object": "chat.completion",
        "model": message.model,
        "choices": [_choice(index, answers[index]) for index in sorted(answers)],
    }
    figures = dict(message.usage) if message.dialect == NAME else usage(message.usage)
    if figures:
        response["usage"] = figures
    extra = {name: value for name, value in message.extra.items() if not name.startswith(beside)}
    return {**extra, **response}


def _translated(message: Message) -> Message:
    """A message of another protocol with what OpenAI has a form for."""
    plain = portable_message(message)
    for answer in (plain, *plain.alternatives.values()):
        native = native_reason(answer.stop_reason, cut_call=client_calls(answer)[1])
        answer.extra = {} if native is None else {NATIVE_REASON: native}
    return plain


def _choice(index: int, message: Message) -> JSONObject:
    reason = message.stop_reason
    if message.dialect != NAME:
        calls, cut_call = client_calls(message)
        reason = finish_reason(reason, calls=calls, cut_call=cut_call)
    choice = {"index": index, "message": _message(message), "finish_reason": reason}
    fields = _named(message, CHOICE)
    logprobs = fields.get("logprobs")
    if isinstance(logprobs, dict):
        lists = _named(message, f"{LOGPROBS}.")
        fields = {name: value for name, value in fields.items() if not name.startswith("logprobs.")}
        fields["logprobs"] = {**logprobs, **{name: list(items) for name, items in lists.items()}}
    return {**fields, **choice}


def _message(message: Message) -> JSONObject:
    blocks = message.blocks
    fields = _named(message, MESSAGE)
    if isinstance(message.extra.get(ALL_DETAILS), list):
        fields[DETAILS] = _merged_details(message.extra[ALL_DETAILS])
    if isinstance(message.extra.get(AUDIO), list):
        fields["audio"] = _audio(message.extra[AUDIO])
    thoughts = {name: _thinking(blocks, field) for name, field in REASONING.items()}
    fields |= {name: thought for name, thought in thoughts.items() if thought}
    tools = [block for block in blocks if isinstance(block, ToolUseBlock) and block.type == "tool_use"]
    calls = [_call(tool) for tool in tools if tool.extra.get("type") != "function_call"]
    functions = [_call(tool)["function"] for tool in tools if tool.extra.get("type") == "function_call"]
    citations = [cite for block in blocks if isinstance(block, TextBlock) for cite in block.citations or []]
    known: JSONObject = {
        "role": message.role,
        "content": _content(blocks) or fields.get("content"),
        "refusal": _text(blocks, "refusal") or fields.get("refusal"),
    }
    known |= {"annotations": citations} if citations else {}
    known |= {"tool_calls": calls} if calls else {}
    known |= {"function_call": functions[0]} if functions else {}
    return {**fields, **known}


def _named(message: Message, prefix: str) -> JSONObject:
    """The extra fields whose names begin with ``prefix``, without it."""
    size = len(prefix)
    return {name[size:]: value for name, value in message.extra.items() if name.startswith(prefix)}


def _content(blocks: list[Block]) -> JSON:
    """The text; a list of parts where the provider sent parts that are none (Mistral, Databricks)."""
    if any(isinstance(block, UnknownBlock) or _field(block) in _OF_PARTS for block in blocks):
        return [part for block in blocks for part in _parts(block)]
    return _text(blocks, None)


def _parts(block: Block) -> list[JSONObject]:
    if isinstance(block, UnknownBlock):
        return [dict(block.data)]
    if isinstance(block, TextBlock) and _field(block) is None:
        return [{**block.extra, "type": "text", "text": block.text}]
    if _field(block) in _OF_PARTS and isinstance(block, ThinkingBlock):
        return [whole_part(_field(block), block.thinking, block.extra)]
    return []


def _field(block: Block) -> Any:
    return block.extra.get("field") if isinstance(block, TextBlock | ThinkingBlock) else None


def _text(blocks: list[Block], field: str | None) -> str:
    return "".join(block.text for block in blocks if isinstance(block, TextBlock) and _field(block) == field)


def _thinking(blocks: list[Block], field: str) -> str:
    """The thinking of one field; what came without any, from another protocol, has the first."""
    fields = {field, None} if field == next(iter(REASONING.values())) else {field}
    found = [block for block in blocks if isinstance(block, ThinkingBlock) and _field(block) in fields]
    return "".join(block.thinking for block in found)


def _call(tool: ToolUseBlock) -> JSONObject:
    if tool.input_encoding == "text":
        custom = {"name": tool.name, "input": tool.raw_arguments}
        return {"type": "custom", **tool.extra, "id": tool.id, "custom": custom}
    function = {"name": tool.name, "arguments": _arguments(tool)}
    return {"type": "function", **tool.extra, "id": tool.id, "function": function}


def _arguments(tool: ToolUseBlock) -> str:
    # No arguments are an empty object; but a call that was cut may have had some.
    if tool.state == "complete" and strict_json.is_blank(tool.raw_arguments):
        return strict_json.dumps(tool.arguments)
    return tool.raw_arguments


def _merged_details(items: list[JSON]) -> list[JSON]:
    """The details of reasoning, whole: fragments that follow each other with one index and type are one."""
    merged: list[JSON] = []
    texts: list[dict[str, list[str]]] = []
    for item in items:
        if not isinstance(item, dict):
            merged.append(item)
            texts.append({})
            continue
        if not (merged and _is_more(item, merged[-1])):
            merged.append({})
            texts.append({})
        for name, value in item.items():
            if name in _TEXTS_OF_DETAILS and isinstance(value, str):
                texts[-1].setdefault(name, []).append(value)
            if value is not None or name not in merged[-1]:
                merged[-1][name] = value
    for whole, fragments in zip(merged, texts, strict=True):
        if fragments:
            whole.update({name: "".join(values) for name, values in fragments.items()})
    return merged


def _is_more(item: JSONObject, before: JSON) -> bool:
    same = ("index", "type")
    return (
        "index" in item
        and isinstance(before, dict)
        and [item.get(n) for n in same] == [before.get(n) for n in same]
    )


def _audio(items: list[JSON]) -> JSONObject:
    """The audio, whole: the id and what else there is of it, data and transcript joined."""
    parts = [item for item in items if isinstance(item, dict)]
    whole: JSONObject = {}
    for part in parts:
        whole.update({name: value for name, value in part.items() if value is not None})
    for name in ("data", "transcript"):
        texts = [part[name] for part in parts if isinstance(part.get(name), str)]
        whole |= {name: "".join(texts)} if texts else {}
    return whole
