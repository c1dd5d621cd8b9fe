"""Block events in, a message out: growth, the one parse of arguments, ends, and bounds."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from sse_core import (
    LimitExceeded,
    LocalProtocolError,
    MessageAccumulator,
    RemoteProtocolError,
    ServerSentEvent,
)
from sse_core.blocks import (
    ArgumentsDelta,
    Block,
    BlockEvent,
    BlockStart,
    BlockStop,
    CitationDelta,
    FieldsDelta,
    ItemsDelta,
    Message,
    MessageCut,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    RedactedThinkingBlock,
    ResultBlock,
    SignatureDelta,
    StreamError,
    TextBlock,
    TextDelta,
    TextReplaced,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
    UnknownDelta,
    UnknownEvent,
)

START = MessageStart("msg_1", "claude", usage={"input_tokens": 3, "output_tokens": 1})


def accumulate(*events: BlockEvent, **settings: Any) -> Message:
    accumulator = MessageAccumulator(**settings)
    for event in events:
        accumulator.receive(event)
    return accumulator.message


def exhaust(accumulator: MessageAccumulator, event: BlockEvent) -> None:
    """Give the same event again and again, for as long as it is taken, up to twenty times."""
    for _ in range(20):
        accumulator.receive(event)


class Spy:
    """A parser that remembers what it had to parse."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, text: str) -> Any:
        self.texts.append(text)
        return json.loads(text)


def tool_of(message: Message) -> ToolUseBlock:
    (tool,) = message.blocks
    assert isinstance(tool, ToolUseBlock)
    return tool


