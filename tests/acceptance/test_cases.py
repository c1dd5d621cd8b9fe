"""Streams that went wrong in the field, each with what is right: the shared cases, where they are at hand.

An expectation is a value or words.  Words can't be compared: each has its check in ``WORDS`` here, and those
for UI messages in ``ui_case_expectations``.  A case whose words are new fails until somebody writes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sse_core import Message, dialects
from sse_core.blocks import BlockEvent, ThinkingBlock
from sse_core.dialects import Dialect
from sse_core.testing import events_of
from tests.acceptance.recorded import accumulated, decoded, framed, message_of, splits
from tests.acceptance.ui_case_expectations import EXPECTATIONS

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "cases" / "streams"
PATHS = sorted(FOLDER.glob("*.json"))
NO_CASES = pytest.param(None, marks=pytest.mark.skip("shared folder missing: ../shared/cases/streams"))
CASES = [pytest.param(json.loads(path.read_text()), id=path.stem) for path in PATHS] or [NO_CASES]

#: What words of an expectation mean, for the fact that they stand for.
WORDS: dict[str, Callable[[Any], bool]] = {
    "tool_use (anything but end_turn)": lambda meaning: meaning == "tool_use",
    "finish_reason is not stop": lambda sent: sent["stop"] not in {None, "stop"},
    "has cache_read_input_tokens 7": lambda usage: usage["cache_read_input_tokens"] == 7,
    "has the metrics": lambda extra: "amazon-bedrock-invocationMetrics" in extra,
    "get_weather (openai-python's reading), or nothing; never 'get_'": lambda calls: (
        [name for _, name, _ in calls] in ([], ["get_weather"])
    ),
    "both with their own input, stop tool_use": lambda sent: (
        sent["calls"] == [["fc_A", "tool_A", {"a": 1}], ["fc_B", "tool_B", {"b": 2}]]
        and sent["stop"] == "tool_use"
    ),
    "no raise": lambda sent: sent["completeness"] == "complete",
    "complete or incomplete": lambda state: state in {"complete", "incomplete"},
}


def facts(message: Message) -> dict[str, Any]:
    """What a case may say of a message, by the names that it uses."""
    error, counts = message.error, message.token_counts
    return {
        "text": message.text,
        "thinking": [block.thinking for block in message.blocks if isinstance(block, ThinkingBlock)],
        "executable": executable(message),
        "calls": [[tool.id, tool.name, tool.raw_arguments, tool.state] for tool in message.tools],
        "completeness": message.completeness,
        "stop_meaning": message.stop_meaning,
        "tool_seen": message.tool_seen,
        "error": error and {"kind": error.kind, "retryable": error.retryable, "type": error.type},
        "usage": message.usage,
        "token_counts": {"input": counts.input, "output": counts.output, "total": counts.total},
        "extra": message.extra,
    }


def executable(message: Message) -> list[list[Any]]:
    return [[tool.id, tool.name, tool.arguments] for tool in message.executable_tools]


def sent_on(message_events: list[BlockEvent], to: Dialect) -> dict[str, Any]:
    """What a reader of another protocol gets, with that protocol's own words."""
    events = events_of(to, message_events)
    message = accumulated(decoded(to, events))
    payloads = [json.loads(sse.data) for sse in events if sse.data.startswith("{")]
    status = [payload["response"]["status"] for payload in payloads if "response" in payload]
    found = {
        **facts(message),
        "stop": message.stop_reason,
        "calls": executable(message),
        "status": status[-1] if status else None,
    }
    return {**found, "blocks": found}  # words about the blocks speak of calls and their end


def on_the_page(message_events: list[BlockEvent]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The message that a browser has in the end, and the chunks that it gets."""
    to = dialects.get("ui-messages")
    events = events_of(to, message_events)
    chunks = [json.loads(sse.data) for sse in events if sse.data != "[DONE]"]
    return dict(to.to_response(accumulated(decoded(to, events)))), chunks


def is_right(right: Any, found: Any) -> bool:
    """Whether a value, or each part of it that is named, is what the case says."""
    if isinstance(right, str) and right in WORDS:
        return WORDS[right](found)
    if isinstance(right, dict) and isinstance(found, dict):
        return all(is_right(value, at(found, name)) for name, value in right.items())
    if isinstance(right, list) and isinstance(found, list):
        return len(right) == len(found) and all(map(is_right, right, found))
    return right == "any" or bool(right == found)


def at(found: dict[str, Any], name: str) -> Any:
    """The value of a name, or of names joined by dots (``choice.message.x``)."""
    if name in found:
        return found[name]
    first, _, rest = name.partition(".")
    return at(found[first], rest) if rest and isinstance(found.get(first), dict) else None


def wrong(expect: dict[str, Any], found: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name, right in expect.items():
        if not is_right(right, found[name]):
            yield name, right, found[name]


@pytest.mark.parametrize("case", CASES)
def test_what_is_right(case: dict[str, Any]) -> None:
    dialect = dialects.get(case["dialect"])
    data = case["stream"].encode()
    events = list(decoded(dialect, framed([data])))
    if case.get("to") == "ui-messages":
        page, chunks = on_the_page(events)
        for message in (page, dict(dialects.get("ui-messages").to_response(accumulated(events)))):
            EXPECTATIONS[case["name"]](message, chunks)
        return
    expect = dict(case["expect"])
    for name, right in expect.pop("sent_on", {}).items():
        found = sent_on(events, dialects.get(name))
        assert is_right(right, found), (name, right, found)
    assert not list(wrong(expect, facts(accumulated(events))))


@pytest.mark.parametrize("case", CASES)
def test_however_it_is_cut(case: dict[str, Any]) -> None:
    dialect, data = dialects.get(case["dialect"]), case["stream"].encode()
    whole = facts(message_of(dialect, data))
    for pieces in splits(data, case["name"]):
        assert facts(message_of(dialect, *pieces)) == whole
