"""How many tokens a message took, whichever provider counted them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import MessageAccumulator, dialects
from sse_core.blocks import Message, MessageStart, MessageStop, TokenCounts

#: The same request and answer as each provider counts it.
SAME = TokenCounts(input=100, output=50, cache_read=60, cache_written=None, reasoning=20)
USAGES: dict[str, dict[str, Any]] = {
    "openai-chat": {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 60},
        "completion_tokens_details": {"reasoning_tokens": 20},
    },
    "openai-responses": {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60},
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 20},
        "total_tokens": 150,
    },
    "gemini": {
        "promptTokenCount": 90,
        "toolUsePromptTokenCount": 10,
        "candidatesTokenCount": 30,
        "thoughtsTokenCount": 20,
        "cachedContentTokenCount": 60,
        "totalTokenCount": 150,
    },
    "anthropic": {
        "input_tokens": 40,
        "cache_read_input_tokens": 60,
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 20},
    },
}


@pytest.mark.parametrize("name", USAGES)
def test_all_providers_figures_mean_the_same(name: str) -> None:
    assert TokenCounts.of(USAGES[name]) == SAME
    assert SAME.total == 150


def test_what_was_written_to_a_cache_is_input_too() -> None:
    anthropic = {"input_tokens": 1, "cache_creation_input_tokens": 10, "cache_read_input_tokens": 100}
    assert TokenCounts.of(anthropic) == TokenCounts(input=111, cache_read=100, cache_written=10)
    openrouter = {
        "prompt_tokens": 111,
        "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 10},
    }
    assert TokenCounts.of(openrouter) == TokenCounts(input=111, cache_read=100, cache_written=10)


@pytest.mark.parametrize(
    "usage",
    [
        {},
        {"output_tokens_details": None},
        {"input_tokens": -1, "output_tokens": True},
        {"prompt_tokens": "100", "prompt_tokens_details": 7},
    ],
)
def test_what_is_no_figure_is_not_known(usage: dict[str, Any]) -> None:
    assert TokenCounts.of(usage) == TokenCounts()
    assert TokenCounts.of(usage).total is None


def test_a_total_needs_both() -> None:
    assert TokenCounts(input=1).total is None
    assert TokenCounts(output=1).total is None


def test_a_message_has_its_counts() -> None:
    message = Message()
    message.usage = USAGES["gemini"]
    assert message.token_counts == SAME


NAMES = st.sampled_from(sorted({name for usage in USAGES.values() for name in usage}))
VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.dictionaries(NAMES, st.integers())


@given(st.dictionaries(NAMES, VALUES))
def test_any_usage_gives_counts_that_are_none_or_not_negative(usage: dict[str, Any]) -> None:
    counts = TokenCounts.of(usage)
    for figure in (counts.input, counts.output, counts.cache_read, counts.cache_written, counts.reasoning):
        assert figure is None or (type(figure) is int and figure >= 0)


@pytest.mark.parametrize("name", dialects.names())
def test_a_figure_of_any_length_can_be_sent_on(name: str) -> None:
    usage = dict.fromkeys(("input_tokens", "cache_read_input_tokens", "output_tokens"), int("9" * 4300))
    assert TokenCounts.of(usage) == TokenCounts()
    accumulator, encoder = MessageAccumulator(), dialects.get(name).Encoder()
    for event in (MessageStart("m", "c", usage=usage, dialect="x"), MessageStop()):
        accumulator.receive(event)
        encoder.send(event)
    json.dumps(dialects.get(name).to_response(accumulator.message))