class TestGrowth:
    def test_before_anything_came_there_is_an_empty_message(self) -> None:
        message = accumulate()
        assert message == Message()
        assert (message.completeness, message.blocks, message.text) == ("streaming", [], "")

    def test_a_message_is_what_its_events_say(self) -> None:
        message = accumulate(
            START,
            Ping(),
            BlockStart(0, ThinkingBlock("", "")),
            ThinkingDelta(0, "hm"),
            ThinkingDelta(0, "m"),
            SignatureDelta(0, "c2ln"),
            BlockStop(0),
            BlockStart(1, TextBlock("", [])),
            TextDelta(1, "Hel"),
            TextDelta(1, "lo"),
            CitationDelta(1, {"url": "https://a"}),
            CitationDelta(1, {"url": "https://b"}),
            BlockStop(1),
            MessageDelta("end_turn", {"output_tokens": 7}, {"stop_sequence": "x"}),
            MessageStop(),
        )
        assert (message.id, message.model, message.role) == ("msg_1", "claude", "assistant")
        assert message.blocks == [
            ThinkingBlock("hmm", "c2ln"),
            TextBlock("Hello", [{"url": "https://a"}, {"url": "https://b"}]),
        ]
        assert message.text == "Hello"
        assert message.usage == {"input_tokens": 3, "output_tokens": 7}
        assert message.extra == {"stop_sequence": "x"}
        assert (message.stop_reason, message.completeness, message.error) == ("end_turn", "complete", None)

    def test_the_message_is_there_while_it_grows(self) -> None:
        accumulator = MessageAccumulator()
        seen = accumulator.message
        for event in (START, BlockStart(0, TextBlock()), TextDelta(0, "a")):
            accumulator.receive(event)
        assert seen.text == "a"
        accumulator.receive(TextDelta(0, "b"))
        assert seen.text == "ab"

    def test_blocks_may_interleave_and_indexes_may_have_gaps(self) -> None:
        message = accumulate(
            START,
            BlockStart(5, TextBlock()),
            BlockStart(2, TextBlock()),
            TextDelta(5, "c"),
            TextDelta(2, "a"),
            TextDelta(5, "d"),
            TextDelta(2, "b"),
        )
        assert message.blocks == [TextBlock("ab"), TextBlock("cd")]

    def test_a_citation_makes_a_list_where_there_was_none(self) -> None:
        message = accumulate(START, BlockStart(0, TextBlock("a")), CitationDelta(0, {"n": 1}))
        assert message.blocks == [TextBlock("a", [{"n": 1}])]

    def test_the_block_that_came_with_an_event_is_left_alone(self) -> None:
        """The same event may be encoded for a reader later."""
        start = BlockStart(0, TextBlock("a", []))
        accumulate(START, start, TextDelta(0, "b"), CitationDelta(0, {}))
        assert start == BlockStart(0, TextBlock("a", []))

    def test_a_signature_is_assigned_and_not_appended(self) -> None:
        deltas = [SignatureDelta(0, "one"), SignatureDelta(0, "two")]
        message = accumulate(START, BlockStart(0, ThinkingBlock("", "")), *deltas)
        assert message.blocks == [ThinkingBlock("", "two")]

    def test_halves_of_a_surrogate_pair_in_two_deltas_are_one_character(self) -> None:
        message = accumulate(
            START, BlockStart(0, TextBlock()), TextDelta(0, "\ud83d"), TextDelta(0, "\ude00")
        )
        assert message.text == "😀"

    def test_a_lone_half_survives(self) -> None:
        message = accumulate(START, BlockStart(0, TextBlock()), TextDelta(0, "\ud83d"), BlockStop(0))
        assert message.text == "\ud83d"

    def test_blocks_that_a_message_begins_with_are_whole(self) -> None:
        tool = ToolUseBlock("t", "run", start_input={"a": 1})
        start = MessageStart("m", "c", blocks=[TextBlock("x"), tool], stop_reason="tool_use")
        message = accumulate(start, BlockStart(2, TextBlock("y")), BlockStop(2), MessageStop())
        assert message.text == "xy"
        assert [tool.arguments for tool in message.executable_tools] == [{"a": 1}]

    def test_a_block_start_may_name_the_model_that_goes_on(self) -> None:
        assert accumulate(START, BlockStart(0, UnknownBlock({"type": "fallback"}), "other")).model == "other"

    def test_null_and_absent_facts_leave_what_was_known(self) -> None:
        message = accumulate(
            MessageStart("m", "c", usage={"a": 1, "b": None}, extra={"x": 1}),
            MessageDelta("end_turn", {"a": None, "c": None}, {"x": None, "y": None}),
            MessageDelta(None, {"b": 2}),
        )
        assert message.usage == {"a": 1, "b": 2, "c": None}
        assert message.extra == {"x": 1, "y": None}
        assert message.stop_reason == "end_turn"

    def test_usage_is_never_added_up(self) -> None:
        deltas = [MessageDelta(usage={"output_tokens": count}) for count in (5, 9)]
        assert accumulate(START, *deltas).usage["output_tokens"] == 9

    @pytest.mark.parametrize("block", [TextBlock("a"), ThinkingBlock("a"), ToolUseBlock("t", "f")])
    def test_what_is_replaced_is_as_it_would_have_been(self, block: Block) -> None:
        growth = {
            TextBlock: TextDelta(0, "b"),
            ThinkingBlock: ThinkingDelta(0, "b"),
            ToolUseBlock: ArgumentsDelta(0, "b"),
        }
        more = growth[type(block)]
        message = accumulate(START, BlockStart(0, block), more, TextReplaced(0, "x"), more)
        values = message.blocks[0].values()
        assert "xb" in (values.get("text"), values.get("thinking"), values.get("raw_arguments"))

    def test_a_block_that_is_not_open_can_not_be_replaced(self) -> None:
        with pytest.raises(RemoteProtocolError, match="TextReplaced for content block 0, which is not open"):
            accumulate(START, BlockStart(0, TextBlock("a")), BlockStop(0), TextReplaced(0, "x"))

    def test_replacing_without_end_meets_the_bound(self) -> None:
        accumulator = MessageAccumulator(max_message_bytes=1000)
        for event in (START, BlockStart(0, TextBlock())):
            accumulator.receive(event)
        with pytest.raises(LimitExceeded, match="max_message_bytes=1000"):
            exhaust(accumulator, TextReplaced(0, "x" * 100))

    def test_a_repeated_start_is_ignored(self) -> None:
        message = accumulate(START, BlockStart(0, TextBlock("a")), START, TextDelta(0, "b"))
        assert message.text == "ab"


