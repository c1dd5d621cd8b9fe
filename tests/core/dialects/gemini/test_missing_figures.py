"""A figure that the newest usage lacks: it holds where the newest figures leave room for it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.dialects.gemini_events import read, sse

PROMPT, ANSWER, THOUGHTS = "promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount"
CACHED, TOOLS, TOTAL = "cachedContentTokenCount", "toolUsePromptTokenCount", "totalTokenCount"
FIRST = {PROMPT: 9, ANSWER: 21, THOUGHTS: 35, TOTAL: 65}


def usage(*snapshots: dict[str, Any]) -> dict[str, Any]:
    """The message's usage after responses with these."""
    end = sse({"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}]})
    return read(*(sse({"usageMetadata": each}) for each in snapshots), end).usage


@pytest.mark.parametrize(
    ("snapshots", "changed"),
    [
        # Nothing is said of a total, or there is room: what was lost holds.
        ([{PROMPT: 9, THOUGHTS: 35}], {}),
        ([{PROMPT: 9, THOUGHTS: 35, TOTAL: 65}], {}),
        ([{PROMPT: 9, THOUGHTS: 35, TOTAL: None}], {}),
        ([{PROMPT: 9, THOUGHTS: 36, TOTAL: 66}], {THOUGHTS: 36, TOTAL: 66}),
        ([{TOTAL: 70}], {TOTAL: 70}),
        # There is none: it was taken back.
        ([{PROMPT: 87, THOUGHTS: 78, TOTAL: 165}], {PROMPT: 87, ANSWER: 0, THOUGHTS: 78, TOTAL: 165}),
        ([{PROMPT: 9, ANSWER: None, THOUGHTS: 35, TOTAL: 64}], {ANSWER: 0, TOTAL: 64}),
        ([{TOTAL: 50}], {ANSWER: 0, TOTAL: 50}),
        # What comes back counts again, and so does what there is room for again.
        ([{PROMPT: 9, THOUGHTS: 35, TOTAL: 44}, {**FIRST}], {}),
        ([{PROMPT: 9, THOUGHTS: 35, TOTAL: 44}, {PROMPT: 9, THOUGHTS: 35, TOTAL: 65}], {}),
        # What is no figure is kept as it came, and bounds nothing.
        ([{PROMPT: "x", TOTAL: 65}], {PROMPT: "x"}),
        ([{PROMPT: 9, TOTAL: -1}], {TOTAL: -1}),
    ],
)
def test_of_the_total(snapshots: list[dict[str, Any]], changed: dict[str, Any]) -> None:
    assert usage(FIRST, *snapshots) == {**FIRST, **changed}


@pytest.mark.parametrize(
    ("prompt", "cached"),
    [({PROMPT: 9}, 8), ({PROMPT: 8}, 8), ({PROMPT: 7}, 0), ({}, 8), ({PROMPT: 9, CACHED: 2}, 2)],
)
def test_what_was_read_from_a_cache_is_a_part_of_the_prompt(prompt: dict[str, int], cached: int) -> None:
    assert usage({PROMPT: 9, CACHED: 8, TOTAL: 9}, {**prompt, TOTAL: 9})[CACHED] == cached


def test_what_a_figure_consists_of_is_gone_with_it() -> None:
    details = {"candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 21}]}
    assert usage({**FIRST, **details}, {PROMPT: 9, THOUGHTS: 35, TOTAL: 65}) == {**FIRST, **details}
    sent = usage({**FIRST, **details}, {PROMPT: 87, THOUGHTS: 78, TOTAL: 165})
    assert sent["candidatesTokensDetails"] == []
    assert "promptTokensDetails" not in sent


def test_the_counts_are_those_of_the_newest() -> None:
    parts = [{"text": "a"}]
    first = {"candidates": [{"content": {"parts": parts}}], "usageMetadata": {**FIRST, TOOLS: 3}}
    last = {
        "candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}],
        "usageMetadata": {PROMPT: 87, THOUGHTS: 78, TOTAL: 165},
    }
    counts = read(sse(first), sse(last)).token_counts
    assert (counts.input, counts.output, counts.total) == (87, 78, 165)
