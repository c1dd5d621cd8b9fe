"""A message to the ``response`` object that OpenAI sends where it does not stream.

Source: https://platform.openai.com/docs/api-reference/responses/object
"""

from __future__ import annotations

import math
from collections import defaultdict, deque

from ...blocks import Block, Message, TextBlock, ThinkingBlock, ToolUseBlock, VerbatimBlock, strict_json
from ...blocks.strict_json import JSONObject
from ..fields import json_object, rest
from ..portable_block import client_calls, is_translated, is_whole
from .decoded_item import OUTPUT, item_place
from .decoder import BESIDE
from .part_forms import CALLS, LISTS, OUTPUT_TEXT, PLACES, Form, form_of_block
from .portable_items import ending_of, error_of, item_type, made_id, portable_items, portable_response
from .vocabulary import NAME, ending

_Text = TextBlock | ThinkingBlock
#: What became of a message that did not come to its end.
_STATUSES = {
    "streaming": "in_progress",
    "truncated": "incomplete",
    "stopped": "cancelled",
    "failed": "failed",
}


def to_response(message: Message) -> JSONObject:
    """The response object that the provider would have sent without streaming.

    Of a message from this protocol, what the provider did not send is not made up, but for ``status``,
    ``error`` and ``usage``.  A message that was cut has the status ``incomplete`` (``cancelled`` if it
    was stopped), and holds what came of it: arguments that are not whole are the text that came.

    Of a message from another protocol it is the response that the encoder ends with: texts that follow
    each other are one item.  What the provider ran itself, and what is unknown, is left out.
    """
    if is_translated(message.dialect, NAME):
        return _portable_response(message)
    extra = _response_fields(message)
    output = _sent_items(message)
    placed = {id(block) for item in output.values() for block in item.blocks}
    last = output[max(output)] if output else None
    for block in message.blocks:
        if id(block) not in placed:
            last = _add(output, block, last)
    return {
        **extra,
        "id": message.id or extra.get("id", ""),
        "object": "response",
        "model": extra.get("model", message.model),
        **_ending(message, extra),
        "error": error_of(message),
        "output": [_whole(output[index], message) for index in sorted(output)],
        "usage": dict(message.usage) or None,
    }


def _portable_response(message: Message) -> JSONObject:
    items = portable_items(message)
    status, reason = _STATUSES.get(message.completeness, ""), None
    if message.completeness == "complete":
        status, reason = ending_of(message, items)
    unfinished = status if status in ("completed", "in_progress") else "incomplete"
    output = [item.at_end(unfinished if item.is_open or item is items[-1] else "completed") for item in items]
    return portable_response(message, status, reason, output, {})


class _ResponseItem:
    """An item while it is put together.  ``from_provider``: the provider sent it."""

    def __init__(self, index: int, skeleton: JSONObject, *, from_provider: bool) -> None:
        self.index = index
        self.skeleton = skeleton
        self.from_provider = from_provider
        self.blocks: list[Block] = []


def _response_fields(message: Message) -> JSONObject:
    return {name: value for name, value in message.extra.items() if not name.startswith((OUTPUT, BESIDE))}


def _sent_items(message: Message) -> dict[int, _ResponseItem]:
    """The items that the provider sent, with their blocks."""
    output: dict[int, _ResponseItem] = {}
    for name, skeleton in message.extra.items():
        place = item_place(name)
        if place is not None and isinstance(skeleton, dict) and "type" in skeleton:
            output[place] = _ResponseItem(place, skeleton, from_provider=True)
    whole = [block for block in message.blocks if isinstance(block, VerbatimBlock)]
    for block in message.blocks:
        index = None if isinstance(block, VerbatimBlock) else block.extra.get("output_index")
        if type(index) is int and index in output:
            output[index].blocks.append(block)
    # A block that is an item says nothing of its place, but stands in the order of the items of its type.
    waiting: dict[str, deque[_ResponseItem]] = defaultdict(deque)
    for item in output.values():
        if not item.blocks:
            waiting[str(item.skeleton["type"])].append(item)
    for block in whole:
        if waiting[block.type]:
            waiting[block.type].popleft().blocks.append(block)
    return output


