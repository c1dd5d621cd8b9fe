"""The official SDK reads what the encoder writes, event by event, and never takes a cut message as whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from sse_core import Message, dialects, encode_event
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

RESPONSES = dialects.get("openai-responses")
FIXTURES = Path(__file__).parents[3] / "shared/fixtures"
OF_OTHERS = [
    *(("anthropic", path) for path in sorted(FIXTURES.glob("anthropic/*.sse"))),
    *(("openai-chat", path) for path in sorted(FIXTURES.glob("openai-chat/*.sse"))),
    *(("openai-chat", path) for path in sorted(FIXTURES.glob("openai-compat/*/*.sse"))),
]
OWN = [
    ("openai-responses", path)
    for path in sorted([*FIXTURES.glob("openai-responses/*.sse"), *FIXTURES.glob("responses-compat/*/*.sse")])
]
NO_RECORDINGS = [("", None)]
START = MessageStart("msg_1", "claude", usage={"input_tokens": 3, "output_tokens": 1}, dialect="anthropic")
CITED = {"url": "u", "title": "t", "start_index": 0, "end_index": 1}


def name_of(value: object) -> str:
    return value.stem if isinstance(value, Path) else str(value)


class Provider(OneAnswer):
    """A provider, and what the official SDK makes of its answers."""

    def client(self, body: bytes) -> openai.OpenAI:
        self.body = body
        return openai.OpenAI(api_key="none", base_url=self.url, max_retries=0)

    def accumulated_by_the_sdk(self, body: bytes) -> list[Any]:
        """The events that the official SDK's helper makes of a stream."""
        with self.client(body) as client, client.responses.stream(model="m", input="?") as events:
            return list(events)

    def read_by_the_sdk(self, body: bytes) -> list[Any]:
        """The events of a stream as the official SDK reads them."""
        with (
            self.client(body) as client,
            client.responses.create(model="m", input="?", stream=True) as events,
        ):
            return list(events)


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    provider = Provider()
    with provider.serving():
        yield provider


def written(events: Iterable[BlockEvent], *, verbatim: bool = False) -> bytes:
    encoder = RESPONSES.Encoder(verbatim=verbatim)
    return b"".join(encode_event(sse.data, event=sse.type) for event in events for sse in encoder.send(event))


def texts(response: Any) -> str:
    """The text and the refusals of a response, as they follow each other."""
    parts = [part for item in response.output if item.type == "message" for part in item.content]
    return "".join(part.refusal if part.type == "refusal" else part.text for part in parts)


def thoughts(response: Any) -> str:
    items = [item for item in response.output if item.type == "reasoning"]
    return "".join(part.text for item in items for part in [*item.summary, *(item.content or [])])


def calls(response: Any) -> list[tuple[str, str, str]]:
    return [
        (item.call_id, item.name, item.arguments) for item in response.output if item.type == "function_call"
    ]


def said(message: Message) -> tuple[str, str, list[tuple[str, str, str]]]:
    """The same of a message."""
    thinking = [block.thinking for block in message.blocks if isinstance(block, ThinkingBlock)]
    tools = [tool for tool in message.tools if tool.type == "tool_use"]
    return (
        message.text,
        "".join(thinking),
        [(tool.id, tool.name, tool.raw_arguments.strip() or "{}") for tool in tools],
    )


def check(provider: Provider, body: bytes, message: Message) -> Any:
    """The response that the SDK reads, once every delta and the whole are what the message says."""
    events = provider.accumulated_by_the_sdk(body)
    assert [event.type for event in events] == [event.type for event in provider.read_by_the_sdk(body)]
    response = events[-1].response
    assert events[-1].type == f"response.{response.status}"
    assert (texts(response), thoughts(response), calls(response)) == said(message)
    deltas = {
        kind: "".join(event.delta for event in events if event.type == f"response.{kind}.delta")
        for kind in ("output_text", "refusal", "function_call_arguments")
    }
    assert deltas["output_text"] + deltas["refusal"] == message.text
    assert deltas["function_call_arguments"] == "".join(arguments for *_, arguments in said(message)[2])
    return response


