"""The words of the UI message stream, and what other protocols' stop reasons are in it.

Source: ``FinishReason`` of the npm package ``ai``,
https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol#data-stream-protocol
"""

from __future__ import annotations

from ...blocks.stop_reasons import StopReason, meaning_of
from ...blocks.strict_json import JSONObject
from ..base import Fit

NAME = "ui-messages"
DONE = "[DONE]"
#: The finish reason of a stream that was cut.
INTERRUPTED = "interrupted"
#: The name of a chunk's field, and of a list among a message's extra fields, with what an application adds.
METADATA = "messageMetadata"
#: A list among a message's extra fields: the indexes of blocks that the other side took back.
DROPPED = "droppedBlocks"
#: Says, among a message's extra fields, that its first part does not belong to a step.
STEPLESS = "stepless"
#: The types of its chunks, or what they begin with.
_CHUNKS = (
    *("text-", "reasoning-", "tool-input-", "tool-output-", "tool-approval-"),
    *("start-step", "finish-step", "reset-step", "message-metadata"),
)
#: Types for which any host may have events of its own.
_COMMON_CHUNKS = frozenset({"start", "finish", "abort", "file", "custom"})
_COMMON_BEGINNINGS = ("source-", "data-")
_WORDS: dict[StopReason, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool-calls",
    "max_tokens": "length",
    "refusal": "content-filter",
    "error": "error",
}
_OTHER = "other"


def shape(kind: str, _: JSONObject) -> Fit | None:
    """How a chunk of this type fits the protocol."""
    if kind in _COMMON_CHUNKS or kind.startswith(_COMMON_BEGINNINGS):
        return "possible"
    return "certain" if kind.startswith(_CHUNKS) else None


def finish_reason(stop_reason: str, *, wants_tools: bool) -> str:
    """The finish reason that stands for a provider's stop reason.

    - ``wants_tools``: there are calls for the client.  Some providers end such a turn as any other.
    """
    word = _WORDS.get(meaning_of(stop_reason), _OTHER)
    return "tool-calls" if wants_tools and meaning_of(stop_reason) == "end_turn" else word


def is_own(dialect: str) -> bool:
    """Whether a message with this ``dialect`` is in the words of this protocol, or says nothing of it."""
    return dialect in {"", NAME}
