"""Who accumulates deltas: this accumulator, the floor, and the peers, each by its own names.

All get their deltas in the form in which they take them: events or strings, made beforehand.  pydantic-ai's
manager reports each delta by an event of its own, and ours by none; ``sse-core, events made`` makes them.
"""

from __future__ import annotations

import importlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from importlib import metadata
from itertools import islice
from typing import Any, ClassVar

from accumulate_corpora import chat_chunks

from sse_core import JSONFragments, MessageAccumulator
from sse_core.blocks import (
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    MessageDelta,
    MessageStart,
    MessageStop,
    TextBlock,
    TextDelta,
    ToolUseBlock,
)

OURS, MADE, VIEW, FLOOR = "sse-core", "sse-core, events made", "sse-core, live view", "floor"
ANTHROPIC, PYDANTIC_AI, OPENAI = "anthropic", "pydantic-ai-slim", "openai"
ANTHROPIC_STREAM = "anthropic MessageStream"


class Contender(ABC):
    """Accumulates one message after another: ``begin``, ``take`` some deltas, ``end``.

    ``deltas`` makes of fragments what ``take`` takes.  ``end`` gives the text, or the tool's arguments as a
    value.  ``most`` is the longest text that it is given: the quadratic ones are not given all.
    """

    most: ClassVar[int] = 10_000_000

    def __init__(self, *, is_tool: bool) -> None:
        self.is_tool = is_tool

    def deltas(self, fragments: list[str]) -> list[Any]:
        """What ``take`` takes."""
        return fragments

    @abstractmethod
    def begin(self) -> None:
        """Begin a message with one block."""

    @abstractmethod
    def take(self, deltas: list[Any]) -> None:
        """Take some deltas."""

    @abstractmethod
    def end(self) -> Any:
        """End the message."""


class Floor(Contender):
    """Appends to a list; joins it once, and parses once."""

    def begin(self) -> None:
        """An empty list."""
        self.parts: list[str] = []

    def take(self, deltas: list[Any]) -> None:
        """Append each."""
        parts = self.parts
        for delta in deltas:
            parts.append(delta)

    def end(self) -> Any:
        """Join."""
        text = "".join(self.parts)
        return json.loads(text) if self.is_tool else text


class Ours(Contender):
    """``MessageAccumulator``, with the events made beforehand."""

    def deltas(self, fragments: list[str]) -> list[Any]:
        """Block events."""
        kind = ArgumentsDelta if self.is_tool else TextDelta
        return [kind(0, fragment) for fragment in fragments]

    def begin(self) -> None:
        """Begin a message and a block."""
        self.accumulator = MessageAccumulator()
        self.accumulator.receive(MessageStart("msg_01", "claude"))
        block = ToolUseBlock("toolu_01", "write") if self.is_tool else TextBlock()
        self.accumulator.receive(BlockStart(0, block))

    def take(self, deltas: list[Any]) -> None:
        """Receive each."""
        receive = self.accumulator.receive
        for delta in deltas:
            receive(delta)

    def end(self) -> Any:
        """End the message and look at it."""
        for event in (BlockStop(0), MessageDelta("tool_use" if self.is_tool else "end_turn"), MessageStop()):
            self.accumulator.receive(event)
        message = self.accumulator.message
        return message.executable_tools[0].arguments if self.is_tool else message.text


class OursMade(Ours):
    """As ``Ours``, and makes the events."""

    def deltas(self, fragments: list[str]) -> list[Any]:
        """The texts."""
        return fragments

    def take(self, deltas: list[Any]) -> None:
        """Make an event of each and receive it."""
        receive = self.accumulator.receive
        kind = ArgumentsDelta if self.is_tool else TextDelta
        for delta in deltas:
            receive(kind(0, delta))


class OursView(Ours):
    """As ``Ours``, and reads the arguments as they come: with a look at them after each delta."""

    def begin(self) -> None:
        """Begin a message and a document."""
        super().begin()
        self.reader = JSONFragments()

    def take(self, deltas: list[Any]) -> None:
        """Receive each, read it, look."""
        receive, reader = self.accumulator.receive, self.reader
        for delta in deltas:
            receive(delta)
            reader.receive(delta.text)
            _ = reader.value

    def end(self) -> Any:
        """Both have to agree."""
        arguments = super().end()
        if self.reader.finish() != arguments:
            raise AssertionError("the live view differs")
        return arguments


class PydanticAI(Contender):
    """The parts manager of pydantic-ai, which its models' streams feed."""

    def __init__(self, *, is_tool: bool) -> None:
        super().__init__(is_tool=is_tool)
        self.manager_class = importlib.import_module("pydantic_ai._parts_manager").ModelResponsePartsManager
        self.parameters = importlib.import_module("pydantic_ai.models").ModelRequestParameters()

    def begin(self) -> None:
        """Begin a part."""
        self.manager = self.manager_class(model_request_parameters=self.parameters)
        if self.is_tool:
            self.manager.handle_tool_call_delta(vendor_part_id=0, tool_name="write", tool_call_id="toolu_01")

    def take(self, deltas: list[Any]) -> None:
        """Handle each, as the model of Anthropic does."""
        if self.is_tool:
            handle_call = self.manager.handle_tool_call_delta
            for delta in deltas:
                handle_call(vendor_part_id=0, args=delta)
        else:
            handle_text = self.manager.handle_text_delta
            for delta in deltas:
                for _ in handle_text(vendor_part_id=0, content=delta):
                    pass

    def end(self) -> Any:
        """The part."""
        part = self.manager.get_parts()[0]
        return part.args_as_dict() if self.is_tool else part.content