class TestUnknown:
    def test_unknown_events_and_deltas_are_kept_in_order(self) -> None:
        first, second = UnknownEvent({"type": "x"}), UnknownDelta(0, {"type": "y"})
        message = accumulate(START, first, BlockStart(0, TextBlock()), second)
        assert message.unknown == [first, second]

    def test_late_fields_are_assigned(self) -> None:
        message = accumulate(
            START,
            BlockStart(0, UnknownBlock({"type": "compaction", "content": None})),
            FieldsDelta(0, {"content": "a"}),
            FieldsDelta(0, {"content": "b"}),
            BlockStart(1, TextBlock("t")),
            FieldsDelta(1, {"mood": "good"}),
        )
        assert message.blocks == [
            UnknownBlock({"type": "compaction", "content": "b"}),
            TextBlock("t", extra={"mood": "good"}),
        ]

    @pytest.mark.parametrize("block", [UnknownBlock({"type": "x"}), ResultBlock({"type": "x_tool_result"})])
    @pytest.mark.parametrize(
        "delta",
        [
            TextDelta(0, "a"),
            ThinkingDelta(0, "a"),
            ArgumentsDelta(0, "a"),
            SignatureDelta(0, "a"),
            CitationDelta(0, {}),
        ],
        ids=repr,
    )
    def test_a_known_delta_of_an_unknown_block_is_kept(self, block: Block, delta: BlockEvent) -> None:
        message = accumulate(START, BlockStart(0, block), delta, BlockStop(0))
        assert (message.unknown, message.blocks) == ([delta], [block])


