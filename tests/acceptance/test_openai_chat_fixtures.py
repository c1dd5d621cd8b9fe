"""Chat completions as OpenAI and compatible hosts sent them, and quirks of them made by hand.

Each is read whole, byte by byte and in random pieces; each has to give the response that the
official SDK made of it, but for the differences in ``openai_chat_differences.json``, each of which has
its reason there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sse_core import Message, dialects
from sse_core.blocks import MessageCut, Ping, TextDelta, ThinkingBlock, ThinkingDelta, ToolUseBlock
from tests.acceptance.listed import Listed
from tests.acceptance.recorded import (
    accumulated,
    decoded,
    differences,
    framed,
    message_of,
    splits,
    stream,
)

SHARED = Path(__file__).parents[3] / "shared"
if not SHARED.is_dir():
    pytest.skip("shared folder missing: the recordings lie beside the checkout", allow_module_level=True)

CHAT = dialects.get("openai-chat")
FIXTURES = SHARED / "fixtures"
RECORDED = sorted([*FIXTURES.glob("openai-chat/*.sse"), *FIXTURES.glob("openai-compat/*/*.sse")])
SYNTHETIC = sorted(FIXTURES.glob("synthetic/chat-*.sse"))
PAYLOADS = sorted(
    path
    for path in FIXTURES.glob("vercel-chunks/*/*.chunks.txt")
    if b'"choices":' in path.read_bytes() and b'"delta":' in path.read_bytes()
)
EXPECTED = [path for path in RECORDED if path.with_suffix(".expected.json").exists()]
LISTED = Listed("openai_chat_differences.json")

every_stream = pytest.mark.parametrize("path", RECORDED + SYNTHETIC + PAYLOADS, ids=lambda path: path.stem)


def read(path: Path) -> Message:
    return message_of(CHAT, stream(path))


def found(path: Path) -> list[tuple[str, Any, Any]]:
    """Where our response differs from the one that the official SDK made of a recording."""
    message = read(path)
    assert message.completeness == "complete"
    return list(
        differences(CHAT.to_response(message), json.loads(path.with_suffix(".expected.json").read_text()))
    )


def test_all_recordings_are_there() -> None:
    assert (len(RECORDED), len(EXPECTED), len(SYNTHETIC), len(PAYLOADS)) == (99, 93, 18, 7)


@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: path.stem)
def test_a_recorded_stream_gives_the_response_that_the_official_sdk_makes_of_it(path: Path) -> None:
    assert LISTED.unlisted(found(path)) == []


def test_every_difference_that_is_listed_is_there_as_often_as_listed() -> None:
    LISTED.expect_each_as_often_as_listed(difference for path in EXPECTED for difference in found(path))


@every_stream
def test_a_message_is_the_same_however_its_bytes_are_cut(path: Path) -> None:
    data = stream(path)
    whole = message_of(CHAT, data)
    for pieces in splits(data, path.stem):
        assert message_of(CHAT, *pieces) == whole


@every_stream
def test_text_and_thinking_are_what_their_deltas_say(path: Path) -> None:
    events = [event for event in decoded(CHAT, framed([stream(path)])) if event.choice == 0]
    message = read(path)
    thinking = "".join(block.thinking for block in message.blocks if isinstance(block, ThinkingBlock))
    texts = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert message.text == texts.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert thinking == "".join(event.text for event in events if isinstance(event, ThinkingDelta))


@every_stream
def test_a_stream_sent_on_verbatim_is_the_same_events(path: Path) -> None:
    received = framed([stream(path)])
    encoder = CHAT.Encoder(verbatim=True)
    sent = [sse for event in decoded(CHAT, received) for sse in encoder.send(event)]
    if read(path).completeness == "truncated":
        assert json.loads(sent.pop().data)["outcome"] == "truncated"
    assert sent == received[: len(sent)]
    assert all(
        sse.data == "[DONE]" or read(path).completeness == "failed" for sse in received[len(sent) :]
    ) or (path.stem == "chat-event-after-done")


@every_stream
def test_a_stream_written_anew_says_the_same(path: Path) -> None:
    whole = read(path)
    encoder = CHAT.Encoder()
    events = [event for event in decoded(CHAT, framed([stream(path)])) if not isinstance(event, MessageCut)]
    again = accumulated(decoded(CHAT, (sse for event in events for sse in encoder.send(event))))
    assert again.completeness == whole.completeness
    assert said(again) == said(whole)


def said(message: Message) -> Any:
    """A response without the form in which a host gave it: thinking has one name, lists are text."""
    response = CHAT.to_response(message)
    for choice in response["choices"]:
        answer = choice["message"]
        if isinstance(answer["content"], list):
            answer["content"] = message.text
            answer["reasoning_content"] = "".join(
                b.thinking for b in message.blocks if isinstance(b, ThinkingBlock)
            )
    if message.completeness != "complete":  # the end, which would have had them, is an error
        del response["choices"][0]["finish_reason"]
        response.pop("usage", None)
    return response


@every_stream
def test_wherever_a_stream_is_cut_nothing_looks_complete_too_early(path: Path) -> None:
    """It is complete after a finish reason or [DONE] only, and before, nothing may be executed."""
    received = framed([stream(path)])
    for count in range(len(received)):
        message = accumulated(decoded(CHAT, received[:count]))
        before = [sse.data for sse in received[:count]]
        ended = "[DONE]" in before or any('"finish_reason":"' in data.replace(": ", ":") for data in before)
        if message.completeness != "complete":
            assert message.completeness == ("truncated" if message.error is None else "failed")
            assert message.executable_tools == []
            assert not [b for b in message.blocks if isinstance(b, ToolUseBlock) and b.state != "incomplete"]
        else:
            assert ended


def tools(message: Message) -> Any:
    blocks = [block for block in message.blocks if isinstance(block, ToolUseBlock)]
    calls = [(block.id, block.name, block.state, block.arguments) for block in blocks]
    return message.completeness, len(message.executable_tools), calls


def text(message: Message) -> Any:
    return message.completeness, message.text, message.stop_reason


def failure(message: Message) -> Any:
    assert message.error is not None
    return (
        message.completeness,
        message.text,
        message.error.type,
        message.error.message,
        message.error.retryable,
    )


def usage(message: Message) -> Any:
    return message.completeness, message.usage


def call(id: str, name: str, arguments: Any, state: str = "complete") -> Any:
    return id, name, state, arguments


#: What is looked at in each stream made by hand, and what has to be there.
QUIRKS: dict[str, tuple[Callable[[Message], Any], Any]] = {
    "error-event-named": (failure, ("failed", "Hel", "rate_limit_error", "boom", True)),
    "error-midstream": (failure, ("failed", "Hel", "server_error", "The server had an error", True)),
    "event-after-done": (text, ("complete", "a", "stop")),
    "length-tool": (tools, ("complete", 0, [call("a", "f", None, "incomplete")])),
    "multiline-data": (text, ("complete", "x", "stop")),
    "n2-interleaved": (
        lambda message: [text(message), *map(text, message.alternatives.values())],
        [("complete", "b", "stop"), ("complete", "aA", "stop")],
    ),
    "surrogate-split": (text, ("complete", "😀", "stop")),
    "tool-args-object": (tools, ("complete", 1, [call("a", "f", {"q": 1})])),
    "tool-finish-stop": (tools, ("complete", 1, [call("a", "f", {})])),
    "tool-id-empty-later": (tools, ("complete", 1, [call("a", "f", {"q": 1})])),
    "tool-index-missing": (tools, ("complete", 2, [call("a", "f", {"x": 1}), call("b", "g", {"y": 2})])),
    "tool-index-nonzero": (tools, ("complete", 1, [call("a", "f", {})])),
    "tool-index-reused": (tools, ("complete", 2, [call("a", "f", {"x": 1}), call("b", "f", {"x": 2})])),
    "tool-name-late": (tools, ("complete", 1, [call("a", "f", {"q": 1})])),
    "tool-parsable-prefix": (tools, ("complete", 1, [call("a", "f", 123)])),
    "truncated-tool": (tools, ("truncated", 0, [call("a", "f", None, "incomplete")])),
    "usage-before-finish": (
        usage,
        ("complete", {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}),
    ),
    "usage-then-null": (usage, ("complete", {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2})),
}


def test_every_quirk_is_looked_at() -> None:
    assert {path.stem.removeprefix("chat-") for path in SYNTHETIC} == QUIRKS.keys()


@pytest.mark.parametrize("name", QUIRKS)
def test_a_quirk_gives_what_it_should(name: str) -> None:
    look, expected = QUIRKS[name]
    assert look(read(FIXTURES / f"synthetic/chat-{name}.sse")) == expected


def test_usage_is_kept_where_the_official_sdk_loses_it() -> None:
    message = read(FIXTURES / "openai-chat/pydantic-ai--test_openai_moderation_stream--0.sse")
    assert message.usage["total_tokens"] == 24
    assert message.extra["moderation"]["input"]["type"] == "moderation_results"


def test_an_error_within_a_chunk_ends_the_message_and_its_usage_is_kept() -> None:
    message = read(FIXTURES / "openai-compat/openrouter/pydantic-ai--test_openrouter_stream_error--0.sse")
    assert failure(message) == ("failed", "", "invalid_request_error", "Token limit reached", False)
    assert message.usage["total_tokens"] == 53


def test_annotations_are_citations() -> None:
    name = "openai-compat/openrouter/pydantic-ai--test_openrouter_web_search_annotations_stream--0.sse"
    response = CHAT.to_response(read(FIXTURES / name))
    annotations = response["choices"][0]["message"]["annotations"]
    assert [annotation["type"] for annotation in annotations] == ["url_citation"] * 5


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_payloads_of_other_hosts_are_complete(path: Path) -> None:
    message = read(path)
    assert message.completeness == "complete"
    assert message.usage["total_tokens"] > 0
    if "tool-call" in path.stem:
        assert [tool.state for tool in message.executable_tools] == ["complete"]


def test_a_chunk_that_says_nothing_is_a_sign_of_life() -> None:
    """As its source, it can be sent on as it came."""
    path = FIXTURES / "openai-compat/azure/openllmetry--test_chat_streaming--0.sse"
    first = next(iter(decoded(CHAT, framed([stream(path)]))))
    assert isinstance(first, Ping)
    assert first.source is not None
