"""Why a message ended, in one word for all providers."""

from __future__ import annotations

import copy
import pickle

import pytest

from sse_core.blocks import Message, StopReason, StopWord, ToolUseBlock
from sse_core.blocks.stop_reasons import is_known, meaning_of

WORDS: dict[StopReason, list[str]] = {
    "end_turn": ["end_turn", "stop", "STOP", "completed", "eos", "eos_token", "COMPLETE"],
    "stop_sequence": ["stop_sequence"],
    "tool_use": ["tool_use", "tool_calls", "function_call"],
    "max_tokens": [
        "max_tokens",
        "length",
        "MAX_TOKENS",
        "max_output_tokens",
        "model_context_window_exceeded",
        "model_length",
        "time_limit",
        "token_limit",
        "ERROR_LIMIT",
    ],
    "refusal": [
        "refusal",
        "content_filter",
        "content_filter: SAFETY",
        "sensitive",
        "guardrail_intervened",
        "SAFETY",
        "RECITATION",
        "PROHIBITED_CONTENT",
        "ERROR_TOXIC",
    ],
    "pause_turn": ["pause_turn"],
    "error": [
        "error",
        "MALFORMED_FUNCTION_CALL",
        "abort",
        "network_error",
        "insufficient_system_resource",
        "repetition",
        "function_call_filter: MALFORMED_FUNCTION_CALL",
        "function_call_filter: A_FUTURE_REASON",
    ],
}


@pytest.mark.parametrize(("meaning", "word"), [(key, word) for key, words in WORDS.items() for word in words])
def test_what_the_providers_words_mean(meaning: StopReason, word: str) -> None:
    assert meaning_of(word) == meaning
    assert is_known(word)


@pytest.mark.parametrize(
    "word", ["", "new_reason", "End_Turn", "other", "new_reason: stop", "stop: x", ": error"]
)
def test_a_word_that_is_not_known_is_another(word: str) -> None:
    assert meaning_of(word) == "other"
    assert not is_known(word)


def ended(reason: str | None, *tools: ToolUseBlock) -> Message:
    message = Message()
    message.stop_reason = reason
    message.indexed_blocks = dict(enumerate(tools))
    return message


def test_before_the_end_there_is_no_meaning() -> None:
    assert ended(None).stop_meaning is None


def test_a_provider_that_ends_every_turn_alike_wants_tools_if_it_calls_some() -> None:
    """Gemini says STOP, and OpenAI Responses completed, with calls and without."""
    call = ToolUseBlock("1", "run")
    assert ended("STOP").stop_meaning == "end_turn"
    assert ended("STOP", call).stop_meaning == "tool_use"
    assert ended("STOP", ToolUseBlock("1", "search", "server_tool_use")).stop_meaning == "end_turn"
    assert ended("MAX_TOKENS", call).stop_meaning == "max_tokens"


def test_a_meaning_stays_with_its_word_in_copies() -> None:
    """Messages are kept, and sent to other processes."""
    word = StopWord("wants", "tool_use")
    for same in (copy.copy(word), copy.deepcopy(word), pickle.loads(pickle.dumps(word))):  # noqa: S301
        assert (same, meaning_of(same)) == ("wants", "tool_use")
