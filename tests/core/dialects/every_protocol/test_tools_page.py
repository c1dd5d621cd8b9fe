"""The pages docs/tools.md and docs/providers.md: what they say to send is what each protocol takes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sse_core import Message, MessageAccumulator, dialects
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageDelta,
    MessageStart,
    MessageStop,
    ToolUseBlock,
)
from tests.core.dialects.every_protocol.test_docs import DOCS
from tests.core.dialects.executable import REASONS

ARGUMENTS = {"a": '{"place": "Rome"}', "b": "{}"}
NEXT = {
    "anthropic": "anthropic_messages",
    "openai-chat": "chat_messages",
    "openai-responses": "responses_input",
    "gemini": "gemini_contents",
}
PROVIDERS = (DOCS / "providers.md").read_text("utf-8")


def names_of(page: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL):
        exec(compile(block, page, "exec"), names)  # noqa: S102  (the page is ours)
    return names


def two_calls(name: str) -> Message:
    """A message with two calls, as a stream of this protocol brings it."""
    dialect, accumulator = dialects.get(name), MessageAccumulator()
    events: list[BlockEvent] = [MessageStart("m", "a-model")]
    for index, (call, arguments) in enumerate(ARGUMENTS.items()):
        events += [BlockStart(index, ToolUseBlock(call, "weather"))]
        events += [ArgumentsDelta(index, arguments), BlockStop(index)]
    events += [MessageDelta(REASONS[name][0]), MessageStop()]
    encoder, decoder = dialect.Encoder(), dialect.Decoder()
    for event in events:
        for sse in encoder.send(event):
            for came in decoder.receive_event(sse):
                accumulator.receive(came)
    for came in decoder.receive_eof():
        accumulator.receive(came)
    return accumulator.message


def weather(place: str) -> str:
    return f"fine in {place}"


@pytest.mark.parametrize("name", NEXT)
def test_each_call_gets_a_result_behind_the_answer(name: str) -> None:
    page, message = names_of("tools.md"), two_calls(name)
    results = page["run"](message, {"weather": weather})
    first, second = (call.id for call in message.executable_tools)
    assert results[first] == "fine in Rome"
    assert results[second].startswith("failed: ")
    answer, *found = page[NEXT[name]](message, results)
    assert FOUND[name](answer, found, [first, second]) == list(results.values())


def anthropic(answer: Any, found: list[Any], ids: list[str]) -> list[str]:
    (user,) = found
    assert [block["id"] for block in answer["content"]] == ids
    assert [block["tool_use_id"] for block in user["content"]] == ids
    return [block["content"] for block in user["content"]]


def chat(answer: Any, found: list[Any], ids: list[str]) -> list[str]:
    assert [call["id"] for call in answer["tool_calls"]] == ids
    assert [message["tool_call_id"] for message in found] == ids
    return [message["content"] for message in found]


def responses(answer: Any, found: list[Any], ids: list[str]) -> list[str]:
    items = [answer, *found]
    assert [item["call_id"] for item in items if item["type"] == "function_call"] == ids
    outputs = [item for item in items if item["type"] == "function_call_output"]
    assert [item["call_id"] for item in outputs] == ids
    return [item["output"] for item in outputs]


def gemini(answer: Any, found: list[Any], ids: list[str]) -> list[str]:
    (user,) = found
    names = [part["functionCall"]["name"] for part in answer["parts"] if "functionCall" in part]
    answers = [part["functionResponse"] for part in user["parts"]]
    assert [each["name"] for each in answers] == names
    assert len(answers) == len(ids)
    return [each["response"]["result"] for each in answers]


FOUND = {"anthropic": anthropic, "openai-chat": chat, "openai-responses": responses, "gemini": gemini}


@pytest.mark.parametrize("name", dialects.names())
def test_the_table_of_providers_says_what_the_dialects_say(name: str) -> None:
    dialect = dialects.get(name)
    (row,) = re.findall(rf"^\| `{name}` \|(.*)$", PROVIDERS, re.MULTILINE)
    assert f"{dialect.request_path}`" in row
    if dialect.credential is not None:
        assert f"`{': '.join(dialect.credential.field('KEY'))}`" in row
    if name in NEXT:
        assert ('`"stream": true`' in row) == ("stream" in dialect.request_fields)


@pytest.mark.parametrize("name", NEXT)
def test_an_upstream_is_made_of_a_dialect(name: str) -> None:
    upstream = names_of("providers.md")["upstream_of"](name, "https://provider.test", "secret", "a-model")
    assert upstream.url.startswith("https://provider.test/v1")
    assert "{" not in upstream.url
    assert upstream.dialect is dialects.get(name)
    assert not callable(upstream.headers)
    assert any("secret" in value for value in dict(upstream.headers).values())
