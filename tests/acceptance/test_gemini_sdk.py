"""The official SDK reads what the encoder writes: the same parts, and never a cut message as a whole one.

The SDK makes no one response of a stream, so its responses are compared one by one with what was sent.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sse_core import dialects, encode_event
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageCut,
    MessageDelta,
    MessageStart,
    MessageStop,
    StreamError,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
)
from tests.acceptance.one_answer import OneAnswer
from tests.acceptance.recorded import accumulated, decoded, framed

genai = pytest.importorskip("google.genai", reason="google-genai is not installed")

GEMINI = dialects.get("gemini")
FIXTURES = Path(__file__).parents[3] / "shared/fixtures"
RECORDED = sorted(FIXTURES.glob("gemini/*.sse"))
ANTHROPIC_STREAMS = sorted(FIXTURES.glob("anthropic/llm-anthropic*.sse"))
START = MessageStart("r1", "gemini-x", usage={"input_tokens": 3}, dialect="anthropic")
SIGNATURE = base64.b64encode(b"signature").decode()


class Provider(OneAnswer):
    """A provider, and how the official SDK reads its answers."""

    def read_by_the_sdk(self, events: Iterable[BlockEvent]) -> list[Any]:
        """The responses of a stream, as JSON."""
        encoder = GEMINI.Encoder()
        sent = [sse.data for event in events for sse in encoder.send(event)]
        return self.responses_to(b"".join(map(encode_event, sent)))

    def responses_to(self, body: bytes) -> list[Any]:
        """The responses of a stream of these bytes."""
        self.body = body
        options = genai.types.HttpOptions(base_url=self.url)
        with genai.Client(api_key="none", http_options=options) as client:
            stream = client.models.generate_content_stream(model="m", contents="?")
            return [response.model_dump(mode="json", by_alias=True, exclude_none=True) for response in stream]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    provider = Provider()
    with provider.serving():
        yield provider


def folded(responses: list[Any]) -> Any:
    """What the responses say together: the parts, texts of one kind joined, and the last of all else."""
    parts: list[Any] = []
    fields: Any = {}
    usage: Any = {}
    for response in responses:
        # The SDK drops figures that it does not know, `serviceTier` among them.
        figures = response.get("usageMetadata", {}).items()
        usage |= {name: figure for name, figure in figures if name.endswith("TokenCount")}
        for candidate in response.get("candidates", []):
            fields |= candidate
            for part in candidate.get("content", {}).get("parts", []):
                plain = part.keys() <= {"text", "thought"}
                if plain and parts and {**parts[-1], "text": ""} == {**part, "text": ""}:
                    parts[-1] = {**part, "text": parts[-1]["text"] + part["text"]}
                elif part != {"text": ""}:
                    parts.append(part)
    return parts, fields.get("finishReason"), usage


def whole(events: Iterable[BlockEvent]) -> Any:
    """The same of our own response."""
    return folded([GEMINI.to_response(accumulated(events))])


def same(ours: Any, theirs: Any) -> bool:
    """Whether theirs has what ours has.  It writes signatures in another alphabet of base64."""
    if isinstance(ours, dict):
        return all(same(value, theirs.get(name)) for name, value in ours.items())
    if isinstance(ours, list | tuple):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, str) and isinstance(theirs, str):
        return ours.replace("+", "-").replace("/", "_") == theirs.replace("+", "-").replace("/", "_")
    return bool(ours == theirs)


def test_the_sdk_reads_what_we_write(provider: Provider) -> None:
    events: list[BlockEvent] = [
        MessageStart("r1", "gemini-x", dialect="gemini"),
        BlockStart(0, ThinkingBlock()),
        ThinkingDelta(0, "hm"),
        BlockStop(0),
        BlockStart(1, TextBlock()),
        TextDelta(1, "é😀\u2028"),
        TextDelta(1, "!"),
        BlockStop(1),
        BlockStart(2, ToolUseBlock("call_1", "run", extra={"thoughtSignature": SIGNATURE})),
        ArgumentsDelta(2, '{"a": [1, '),
        ArgumentsDelta(2, "2]}"),
        BlockStop(2),
        MessageDelta("STOP", {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7}),
        MessageStop(),
    ]
    responses = provider.read_by_the_sdk(events)
    assert {(response["responseId"], response["modelVersion"]) for response in responses} == {
        ("r1", "gemini-x")
    }
    parts, reason, usage = folded(responses)
    assert [part.get("text") for part in parts] == ["hm", "é😀\u2028!", None]
    assert parts[2]["functionCall"] == {"id": "call_1", "name": "run", "args": {"a": [1, 2]}}
    assert (reason, usage["totalTokenCount"]) == ("STOP", 7)
    assert same(whole(events), (parts, reason, usage))


@pytest.mark.parametrize("path", RECORDED + ANTHROPIC_STREAMS or [None], ids=lambda path: path and path.stem)
def test_the_sdk_reads_a_recorded_stream_that_was_written_anew(provider: Provider, path: Path | None) -> None:
    if path is None:
        pytest.skip("shared folder missing: the recordings lie beside the checkout")
    name = "anthropic" if path in ANTHROPIC_STREAMS else "gemini"
    events = list(decoded(dialects.get(name), framed([path.read_bytes()])))
    assert same(whole(events), folded(provider.read_by_the_sdk(events)))


def test_a_blocked_prompt_has_no_candidates(provider: Provider) -> None:
    feedback = {"promptFeedback": {"blockReason": "SAFETY"}}
    start = MessageStart("r1", "m", stop_reason="SAFETY", extra=feedback, dialect="gemini")
    (response,) = provider.read_by_the_sdk([start, MessageStop()])
    assert response["promptFeedback"] == {"blockReason": "SAFETY"}
    assert "candidates" not in response


@pytest.mark.parametrize(
    ("end", "code", "status"),
    [
        (MessageCut("truncated"), 502, "stream_truncated"),
        (MessageCut("stopped"), 410, "turn_stopped"),
        (MessageCut("failed"), 502, "turn_failed"),
        (StreamError("overloaded_error", "Overloaded"), 503, "UNAVAILABLE"),
        (StreamError("RESOURCE_EXHAUSTED", "Wait", extra={"code": 429}), 429, "RESOURCE_EXHAUSTED"),
    ],
)
@pytest.mark.parametrize("before", [[], [START, BlockStart(0, TextBlock()), TextDelta(0, "Hel")]])
def test_the_sdk_never_takes_a_cut_message_for_a_whole_one(
    provider: Provider, before: list[BlockEvent], end: BlockEvent, code: int, status: str
) -> None:
    with pytest.raises(genai.errors.APIError) as caught:
        provider.read_by_the_sdk([*before, end])
    assert (caught.value.code, caught.value.status) == (code, status)


@pytest.mark.parametrize("line", [b": ping\n", b"id: 1\n", b"event: message\n"])
def test_the_sdk_takes_no_line_but_data(provider: Provider, line: bytes) -> None:
    """As the page says: a heartbeat would end the stream of such a reader."""
    with pytest.raises(genai.errors.UnknownApiResponseError):
        provider.responses_to(line + encode_event('{"candidates": []}'))
