"""Fields of a delta that have no name here: every fragment of them is kept."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import LimitExceeded, MessageAccumulator
from sse_core.blocks import BlockEvent, ItemsDelta, MessageDelta, is_visible
from sse_core.dialects.openai_chat import Decoder
from sse_core.testing import events_of, message_of
from tests.core.dialects.chat_events import CHAT, DONE, chunk, decode, end, read, sse
from tests.core.growth import is_linear


def whole(*values: Any) -> Any:
    """What a field is that had these values, and as what it is sent on."""
    stream = [*(chunk({"x": value}) for value in values), end(), DONE]
    events = decode(*stream)
    found = message_of(events).extra.get("message.x")
    sent = events_of(CHAT, events)
    assert read(*sent).extra.get("message.x") == found
    assert CHAT.to_response(message_of(events))["choices"][0]["message"].get("x") == found
    return found


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["SIG"], "SIG"),
        (["First ", "second", " third"], "First second third"),
        (["a", "", None, "b"], "ab"),
        (["", "a"], "a"),
        ([None, "a"], "a"),
        (["same", "same", "same"], "same"),
        (["a", "b", "ab"], "abab"),
        (["ab", "a", "b"], "abab"),
        (["", "a", "a", "b"], "ab"),
        (["a", "b", "c", "b"], "abcb"),
        (["\ud83d", "\ude00"], "\U0001f600"),
        ([[1], [2, 3]], [1, 2, 3]),
        ([[], [1]], [1]),
        ([[1], []], [1]),
        ([[{"a": 1}], [{"a": 1}]], [{"a": 1}]),
        ([[1], [2], [1, 2]], [1, 2, 1, 2]),
        ([[], [1], [1]], [1]),
        ([{"a": "x"}, {"a": "y", "b": [1]}, {"b": [2], "c": None}], {"a": "xy", "b": [1, 2], "c": None}),
        ([{"a": {"b": {"c": "x"}}}, {"a": {"b": {"c": "y"}}}], {"a": {"b": {"c": "xy"}}}),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], {"type": "text", "text": "ab"}),
        ([{"id": "1", "n": 1}, {"id": "2", "n": 2}], {"id": "2", "n": 2}),
        ([1, 2, 2.5], 2.5),
        ([1, True], True),
        ([False, True, None], True),
        (["a", 1], 1),
        ([1, "a", "b"], "ab"),
        ([{"a": 1}, [1], [2]], [1, 2]),
    ],
)
def test_texts_and_lists_get_longer_and_objects_are_merged(values: list[Any], found: Any) -> None:
    assert whole(*values) == found


@given(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=30))
def test_no_fragment_of_a_text_is_lost(texts: list[str]) -> None:
    """But for what came first, as long as nothing else has come: that is a repetition."""
    first = texts[0]
    others = itertools.dropwhile(lambda text: text == first, texts)
    assert whole(*texts) == first + "".join(others)


def test_it_is_reported_now_and_then_and_at_the_end() -> None:
    events = decode(*(chunk({"x": letter}) for letter in "abcdefgh"), end(), DONE)
    values = [event.extra["message.x"] for event in events if isinstance(event, MessageDelta) and event.extra]
    assert values == ["a", "ab", "abcd", "abcdef", "abcdefgh"]


@pytest.mark.parametrize("last", [[], [end(), DONE], [sse({"error": {"message": "m"}})]])
def test_it_is_reported_whatever_the_end(last: list[Any]) -> None:
    texts = [f"{number} " for number in range(99)]
    message = read(*(chunk({"x": text}) for text in texts), *last)
    assert message.extra["message.x"] == "".join(texts)


def test_each_choice_has_its_own() -> None:
    stream = [chunk({"x": text}, index=index) for text, index in [("a", 0), ("b", 1), ("c", 0), ("d", 1)]]
    message = read(*stream, end(), end(index=1))
    assert message.extra["message.x"] == "ac"
    assert message.alternatives[1].extra["message.x"] == "bd"


def test_fields_of_a_choice_are_states_and_the_last_counts() -> None:
    message = read(chunk({}, filters={"hate": "safe"}), chunk({}, filters={"hate": "low"}))
    assert message.extra["choice.filters"] == {"hate": "low"}


@pytest.mark.untraced
def test_what_is_kept_of_them_is_bounded() -> None:
    def take(values: list[Any]) -> None:
        decoder = Decoder(max_held_bytes=20_000)
        for value in values:
            decoder.receive_event(chunk({"x": value}))

    floods: list[list[Any]] = [
        [f"{number} " * 10 for number in range(1000)],
        [[number] * 30 for number in range(1000)],
        [{f"field {number}": 1} for number in range(1000)],
        [{"a": {"b": [number] * 30}} for number in range(1000)],
        [[number] * 100 if number % 2 else "x" * 100 for number in range(1000)],
    ]
    for flood in floods:
        with pytest.raises(LimitExceeded, match="max_held_bytes=20000"):
            take(flood)
    take(["the same"] * 10_000)
    take([number % 7 for number in range(10_000)])
    take([{"type": "x", "figure": number} for number in range(10_000)])


@pytest.mark.parametrize(
    "value", [lambda number: f"{number} ", lambda number: [number], lambda number: {f"f{number}": {"a": "x"}}]
)
@pytest.mark.untraced
def test_many_fragments_take_linear_time(value: Callable[[int], Any]) -> None:
    def through(count: int) -> Callable[[], object]:
        stream = [chunk({"x": value(number)}) for number in range(count)]

        def run() -> None:
            decoder, accumulator, encoder = (
                Decoder(max_held_bytes=2**30),
                MessageAccumulator(),
                CHAT.Encoder(),
            )
            for received in [*stream, DONE]:
                for event in decoder.receive_event(received):
                    accumulator.receive(event)
                    encoder.send(event)

        return run

    assert is_linear(through, 300)


class TestImages:
    """A list that grows as it comes: images are long."""

    FIRST: ClassVar[Any] = {"type": "image_url", "image_url": {"url": "data:a"}, "index": 0}
    SECOND: ClassVar[Any] = {"type": "image_url", "image_url": {"url": "data:b"}, "index": 1}

    def events(self, *deltas: Any) -> list[BlockEvent]:
        return decode(*map(chunk, deltas), end(), DONE)

    def test_those_of_several_chunks_are_all_there(self) -> None:
        events = self.events({"images": [self.FIRST]}, {"images": [self.SECOND]}, {"images": []})
        assert events[1:3] == [
            ItemsDelta("message.images", [self.FIRST]),
            ItemsDelta("message.images", [self.SECOND]),
        ]
        assert all(map(is_visible, events[1:3]))
        message = message_of(events)
        assert message.extra["message.images"] == [self.FIRST, self.SECOND]
        assert CHAT.to_response(message)["choices"][0]["message"]["images"] == [self.FIRST, self.SECOND]

    def test_they_are_sent_on_one_by_one(self) -> None:
        encoder = CHAT.Encoder()
        events = self.events({"images": self.FIRST}, {"images": [self.SECOND]})
        sent = [json.loads(sent.data) for event in events for sent in encoder.send(event) if sent != DONE]
        deltas = [chunk["choices"][0]["delta"] for chunk in sent[1:3]]
        assert deltas == [{"images": [self.FIRST]}, {"images": [self.SECOND]}]

    def test_they_may_be_more_than_a_decoder_keeps(self) -> None:
        decoder = Decoder(max_held_bytes=1000)
        for _ in range(10):
            decoder.receive_event(chunk({"images": [{"image_url": {"url": "x" * 1000}}]}))
