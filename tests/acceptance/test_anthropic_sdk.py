"""The official SDK reads what the encoder writes: the same message, and never a cut one as complete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest

from sse_core import EventStreamDecoder, dialects, encode_event
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
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
from tests.acceptance.recorded import accumulated

ANTHROPIC = dialects.get("anthropic")
RECORDED = sorted((Path(__file__).parents[3] / "shared/fixtures/anthropic").glob("*.sse"))
START = MessageStart("msg_1", "claude", usage={"input_tokens": 3, "output_tokens": 1})


class Provider(OneAnswer):
    """A provider, and what the official SDK makes of its answers."""

    def read_by_the_sdk(self, body: bytes) -> dict[str, Any]:
        """The final message that the official SDK makes of a stream."""
        self.body = body
        with anthropic.Anthropic(api_key="none", base_url=self.url, max_retries=0) as client:
            ask = client.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "?"}])
            with ask as stream:
                return stream.get_final_message().to_dict(warnings=False)


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    provider = Provider()
    with provider.serving():
        yield provider


def written(events: Iterable[BlockEvent]) -> bytes:
    encoder = ANTHROPIC.Encoder()
    sent = [sse for event in events for sse in encoder.send(event)]
    return b"".join(encode_event(sse.data, event=sse.type) for sse in sent)


def test_the_sdk_makes_the_message_that_we_make(provider: Provider) -> None:
    events: list[BlockEvent] = [
        START,
        Ping(),
        BlockStart(0, ThinkingBlock("", "")),
        ThinkingDelta(0, "hm"),
        SignatureDelta(0, "c2ln"),
        BlockStop(0),
        BlockStart(1, TextBlock()),
        TextDelta(1, "é😀\u2028"),
        BlockStop(1),
        BlockStart(2, ToolUseBlock("toolu_1", "run")),
        ArgumentsDelta(2, ""),
        ArgumentsDelta(2, '{"a": [1, '),
        ArgumentsDelta(2, "2]}"),
        BlockStop(2),
        MessageDelta("tool_use", {"output_tokens": 9}),
        MessageStop(),
    ]
    ours = ANTHROPIC.to_response(accumulated(events))
    theirs = provider.read_by_the_sdk(written(events))
    assert {name: theirs[name] for name in ours} == ours


@pytest.mark.parametrize("path", RECORDED or [None], ids=lambda path: path and path.stem)
def test_the_sdk_makes_the_same_of_a_recording_and_of_what_we_make_of_it(
    provider: Provider, path: Path | None
) -> None:
    if path is None:
        pytest.skip("shared folder missing: the recordings lie beside the checkout")
    recorded = path.read_bytes() + b"\n\n"
    decoder = ANTHROPIC.Decoder()
    received = EventStreamDecoder().receive_data(recorded)
    events = [event for sse in received for event in decoder.receive_event(sse)]
    assert provider.read_by_the_sdk(written(events)) == provider.read_by_the_sdk(recorded)


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
    with pytest.raises(anthropic.APIStatusError) as caught:
        provider.read_by_the_sdk(written([*before, end]))
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["error"]["type"] == kind