class TestArguments:
    def test_arguments_are_parsed_once_when_their_block_stops_and_never_before(self) -> None:
        """Each prefix here is valid JSON, so that a parse tried too early would succeed."""
        spy = Spy()
        accumulator = MessageAccumulator(parse_json=spy)
        for event in (START, BlockStart(0, ToolUseBlock("t", "run"))):
            accumulator.receive(event)
        tool = tool_of(accumulator.message)
        for fragment in ("1", "2", " ", "3"[:0]):
            accumulator.receive(ArgumentsDelta(0, fragment))
            assert (spy.texts, tool.arguments, tool.state) == ([], None, "streaming")
        accumulator.receive(BlockStop(0))
        accumulator.receive(MessageDelta("tool_use"))
        accumulator.receive(MessageStop())
        assert spy.texts == ["12 "]
        assert (tool.arguments, tool.state, tool.raw_arguments) == (12, "complete", "12 ")
        assert accumulator.message.executable_tools == [tool]

    @pytest.mark.parametrize("fragments", [[], [""], ["", " \n"]])
    @pytest.mark.parametrize("start_input", [{}, {"p": 1}])
    def test_without_text_the_input_of_the_start_counts(self, fragments: list[str], start_input: Any) -> None:
        spy = Spy()
        deltas = [ArgumentsDelta(0, fragment) for fragment in fragments]
        start = BlockStart(0, ToolUseBlock("t", "run", start_input=start_input))
        tool = tool_of(accumulate(START, start, *deltas, BlockStop(0), parse_json=spy))
        assert (tool.arguments, tool.state, spy.texts) == (start_input, "complete", [])

    @pytest.mark.parametrize("text", ["SELECT 1", "", " ", "{"])
    def test_free_text_is_the_arguments_as_it_is(self, text: str) -> None:
        spy = Spy()
        start = BlockStart(0, ToolUseBlock("t", "sql", input_encoding="text"))
        tool = tool_of(accumulate(START, start, ArgumentsDelta(0, text), BlockStop(0), parse_json=spy))
        assert (tool.arguments, tool.state, spy.texts) == (text, "complete", [])

    def test_text_counts_more_than_the_input_of_the_start(self) -> None:
        start = BlockStart(0, ToolUseBlock("t", "run", start_input={"p": 1}))
        tool = tool_of(accumulate(START, start, ArgumentsDelta(0, '{"p": 2}'), BlockStop(0)))
        assert tool.arguments == {"p": 2}

    @pytest.mark.parametrize("text", ['{"a": ', "NaN", '{"a": "x\n"}', "[" * 100_000])
    def test_invalid_json_is_a_state_and_no_exception(self, text: str) -> None:
        start = BlockStart(0, ToolUseBlock("t", "run"))
        message = accumulate(
            START, start, ArgumentsDelta(0, text), BlockStop(0), MessageDelta("tool_use"), MessageStop()
        )
        tool = tool_of(message)
        assert (tool.arguments, tool.state, tool.raw_arguments) == (None, "invalid", text)
        assert message.executable_tools == []

    def test_a_parser_that_runs_out_of_stack_is_no_exception_either(self) -> None:
        start = BlockStart(0, ToolUseBlock("t", "run"))
        deep = ArgumentsDelta(0, "[" * 100_000)
        tool = tool_of(accumulate(START, start, deep, BlockStop(0), parse_json=json.loads))
        assert tool.state == "invalid"

    @pytest.mark.parametrize(
        ("end", "completeness"),
        [
            (MessageCut("truncated"), "truncated"),
            (MessageCut("stopped"), "stopped"),
            (MessageCut("failed"), "failed"),
            (StreamError("overloaded_error", "Overloaded"), "failed"),
        ],
    )
    def test_what_was_not_whole_by_the_end_never_is(self, end: BlockEvent, completeness: str) -> None:
        spy = Spy()
        message = accumulate(
            START,
            BlockStart(0, ToolUseBlock("a", "run")),
            BlockStop(0),
            BlockStart(1, ToolUseBlock("b", "run")),
            ArgumentsDelta(1, "{}"),
            MessageDelta("tool_use"),
            end,
            BlockStop(1),
            MessageStop(),
            parse_json=spy,
        )
        tools = [block.state for block in message.blocks if isinstance(block, ToolUseBlock)]
        assert tools == ["complete", "incomplete"]
        assert message.completeness == completeness
        assert (message.executable_tools, spy.texts) == ([], [])

    def test_after_max_tokens_a_tool_may_lack_its_stop(self) -> None:
        message = accumulate(
            START,
            BlockStart(0, ToolUseBlock("t", "run")),
            ArgumentsDelta(0, '{"a": 1}'),
            MessageDelta("max_tokens"),
            MessageStop(),
        )
        assert message.completeness == "complete"
        assert (tool_of(message).state, message.executable_tools) == ("incomplete", [])


class TestEnds:
    def test_an_error_is_kept_and_fails_the_message(self) -> None:
        error = StreamError("overloaded_error", "Overloaded", retryable=True)
        message = accumulate(START, BlockStart(0, TextBlock("a")), error)
        assert (message.completeness, message.error, message.text) == ("failed", error, "a")

    def test_an_error_may_come_before_the_message(self) -> None:
        assert accumulate(StreamError("api_error", "no")).completeness == "failed"

    def test_a_message_ends_once(self) -> None:
        stopped = accumulate(START, MessageCut("stopped"), StreamError("api_error", "no"), TextDelta(9, "a"))
        assert (stopped.completeness, stopped.error) == ("stopped", None)


