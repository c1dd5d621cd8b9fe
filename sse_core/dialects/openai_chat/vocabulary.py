"""OpenAI's words: its chunks, and stop reasons and usage of messages from other protocols."""

from __future__ import annotations

from ...blocks.stop_reasons import StopReason, meaning_of, tools_may_run_after
from ...blocks.strict_json import JSONObject
from ...blocks.token_counts import TokenCounts
from ..base import Fit

NAME = "openai-chat"
#: https://platform.openai.com/docs/api-reference/chat-streaming
_OWN = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
#: What another protocol means.  After ``length`` nobody runs a call, nor takes the answer for whole: that
#: fits a turn that has paused, too.  ``error`` is OpenRouter's word.
_FINISH_REASONS: dict[StopReason, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "refusal": "content_filter",
    "pause_turn": "length",
    "error": "error",
}
#: The same where there are calls that may not run: OpenAI's clients run them after ``stop``.
_AFTER_NO_CALLS: dict[StopReason, str] = {**_FINISH_REASONS, "stop_sequence": "length"}
#: A call is not whole.
_CUT = "length"


def shape(_: str, data: JSONObject) -> Fit | None:
    """How an event with this data fits the protocol."""
    kind, choices = data.get("object"), data.get("choices")
    if isinstance(kind, str):
        return "certain" if kind.startswith("chat.completion") else None
    first = choices[0] if isinstance(choices, list) and choices else None
    has_answer = isinstance(first, dict) and ("delta" in first or "message" in first)
    return "certain" if has_answer else None


def finish_reason(word: str | None, *, calls: bool, cut_call: bool) -> str | None:
    """OpenAI's word for a stop reason; one that is not known stays as it is.

    - ``calls``: the message has a call that the client runs.  Where it may not, the word says so too.
    - ``cut_call``: one of them is not whole, and nobody may take it for that.
    """
    if cut_call and tools_may_run_after(word):
        return _CUT
    if word is None or word in _OWN:
        return word
    if calls and not tools_may_run_after(word):
        return _AFTER_NO_CALLS.get(meaning_of(word), word)
    return "tool_calls" if calls else _FINISH_REASONS.get(meaning_of(word), word)


def native_reason(word: str | None, *, cut_call: bool) -> str | None:
    """The word that came, to be sent beside OpenAI's; none that would let calls run that may not."""
    return None if cut_call and tools_may_run_after(word) else word


def usage(figures: JSONObject) -> JSONObject:
    """Another provider's usage as OpenAI counts it: tokens of the cache among ``prompt_tokens``.

    It stays as it is if it has OpenAI's names, and is empty if it has none that are known.
    ``cache_write_tokens`` is OpenRouter's name.
    """
    if "prompt_tokens" in figures or "completion_tokens" in figures:
        return dict(figures)
    counts = TokenCounts.of(figures)
    if counts.input is None and counts.output is None:
        return {}
    prompt, completion = counts.input or 0, counts.output or 0
    details = {
        "prompt_tokens_details": _known(
            cached_tokens=counts.cache_read, cache_write_tokens=counts.cache_written
        ),
        "completion_tokens_details": _known(reasoning_tokens=counts.reasoning),
    }
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        **{name: known for name, known in details.items() if known},
    }


def _known(**counts: int | None) -> JSONObject:
    return {name: count for name, count in counts.items() if count is not None}
