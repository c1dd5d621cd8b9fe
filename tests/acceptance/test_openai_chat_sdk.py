"""The official SDK reads what the encoder writes: the same message, and never a cut one as complete."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from sse_core import dialects, encode_event
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    CitationDelta,
    MessageCut,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    SignatureDelta,
    StreamError,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
)
from tests.acceptance.one_answer import OneAnswer
from tests.acceptance.recorded import accumulated, decoded, framed

CHAT = dialects.get("openai-chat")
FIXTURES = Path(__file__).parents[3] / "shared/fixtures"
OF_OTHERS = sorted([*FIXTURES.glob("anthropic/*.sse"), *FIXTURES.glob("synthetic/anthropic-*.sse")])
START = MessageStart("msg_1", "claude", usage={"input_tokens": 3, "output_tokens": 1})


class Provider(OneAnswer):
    """A provider, and what the official SDK makes of its answers."""

    def __init__(self) -> None:
        super().__init__()
        self.client = openai.OpenAI(api_key="none", base_url=self.url, max_retries=0)

    def accumulated_by_the_sdk(self, body: bytes) -> dict[str, Any]:
        """The completion that the official SDK makes of a stream.

        ``get_final_completion`` raises after ``length`` and ``content_filter``, whoever says so.
        """
        self.body = body
        ask = self.client.chat.completions.stream(model="m", messages=[{"role": "user", "content": "?"}])
        with ask as stream:
            return stream.until_done().current_completion_snapshot.to_dict(warnings=False)

    def read_by_the_sdk(self, body: bytes) -> list[dict[str, Any]]:
        """The chunks of a stream as the official SDK reads them."""
        self.body = body
        ask = self.client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "?"}], stream=True
        )
        with ask as stream:
            return [chunk.to_dict(warnings=False) for chunk in stream]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    provider = Provider()
    with provider.serving(), provider.client:
        yield provider


def written(events: Iterable[BlockEvent]) -> bytes:
    encoder = CHAT.Encoder()
    return b"".join(encode_event(sse.data) for event in events for sse in encoder.send(event))


def response(events: Iterable[BlockEvent]) -> dict[str, Any]:
    return CHAT.to_response(accumulated(events))


def lacking(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Where theirs has not what ours has.  What the SDK adds beside is its own business."""
    if isinstance(ours, dict):
        for name, value in ours.items():
            yield from lacking(value, theirs.get(name), f"{path}.{name}")
    elif isinstance(ours, list):
        assert len(ours) == len(theirs)
        for index, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from lacking(*pair, f"{path}[{index}]")
    elif ours != theirs:
        yield path


def test_the_sdk_makes_the_response_that_we_make(provider: Provider) -> None:
    events: list[BlockEvent] = [
        START,
        Ping(),
        BlockStart(0, ThinkingBlock("", "")),
        ThinkingDelta(0, "hm"),
        SignatureDelta(0, "c2ln"),
        BlockStop(0),
        BlockStart(1, TextBlock()),
        TextDelta(1, "é😀\u2028"),
        CitationDelta(1, {"type": "url_citation", "url_citation": {"url": "u"}}),
        CitationDelta(1, {"type": "url_citation", "url_citation": {"url": "v"}}),
        BlockStop(1),
        BlockStart(2, ToolUseBlock("toolu_1", "run")),
        ArgumentsDelta(2, '{"a": [1, '),
        ArgumentsDelta(2, "2]}"),
        BlockStop(2),
        BlockStart(4, ToolUseBlock("toolu_2", "walk")),
        BlockStop(4),
        MessageDelta("tool_use", {"output_tokens": 9, "cache_read_input_tokens": 4}),
        MessageStop(),
    ]
    ours = response(events)
    assert ours["choices"][0]["finish_reason"] == "tool_calls"
    assert ours["usage"]["prompt_tokens"] == 7
    assert list(lacking(ours, provider.accumulated_by_the_sdk(written(events)))) == []