class TestBrokenRules:
    @pytest.mark.parametrize(
        ("events", "reason"),
        [
            ([BlockStart(0, TextBlock())], "BlockStart before the message begins"),
            ([MessageDelta("end_turn")], "MessageDelta before"),
            ([MessageStop()], "MessageStop before"),
            ([TextDelta(0, "a")], "TextDelta for content block 0, which is not open"),
            ([START, ThinkingDelta(3, "a")], "ThinkingDelta for content block 3, which is not open"),
            ([START, FieldsDelta(0, {})], "not open"),
            ([START, UnknownDelta(0, {})], "not open"),
            ([START, BlockStop(0)], "not open"),
            ([START, BlockStart(0, TextBlock()), BlockStop(0), BlockStop(0)], "not open"),
            ([START, BlockStart(0, TextBlock()), BlockStop(0), TextDelta(0, "a")], "not open"),
            ([START, BlockStart(0, TextBlock()), BlockStart(0, TextBlock())], "block 0 begins twice"),
            (
                [START, BlockStart(0, TextBlock()), ThinkingDelta(0, "a")],
                "ThinkingDelta for block 0, .* text",
            ),
            ([START, BlockStart(0, TextBlock()), ArgumentsDelta(0, "a")], "which is text"),
            ([START, BlockStart(0, TextBlock()), SignatureDelta(0, "a")], "which is text"),
            ([START, BlockStart(0, ThinkingBlock()), TextDelta(0, "a")], "which is thinking"),
            ([START, BlockStart(0, RedactedThinkingBlock("")), TextDelta(0, "a")], "redacted_thinking"),
            ([START, BlockStart(0, ToolUseBlock("t", "n")), CitationDelta(0, {})], "which is tool_use"),
            ([START, MessageStart("msg_2", "claude")], "another message begins"),
        ],
    )
    def test_what_cannot_come_now_is_the_peers_error(self, events: list[BlockEvent], reason: str) -> None:
        *before, last = events
        accumulator = MessageAccumulator()
        for event in before:
            accumulator.receive(event)
        as_it_was = repr(accumulator.message)
        with pytest.raises(RemoteProtocolError, match=reason) as caught:
            accumulator.receive(last)
        assert caught.value.status == 502
        assert repr(accumulator.message) == as_it_was
        accumulator.receive(MessageCut("failed"))
        assert accumulator.message.completeness == "failed"

    def test_what_is_no_block_event_is_the_callers_error(self) -> None:
        with pytest.raises(LocalProtocolError, match="ServerSentEvent is no block event"):
            accumulate(ServerSentEvent())  # type: ignore[arg-type]


