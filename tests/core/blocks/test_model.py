"""The blocks and the message as values: growth, copies, equality, and what may be executed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core.blocks import (
    Block,
    Message,
    RedactedThinkingBlock,
    ResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    UnknownBlock,
)

BLOCKS: list[Block] = [
    TextBlock("a", [{"cited_text": "b"}], {"x": 1}),
    TextBlock("a"),
    ThinkingBlock("t", "s", {"x": 1}),
    RedactedThinkingBlock("r", {"x": 1}),
    ToolUseBlock("i", "n", "mcp_tool_use", raw_arguments="{}", start_input={"a": 1}, extra={"x": 1}),
    ResultBlock({"type": "web_search_tool_result", "content": []}),
    UnknownBlock({"type": "future", "content": []}),
]


def _text_with_surrogates() -> st.SearchStrategy[str]:
    halves = st.sampled_from(["\ud83d", "\ude00", "\ud800", "\udfff", "a", "é", "😀"])
    return st.lists(halves, max_size=6).map("".join)


def _joined(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


@given(st.lists(_text_with_surrogates()), st.sets(st.integers(0, 10)))
def test_text_is_its_fragments_joined_whenever_it_is_read(fragments: list[str], reads: set[int]) -> None:
    """Halves of surrogate pairs meet, wherever the cuts and the readings are."""
    block = TextBlock()
    for number, fragment in enumerate(fragments):
        block.append(fragment)
        if number in reads:
            assert block.text == _joined("".join(fragments[: number + 1]))
    assert block.text == block.text == _joined("".join(fragments))


def test_half_a_surrogate_pair_alone_stays() -> None:
    block = ThinkingBlock("a\ud83d")
    block.append("b")
    assert block.thinking == "a\ud83db"


@pytest.mark.parametrize("count", [1023, 1024, 1025, 5000])
def test_many_fragments_make_the_same_text(count: int) -> None:
    block = ToolUseBlock("i", "n")
    for number in range(count):
        block.append(str(number % 10))
        block.append("")
    assert block.raw_arguments == "".join(str(number % 10) for number in range(count))


@pytest.mark.untraced
def test_growing_costs_the_same_however_long_the_text_is() -> None:
    """Ten times the fragments may take ten times as long, and nowhere near a hundred times."""

    def seconds(count: int) -> float:
        block = TextBlock()
        started = time.process_time()
        for _ in range(count):
            block.append(" fragment")
        assert len(block.text) == 9 * count
        return time.process_time() - started

    few = min(seconds(30_000) for _ in range(3))
    many = min(seconds(300_000) for _ in range(3))
    assert many < 40 * few + 0.05


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_a_copy_is_equal_and_changes_on_its_own(block: Block) -> None:
    copy = block.copy()
    assert copy == block
    assert repr(copy) == repr(block)
    if isinstance(copy, TextBlock | ThinkingBlock | ToolUseBlock):
        copy.append("more")
    elif isinstance(copy, RedactedThinkingBlock):
        copy.extra["more"] = 1
    else:
        copy.data["more"] = 1
    assert copy != block


def test_copies_share_no_lists() -> None:
    block = TextBlock("", [], {})
    copy = block.copy()
    assert copy.citations is not None
    copy.citations.append({})
    copy.extra["a"] = 1
    assert block == TextBlock("", [], {})


def test_blocks_of_two_kinds_are_never_equal() -> None:
    data = {"type": "future"}
    assert ResultBlock(data) != UnknownBlock(data)
    assert TextBlock("a") != "a"


def test_a_repr_says_what_is_in_a_block() -> None:
    assert repr(TextBlock("a")) == "TextBlock(text='a', citations=None, extra={})"
    assert repr(UnknownBlock({"type": "x"})) == "UnknownBlock(data={'type': 'x'})"


@pytest.mark.parametrize("block", BLOCKS)
def test_blocks_change_so_they_have_no_hash(block: Block) -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(block)


def test_each_block_names_its_type() -> None:
    assert [block.type for block in BLOCKS] == [
        "text",
        "text",
        "thinking",
        "redacted_thinking",
        "mcp_tool_use",
        "web_search_tool_result",
        "future",
    ]


def test_blocks_come_in_the_order_of_their_indexes() -> None:
    message = Message()
    message.indexed_blocks = {7: TextBlock("c"), 0: TextBlock("a"), 2: ThinkingBlock("b")}
    assert message.blocks == [TextBlock("a"), ThinkingBlock("b"), TextBlock("c")]
    assert message.text == "ac"


def _message_with_tools() -> Message:
    message = Message()
    message.completeness = "complete"
    message.stop_reason = "tool_use"
    message.indexed_blocks = {
        0: TextBlock("a"),
        1: ToolUseBlock("1", "run", state="complete"),
        2: ToolUseBlock("2", "search", "server_tool_use", state="complete"),
        3: ToolUseBlock("3", "remote", "mcp_tool_use", state="complete"),
        4: ToolUseBlock("4", "cut", state="incomplete"),
        5: ToolUseBlock("5", "broken", state="invalid"),
        6: ToolUseBlock("6", "growing", state="streaming"),
    }
    return message


def test_only_whole_tools_of_the_client_may_be_executed() -> None:
    assert [tool.id for tool in _message_with_tools().executable_tools] == ["1"]


def test_a_call_whose_result_is_there_is_not_left_for_the_client() -> None:
    message = _message_with_tools()
    message.stop_reason = "end_turn"
    assert str(message.stop_meaning) == "tool_use"
    for index, id_ in enumerate([["1"], None, "2"], 7):
        message.indexed_blocks[index] = ResultBlock({"type": "x_tool_result", "tool_use_id": id_})
    assert [tool.id for tool in message.executable_tools] == ["1"]
    message.indexed_blocks[10] = ResultBlock({"type": "x_tool_result", "tool_use_id": "1"})
    assert message.executable_tools == []
    assert str(message.stop_meaning) == "tool_use"  # of the calls that are not whole
    del message.indexed_blocks[4], message.indexed_blocks[5], message.indexed_blocks[6]
    assert str(message.stop_meaning) == "end_turn"


@pytest.mark.parametrize("reason", [None, "max_tokens", "refusal", "pause_turn", "length", "new_reason"])
def test_nothing_may_be_executed_after_a_stop_reason_that_does_not_allow_it(reason: str | None) -> None:
    message = _message_with_tools()
    message.stop_reason = reason
    assert message.executable_tools == []


def test_nothing_may_be_executed_unless_the_message_is_complete() -> None:
    message = _message_with_tools()
    for completeness in ("streaming", "truncated", "failed", "stopped"):
        message.completeness = completeness
        assert message.executable_tools == []