def test_the_sdk_reads_the_response_that_the_events_make(provider: Provider) -> None:
    events: list[BlockEvent] = [
        START,
        Ping(),
        BlockStart(0, ThinkingBlock("", "")),
        ThinkingDelta(0, "hm"),
        SignatureDelta(0, "c2ln"),
        BlockStop(0),
        BlockStart(1, TextBlock()),
        TextDelta(1, "é😀\u2028"),
        CitationDelta(1, {"type": "url_citation", "url_citation": CITED}),
        CitationDelta(1, {"type": "char_location", "cited_text": "é"}),
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
    response = check(provider, written(events), accumulated(events))
    assert response.status == "completed"
    assert [item.type for item in response.output] == [
        "reasoning",
        "message",
        "function_call",
        "function_call",
    ]
    (annotation,) = response.output[1].content[0].annotations
    assert annotation.to_dict() == {"type": "url_citation", **CITED}
    assert (response.usage.input_tokens, response.usage.total_tokens) == (7, 16)
    assert response.usage.input_tokens_details.cached_tokens == 4


def test_the_sdk_keeps_calls_apart_whose_arguments_come_in_turns(provider: Provider) -> None:
    events: list[BlockEvent] = [
        START,
        BlockStart(0, ToolUseBlock("a", "f")),
        BlockStart(1, ToolUseBlock("b", "g")),
        *(ArgumentsDelta(index, piece) for piece in ('{"x":', "1}") for index in (0, 1)),
        BlockStop(0),
        BlockStop(1),
        MessageDelta("tool_use"),
        MessageStop(),
    ]
    found = provider.accumulated_by_the_sdk(written(events))
    snapshots = [e.snapshot for e in found if e.type == "response.function_call_arguments.delta"]
    assert snapshots == ['{"x":', '{"x":', '{"x":1}', '{"x":1}']
    assert calls(found[-1].response) == [("a", "f", '{"x":1}'), ("b", "g", '{"x":1}')]


@pytest.mark.parametrize(("dialect", "path"), OF_OTHERS or NO_RECORDINGS, ids=name_of)
def test_the_sdk_reads_a_stream_of_another_protocol(
    provider: Provider, dialect: str, path: Path | None
) -> None:
    if path is None:
        pytest.skip("shared folder missing: the recordings lie beside the checkout")
    events = list(decoded(dialects.get(dialect), framed([path.read_bytes()])))
    message = accumulated(events)
    if message.completeness != "complete":
        with pytest.raises(openai.APIError):
            provider.read_by_the_sdk(written(events))
        return
    response = check(provider, written(events), message)
    assert response.id == message.id
    assert response.model == message.model
    assert (response.status == "completed") == (message.stop_meaning in COMPLETED)
    if message.usage:
        counts = message.token_counts
        assert (response.usage.input_tokens, response.usage.output_tokens) == (counts.input, counts.output)
        assert response.usage.total_tokens == counts.total
        assert response.usage.input_tokens_details.cached_tokens == (counts.cache_read or 0)
        assert response.usage.output_tokens_details.reasoning_tokens == (counts.reasoning or 0)
    else:
        assert response.usage is None


@pytest.mark.parametrize(("_", "path"), OWN or NO_RECORDINGS, ids=name_of)
def test_the_sdk_reads_a_response_that_is_written_anew(provider: Provider, _: str, path: Path | None) -> None:
    if path is None:
        pytest.skip("shared folder missing: the recordings lie beside the checkout")
    events = list(decoded(RESPONSES, framed([path.read_bytes()])))
    message = accumulated(events)
    response = check(provider, written(events), message)
    assert (response.status, response.model) == ("completed", message.model)
    assert response.usage.to_dict(warnings=False) == message.usage


@pytest.mark.parametrize(("_", "path"), OWN or NO_RECORDINGS, ids=name_of)
def test_the_sdk_reads_a_response_that_is_sent_on_as_it_came(
    provider: Provider, _: str, path: Path | None
) -> None:
    if path is None:
        pytest.skip("shared folder missing: the recordings lie beside the checkout")
    recorded = path.read_bytes()
    sent = written(decoded(RESPONSES, framed([recorded])), verbatim=True)
    assert provider.read_by_the_sdk(sent) == provider.read_by_the_sdk(recorded)


#: What a message of another protocol ends for, if its response is completed.
COMPLETED = ("end_turn", "tool_use", "stop_sequence", None)


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
@pytest.mark.parametrize("verbatim", [True, False])
def test_the_sdk_never_takes_a_cut_message_for_a_whole_one(
    provider: Provider, before: list[BlockEvent], end: BlockEvent, kind: str, *, verbatim: bool
) -> None:
    body = written([*before, end], verbatim=verbatim)
    for read in (provider.read_by_the_sdk, provider.accumulated_by_the_sdk):
        with pytest.raises(openai.APIError) as caught:
            read(body)
        assert caught.value.type == kind