class TestBounds:
    def test_the_defaults(self) -> None:
        accumulator = MessageAccumulator()
        assert (accumulator.max_message_bytes, accumulator.max_blocks) == (64 * 1024 * 1024, 10_000)

    def test_the_number_of_blocks_is_bounded(self) -> None:
        accumulator = MessageAccumulator(max_blocks=2)
        for event in (START, BlockStart(0, TextBlock()), BlockStart(9, TextBlock())):
            accumulator.receive(event)
        with pytest.raises(LimitExceeded, match="beyond max_blocks=2") as caught:
            accumulator.receive(BlockStart(5, TextBlock()))
        assert (caught.value.limit, caught.value.bound, caught.value.status) == ("max_blocks", 2, 502)
        assert len(accumulator.message.blocks) == 2

    def test_the_blocks_that_a_message_begins_with_count_too(self) -> None:
        with pytest.raises(LimitExceeded, match="max_blocks"):
            accumulate(MessageStart("m", "c", blocks=[TextBlock(), TextBlock()]), max_blocks=1)

    @pytest.mark.parametrize(
        ("block", "delta"),
        [
            (TextBlock(), TextDelta(0, "x" * 100)),
            (ThinkingBlock(), ThinkingDelta(0, "x" * 100)),
            (ThinkingBlock(), SignatureDelta(0, "x" * 100)),
            (ToolUseBlock("t", "n"), ArgumentsDelta(0, "x" * 100)),
            (TextBlock(), CitationDelta(0, {"text": "x" * 100})),
            (TextBlock(), FieldsDelta(0, {"text": "x" * 100})),
            (TextBlock(), UnknownDelta(0, {"text": "x" * 100})),
            (TextBlock(), UnknownEvent({"text": "x" * 100})),
            (UnknownBlock({"type": "x"}), TextDelta(0, "x" * 100)),
            (TextBlock(), MessageDelta(usage={"text": "x" * 100})),
            (TextBlock(), MessageDelta(extra={"text": "x" * 100})),
        ],
        ids=repr,
    )
    def test_everything_that_is_kept_counts(self, block: Block, delta: BlockEvent) -> None:
        accumulator = MessageAccumulator(max_message_bytes=1000)
        accumulator.receive(START)
        accumulator.receive(BlockStart(0, block))
        for _ in range(6):
            accumulator.receive(delta)
        with pytest.raises(LimitExceeded, match="max_message_bytes=1000") as caught:
            exhaust(accumulator, delta)
        assert (caught.value.limit, caught.value.bound) == ("max_message_bytes", 1000)

    @pytest.mark.parametrize(
        "start",
        [
            MessageStart("m", "c", usage={"text": "x" * 1000}),
            MessageStart("m", "c", extra={"text": "x" * 1000}),
            MessageStart("m", "c", blocks=[TextBlock("x" * 1000)]),
        ],
        ids=["usage", "extra", "blocks"],
    )
    def test_what_a_message_begins_with_counts(self, start: BlockEvent) -> None:
        with pytest.raises(LimitExceeded, match="max_message_bytes"):
            accumulate(start, max_message_bytes=1000)

    def test_a_block_counts_with_what_it_begins_with(self) -> None:
        with pytest.raises(LimitExceeded, match="max_message_bytes"):
            accumulate(
                START, BlockStart(0, ResultBlock({"type": "r", "x": "y" * 1000})), max_message_bytes=999
            )

    def test_bytes_are_bytes_of_utf_8(self) -> None:
        """The same number of characters fits or not, by what they take."""
        accumulate(START, BlockStart(0, TextBlock()), TextDelta(0, "x" * 800), max_message_bytes=1000)
        for character in ("é", "\ud83d"):
            delta = TextDelta(0, character * 800)
            with pytest.raises(LimitExceeded, match="max_message_bytes"):
                accumulate(START, BlockStart(0, TextBlock()), delta, max_message_bytes=1000)

    @pytest.mark.untraced
    def test_tiny_deltas_take_little_more_memory_than_their_text(self) -> None:
        """A list of every fragment of two non-Latin characters would take some 80 bytes each."""
        accumulator = MessageAccumulator()
        accumulator.receive(START)
        accumulator.receive(BlockStart(0, TextBlock()))
        tracemalloc.start()
        for number in range(200_000):
            accumulator.receive(TextDelta(0, chr(0x4E00 + number % 1000) * 2))
        used, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert used < 3 * 400_000

    def test_many_messages_of_ordinary_length_take_little_more_memory_than_their_text(self) -> None:
        """A thousand fragments that are kept as they came would take 60 KB a message."""
        accumulators = [MessageAccumulator() for _ in range(20)]
        for accumulator in accumulators:
            accumulator.receive(START)
            accumulator.receive(BlockStart(0, TextBlock()))
        tracemalloc.start()
        for number in range(1000):
            for accumulator in accumulators:
                accumulator.receive(TextDelta(0, f"{number:03d} "))
        used, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert used < len(accumulators) * 20_000


