"""The ``UIMessage`` of a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sse_core import Message
from sse_core.blocks import (
    ArgumentsDelta,
    Block,
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageCut,
    MessageDelta,
    MessageStop,
    ResultBlock,
    TextBlock,
    TextDelta,
    ToolUseBlock,
    UnknownBlock,
)
from sse_core.testing import message_of
from tests.core.dialects.ui_events import DONE, START, UI, call, parts, read, start, step, text
from tests.core.growth import is_linear

CALL: dict[str, Any] = {"toolCallId": "c1", "toolName": "f"}
PART: dict[str, Any] = {"type": "tool-f", "toolCallId": "c1"}
CALL_START = {"type": "tool-input-start", **CALL}
AVAILABLE = {"type": "tool-input-available", **CALL, "input": {"a": 1}}


def portable_parts(*events: BlockEvent) -> list[Any]:
    """The parts of a message of another protocol."""
    made = UI.to_response(message_of([start(), *events]))
    assert (made["id"], made["role"], made["parts"][0]) == ("m1", "assistant", {"type": "step-start"})
    return list(made["parts"][1:])


def test_a_message_that_is_whole() -> None:
    events = [*text(0, "Hi"), call(1), ArgumentsDelta(1, '{"a":1}'), BlockStop(1)]
    assert portable_parts(*events, MessageDelta("tool_use"), MessageStop()) == [
        {"type": "text", "text": "Hi", "state": "done"},
        {**PART, "state": "input-available", "input": {"a": 1}},
    ]


def test_a_value_that_another_parser_made_stays_as_it_is() -> None:
    message = message_of([start(), MessageDelta("tool_use"), MessageStop()])
    tool = ToolUseBlock("c1", "f", raw_arguments="{a: 1}", arguments={"a": 1}, state="complete")
    message.indexed_blocks[0] = tool
    assert UI.to_response(message)["parts"][1]["input"] == {"a": 1}


@pytest.mark.parametrize("end", ["truncated", "stopped", None])
def test_a_call_that_is_not_to_be_run_is_never_available(end: Any) -> None:
    ends: list[BlockEvent] = [MessageCut(end)] if end else []
    whole = [call(0), ArgumentsDelta(0, "{}"), BlockStop(0)]
    assert portable_parts(*whole, *ends) == [{**PART, "state": "input-streaming", "rawInput": "{}"}]


def test_only_the_last_text_of_a_message_can_be_open() -> None:
    events = [*text(0, "a"), BlockStart(1, TextBlock()), TextDelta(1, "b")]
    states = {
        end: [part["state"] for part in portable_parts(*events, MessageCut(end))]
        for end in ("stopped", "truncated")
    }
    assert states == {"stopped": ["done", "streaming"], "truncated": ["done", "done"]}
    assert [part["state"] for part in portable_parts(*events, MessageStop())] == ["done", "done"]


def test_an_empty_message() -> None:
    expected = {"id": "", "role": "assistant", "parts": [{"type": "step-start"}]}
    assert UI.to_response(Message()) == expected


def test_other_lists_among_extra_fields_do_no_harm() -> None:
    message = read(*step())
    message.extra.update(messageMetadata=1, droppedBlocks=["x", []])
    assert UI.to_response(message)["parts"] == [{"type": "step-start"}]


def test_parts_of_the_step_that_was_taken_back_are_not_there() -> None:
    first = [{"type": "text-start", "id": "0"}, CALL_START, AVAILABLE, {"type": "data-x", "data": 1}]
    again = [{"type": "text-start", "id": "0"}, {"type": "text-end", "id": "0"}]
    expected = [{"type": "text", "text": "", "state": "done"}]
    assert parts(*first, {"type": "reset-step"}, *again) == expected


def test_a_call_in_all_its_states() -> None:
    output = {"type": "tool-output-available", "toolCallId": "c1", "output": [1], "preliminary": True}
    metadata = {"providerMetadata": {"x": {"y": 1}}}
    available = {**PART, "state": "input-available", "input": {"a": 1}}
    done = {**PART, "state": "output-available", "input": {"a": 1}, "output": [1]}
    calls = "tool-calls"
    assert parts(CALL_START, reason=calls) == [{**PART, "state": "input-streaming"}]
    assert parts(CALL_START, AVAILABLE, reason=calls) == [available]
    assert parts(CALL_START, AVAILABLE | metadata, reason=calls) == [
        available | {"callProviderMetadata": {"x": {"y": 1}}}
    ]
    assert parts(AVAILABLE, output) == [done | {"preliminary": True}]
    assert parts(AVAILABLE, output, {**output, "preliminary": False} | metadata) == [
        done | {"preliminary": False, "resultProviderMetadata": {"x": {"y": 1}}}
    ]
    error = {"type": "tool-output-error", "toolCallId": "c1", "errorText": "x"}
    assert parts(AVAILABLE, error) == [{**available, "state": "output-error", "errorText": "x"}]
    denied = {"type": "tool-output-denied", "toolCallId": "c1"}
    assert parts(AVAILABLE, denied) == [{**available, "state": "output-denied"}]
    invalid = {"type": "tool-input-error", **CALL, "input": "{", "errorText": "x"}
    expected = {**PART, "state": "output-error", "input": "{", "errorText": "x"}
    assert parts(
        CALL_START, {"type": "tool-input-delta", "toolCallId": "c1", "inputTextDelta": "{"}, invalid
    ) == [expected]


def test_a_call_that_needs_a_users_approval() -> None:
    request = {"type": "tool-approval-request", "toolCallId": "c1", "approvalId": "a", "reason": "sure?"}
    answer = {"type": "tool-approval-response", "approvalId": "a", "approved": False, "reason": "no"}
    part = {**PART, "input": {"a": 1}}
    approval = {"id": "a", "requestReason": "sure?"}
    assert parts(AVAILABLE, request) == [{**part, "state": "approval-requested", "approval": approval}]
    assert parts(AVAILABLE, {**AVAILABLE, "toolCallId": "c2"}, request, answer)[0] == {
        **part,
        "state": "approval-responded",
        "approval": {**approval, "approved": False, "reason": "no"},
    }


def test_an_answer_may_say_more_of_the_call() -> None:
    request = {"type": "tool-approval-request", "toolCallId": "c1", "approvalId": "a"}
    answer = {"type": "tool-approval-response", "approvalId": "a", "approved": True}
    more = {"providerExecuted": True, "providerMetadata": {"p": {"a": 1}}}
    (part,) = parts(AVAILABLE, request, {**answer, **more})
    assert (part["providerExecuted"], part["callProviderMetadata"]) == (True, {"p": {"a": 1}})


def test_what_a_refused_call_came_with_is_of_its_outcome() -> None:
    metadata = {"providerMetadata": {"p": {"a": 1}}}
    refused = {"type": "tool-input-error", **CALL, "input": "x", "errorText": "E", **metadata}
    metadata = {"resultProviderMetadata": {"p": {"a": 1}}}
    assert parts(refused) == [{**PART, "state": "output-error", "input": "x", "errorText": "E", **metadata}]
    answer = {"type": "tool-output-available", "toolCallId": "c1", "output": 1}
    assert parts(CALL_START, refused, answer) == [
        {**PART, "state": "output-available", "input": "x", "output": 1, **metadata}
    ]


def test_an_output_without_an_input_has_none() -> None:
    answer = {"type": "tool-output-available", "toolCallId": "c1", "output": 1}
    assert parts(CALL_START, answer) == [{**PART, "state": "output-available", "output": 1}]


@pytest.mark.parametrize("dynamic", [False, True])
def test_a_call_that_failed_before_it_was_whole_keeps_the_text_of_its_arguments(*, dynamic: bool) -> None:
    """But for a dynamic tool, in the browser's reader."""
    failed = {"type": "tool-output-error", "toolCallId": "c1", "errorText": "E"}
    arguments = {"type": "tool-input-delta", "toolCallId": "c1", "inputTextDelta": "{"}
    (part,) = parts({**CALL_START, "dynamic": dynamic}, arguments, failed)
    assert part.get("rawInput") == (None if dynamic else "{")


