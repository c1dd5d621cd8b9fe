"""The official SDK reads what the encoder writes: the same message, and never a cut one as complete."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest
from pydantic import TypeAdapter

from sse_core import EventStreamDecoder, ServerSentEvent, dialects, encode_event
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
from sse_core.testing import events_of
from tests.acceptance.one_answer import OneAnswer
from tests.acceptance.recorded import accumulated, decoded, framed

ANTHROPIC = dialects.get("anthropic")
CHAT = dialects.get("openai-chat")
FIXTURES = Path(__file__).parents[3] / "shared/fixtures"
RECORDED = sorted(FIXTURES.glob("anthropic/*.sse"))
#: Streams of another protocol; those of `synthetic` have calls that grow side by side.
OF_OTHERS = sorted(
    [
        *FIXTURES.glob("openai-chat/*.sse"),
        *FIXTURES.glob("openai-compat/*/*.sse"),
        *FIXTURES.glob("synthetic/chat-*.sse"),
    ]
)
START = MessageStart("msg_1", "claude", usage={"input_tokens": 3, "output_tokens": 1})
#: What the SDK's own types say an event is.
EVENT: TypeAdapter[Any] = TypeAdapter(anthropic.types.RawMessageStreamEvent)


class Provider(OneAnswer):
    """A provider, and what the official SDK makes of its answers."""

    def __init__(self) -> None:
        super().__init__()
        self.client = anthropic.Anthropic(api_key="none", base_url=self.url, max_retries=0)

    def ask(self, body: bytes) -> Any:
        self.body = body
        return self.client.messages.stream(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "?"}]
        )

    def read_by_the_sdk(self, body: bytes) -> dict[str, Any]:
        """The final message that the official SDK makes of a stream."""
        with self.ask(body) as stream:
            message: dict[str, Any] = stream.get_final_message().to_dict(warnings=False)
            return message

    def followed_by_the_sdk(self, body: bytes) -> tuple[list[str], dict[str, Any]]:
        """The types of the events that the official SDK reads, and the final message."""
        with self.ask(body) as stream:
            types = [event.type for event in stream]
            return types, stream.get_final_message().to_dict(warnings=False)


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    provider = Provider()
    with provider.serving(), provider.client:
        yield provider


def sent(events: Iterable[BlockEvent]) -> list[ServerSentEvent]:
    return events_of(ANTHROPIC, events)


def on_the_wire(sent: Iterable[ServerSentEvent]) -> bytes:
    return b"".join(encode_event(sse.data, event=sse.type) for sse in sent)


def written(events: Iterable[BlockEvent]) -> bytes:
    return on_the_wire(sent(events))


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


#: Events that the SDK adds to those that it reads.
DERIVED = {"text", "thinking", "signature", "input_json", "citation"}


@pytest.mark.parametrize("path", OF_OTHERS or [None], ids=lambda path: path and path.stem)
def test_the_sdk_reads_a_stream_of_another_protocol_event_by_event(
    provider: Provider, path: Path | None
) -> None:
    """Each event is what the SDK's types demand, one block is open at a time, and the message is ours."""
    if path is None:
        pytest.skip("shared folder missing: the recordings lie beside the checkout")
    events = list(decoded(CHAT, framed([path.read_bytes()])))
    ours = accumulated(events)
    written = sent(events)
    for sse in written:
        if sse.type not in {"error", "ping"}:
            EVENT.validate_python(json.loads(sse.data))
    if ours.completeness != "complete":
        with pytest.raises(anthropic.APIStatusError):
            provider.read_by_the_sdk(on_the_wire(written))
        return
    _require_order([(sse.type, json.loads(sse.data).get("index")) for sse in written])
    types, theirs = provider.followed_by_the_sdk(on_the_wire(written))
    assert [type for type in types if type not in DERIVED] == [s.type for s in written if s.type != "ping"]
    if any(tool.state in {"invalid", "incomplete"} for tool in ours.tools):
        return  # of such arguments the SDK shows the part that parses
    response = ANTHROPIC.to_response(ours)
    # The halves of a surrogate pair that came in two events are one character.
    theirs = json.loads(json.dumps(theirs))
    assert {name: theirs[name] for name in response} == response


def _require_order(written: list[tuple[str, int | None]]) -> None:
    """Anthropic's order: one block at a time, each with its deltas."""
    kinds = [kind for kind, _ in written if kind != "ping"]
    assert (kinds[0], kinds[-2:]) == ("message_start", ["message_delta", "message_stop"])
    current = -1
    for kind, index in written:
        current += kind == "content_block_start"
        assert index in {None, current}


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
