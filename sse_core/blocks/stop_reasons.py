"""Why a message ended: the providers' vocabulary, and one name for each meaning.

The common words are Anthropic's, as the blocks' are:
https://docs.claude.com/en/api/handling-stop-reasons.  OpenAI's:
https://platform.openai.com/docs/api-reference/chat/object, and of Responses the status or
``incomplete_details.reason``: https://platform.openai.com/docs/api-reference/responses/object.
Gemini's: https://ai.google.dev/api/generate-content#FinishReason.
"""

from __future__ import annotations

from typing import Literal, Self

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

#: What the providers' words mean.  Beside those above: Together's ``eos``, TGI's ``eos_token``, Cohere's in
#: upper case, Bedrock's ``guardrail_intervened`` and its like, Mistral's ``model_length``; Z.ai's
#: ``sensitive`` and ``network_error``, https://docs.z.ai/api-reference/llm/chat-completion; DeepSeek's
#: ``insufficient_system_resource``, https://api-docs.deepseek.com/api/create-chat-completion; ``abort`` and
#: ``repetition`` of vLLM and SGLang; watsonx's ``time_limit``, ``token_limit`` and ``cancelled``.
MEANINGS: dict[StopReason, tuple[str, ...]] = {
    "end_turn": ("end_turn", "stop", "STOP", "completed", "eos", "eos_token", "COMPLETE"),
    "stop_sequence": ("stop_sequence",),
    "tool_use": ("tool_use", "tool_calls", "tool-calls", "tool_call", "function_call"),
    "max_tokens": (
        "max_tokens",
        "length",
        "max_output_tokens",
        "MAX_TOKENS",
        "model_length",
        "model_context_window_exceeded",
        "token_limit",
        "time_limit",
        "ERROR_LIMIT",
    ),
    "refusal": (
        "refusal",
        "content_filter",
        "content-filter",
        "content_filtered",
        "sensitive",
        "guardrail_intervened",
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
        "ERROR_TOXIC",
    ),
    "pause_turn": ("pause_turn", "compaction", "CONTINUATION"),
    "error": (
        "error",
        "abort",
        "aborted",
        "cancelled",
        "USER_CANCEL",
        "timeout",
        "network_error",
        "insufficient_system_resource",
        "repetition",
        "function_call_filter",
        "malformed_model_output",
        "malformed_tool_use",
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
_FORBIDDING: tuple[StopReason, ...] = ("max_tokens", "refusal", "error")
#: What these words mean, they mean with more behind them, too.  No call runs after any of them.
_SPECIFIED = frozenset(word for meaning in _FORBIDDING for word in MEANINGS[meaning])

#: What a message may have ended for, if a client is to run its tools.  All other meanings, and no reason
#: at all, forbid it: lengths, refusals, pauses (the provider wants the message back as it is), and reasons
#: that are not known yet.
_TOOLS_MAY_RUN_AFTER: frozenset[StopReason] = frozenset({"tool_use", "end_turn"})


class StopWord(str):
    """A stop reason whose meaning its dialect says, whatever the table of all hosts' words says of it."""

    __slots__ = ("meaning",)

    meaning: StopReason

    def __new__(cls, word: str, meaning: StopReason) -> Self:
        """``word`` is the provider's own; ``meaning`` is what it means."""
        self = super().__new__(cls, word)
        self.meaning = meaning
        return self

    def __getnewargs__(self) -> tuple[str, StopReason]:  # type: ignore[override]  # str's has one
        """What a copy is made of."""
        return str(self), self.meaning


def meaning_of(word: str) -> StopReason:
    """What a provider's stop reason means; ``"other"`` for a word that is not known.

    Of a word that says more behind a colon, the first part counts, if it is one after which no tool may run:
    Gemini's ``function_call_filter: MALFORMED_FUNCTION_CALL`` in chat completions.
    """
    if isinstance(word, StopWord):
        return word.meaning
    return _MEANING_OF.get(_bare(word), "other")


def tools_may_run_after(stop_reason: str | None) -> bool:
    """Whether a client may run the tools of a complete message that ended for this reason."""
    return stop_reason is not None and meaning_of(stop_reason) in _TOOLS_MAY_RUN_AFTER


def is_known(word: str) -> bool:
    """Whether ``word`` is a stop reason of a provider that this version knows."""
    return _bare(word) in _MEANING_OF


def _bare(word: str) -> str:
    first = word.partition(":")[0]
    return first if first in _SPECIFIED else word