class TestAlternatives:
    def test_each_choice_is_a_message_of_its_own(self) -> None:
        accumulator = MessageAccumulator()
        for choice in (0, 2, 1):
            accumulator.receive(MessageStart(f"m{choice}", "c", choice=choice))
            accumulator.receive(BlockStart(0, TextBlock(), choice=choice))
        accumulator.receive(TextDelta(0, "two", choice=2))
        accumulator.receive(TextDelta(0, "zero"))
        message = accumulator.message
        assert (message.text, message.alternatives[1].text, message.alternatives[2].text) == (
            "zero",
            "",
            "two",
        )
        assert message.alternatives[2].id == "m2"

    @pytest.mark.parametrize("end", [MessageStop(), MessageCut("stopped"), StreamError("x", "m")])
    def test_the_messages_end_is_that_of_all(self, end: BlockEvent) -> None:
        accumulator = MessageAccumulator()
        for choice in (0, 1):
            accumulator.receive(MessageStart("m", "c", choice=choice))
        accumulator.receive(end)
        accumulator.receive(BlockStart(0, TextBlock("late"), choice=1))
        message = accumulator.message
        assert message.alternatives[1].completeness == message.completeness != "streaming"
        assert message.alternatives[1].blocks == []

    def test_one_may_end_before_the_others(self) -> None:
        accumulator = MessageAccumulator()
        for choice in (0, 1):
            accumulator.receive(MessageStart("m", "c", choice=choice))
        accumulator.receive(MessageStop(choice=1))
        accumulator.receive(BlockStart(0, TextBlock("late"), choice=1))
        accumulator.receive(MessageCut("truncated"))
        assert accumulator.message.completeness == "truncated"
        assert accumulator.message.alternatives[1].completeness == "complete"
        assert accumulator.message.alternatives[1].blocks == []

    def test_their_number_and_what_they_hold_together_are_bounded(self) -> None:
        def start(**settings: Any) -> MessageAccumulator:
            accumulator = MessageAccumulator(**settings)
            for choice in (0, 1):
                accumulator.receive(MessageStart("m", "c", choice=choice))
                accumulator.receive(BlockStart(0, TextBlock(), choice=choice))
            return accumulator

        with pytest.raises(LimitExceeded, match="max_choices=2"):
            start(max_choices=2).receive(MessageStart("m", "c", choice=2))
        with pytest.raises(LimitExceeded, match="max_blocks=2"):
            start(max_blocks=2).receive(BlockStart(1, TextBlock(), choice=1))
        accumulator = start(max_message_bytes=200)
        accumulator.receive(TextDelta(0, "x" * 50, choice=1))
        with pytest.raises(LimitExceeded, match="max_message_bytes=200"):
            accumulator.receive(TextDelta(0, "x" * 100))
        assert accumulator.message_bytes > 200


class TestItems:
    def test_items_are_appended_to_a_list_of_the_messages(self) -> None:
        accumulator = MessageAccumulator()
        accumulator.receive(MessageStart("m", "c", extra={"y": 7}))
        items = [{"a": 1}]
        for name in ("x", "x", "y"):
            accumulator.receive(ItemsDelta(name, items))
        assert accumulator.message.extra == {"x": [{"a": 1}, {"a": 1}], "y": [{"a": 1}]}
        assert items == [{"a": 1}]

    def test_lists_that_came_in_events_do_not_grow(self) -> None:
        """Several accumulators may be given the same events."""
        began, later, items = [1], [4], [2, 3]
        events = [
            MessageStart("m", "c", extra={"x": began}),
            ItemsDelta("x", items),
            ItemsDelta("x", items),
            MessageDelta(extra={"x": later, "y": later}),
            ItemsDelta("x", items),
            ItemsDelta("y", [5]),
            ItemsDelta("z", items),
            ItemsDelta("z", items),
        ]
        for _ in range(2):
            accumulator = MessageAccumulator()
            for event in events:
                accumulator.receive(event)
            assert accumulator.message.extra == {"x": [4, 2, 3], "y": [4, 5], "z": [2, 3, 2, 3]}
        assert (began, later, items) == ([1], [4], [2, 3])

    def test_a_list_is_copied_once_however_often_it_grows(self) -> None:
        accumulator = MessageAccumulator()
        accumulator.receive(MessageStart("m", "c", extra={"x": [1]}))
        accumulator.receive(ItemsDelta("x", [2]))
        grows = accumulator.message.extra["x"]
        accumulator.receive(ItemsDelta("x", [3]))
        assert accumulator.message.extra["x"] is grows
        assert grows == [1, 2, 3]

    def test_not_before_the_message_begins(self) -> None:
        with pytest.raises(RemoteProtocolError, match="ItemsDelta before the message begins"):
            MessageAccumulator().receive(ItemsDelta("x", []))
