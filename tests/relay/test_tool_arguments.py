"""A tool's arguments come in fragments, and are parsed once: when the protocol says that they are whole."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core.blocks import MessageAccumulator, ToolUseBlock
from tests.relay.support import (
    JSON,
    TURN_ID,
    Provider,
    World,
    block_start,
    block_stop,
    delta,
    message_delta,
    message_start,
)

#: Each beginning of it that ends behind a bracket or a digit looks whole.
FRAGMENTS = ["", '{"n', 'umber": 1', "2", "34", ', "list": [1, 2', "3], ", '"text": "a \\u00', 'fc"', "}"]
WHOLE_ARGUMENTS = "".join(FRAGMENTS)


class Spy:
    """A parser that remembers what it had to parse."""

    def __init__(self) -> None:
        self.parsed: list[str] = []

    def __call__(self, text: str) -> Any:
        self.parsed.append(text)
        return json.loads(text)


def world_with(spy: Spy) -> World:
    return World(new_accumulator=lambda: MessageAccumulator(parse_json=spy))


def begin(world: World, name: str = "look") -> Provider:
    provider = world.provider.connect().head()
    return provider.send(message_start(), block_start(type="tool_use", id="toolu_1", name=name, input={}))


def fragment(text: str, index: int = 0) -> JSON:
    return delta(index, type="input_json_delta", partial_json=text)


@pytest.mark.parametrize("stream", [True, False], ids=["events", "message"])
def test_exactly_once_at_the_blocks_end(stream: object) -> None:
    spy = Spy()
    world = world_with(spy)
    reader = world.ask(stream=stream)
    provider = begin(world)
    block = provider.turn.message.blocks[0]
    assert isinstance(block, ToolUseBlock)
    for piece, so_far in zip(FRAGMENTS, accumulate(FRAGMENTS), strict=True):
        provider.send(fragment(piece))
        assert (block.raw_arguments, block.arguments, block.state) == (so_far, None, "streaming")
        if stream:
            assert reader.events[-1]["delta"]["partial_json"] == piece, "each fragment is shown as it comes"
    assert spy.parsed == []
    provider.send(block_stop())
    assert spy.parsed == [WHOLE_ARGUMENTS]
    provider.send(message_delta("tool_use"), {"type": "message_stop"})
    assert spy.parsed == [WHOLE_ARGUMENTS]
    assert block.arguments == json.loads(WHOLE_ARGUMENTS)


def test_nobody_else_parses_them_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all that Python's own parser is given, fragments are only ever inside a whole event."""
    parsed: list[str] = []
    decode = json.JSONDecoder.decode

    def spy(self: json.JSONDecoder, text: str, *more: Any) -> Any:
        parsed.append(text)
        return decode(self, text, *more)

    world = World()
    reader = world.ask()
    provider = begin(world)
    monkeypatch.setattr(json.JSONDecoder, "decode", spy)
    for piece in FRAGMENTS:
        provider.send(fragment(piece))
    # An event that is the one before with another text is not even parsed as an event.
    count = len(parsed)
    assert 0 < count < len(FRAGMENTS)
    assert all(text.startswith('{"type": "content_block_delta"') for text in parsed)
    provider.send(block_stop())
    assert parsed[count:] == ['{"type": "content_block_stop", "index": 0}', WHOLE_ARGUMENTS]
    provider.send(message_delta("tool_use"), {"type": "message_stop"})
    assert parsed.count(WHOLE_ARGUMENTS) == 1
    monkeypatch.undo()
    assert "".join(e["delta"]["partial_json"] for e in reader.events[2:-3]) == WHOLE_ARGUMENTS


@pytest.mark.parametrize("how", ["cut", "stop"])
def test_what_was_never_whole_is_never_parsed(how: str) -> None:
    spy = Spy()
    world = world_with(spy)
    world.ask({"turn-id": TURN_ID})
    provider = begin(world).send(fragment('{"number": 1}'))
    if how == "cut":
        provider.cut()
    else:
        world.stop(TURN_ID)
    assert spy.parsed == []
    assert provider.turn.message.executable_tools == []


@given(st.lists(st.text(alphabet='{}[]"0,: ', max_size=5), max_size=10), st.integers(1, 3))
def test_once_for_each_tool_whatever_the_fragments(pieces: list[str], tools: int) -> None:
    spy = Spy()
    world = world_with(spy)
    world.ask()
    provider = world.provider.connect().head().send(message_start())
    whole = "".join(pieces)
    for index in range(tools):
        provider.send(block_start(index, type="tool_use", id=f"toolu_{index}", name="look", input={}))
        for piece in pieces:
            provider.send(fragment(piece, index))
        assert len(spy.parsed) == (index if whole.strip() else 0)
        provider.send(block_stop(index))
    assert spy.parsed == ([whole] * tools if whole.strip() else [])


def test_the_log_says_so_at_debug_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "sse_relay.turns")
    world = World()
    world.ask({"turn-id": TURN_ID})
    provider = begin(world)
    for piece in FRAGMENTS:
        provider.send(fragment(piece))
    assert not caplog.records
    provider.send(block_stop())
    (record,) = caplog.records
    assert record.levelname == "DEBUG"
    assert record.getMessage() == (
        f'turn={TURN_ID} tool="look" index=0 arguments parsed once at content_block_stop: '
        f"characters={len(WHOLE_ARGUMENTS)} state=complete"
    )


@pytest.mark.parametrize(
    ("arguments", "end"),
    [
        ("{nope", "arguments parsed once at content_block_stop: characters=5 state=invalid"),
        ("", "no arguments at content_block_stop: characters=0 state=complete"),
    ],
)
def test_the_log_says_what_came_of_it(caplog: pytest.LogCaptureFixture, arguments: str, end: str) -> None:
    caplog.set_level("DEBUG", "sse_relay.turns")
    world = World()
    world.ask()
    begin(world).send(fragment(arguments), block_stop())
    assert caplog.records[-1].getMessage().endswith(end)


def test_other_blocks_are_not_mentioned(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "sse_relay.turns")
    world = World()
    world.ask()
    world.provider.connect().head().send(message_start(), block_start(), block_stop())
    assert not caplog.records