def test_what_is_known_at_the_beginning_of_a_call_is_shown_then() -> None:
    (part,) = parts({**CALL_START, "providerMetadata": {"p": {"a": 1}}})
    assert part["callProviderMetadata"] == {"p": {"a": 1}}


def test_dynamic_tools_have_their_name_beside() -> None:
    dynamic = {"type": "dynamic-tool", "toolName": "f", "toolCallId": "c1", "state": "input-streaming"}
    assert parts({**CALL_START, "dynamic": True, "title": "T"}) == [{**dynamic, "title": "T"}]


def test_texts_and_what_is_a_part_by_itself() -> None:
    source = {"type": "source-url", "sourceId": "s", "url": "u"}
    grown = [{"type": f"reasoning-{what}", "id": "r", "delta": "Hm"} for what in ("start", "delta", "end")]
    assert parts(source, *grown) == [
        source,
        {"type": "reasoning", "id": "r", "text": "Hm", "state": "done"},
    ]
    assert parts(*grown[:2]) == [{"type": "reasoning", "id": "r", "text": "Hm", "state": "streaming"}]


def test_an_applications_part_is_replaced_by_one_with_its_id() -> None:
    def part(data: int, **fields: Any) -> Any:
        return {"type": "data-x", "data": data, **fields}

    chunks = [part(1, id="a"), part(2), part(3), part(4, id="a"), part(5, transient=True)]
    assert parts(*chunks) == [part(4, id="a"), part(2), part(3)]