def test_the_sdk_reads_several_choices(provider: Provider) -> None:
    events: list[BlockEvent] = [
        START,
        MessageStart("msg_1", "claude", choice=1),
        *(BlockStart(0, TextBlock(), choice=choice) for choice in (1, 0)),
        *(TextDelta(0, f"answer {choice}", choice=choice) for choice in (1, 0)),
        *(MessageDelta("end_turn", choice=choice) for choice in (0, 1)),
        MessageStop(),
    ]
    ours = response(events)
    assert [choice["message"]["content"] for choice in ours["choices"]] == ["answer 0", "answer 1"]
    del ours["usage"]
    assert list(lacking(ours, provider.accumulated_by_the_sdk(written(events)))) == []


def test_the_sdk_reads_calls_of_tools_that_take_text(provider: Provider) -> None:
    """The SDK's types don't know them in streams yet: https://github.com/openai/openai-python/pull/3505."""
    events: list[BlockEvent] = [
        START,
        BlockStart(0, ToolUseBlock("call_1", "sh", input_encoding="text")),
        ArgumentsDelta(0, "ls {"),
        BlockStop(0),
        MessageDelta("completed"),
        MessageStop(),
    ]
    chunks = provider.read_by_the_sdk(written(events))
    calls = [
        call
        for chunk in chunks
        for choice in chunk["choices"]
        for call in choice["delta"].get("tool_calls", [])
    ]
    first = {"index": 0, "id": "call_1", "type": "custom", "custom": {"name": "sh", "input": ""}}
    assert calls == [first, {"index": 0, "custom": {"input": "ls {"}}]
    assert list(lacking(response(events), provider.accumulated_by_the_sdk(written(events)))) == []


@pytest.mark.parametrize("path", OF_OTHERS or [None], ids=lambda path: path and path.stem)
def test_the_sdk_reads_a_stream_of_another_protocol_event_by_event(
    provider: Provider, path: Path | None
) -> None:
    """Each chunk is what the SDK's types demand and is read as it was sent; the completion is ours."""
    if path is None:
        pytest.skip("shared folder missing: the recordings lie beside the checkout")
    events = list(decoded(dialects.get("anthropic"), framed([path.read_bytes()])))
    encoder = CHAT.Encoder()
    written = [sse.data for event in events for sse in encoder.send(event)]
    body = b"".join(encode_event(data) for data in written)
    message = accumulated(events)
    if message.completeness != "complete":
        with pytest.raises(openai.APIError):
            provider.accumulated_by_the_sdk(body)
        return
    chunks = [json.loads(data) for data in written[:-1]]
    for chunk in chunks:
        if is_in_the_sdks_words(chunk):
            ChatCompletionChunk.model_validate(chunk)
    assert provider.read_by_the_sdk(body) == chunks
    ours = CHAT.to_response(message)
    # The SDK keeps it in chunks, not in the completion; there is none where a call was cut.
    ours["choices"][0].pop("native_finish_reason", None)
    ours["model"] = chunks[0]["model"]  # where another takes over, chunks name the first
    assert list(lacking(ours, provider.accumulated_by_the_sdk(body))) == []


def is_in_the_sdks_words(chunk: dict[str, Any]) -> bool:
    """One stream ends for a reason that nobody knows, and that no protocol has a word for."""
    return all(choice["finish_reason"] != "some_future_reason" for choice in chunk["choices"])


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        (MessageCut("truncated"), "stream_truncated"),
        (MessageCut("stopped"), "turn_stopped"),
        (MessageCut("failed"), "turn_failed"),
        (StreamError("overloaded_error", "Overloaded"), "overloaded_error"),
    ],
)
@pytest.mark.parametrize("before", [[], [START, BlockStart(0, TextBlock()), TextDelta(0, "Hel")]])
def test_the_sdk_never_takes_a_cut_message_for_a_whole_one(
    provider: Provider, before: list[BlockEvent], end: BlockEvent, kind: str
) -> None:
    with pytest.raises(openai.APIError) as caught:
        provider.read_by_the_sdk(written([*before, end]))
    assert caught.value.type == kind