class Anthropic(Contender):
    """``accumulate_event`` of the Anthropic SDK, which its ``.stream()`` feeds."""

    most = 1_000_000

    def __init__(self, *, is_tool: bool) -> None:
        super().__init__(is_tool=is_tool)
        self.accumulate = importlib.import_module("anthropic.lib.streaming._messages").accumulate_event
        self.types = importlib.import_module("anthropic.types")

    def deltas(self, fragments: list[str]) -> list[Any]:
        """Its own event objects."""
        kind, field = ("input_json_delta", "partial_json") if self.is_tool else ("text_delta", "text")
        validate = self.types.RawContentBlockDeltaEvent.model_validate
        head = {"type": "content_block_delta", "index": 0}
        return [validate({**head, "delta": {"type": kind, field: fragment}}) for fragment in fragments]

    def begin(self) -> None:
        """Begin a message and a block."""
        usage = {"input_tokens": 25, "output_tokens": 1}
        message: dict[str, Any] = {
            "id": "msg_01",
            "type": "message",
            "role": "assistant",
            "model": "claude",
            "content": [],
        }
        message |= {"stop_reason": None, "stop_sequence": None, "usage": usage}
        block: dict[str, Any] = {"type": "text", "text": ""}
        if self.is_tool:
            block = {"type": "tool_use", "id": "toolu_01", "name": "write", "input": {}}
        start = {"type": "content_block_start", "index": 0, "content_block": block}
        self.snapshot: Any = None
        self.buffers: dict[int, bytes] = {}
        self.take(
            [self.types.RawMessageStartEvent.model_validate({"type": "message_start", "message": message})]
        )
        self.take([self.types.RawContentBlockStartEvent.model_validate(start)])

    def take(self, deltas: list[Any]) -> None:
        """Accumulate each."""
        accumulate, snapshot, buffers = self.accumulate, self.snapshot, self.buffers
        for delta in deltas:
            snapshot = accumulate(event=delta, current_snapshot=snapshot, json_bufs=buffers)
        self.snapshot = snapshot

    def end(self) -> Any:
        """The block."""
        block = self.snapshot.content[0]
        return block.input if self.is_tool else block.text


class AnthropicStream(Anthropic):
    """The Anthropic SDK's ``MessageStream``, fed with its event objects: what users have of its accumulator.

    It reports each delta with two events of its own.
    """

    def __init__(self, *, is_tool: bool) -> None:
        super().__init__(is_tool=is_tool)
        self.stream_class = importlib.import_module("anthropic.lib.streaming").MessageStream
        self.nothing = importlib.import_module("anthropic").NOT_GIVEN

    def begin(self) -> None:
        """Begin a stream."""
        self.events: Iterator[Any] = iter(())
        self.stream: Iterator[Any] | None = None
        super().begin()

    def __iter__(self) -> Iterator[Any]:
        """The stream of events that the SDK reads."""
        return self

    def __next__(self) -> Any:
        """The next event."""
        return next(self.events)

    def take(self, deltas: list[Any]) -> None:
        """Read each."""
        self.events = iter(deltas)
        if self.stream is None:
            self.stream = iter(self.stream_class(self, output_format=self.nothing))
        per_delta = 2 if deltas[0].type == "content_block_delta" else 1
        for _ in islice(self.stream, per_delta * len(deltas)):
            pass

    def end(self) -> Any:
        """The block, as the message's last event has it."""
        kind = self.types.RawContentBlockStopEvent
        self.events = iter([kind.model_validate({"type": "content_block_stop", "index": 0})])
        block = next(self.stream).content_block  # type: ignore[arg-type]  # there is one once it has begun
        return block.input if self.is_tool else block.text


class OpenAI(Contender):
    """``ChatCompletionStreamState`` of the OpenAI SDK, which its ``.stream()`` feeds."""

    most = 1_000_000

    def __init__(self, *, is_tool: bool) -> None:
        super().__init__(is_tool=is_tool)
        self.state_class = importlib.import_module("openai.lib.streaming.chat").ChatCompletionStreamState
        self.chunk_class = importlib.import_module("openai.types.chat").ChatCompletionChunk
        self.first, self.last = self._chunks([])

    def _chunks(self, fragments: list[str]) -> list[Any]:
        chunks = chat_chunks(fragments, is_tool=self.is_tool)
        return [self.chunk_class.model_validate(chunk) for chunk in chunks]

    def deltas(self, fragments: list[str]) -> list[Any]:
        """Its own chunk objects."""
        return self._chunks(fragments)[1:-1]

    def begin(self) -> None:
        """Begin a completion."""
        self.state = self.state_class()
        self.take([self.first])

    def take(self, deltas: list[Any]) -> None:
        """Handle each chunk."""
        handle = self.state.handle_chunk
        for delta in deltas:
            for _ in handle(delta):
                pass

    def end(self) -> Any:
        """The choice's message."""
        self.take([self.last])
        message = self.state.get_final_completion().choices[0].message
        return json.loads(message.tool_calls[0].function.arguments) if self.is_tool else message.content


MAKERS: dict[str, Callable[..., Contender]] = {
    OURS: Ours,
    MADE: OursMade,
    VIEW: OursView,
    FLOOR: Floor,
    PYDANTIC_AI: PydanticAI,
    ANTHROPIC: Anthropic,
    ANTHROPIC_STREAM: AnthropicStream,
    OPENAI: OpenAI,
}


def contenders(*, is_tool: bool) -> dict[str, Contender]:
    """All that are installed; the live view is of tools' arguments only."""
    found = {}
    for name, make in MAKERS.items():
        if name == VIEW and not is_tool:
            continue
        try:
            found[name] = make(is_tool=is_tool)
        except ImportError:
            continue
    return found


def versions() -> dict[str, str]:
    """The versions of the peers that are installed."""
    found = {}
    for name in (PYDANTIC_AI, ANTHROPIC, OPENAI):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
