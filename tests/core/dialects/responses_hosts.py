"""Hosts of Responses, each with its own idea of an index and an id, and what has to come of their streams.

Each kind is one in which it can be known what belongs together.  Where a host sends neither an index nor an
id, for one, its items come one after another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

from hypothesis import strategies as st

from sse_core import Message, MessageAccumulator, ServerSentEvent
from sse_core.blocks import TextBlock, ThinkingBlock
from sse_core.dialects import EventDecoder
from sse_core.dialects.openai_responses import Decoder
from tests.core.dialects.responses_events import event

Index = Literal["right", "gaps", "none", "same", "later"]
Ids = Literal["right", "rotating", "none", "same", "of the call"]
Again = Literal["nothing", "ends", "items", "as the other kind"]
TYPES = ("message", "reasoning", "function_call", "custom_tool_call")
CALLS = TYPES[2:]


@dataclass(frozen=True)
class Host:
    """How a host announces its items.

    ``index``: ``later`` counts one more from the end of an item's text on; ``same`` is 0 always.  ``again``:
    what it sends once more.  ``side_by_side``: items grow at the same time.
    """

    index: Index = "right"
    ids: Ids = "right"
    again: Again = "nothing"
    types: tuple[str, ...] = TYPES
    side_by_side: bool = True
    only_ends: bool = False


#: Those that can be distinguished, whatever else they do.
HOSTS = {
    "right": Host(),
    "gaps": Host(index="gaps"),
    "ids that rotate": Host(ids="rotating"),
    "no ids": Host(ids="none"),
    "one id": Host(ids="same"),
    "no index": Host(index="none"),
    "no index, calls by their call_id": Host(index="none", ids="of the call"),
    "no index, ids that rotate": Host(index="none", ids="rotating", side_by_side=False),
    "no index, no ids": Host(index="none", ids="none", side_by_side=False),
    "no index, one id": Host(index="none", ids="same", side_by_side=False),
    "one index": Host(index="same"),
    "one index, no ids": Host(index="same", ids="none", side_by_side=False),
    "one index, ids that rotate": Host(index="same", ids="rotating", side_by_side=False),
    "ends one index later": Host(index="later"),
    "calls end one index later, ids that rotate": Host(index="later", ids="rotating", types=CALLS),
    "ends again": Host(again="ends"),
    "ends again, no ids": Host(ids="none", again="ends"),
    "ends again, no index": Host(index="none", again="ends"),
    "items again": Host(again="items"),
    "calls again, no index, no ids": Host(
        index="none", ids="none", again="items", types=CALLS, side_by_side=False
    ),
    "calls again, one index": Host(index="same", again="items", types=CALLS),
    "calls again, ids that rotate": Host(ids="rotating", again="items", types=CALLS),
    "calls as the other kind, too": Host(again="as the other kind"),
    "calls as the other kind, one index": Host(index="same", again="as the other kind"),
    "only ends": Host(only_ends=True),
    "only ends, ids that rotate": Host(ids="rotating", only_ends=True),
    "only ends, no index": Host(index="none", only_ends=True),
    "only ends, no index, no ids": Host(index="none", ids="none", only_ends=True),
    "only ends, one index": Host(index="same", only_ends=True),
}


@dataclass(frozen=True)
class HostStream:
    """A stream without its end, its end, and what has to come of both."""

    name: str
    stream: tuple[ServerSentEvent, ...]
    end: ServerSentEvent
    texts: tuple[str, ...]
    thoughts: tuple[str, ...]
    calls: tuple[tuple[str, str, Any], ...]


class Writer:
    """The events of one stream, as its host sends them."""

    def __init__(self, draw: st.DrawFn, host: Host) -> None:
        self.draw = draw
        self.host = host
        self.ids = count()
        self.output: list[dict[str, Any]] = []
        self.rows = [self.row(number) for number in range(draw(st.integers(1, 4)))]

    def row(self, number: int) -> list[ServerSentEvent]:
        """An item and its events."""
        type_ = self.draw(st.sampled_from(self.host.types))
        text = f"({number}{self.draw(st.text('xyz', max_size=4))})"
        item: dict[str, Any] = {"type": type_, "status": "completed"}
        if type_ == "message":
            item["content"] = [{"type": "output_text", "text": text}]
        elif type_ == "reasoning":
            item["content"] = [{"type": "reasoning_text", "text": text}]
        else:
            item |= {"call_id": f"c{number}", "name": f"f{number}"}
            field, text = (
                ("input", text) if type_ == "custom_tool_call" else ("arguments", f'{{"n":"{text}"}}')
            )
            item[field] = text
        self.output.append(item)
        events = self.ends(number, item) if self.host.only_ends else self.events(number, item, text)
        if self.host.again == "ends":
            events += self.ends(number, item)
        if self.host.again == "items":
            events += self.events(number, item, text)
        if self.host.again == "as the other kind" and type_ in CALLS:
            other = {name: item[name] for name in ("status", "call_id", "name")} | {
                "type": CALLS[1 - CALLS.index(type_)],
                "input": "other",
                "arguments": '{"n":"other"}',
            }
            events += self.draw(st.sampled_from([self.ends, self.begins]))(number, other)
        return events

    def events(self, number: int, item: dict[str, Any], text: str) -> list[ServerSentEvent]:
        cut = self.draw(st.integers(0, len(text)))
        deltas = [fragment for fragment in (text[:cut], text[cut:]) if fragment]
        return [
            *self.begins(number, item),
            *(self.growth(number, item, "delta", delta=delta) for delta in deltas),
            *([self.growth(number, item, "done", text=text)] if self.draw(st.booleans()) else []),
            *self.ends(number, item),
        ]

    def begins(self, number: int, item: dict[str, Any]) -> list[ServerSentEvent]:
        begun = {**item, "status": "in_progress"}
        begun |= {name: "" for name in ("arguments", "input") if name in item}
        begun |= {"content": []} if "content" in item else {}
        return [event("output_item.added", **self.index(number), item=self.with_id(number, begun))]

    def ends(self, number: int, item: dict[str, Any]) -> list[ServerSentEvent]:
        return [event("output_item.done", **self.index(number, late=True), item=self.with_id(number, item))]

    def growth(self, number: int, item: dict[str, Any], word: str, **fields: str) -> ServerSentEvent:
        kind, field = {
            "message": ("output_text", "text"),
            "reasoning": ("reasoning_text", "text"),
            "function_call": ("function_call_arguments", "arguments"),
            "custom_tool_call": ("custom_tool_call_input", "input"),
        }[item["type"]]
        fields = {field if name == "text" else name: value for name, value in fields.items()}
        place = {"content_index": 0} if "content" in item else {}
        id_ = self.id(number, item)
        if self.host.ids == "of the call" and "call_id" in item:
            id_ = item["call_id"]
        return event(
            f"{kind}.{word}",
            **self.index(number, late=word == "done"),
            **({} if id_ is None else {"item_id": id_}),
            **place,
            **fields,
        )

    def index(self, number: int, *, late: bool = False) -> dict[str, int]:
        places = {"right": number, "gaps": 3 * number + 1, "same": 0, "later": number + late}
        return {} if self.host.index == "none" else {"output_index": places[self.host.index]}

    def with_id(self, number: int, item: dict[str, Any]) -> dict[str, Any]:
        id_ = self.id(number, item)
        return item if id_ is None else {**item, "id": id_}

    def id(self, number: int, item: dict[str, Any]) -> str | None:
        if self.host.ids == "none" or (self.host.ids == "of the call" and "call_id" in item):
            return None
        return {"rotating": f"r{next(self.ids)}", "same": "i"}.get(self.host.ids, f"i{number}")

    def stream(self) -> list[ServerSentEvent]:
        """The rows side by side: items begin in their order, and each row keeps its own."""
        if not self.host.side_by_side:
            return [sent for row in self.rows for sent in row]
        sent, begun = [], 0
        left = [list(row) for row in self.rows]
        while any(left):
            choices = [n for n, row in enumerate(left[: begun + 1]) if row]
            number = self.draw(st.sampled_from(choices))
            begun = max(begun, number + 1)
            sent.append(left[number].pop(0))
        return sent


@st.composite
def host_streams(draw: st.DrawFn, names: tuple[str, ...] = tuple(HOSTS)) -> HostStream:
    """What a host may send."""
    name = draw(st.sampled_from(names))
    host = HOSTS[name]
    writer = Writer(draw, host)
    stream = [event("created", response={"id": "r", "model": "m", "status": "in_progress"}), *writer.stream()]
    again = draw(st.booleans())
    output = [writer.with_id(n, item) for n, item in enumerate(writer.output)] if again else []
    end = event("completed", response={"id": "r", "status": "completed", "output": output})
    return HostStream(
        name,
        tuple(stream),
        end,
        _texts(writer.output, "message"),
        _texts(writer.output, "reasoning"),
        tuple(_call(item) for item in writer.output if "call_id" in item),
    )


def _texts(output: list[dict[str, Any]], type_: str) -> tuple[str, ...]:
    return tuple(item["content"][0]["text"] for item in output if item["type"] == type_)


def _call(item: dict[str, Any]) -> tuple[str, str, Any]:
    value = item["input"] if "input" in item else {"n": item["arguments"][6:-2]}
    return item["call_id"], item["name"], value


def read(stream: tuple[ServerSentEvent, ...], make: Callable[[], EventDecoder]) -> Message:
    """The message of a stream and its end."""
    decoder, accumulator = make(), MessageAccumulator()
    events = [made for sse in stream for made in decoder.receive_event(sse)]
    for made in [*events, *decoder.receive_eof()]:
        accumulator.receive(made)
    return accumulator.message


def obeys(hosted: HostStream, make: Callable[[], EventDecoder] = Decoder) -> bool:
    """Whether a decoder gives each text once, and each call once and with its own arguments.

    And of a stream that is cut, nothing that may be run, and no text that was not said.
    """
    message = read((*hosted.stream, hosted.end), make)
    texts = [block.text for block in message.blocks if isinstance(block, TextBlock)]
    thoughts = [block.thinking for block in message.blocks if isinstance(block, ThinkingBlock)]
    calls = [(tool.id, tool.name, tool.arguments) for tool in message.executable_tools]
    cut = read(hosted.stream, make)
    return (
        message.completeness == "complete"
        and sorted(texts) == sorted(hosted.texts)
        and sorted(thoughts) == sorted(hosted.thoughts)
        and sorted(calls, key=repr) == sorted(hosted.calls, key=repr)
        and len(message.tools) == len(hosted.calls)
        and cut.completeness == "truncated"
        and cut.executable_tools == []
        and cut.text == message.text
    )
