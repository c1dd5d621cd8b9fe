"""What is made for a message that came in another protocol: its items, and the response around them.

The encoder makes it as the message comes, ``to_response`` of the message when it is there.

Source: https://platform.openai.com/docs/api-reference/responses/object
"""

from __future__ import annotations

from ...blocks import Block, Message, TextBlock, ThinkingBlock, ToolUseBlock, VerbatimBlock
from ...blocks.strict_json import JSON, JSONObject
from ..fields import MAX_REPEATED, text
from ..openai_errors import VOCABULARY
from ..portable_block import client_calls, is_translated, is_whole
from .encoded_items import EncodedItem
from .part_forms import CALLS, FIELD, LISTS
from .vocabulary import NAME, ending, usage

#: Characters of the message's id that are in an item's: with the rest of it, events can repeat that.
_MAX_BEGINNING = MAX_REPEATED // 2
#: What an id begins with where the provider has given none.
_PREFIXES = {"message": "msg", "reasoning": "rs", "function_call": "fc", "custom_tool_call": "ctc"}


def item_type(block: Block, *, own: bool) -> str | None:
    """The type of the item that ``block`` stands in; ``None`` for what has no form here.

    - ``own``: the message came in this protocol.  Only then the provider's own calls, their results and what
      is unknown are items: of another protocol's the client knows nothing.
    """
    if isinstance(block, TextBlock):
        return "message"
    if isinstance(block, ThinkingBlock):
        return "reasoning"
    if own and isinstance(block, ToolUseBlock) and text(block.extra, FIELD, ""):
        return text(block.extra, FIELD, "")
    if isinstance(block, ToolUseBlock) and block.type == "tool_use":
        return "custom_tool_call" if block.input_encoding == "text" else "function_call"
    if own and isinstance(block, ToolUseBlock) and block.type == "mcp_tool_use":
        return "mcp_call"
    return block.type if own and isinstance(block, VerbatimBlock) and block.type not in LISTS else None


def made_id(type_: str, message_id: str, index: int) -> str:
    """The id of an item to which the provider has given none."""
    return f"{_PREFIXES.get(type_, 'item')}_{message_id[:_MAX_BEGINNING]}_{index}"


def new_item(index: int, type_: str, block: Block, message_id: str) -> EncodedItem:
    """The item that begins with ``block``, where the provider has sent none."""
    if isinstance(block, VerbatimBlock):
        return EncodedItem(index, {"type": type_}, from_provider=False)
    skeleton: JSONObject = {"id": made_id(type_, message_id, index), "type": type_}
    if isinstance(block, TextBlock):
        skeleton |= {"status": "in_progress", "role": "assistant"}
    elif isinstance(block, ToolUseBlock):
        named = {"name": block.name} if type_ in CALLS else {}
        # A client answers by the `call_id`: a call that came without an id has the item's.
        skeleton |= {"status": "in_progress", "call_id": block.id or skeleton["id"], **named}
    return EncodedItem(index, skeleton, from_provider=False)


def portable_items(message: Message) -> list[EncodedItem]:
    """The items of a message that came in another protocol.  A call that is not whole is open."""
    items: list[EncodedItem] = []
    for block in message.blocks:
        type_ = item_type(block, own=False)
        if type_ is None:
            continue
        if not (items and items[-1].takes(type_)):
            items.append(new_item(len(items), type_, block, message.id))
        writer = items[-1].begin(block, own=False)
        if is_whole(block):
            items[-1].stop(writer)
    return items


def ending_of(message: Message, items: list[EncodedItem]) -> tuple[str, str | None]:
    """The status of a complete message's response and, where it is ``incomplete``, the reason."""
    return ending(
        message.stop_reason,
        calls=any(item.is_call for item in items),
        cut_call=client_calls(message)[1] or any(item.is_call and item.is_open for item in items),
    )


def portable_response(
    message: Message, status: str, reason: str | None, output: list[JSONObject], fields: JSONObject
) -> JSONObject:
    """The response.  ``fields`` are those that the provider has sent, if it speaks this protocol."""
    details = fields.get("incomplete_details")
    if reason is None:
        details = None
    elif not isinstance(details, dict) or details.get("reason") != reason:
        details = {"reason": reason}
    return {
        **({} if "object" in fields else _new_response()),
        "model": message.model,
        **fields,
        "id": message.id,  # to the end what it was at the start: the official SDK refuses another
        "status": status,
        "error": error_of(message),
        "incomplete_details": details,
        "output": output,
        "usage": usage(message.usage),
    }


def _new_response() -> JSONObject:
    """What OpenAI's clients need of a response, where it came in another protocol."""
    return {
        "object": "response",
        "created_at": 0,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": None,
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
    }


def error_of(message: Message) -> JSON:
    """The error of a response that failed."""
    if message.error is None:
        return None
    error = VOCABULARY.in_own_words(message.error, translated=is_translated(message.dialect, NAME))
    return {"code": error.code or error.type, "message": error.message}
