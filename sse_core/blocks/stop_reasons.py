"""Why a message ended: the providers' words, and one word for each meaning.

The common words are Anthropic's, as the blocks' are:
https://docs.claude.com/en/api/handling-stop-reasons.  OpenAI's:
https://platform.openai.com/docs/api-reference/chat/object, and of Responses the status or
``incomplete_details.reason``: https://platform.openai.com/docs/api-reference/responses/object.
Gemini's: https://ai.google.dev/api/generate-content#FinishReason.
"""

from __future__ import annotations

from typing import Literal

StopReason = Literal[
    "end_turn",  #: the model has said what it had to say
    "stop_sequence",  #: it came upon a text that the request named
    "tool_use",  #: it wants tools to be run
    "max_tokens",  #: a bound on tokens was met: of the request, the model or its context
    "refusal",  #: the model or a filter of the provider's would not go on
    "pause_turn",  #: the provider wants the message back as it is, to go on
    "error",  #: generation failed
    "other",  #: a word that this version does not know
]

#: What the providers' words mean.
MEANINGS: dict[StopReason, tuple[str, ...]] = {
    "end_turn": ("end_turn", "stop", "STOP", "completed"),
    "stop_sequence": ("stop_sequence",),
    "tool_use": ("tool_use", "tool_calls", "tool-calls", "function_call"),
    "max_tokens": (
        "max_tokens",
        "length",
        "max_output_tokens",
        "MAX_TOKENS",
        "model_length",
        "model_context_window_exceeded",
    ),
    "refusal": (
        "refusal",
        "content_filter",
        "content-filter",
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "LANGUAGE",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "MODEL_ARMOR",
        "JAILBREAK",
        "ESCALATION",
        "PUP_LIMITED_DISABLED",
    ),
    "pause_turn": ("pause_turn", "compaction", "CONTINUATION"),
    "error": (
        "error",
        "MALFORMED_FUNCTION_CALL",
        "MALFORMED_RESPONSE",
        "MISSING_THOUGHT_SIGNATURE",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "NO_IMAGE",
    ),
    "other": (),
}
_MEANING_OF = {word: meaning for meaning, words in MEANINGS.items() for word in words}


def meaning_of(word: str) -> StopReason:
    """What a provider's stop reason means; ``"other"`` for a word that is not known."""
    return _MEANING_OF.get(word, "other")


def is_known(word: str) -> bool:
    """Whether ``word`` is a stop reason of a provider that this version knows."""
    return word in _MEANING_OF
