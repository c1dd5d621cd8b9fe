"""Decoders, an encoder and accumulators that are each wrong in one thing, for the laws to find."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from fuzz.dialect_laws import bounded_decoder
from sse_core import Message, MessageAccumulator, RemoteProtocolError, ServerSentEvent, dialects
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageCut,
    MessageStop,
    TextBlock,
    TextDelta,
)
from sse_core.blocks import events as e
from sse_core.blocks.strict_json import JSONObject
from sse_core.dialects import Dialect


class Decoder:
    """A right decoder of the dialect ``name``, to be made wrong."""

    name = "openai-chat"

    def __init__(self, *, max_held_bytes: int = 0) -> None:
        right = dialects.get(self.name)
        self.inner = bounded_decoder(right) if max_held_bytes else right.Decoder()
        self.begin()

    def begin(self) -> None:
        """Nothing is kept."""

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        """As it should be."""
        return list(self.inner.receive_event(sse))

    def receive_eof(self) -> list[BlockEvent]:
        """As it should be."""
        return list(self.inner.receive_eof())


class NullDelta(Decoder):
    """A delta that is null is an error of Python's."""

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        data = self._loads(sse.data)
        for choice in data.get("choices") or [] if isinstance(data, dict) else []:
            choice.get("delta", {}).get("content")
        return super().receive_event(sse)

    def _loads(self, text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError:
            return None


class TooDeep(Decoder):
    """What is nested too deeply is an error of Python's."""

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        if sse.data.count("[") > 100:
            raise RecursionError
        return super().receive_event(sse)


class DropsTheSame(Decoder):
    """A delta that is the same as the one before is taken for a repetition."""

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        events = super().receive_event(sse)
        texts = [event for event in events if isinstance(event, TextDelta)]
        before, self.before = getattr(self, "before", None), texts
        return [event for event in events if event not in (before or [])]


class ReadsByLook(Decoder):
    """An event that begins and ends as one before is read as that one with another text in it."""

    def begin(self) -> None:
        self.head = "\0"

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        if sse.data.startswith(self.head) and '"' in sse.data[len(self.head) :]:
            return [TextDelta(0, sse.data[len(self.head) :].partition('"')[0])]
        events = super().receive_event(sse)
        if [type(event) for event in events] == [TextDelta]:
            head, quote, _ = sse.data.partition('"content":"')
            self.head = head + quote if quote else "\0"
        return events


class ToolWholeWhenItParses(Decoder):
    """A call has ended as soon as its arguments are JSON."""

    def begin(self) -> None:
        self.texts: dict[int, str] = {}

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        return self._ended(super().receive_event(sse))

    def receive_eof(self) -> list[BlockEvent]:
        return self._ended(super().receive_eof())

    def _ended(self, events: list[BlockEvent]) -> list[BlockEvent]:
        sent: list[BlockEvent] = []
        for event in events:
            if isinstance(event, ArgumentsDelta) and event.choice == 0:
                if event.index in self.texts and self.texts[event.index] == "\0":
                    continue
                self.texts[event.index] = self.texts.get(event.index, "") + event.text
                sent.append(event)
                if self._is_json(self.texts[event.index]):
                    self.texts[event.index] = "\0"
                    sent.append(BlockStop(event.index))
            elif not (isinstance(event, BlockStop) and self.texts.get(event.index) == "\0"):
                sent.append(event)
        return sent

    def _is_json(self, text: str) -> bool:
        try:
            json.loads(text)
        except ValueError:
            return False
        return True


class EndIsComplete(Decoder):
    """A stream that just ends is complete."""

    def receive_eof(self) -> list[BlockEvent]:
        events = super().receive_eof()
        return [MessageStop() if isinstance(event, MessageCut) else event for event in events]


class NothingAtTheEnd(Decoder):
    """A stream that just ends says nothing."""

    def receive_eof(self) -> list[BlockEvent]:
        return []


class GoesOnAfterTheEnd(Decoder):
    """After the message's end events are read as before."""

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        return super().receive_event(sse) or [e.Ping()]


class GoesOnAfterAnError(Decoder):
    """What could not be read is left out, and the stream goes on."""

    name = "anthropic"

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        try:
            return super().receive_event(sse)
        except RemoteProtocolError:
            self.inner = dialects.get(self.name).Decoder()
            raise


class KeepsEverything(Decoder):
    """Each event is kept."""

    name = "anthropic"

    def begin(self) -> None:
        self.kept: list[str] = []

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        self.kept.append(sse.data + " ")
        return super().receive_event(sse)


class KeepsIndexes(Decoder):
    """Each block's index is kept, whether it is open or not."""

    name = "anthropic"

    def begin(self) -> None:
        self.blocks: dict[int, list[str]] = {}

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        events = super().receive_event(sse)
        for event in events:
            self.blocks.setdefault(getattr(event, "index", 0), [])
        return events


def with_decoder(kind: type[Decoder]) -> Dialect:
    """The dialect of a wrong decoder."""
    return replace(dialects.get(kind.name), Decoder=kind)


class Encoder:
    """A right encoder of the dialect ``name``, to be made wrong."""

    name = "openai-chat"

    def __init__(self, *, verbatim: bool = False) -> None:
        self.inner = dialects.get(self.name).Encoder(verbatim=verbatim)

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        """As it should be."""
        return self.inner.send(event)


class CutLooksComplete(Encoder):
    """A message that was cut ends like any other."""

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        return self.inner.send(MessageStop() if isinstance(event, MessageCut) else event)


class LosesShortText(Encoder):
    """A delta of one character is not worth an event."""

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        short = isinstance(event, TextDelta) and len(event.text) == 1
        return [] if short else self.inner.send(event)


class NamesByPeer(Encoder):
    """A peer's text becomes the event's name, whatever is in it."""

    name = "anthropic"

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        sent = self.inner.send(event)
        if isinstance(event, e.UnknownEvent) and sent:
            return [ServerSentEvent(str(event.data.get("type")), sse.data) for sse in sent]
        return sent


def _otherwise(sse: ServerSentEvent, said: str, other: str) -> ServerSentEvent:
    """The event with another word."""
    return ServerSentEvent(sse.type.replace(said, other), sse.data.replace(said, other))


class HalfACallStops(Encoder):
    """A call has stopped when its block has, whatever its arguments are."""

    name = "anthropic"

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        sent = self.inner.send(event)
        if isinstance(event, BlockStop) and not sent:
            data = {"type": "content_block_stop", "index": event.index}
            return [ServerSentEvent("content_block_stop", json.dumps(data))]
        return [_otherwise(sse, '"max_tokens"', '"tool_use"') for sse in sent]


class HalfACallIsMended(Encoder):
    """What is open is closed, so that a client can read it."""

    name = "anthropic"

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        mended = '{"mended": true}'
        changed = ArgumentsDelta(event.index, mended) if isinstance(event, ArgumentsDelta) else event
        return self.inner.send(changed)


class WantsCallsToBeRun(Encoder):
    """Where there are calls, they are what the message ended for."""

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        said = '"finish_reason":"length"', '"finish_reason":"tool_calls"'
        return [_otherwise(sse, *said) for sse in self.inner.send(event)]


class CompletesEverything(Encoder):
    """What has come to its end is completed."""

    name = "openai-responses"

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        return [_otherwise(sse, "incomplete", "completed") for sse in self.inner.send(event)]


class ShownAsAvailable(Encoder):
    """A call whose arguments are no JSON is shown with their text."""

    name = "ui-messages"

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        said = '"tool-input-error"', '"tool-input-available"'
        return [_otherwise(sse, *said) for sse in self.inner.send(event)]


class RunsNothing(Encoder):
    """To be safe, no call may be run."""

    name = "gemini"

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        return [_otherwise(sse, '"STOP"', '"OTHER"') for sse in self.inner.send(event)]


def with_the_reason_that_came(name: str = "anthropic") -> Dialect:
    """The response ends as the message did, whatever became of its calls."""
    right = dialects.get(name)

    def to_response(message: Message) -> JSONObject:
        return {**right.to_response(message), "stop_reason": "tool_use"}

    return replace(right, to_response=to_response)


def with_encoder(kind: type[Encoder]) -> Dialect:
    """The dialect of a wrong encoder."""
    return replace(dialects.get(kind.name), Encoder=kind)


def without_json(name: str = "anthropic") -> Dialect:
    """The response has what the message has, whether JSON can hold it or not."""
    right = dialects.get(name)

    def to_response(message: Message) -> JSONObject:
        return {**right.to_response(message), "blocks": message.blocks}

    return replace(right, to_response=to_response)


# Accumulators


class DropsEmptyStart(MessageAccumulator):
    """The text that a block begins with is lost."""

    def receive(self, event: BlockEvent) -> None:
        if isinstance(event, BlockStart) and isinstance(event.block, TextBlock):
            event = replace(event, block=TextBlock())
        super().receive(event)


class DropsADelta(MessageAccumulator):
    """Space is no text."""

    def receive(self, event: BlockEvent) -> None:
        if not (isinstance(event, TextDelta) and event.text.isspace()):
            super().receive(event)


class EarlyTools(MessageAccumulator):
    """A call may run as soon as its block has ended."""

    def receive(self, event: BlockEvent) -> None:
        super().receive(event)
        for tool in self.message.tools:
            if isinstance(event, MessageCut) and tool.raw_arguments:
                tool.state = "complete"


class HalfTools(MessageAccumulator):
    """What lacks its end is mended."""

    def receive(self, event: BlockEvent) -> None:
        super().receive(event)
        for tool in self.message.tools:
            if tool.state == "invalid":
                tool.state, tool.arguments = "complete", {}


class RaisesKeyError(MessageAccumulator):
    """A delta for no block is an error of Python's."""

    def receive(self, event: BlockEvent) -> None:
        if isinstance(event, ArgumentsDelta) and event.choice == 0:
            _ = self.message.indexed_blocks[event.index]
        super().receive(event)


class KeepsPings(MessageAccumulator):
    """Each sign of life is kept."""

    def __init__(self, **bounds: Any) -> None:
        super().__init__(**bounds)
        self.log: list[str] = []

    def receive(self, event: BlockEvent) -> None:
        self.log.append(repr(event) + " ")
        super().receive(event)


class NoBound(MessageAccumulator):
    """The bound on the message's size is not heeded."""

    def __init__(self, **bounds: Any) -> None:
        super().__init__(**{**bounds, "max_message_bytes": 2**30})


DECODERS = (
    *(NullDelta, TooDeep, DropsTheSame, ReadsByLook, ToolWholeWhenItParses, EndIsComplete, NothingAtTheEnd),
    *(GoesOnAfterTheEnd, GoesOnAfterAnError, KeepsEverything, KeepsIndexes),
)
ENCODERS = (CutLooksComplete, LosesShortText, NamesByPeer)
#: What is wrong with the calls that a reader may run.
ENCODERS_OF_CALLS = (
    *(HalfACallStops, HalfACallIsMended, WantsCallsToBeRun, CompletesEverything, ShownAsAvailable),
    RunsNothing,
)
ACCUMULATORS = (DropsEmptyStart, DropsADelta, EarlyTools, HalfTools, RaisesKeyError, KeepsPings, NoBound)
