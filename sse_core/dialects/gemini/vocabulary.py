"""Gemini's words: what marks a response, and stop reasons and usage for messages of other protocols."""

from __future__ import annotations

from ...blocks.stop_reasons import StopReason, meaning_of, tools_may_run_after
from ...blocks.strict_json import JSONObject
from ...blocks.token_counts import TokenCounts
from ..base import Fit

NAME = "gemini"
#: Any of these fields makes an object a response.
#: https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
MARKS = frozenset({"candidates", "promptFeedback", "usageMetadata", "modelVersion", "responseId"})
#: What a stop reason means -> Gemini's.  https://ai.google.dev/api/generate-content#FinishReason
_FINISH_REASONS: dict[StopReason, str] = {
    "end_turn": "STOP",
    "stop_sequence": "STOP",
    "tool_use": "STOP",
    "max_tokens": "MAX_TOKENS",
    "refusal": "SAFETY",
}
#: The same where there are calls that may not run: Gemini's clients run them after ``STOP``.
_AFTER_NO_CALLS: dict[StopReason, str] = {**_FINISH_REASONS, "stop_sequence": "MAX_TOKENS"}
_OTHER = "OTHER"
#: The message ended, and nobody said why.
UNSPECIFIED = "FINISH_REASON_UNSPECIFIED"
#: A call is not whole: after this reason nobody runs any.
MALFORMED = "MALFORMED_FUNCTION_CALL"
#: Words in upper case that are Cohere's: https://docs.cohere.com/reference/chat
_COHERE = frozenset({"COMPLETE", "ERROR_LIMIT", "ERROR_TOXIC", "USER_CANCEL"})
#: Names of figures in the other protocols' usage.
_FOREIGN = frozenset({"input_tokens", "output_tokens", "prompt_tokens", "completion_tokens"})


def shape(_: str, data: JSONObject) -> Fit | None:
    """How an event with this data fits the protocol; one field alone any host may have."""
    marks = data.keys() & MARKS
    if not marks:
        return None
    return "certain" if "candidates" in marks or len(marks) > 1 else "possible"


def finish_reason(stop_reason: str | None, *, calls: bool, cut_call: bool) -> str:
    """Gemini's word for a stop reason; its own are those in upper case, and stay as they are.

    - ``calls``: the message has calls that the client runs.  Where it may not, the word says so too.
    - ``cut_call``: one of them could not be sent, so nobody may take the others for all.
    """
    if stop_reason is None:
        return UNSPECIFIED
    if cut_call and tools_may_run_after(stop_reason):
        return MALFORMED
    if stop_reason.isupper() and stop_reason not in _COHERE:
        return stop_reason
    if calls and not tools_may_run_after(stop_reason):
        return _AFTER_NO_CALLS.get(meaning_of(stop_reason), _OTHER)
    return _FINISH_REASONS.get(meaning_of(stop_reason), _OTHER)


def usage(figures: JSONObject) -> JSONObject:
    """Usage as Gemini counts it; as it is, unless it has another protocol's names.

    Gemini counts thoughts beside the other tokens of the answer.
    """
    if not figures.keys() & _FOREIGN:
        return dict(figures)
    counts = TokenCounts.of(figures)
    thoughts = counts.reasoning or 0
    named = {
        "promptTokenCount": counts.input,
        "candidatesTokenCount": None if counts.output is None else max(counts.output - thoughts, 0),
        "thoughtsTokenCount": counts.reasoning,
        "cachedContentTokenCount": counts.cache_read,
        "totalTokenCount": counts.total,
    }
    return {name: count for name, count in named.items() if count is not None}
