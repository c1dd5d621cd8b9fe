"""What the strategies promise; and what one reads who has no Hypothesis."""

from __future__ import annotations

import importlib
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import EventStreamDecoder, ServerSentEvent, encode_events
from sse_core.blocks import BlockEvent
from sse_core.testing import (
    ConnectionCut,
    check_any_cut,
    message_of,
    read_message,
    strategies,
    stream_of,
)
from tests.core.framing.reference import interpret


def test_without_hypothesis_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    monkeypatch.delitem(sys.modules, "sse_core.testing.strategies")
    with pytest.raises(ImportError, match="pip install hypothesis"):
        importlib.import_module("sse_core.testing.strategies")


@given(st.data())
def test_a_stream_is_a_whole_answer_however_it_is_cut(data: st.DataObject) -> None:
    dialect = data.draw(strategies.dialects())
    stream = data.draw(strategies.streams(dialect))
    chunks = data.draw(strategies.splits(stream))
    assert b"".join(chunks) == stream
    assert read_message(dialect, chunks).completeness == "complete"


@given(strategies.dialects(), strategies.messages())
def test_a_message_says_the_same_in_every_protocol(dialect: str, block_events: list[BlockEvent]) -> None:
    before, after = message_of(block_events), read_message(dialect, [stream_of(dialect, block_events)])
    assert (after.text, len(after.executable_tools)) == (before.text, len(before.executable_tools))
    assert all(tool.state == "complete" for tool in before.executable_tools)


@given(st.lists(strategies.events(), max_size=5))
def test_events_can_be_framed_and_read_again(events: list[ServerSentEvent]) -> None:
    assert EventStreamDecoder().receive_data(encode_events(events)) == events


@given(strategies.hostile_streams())
def test_a_hostile_stream_means_the_same_at_every_cut(stream: bytes) -> None:
    def read(chunks: list[bytes]) -> list[ServerSentEvent]:
        decoder = EventStreamDecoder()
        return [event for chunk in chunks for event in decoder.receive_data(chunk)]

    assert check_any_cut(lambda chunks: read(list(chunks)), stream) == interpret(stream).events


@given(st.data())
def test_a_fault_keeps_the_pieces_that_come_before_it(data: st.DataObject) -> None:
    exchange = data.draw(strategies.exchanges("gemini"))
    at = data.draw(st.integers(0, sum(map(len, exchange.body))))
    body = ConnectionCut(at)(exchange).body
    assert b"".join(body) == b"".join(exchange.body)[:at]
    assert all(map(bytes.startswith, exchange.body, body))