def test_what_an_application_adds_is_merged() -> None:
    added = [{"a": {"b": 1, "c": 1}}, {"a": {"b": 2}, "d": [1]}, {"d": [2]}]
    chunks = [{"type": "message-metadata", "messageMetadata": item} for item in added]
    message = read(*START, *chunks, DONE)
    assert UI.to_response(message)["metadata"] == {"a": {"b": 2, "c": 1}, "d": [2]}
    assert message.extra["messageMetadata"] == [
        {"a": {"b": 1, "c": 1}},
        {"a": {"b": 2}, "d": [1]},
        {"d": [2]},
    ]


@pytest.mark.parametrize("kind", ["metadata", "answers"])
@pytest.mark.untraced
def test_a_message_takes_linear_time(kind: str) -> None:
    def step(size: int) -> Callable[[], object]:
        message = Message()
        if kind == "metadata":
            message.extra["messageMetadata"] = [{str(place): place} for place in range(size)]
        else:
            blocks = [block for place in range(size // 5) for block in _request_and_answer(str(place))]
            message.indexed_blocks = dict(enumerate(blocks))
        message.completeness = "complete"
        made = UI.to_response(message)
        assert len(made["parts"]) == size // 5 + 1 or len(made["metadata"]) == size
        return lambda: UI.to_response(message)

    assert is_linear(step, 2000)


def _request_and_answer(id: str) -> list[Block]:
    call = ToolUseBlock(id, "f", state="complete", arguments={})
    request = {"type": "tool-approval-request", "toolCallId": id, "approvalId": id, "tool_use_id": id}
    answer = {"type": "tool-approval-response", "approvalId": id, "approved": True}
    return [call, ResultBlock(request), UnknownBlock(answer)]


def test_a_message_without_steps_has_none() -> None:
    made = UI.to_response(read(START[0], {"type": "data-x", "data": 1}, DONE))
    assert made["parts"] == [{"type": "data-x", "data": 1}]


def test_steps_are_parts() -> None:
    output = {"type": "tool-output-available", "toolCallId": "c1", "output": 1}
    further: list[Any] = [{"type": "finish-step"}, {"type": "start-step"}]
    made = parts(AVAILABLE, output, *further, AVAILABLE, output)
    assert [part["type"] for part in made] == ["tool-f", "step-start", "tool-f"]


def test_a_result_without_its_call_is_not_there() -> None:
    result = ResultBlock({"type": "x_tool_result", "tool_use_id": "c9", "content": 1})
    assert portable_parts(BlockStart(0, result), BlockStop(0), MessageStop()) == []
