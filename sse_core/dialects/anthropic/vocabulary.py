"""Anthropic's words: its events, and stop reasons and usage of messages from other protocols."""

from __future__ import annotations

from ...blocks.stop_reasons import meaning_of, tools_may_run_after
from ...blocks.strict_json import JSONObject
from ...blocks.token_counts import TokenCounts
from ..base import Fit

NAME = "anthropic"
#: https://docs.claude.com/en/docs/build-with-claude/streaming
_EVENTS = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
    }
)
#: https://docs.claude.com/en/api/handling-stop-reasons
_OWN = frozenset(
    {
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "tool_use",
        "pause_turn",
        "refusal",
        "model_context_window_exceeded",
        "compaction",
    }
)
#: Meanings for which Anthropic has no word.
_WORDLESS = frozenset({"error", "other"})


def shape(kind: str, _: JSONObject) -> Fit | None:
    """How an event of this type fits the protocol."""
    return "certain" if kind in _EVENTS else None


def stop_reason(word: str | None, *, calls: bool, cut_call: bool, native: str | None = None) -> str | None:
    """Anthropic's word for another provider's stop reason.

    - ``calls``: the message has a call that the client runs.
    - ``cut_call``: one of them is not whole, and nobody may take it for that.
    - ``native``: what the model's own provider said, where a host gives it beside its own word: if it is
      Anthropic's, it is taken, unless it would let calls run after a reason that forbids it.

    What Anthropic has no word for stays as it is: its clients have to expect words that they don't know, and
    run no tool after them.
    """
    if word is None:
        return None
    if cut_call and tools_may_run_after(word):
        return "max_tokens"
    if native in _OWN and (tools_may_run_after(word) or not tools_may_run_after(native)):
        return native
    meaning = meaning_of(word)
    if meaning == "end_turn" and calls:
        return "tool_use"
    return word if word in _OWN or meaning in _WORDLESS else meaning


def usage(figures: JSONObject) -> JSONObject:
    """Another provider's usage as Anthropic counts it: tokens of the cache beside ``input_tokens``.

    ``input_tokens`` and ``output_tokens`` are always there, as Anthropic's clients demand; 0 where
    nothing is known.
    """
    counts = TokenCounts.of(figures)
    left = counts.input or 0
    counted: JSONObject = {"output_tokens": counts.output or 0}
    for name, cached in (
        ("cache_read_input_tokens", counts.cache_read),
        ("cache_creation_input_tokens", counts.cache_written),
    ):
        if cached is not None:
            # Azure's Grok reports more tokens from the cache than there are: the sum counts.
            counted[name] = min(cached, left)
            left -= counted[name]
    if counts.reasoning is not None:
        counted["output_tokens_details"] = {"thinking_tokens": counts.reasoning}
    return {"input_tokens": left, **counted}
