"""A message to the object that Anthropic sends where it does not stream.

Source: https://docs.claude.com/en/api/messages
"""

from __future__ import annotations

from ...blocks import Message
from ...blocks.strict_json import JSONObject
from ..portable_block import client_calls, is_translated
from .blocks import write_whole_block
from .translation import translated
from .vocabulary import NAME, stop_reason


def to_response(message: Message) -> JSONObject:
    """The response object that Anthropic would have sent without streaming.

    https://docs.claude.com/en/api/messages.  Arguments of a tool that are not whole, or no JSON,
    stand in it as ``{"INVALID_JSON": text}``, and the stop reason lets no call run.  A message that came in
    another protocol is put in Anthropic's terms.
    """
    if is_translated(message.dialect, NAME):
        message = translated(message)
    _, cut_call = client_calls(message)
    reason = stop_reason(message.stop_reason, calls=True, cut_call=True) if cut_call else message.stop_reason
    response = {
        "id": message.id,
        "type": "message",
        "role": message.role,
        "model": message.model,
        "content": [write_whole_block(block) for block in message.blocks],
        "stop_reason": reason,
        "stop_sequence": message.extra.get("stop_sequence"),
        "usage": dict(message.usage),
    }
    return {**message.extra, **response}
