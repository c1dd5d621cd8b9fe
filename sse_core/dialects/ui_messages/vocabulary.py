"""The words of the UI message stream, and what other protocols' stop reasons are in it.

Source: ``FinishReason`` of the npm package ``ai``,
https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol#data-stream-protocol
"""

from __future__ import annotations

from ...blocks.stop_reasons import StopReason, meaning_of

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
_WORDS: dict[StopReason, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool-calls",
    "max_tokens": "length",
    "refusal": "content-filter",
    "error": "error",
}
_OTHER = "other"


def finish_reason(stop_reason: str, *, wants_tools: bool) -> str:
    """The finish reason that stands for a provider's stop reason.

    ``wants_tools``: there are calls for the client.  Some providers end such a turn as any other.
    """
    word = _WORDS.get(meaning_of(stop_reason), _OTHER)
    return "tool-calls" if wants_tools and meaning_of(stop_reason) == "end_turn" else word


def is_own(dialect: str) -> bool:
    """Whether a message with this ``dialect`` is in the words of this protocol, or says nothing of it."""
    return dialect in {"", NAME}