def _add(output: dict[int, _ResponseItem], block: Block, last: _ResponseItem | None) -> _ResponseItem | None:
    """Put a block that has no item into one, and give the last: texts that follow each other share it."""
    type_ = item_type(block, own=True)
    if type_ is None:
        return last
    if last is None or last.from_provider or type_ not in LISTS or last.skeleton["type"] != type_:
        index = 0 if last is None else last.index + 1
        last = output[index] = _ResponseItem(index, {"type": type_}, from_provider=False)
    last.blocks.append(block)
    return last


def _whole(item: _ResponseItem, message: Message) -> JSONObject:
    """The item, with its blocks in it."""
    first = item.blocks[0] if item.blocks else None
    if isinstance(first, VerbatimBlock):
        return {**first.data, **item.skeleton}
    made_up = {} if item.from_provider else _made_up(item, first, message)
    whole = {**made_up, **item.skeleton}
    if isinstance(first, ToolUseBlock):
        arguments = CALLS.get(str(whole["type"]))
        if arguments is not None:
            return {**whole, arguments: _arguments(first)}
        # A call of OpenAI's own tools that the provider has sent has its arguments among its fields.
        return (
            whole
            if item.from_provider
            else {**whole, **json_object(_arguments(first).encode(errors="replace"))}
        )
    return {**whole, **_lists(item)}


def _made_up(item: _ResponseItem, block: Block | None, message: Message) -> JSONObject:
    """The fields that OpenAI's items always have."""
    type_ = str(item.skeleton["type"])
    whole = message.completeness == "complete"
    fields: JSONObject = {"id": made_id(type_, message.id, item.index)}
    if type_ == "message":
        fields["role"] = message.role
    if isinstance(block, ToolUseBlock):
        whole = is_whole(block)
        fields |= {"id": block.id} if type_ == "mcp_call" else {"call_id": block.id or fields["id"]}
        fields |= {"name": block.name} if type_ in CALLS else {}
    return fields if type_ == "reasoning" else {**fields, "status": "completed" if whole else "incomplete"}


def _lists(item: _ResponseItem) -> JSONObject:
    """The lists of the item's parts: the blocks, and between them the parts that are no text."""
    lists: JSONObject = {}
    names = LISTS.get(str(item.skeleton["type"]), ())
    found = [(block, form_of_block(block, own=True)) for block in item.blocks if isinstance(block, _Text)]
    if item.from_provider:  # parts may have begun in another order
        found.sort(key=lambda pair: _place(*pair))
    for name in names:
        parts = deque(_part(block, form) for block, form in found if form.list == name)
        sent = item.skeleton.get(name)
        if parts or name == names[0] or isinstance(sent, list):
            others = sent if isinstance(sent, list) else []
            between = [parts.popleft() if part is None and parts else part for part in others]
            lists[name] = [*between, *parts]
    return lists


def _place(block: _Text, form: Form) -> float:
    place = block.extra.get(form.index)
    return place if type(place) is int else math.inf


def _part(block: _Text, form: Form) -> JSONObject:
    text = block.text if isinstance(block, TextBlock) else block.thinking
    part: JSONObject = {**rest(block.extra, *PLACES), "type": form.type, form.text: text}
    if isinstance(block, TextBlock) and form is OUTPUT_TEXT and block.citations is not None:
        part["annotations"] = list(block.citations)
    return part


def _arguments(tool: ToolUseBlock) -> str:
    # No arguments are an empty object; but a call that was cut may have had some.
    if (
        tool.state == "complete"
        and tool.input_encoding == "json"
        and strict_json.is_blank(tool.raw_arguments)
    ):
        return strict_json.dumps(tool.arguments)
    return tool.raw_arguments


def _ending(message: Message, extra: JSONObject) -> JSONObject:
    if message.completeness != "complete":
        return {"status": _STATUSES[message.completeness]}
    if "status" in extra:
        return {}
    calls, cut_call = client_calls(message)
    status, reason = ending(message.stop_reason, calls=calls, cut_call=cut_call)
    return {"status": status, "incomplete_details": None if reason is None else {"reason": reason}}
