"""Stop reasons and usage as OpenAI names them, where a message came from another protocol."""

from __future__ import annotations

from ...blocks.strict_json import JSONObject

#: Anthropic's stop reasons -> OpenAI's.  https://docs.claude.com/en/api/handling-stop-reasons
_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}


def finish_reason(stop_reason: str | None) -> str | None:
    """OpenAI's word for a stop reason; one that is not known stays as it is."""
    return None if stop_reason is None else _FINISH_REASONS.get(stop_reason, stop_reason)


def usage(figures: JSONObject) -> JSONObject:
    """Usage as OpenAI counts it; as it is, if it has OpenAI's names.

    Anthropic counts tokens that were read from or written to a cache beside ``input_tokens``,
    OpenAI counts them among ``prompt_tokens``.
    """
    if "prompt_tokens" in figures or "input_tokens" not in figures:
        return dict(figures)
    read, written = _count(figures, "cache_read_input_tokens"), _count(figures, "cache_creation_input_tokens")
    prompt = _count(figures, "input_tokens") + read + written
    completion = _count(figures, "output_tokens")
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": read},
    }


def _count(figures: JSONObject, name: str) -> int:
    count = figures.get(name)
    return count if type(count) is int else 0
