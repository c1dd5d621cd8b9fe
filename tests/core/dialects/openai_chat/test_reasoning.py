"""Reasoning under every name and in every form: a block, and each word of it once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import Message, MessageAccumulator
from sse_core.blocks import (
    BlockStart,
    FieldsDelta,
    ItemsDelta,
    MessageDelta,
    SignatureDelta,
    ThinkingBlock,
    ThinkingDelta,
)
from sse_core.dialects.openai_chat import Decoder
from sse_core.testing import message_of
from tests.core.dialects.chat_events import CHAT, DONE, chunk, decode, end, read
from tests.core.growth import is_linear

NAMES = ("reasoning_content", "reasoning", "reasoning_text", "thinking")


def thinking(message: Message) -> list[str]:
    return [block.thinking for block in message.blocks if isinstance(block, ThinkingBlock)]


def details(text: str, **fields: Any) -> dict[str, Any]:
    return {"reasoning_details": [{"type": "reasoning.text", "text": text, **fields}]}


def parts(text: str) -> dict[str, Any]:
    return {"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}]}


FORMS: list[Callable[[str], Any]] = [
    lambda text: text,
    lambda text: {"text": text},
    lambda text: {"type": "x", "content": [{"text": text}]},
    lambda text: [{"type": "text", "text": text}],
    lambda text: [text],
    lambda text: [{"type": "thinking", "thinking": text}],
    lambda text: {"summary": [{"type": "summary_text", "text": text}]},
]


class TestForms:
    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("form", FORMS)
    def test_whatever_its_name_and_form_it_is_one_block(self, name: str, form: Callable[[str], Any]) -> None:
        stream = [chunk({name: form(text)}) for text in ("I ", "think ", "so.")]
        message = read(*stream, chunk({"content": "Hi"}), end())
        assert (thinking(message), message.text) == (["I think so."], "Hi")
        assert CHAT.to_response(message)["choices"][0]["message"][name] == "I think so."

    @pytest.mark.parametrize("name", NAMES)
    def test_it_goes_out_by_the_name_that_it_came_by(self, name: str) -> None:
        encoder = CHAT.Encoder()
        events = decode(chunk({name: "hm"}), end(), DONE)
        sent = [sent for event in events for sent in encoder.send(event)]
        assert thinking(read(*sent)) == ["hm"]
        assert f'"{name}":"hm"' in "".join(event.data for event in sent)

    def test_a_number_is_a_token_too(self) -> None:
        assert thinking(read(chunk({"reasoning": "n="}), chunk({"reasoning": 4}))) == ["n=4"]

    def test_an_object_may_bring_a_signature_and_more(self) -> None:
        first, last = {"text": "hm", "id": "r"}, {"signature": "s"}
        events = decode(chunk({"reasoning_content": first}), chunk({"reasoning_content": last}))[1:]
        assert events == [
            BlockStart(0, ThinkingBlock(extra={"field": "reasoning_content"})),
            ThinkingDelta(0, "hm"),
            FieldsDelta(0, {"id": "r"}),
            SignatureDelta(0, "s"),
        ]

    def test_the_last_signature_in_a_list_counts(self) -> None:
        value = [
            {"text": "a", "signature": ""},
            {"summary": [{"text": "b", "signature": "s"}]},
            {"text": "c"},
        ]
        (block,) = read(chunk({"reasoning": value})).blocks
        assert isinstance(block, ThinkingBlock)
        assert (block.thinking, block.signature) == ("abc", "s")

    @pytest.mark.parametrize("value", [None, {}, {"data": "x"}, {"signature": "s"}, [None]])
    def test_without_any_text_it_is_kept_as_it_is(self, value: Any) -> None:
        assert decode(chunk({"reasoning": value}))[1:] == [MessageDelta(extra={"message.reasoning": value})]

    def test_what_stands_too_deep_is_not_read(self) -> None:
        value: Any = {"text": "x", "signature": "s"}
        for _ in range(10):
            value = {"content": value}
        assert thinking(read(chunk({"reasoning": value}))) == []
        (block,) = read(chunk({"reasoning": {"text": "hm", **value}})).blocks
        assert isinstance(block, ThinkingBlock)
        assert (block.thinking, block.signature) == ("hm", None)

    def test_parts_of_a_content_are_one_block_however_many_they_are(self) -> None:
        decoder, accumulator = Decoder(), MessageAccumulator(max_blocks=10)
        for text in ["I ", "think "] * 20:
            for event in decoder.receive_event(chunk(parts(text))):
                accumulator.receive(event)
        for event in decoder.receive_event(chunk({"content": [{"type": "text", "text": "Hi"}]})):
            accumulator.receive(event)
        assert (thinking(accumulator.message), accumulator.message.text) == (["I think " * 20], "Hi")

    def test_parts_of_a_content_are_whole_in_the_response(self) -> None:
        signed = {"type": "summary_text", "text": "b", "signature": "s"}
        stream = [
            parts("a"),
            {"content": [{"type": "reasoning", "summary": [signed], "id": "r"}]},
            {"content": "x"},
        ]
        message = read(*map(chunk, stream), end())
        whole = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "ab"}], "id": "r"}
        content = CHAT.to_response(message)["choices"][0]["message"]["content"]
        assert content == [whole, {"type": "text", "text": "x"}]
        (block,) = [block for block in message.blocks if isinstance(block, ThinkingBlock)]
        assert block.signature == "s"

    def test_a_part_of_thinking_may_be_plain_text(self) -> None:
        part = {"type": "thinking", "thinking": "hm", "signature": "s"}
        (block,) = read(chunk({"content": [part]}), chunk({"content": [part]})).blocks
        assert block == ThinkingBlock("hmhm", "s", {"field": "thinking"})


class TestRepetition:
    """What came under one name is not repeated under another."""

    def test_details_in_later_chunks_repeat_it(self) -> None:
        stream = [{"reasoning": "Let "}, {"reasoning": "me"}, details("Let "), details("me", signature="s")]
        message = read(*map(chunk, stream), chunk({"content": "x"}), end())
        assert thinking(message) == ["Let me"]
        merged = [{"type": "reasoning.text", "text": text} for text in ("Let ", "me")]
        assert message.extra["message.reasoning_details"] == [merged[0], {**merged[1], "signature": "s"}]

    @pytest.mark.parametrize(
        ("stream", "expected"),
        [
            ([{"reasoning": "a"}, details("a"), {"reasoning": "b"}, details("b")], "ab"),
            ([{"reasoning": "a"}, {"reasoning": "b", **details("a")}, details("b")], "ab"),
            ([{"reasoning": "ab"}, details("a"), details("b"), details("c")], "abc"),
            ([{"reasoning": "a"}, {"reasoning": "bc"}, details("ab"), details("c")], "abc"),
            ([{"reasoning": "a", **details("a")}, {"reasoning": "b", **details("b")}, details("ab")], "ab"),
            ([{"reasoning": "a"}, {"reasoning_content": "a"}], "a"),
            ([details("a"), {"reasoning": "a"}, details("b"), {"reasoning": "b"}], "ab"),
            ([{"reasoning": "Let me"}, details("Let me see")], "Let me see"),
            ([{"reasoning": "a"}, details("z")], "az"),
            ([{"reasoning": "a"}, details("z"), {"reasoning": "b"}, details("y")], "azby"),
            ([{"reasoning": "ha"}, {"reasoning": "ha"}], "haha"),
            ([details("ha"), details("ha")], "haha"),
            ([{"reasoning": "a", "reasoning_content": "b", "thinking": "c"}], "b"),
            ([{"reasoning": "a", **details("in other words")}, details("z")], "az"),
        ],
    )
    def test_each_word_and_every_other_text_comes_once(self, stream: list[Any], expected: str) -> None:
        assert "".join(thinking(read(*map(chunk, stream)))) == expected

    @given(st.lists(st.sampled_from(["a", "b", "aa", "ab"]), max_size=6), st.data())
    def test_however_a_repetition_is_cut(self, texts: list[str], data: st.DataObject) -> None:
        whole = "".join(texts)
        cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=4)))
        again = [whole[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
        stream = [*({"reasoning": text} for text in texts), *(details(text) for text in again)]
        assert "".join(thinking(read(*map(chunk, stream)))) == whole

    def test_so_it_is_where_the_same_chunk_came_with_another_text(self) -> None:
        """Such chunks are read by another way."""
        texts = [f"word{number} " for number in range(30)]
        stream = [chunk({"reasoning": text}) for text in texts] + [chunk(details(text)) for text in texts]
        assert thinking(read(*stream)) == ["".join(texts)]

    def test_beyond_a_bound_only_the_name_used_last_is_heard(self) -> None:
        long = "x" * 100_000
        stream = [
            {"reasoning": long},
            {"reasoning": long},
            {"reasoning": long},
            details("y"),
            {"reasoning": "z"},
        ]
        (found,) = thinking(read(*map(chunk, stream)))
        assert found == long * 3 + "z"

    def test_many_repetitions_take_linear_time(self) -> None:
        def decoding(count: int) -> Callable[[], object]:
            texts = [f"word{number} " for number in range(count)]
            stream = [
                *(chunk({"reasoning": text}) for text in texts),
                *(chunk(details(text)) for text in texts),
            ]
            return lambda: message_of(decode(*stream))

        assert is_linear(decoding, 200)

    @pytest.mark.untraced
    def test_one_long_text_in_many_pieces_takes_linear_time(self) -> None:
        def decoding(count: int) -> Callable[[], object]:
            stream = [chunk({"reasoning": "ab" * count}), *(chunk(details("ab")) for _ in range(count))]
            return lambda: decode(*stream)

        assert is_linear(decoding, 200)

    def test_details_stay_as_they_came(self) -> None:
        later = details("a", index=0)
        items = later["reasoning_details"]
        assert decode(chunk({"reasoning": "a"}), chunk(later))[3:] == [
            ItemsDelta("message.reasoning_details", items)
        ]
