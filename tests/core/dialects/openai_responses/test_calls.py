"""Calls of Responses: who runs them, and when their arguments are whole."""

from __future__ import annotations

from typing import Any

import pytest

from sse_core import Message, MessageAccumulator, ServerSentEvent, dialects
from sse_core.blocks import (
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    MessageDelta,
    MessageStart,
    MessageStop,
    ResultBlock,
    ToolUseBlock,
    UnknownBlock,
)
from sse_core.dialects.openai_responses import Decoder
from sse_core.testing import events_of, message_of
from tests.core.dialects.responses_events import (
    RESPONSES,
    STARTED,
    added,
    after,
    arguments,
    call,
    decode,
    done,
    end,
    event,
    message,
    output_text,
    read,
    sse,
)

CLICK = {"type": "click", "x": 1}


def tool(kind: str, **fields: Any) -> dict[str, Any]:
    """An item that calls one of OpenAI's own tools."""
    return {"type": kind, "id": "i", "status": "completed", "call_id": "c", **fields}


OWED = {
    "computer": tool("computer_call", action=CLICK, pending_safety_checks=[]),
    "local_shell": tool("local_shell_call", action={"type": "exec", "command": ["ls"]}),
    "apply_patch": tool("apply_patch_call", operation={"type": "delete_file", "path": "a"}),
    "shell": tool("shell_call", action={"commands": ["ls"]}, environment={"type": "local"}),
    "tool_search": tool("tool_search_call", execution="client", arguments={"queries": ["x"]}),
}
#: Of these only the response's end says who runs them.
UNSURE = {
    "shell": tool("shell_call", action={"commands": ["ls"]}, environment=None),
    "tool_search": tool("tool_search_call", arguments={"queries": ["x"]}),
    "teleport": tool("teleport_call", to="Mars"),
}
HOSTED = {
    "shell": tool("shell_call", environment={"type": "container_reference"}),
    "tool_search": tool("tool_search_call", execution="server"),
    "web_search": tool("web_search_call"),
}
ALL_OWED = [*OWED.items(), *UNSURE.items()]


def begun(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "status": "in_progress"}


def crossed(name: str, *stream: ServerSentEvent) -> Message:
    """The message of a stream that was sent on in another protocol."""
    dialect = dialects.get(name)
    encoder, decoder, accumulator = dialect.Encoder(), dialect.Decoder(), MessageAccumulator()
    sent = [one for made in decode(*stream, eof=True) for one in encoder.send(made)]
    for made in [made for one in sent for made in decoder.receive_event(one)] + decoder.receive_eof():
        accumulator.receive(made)
    return accumulator.message


@pytest.mark.parametrize(("name", "item"), ALL_OWED)
def test_what_the_client_owes_is_a_call_of_its_own(name: str, item: dict[str, Any]) -> None:
    found = read(*STARTED, added(begun(item)), done(item), end(output=[item]))
    assert (found.completeness, found.stop_meaning, found.tool_seen) == ("complete", "tool_use", True)
    (owed,) = found.executable_tools
    said = {name: item[name] for name in item if name not in ("type", "id", "status", "call_id")}
    assert (owed.id, owed.name, owed.arguments) == ("c", name, said)
    assert found.extra["output.0"] == item
    assert RESPONSES.to_response(found)["output"] == [item]


@pytest.mark.parametrize(("name", "item"), ALL_OWED)
@pytest.mark.parametrize("other", ["anthropic", "gemini", "openai-chat", "openai-responses", "ui-messages"])
def test_in_every_protocol(other: str, name: str, item: dict[str, Any]) -> None:
    found = crossed(other, *STARTED, added(begun(item)), done(item), end(output=[item]))
    assert (found.completeness, found.stop_meaning) == ("complete", "tool_use")
    assert [(tool.id, tool.name) for tool in found.executable_tools] == [("c", name)]
    if other == "openai-responses":
        assert RESPONSES.to_response(found)["output"] == [item]


@pytest.mark.parametrize("item", HOSTED.values(), ids=HOSTED)
def test_what_the_provider_runs_stays_as_it_is(item: dict[str, Any]) -> None:
    found = read(*STARTED, added(begun(item)), done(item), end(output=[item]))
    assert (found.stop_meaning, found.tool_seen) == ("end_turn", False)
    (block,) = found.blocks
    assert isinstance(block, ResultBlock | UnknownBlock)
    assert block.data == item


@pytest.mark.parametrize(("name", "item"), ALL_OWED)
def test_an_output_in_the_same_response_pays_the_debt(name: str, item: dict[str, Any]) -> None:
    output = {"type": f"{name}_call_output", "id": "o", "call_id": "c", "output": [1]}
    text = message(output_text("ok"))
    stream = [added(begun(item)), done(item), added(output, 1), done(output, 1), done(text, 2)]
    found = read(*STARTED, *stream, end(output=[item, output, text]))
    assert (found.stop_meaning, found.executable_tools) == ("end_turn", [])
    assert found.server_tool_seen
    assert RESPONSES.to_response(found)["output"] == [item, output, text]


@pytest.mark.parametrize("item", UNSURE.values(), ids=UNSURE)
@pytest.mark.parametrize("is_first", [False, True])
def test_and_then_it_was_the_providers(item: dict[str, Any], is_first: bool) -> None:  # noqa: FBT001
    output = {"type": "x_output", "id": "o", "call_id": "c"}
    items = [output, item] if is_first else [item, output]
    stream = [
        *STARTED,
        *(done(one, index) for index, one in enumerate(items)),
        done(message(output_text("ok")), 2),
    ]
    found = read(*stream, end())
    assert not found.tool_seen
    assert [block.type for block in found.blocks] == [*(one["type"] for one in items), "text"]
    sent_on = crossed("openai-chat", *stream, end())
    assert (sent_on.stop_reason, sent_on.text, sent_on.tools) == ("stop", "ok", [])


def test_an_output_of_another_call_pays_nothing() -> None:
    other = {"type": "shell_call_output", "call_id": "d", "output": []}
    found = read(*STARTED, done(UNSURE["shell"]), done(other, 1), done({"type": "x_output"}, 2), end())
    assert [tool.id for tool in found.executable_tools] == ["c"]


def test_a_functions_output_in_the_same_response_pays_too() -> None:
    output = {"type": "function_call_output", "call_id": "c", "output": "1"}
    found = read(*STARTED, done(call("{}")), done(output, 1), end())
    assert (found.executable_tools, found.stop_meaning) == ([], "end_turn")


@pytest.mark.parametrize(("name", "item"), ALL_OWED)
@pytest.mark.parametrize("how", ["cut", "error", "incomplete", "incomplete item"])
def test_what_is_owed_in_a_message_that_is_not_whole_may_not_run(
    name: str, item: dict[str, Any], how: str
) -> None:
    last = {
        "cut": [],
        "error": [sse({"type": "error", "message": "x"})],
        "incomplete": [end("incomplete")],
        "incomplete item": [end()],
    }[how]
    whole = {**item, "status": "incomplete"} if how == "incomplete item" else item
    found = read(*STARTED, added(begun(item)), done(whole), *last)
    assert found.executable_tools == []
    assert [tool.name for tool in found.tools] == [name]
    assert found.extra["output.0"] == whole


def test_a_call_may_get_its_call_id_late() -> None:
    item = OWED["computer"]
    nameless = {name: value for name, value in begun(item).items() if name != "call_id"}
    found = read(*STARTED, added(nameless), done(item), end())
    assert [tool.id for tool in found.executable_tools] == ["c"]
    again = UNSURE["shell"]
    found = read(*STARTED, added({**again, "call_id": None}), done(again), end())
    assert [tool.id for tool in found.executable_tools] == ["c"]


def test_one_without_a_call_id_can_be_answered_by_nobody() -> None:
    item = {"type": "computer_call", "id": "i", "action": CLICK}
    found = read(*STARTED, added(item), done(item), end())
    assert (found.blocks, found.tool_seen) == ([UnknownBlock(item)], False)
    assert read(*STARTED, added(item), end()).blocks == []


def test_a_call_without_an_item_gets_one() -> None:
    block = ToolUseBlock("c", "computer", extra={"field": "computer_call"})
    events = [MessageStart("m", "x"), BlockStart(0, block), ArgumentsDelta(0, '{"action":1}'), BlockStop(0)]
    events += [MessageDelta("completed"), MessageStop()]
    item = {"type": "computer_call", "id": "item_m_0", "status": "completed", "call_id": "c", "action": 1}
    assert RESPONSES.to_response(message_of(events))["output"] == [item]
    sent = events_of(RESPONSES, events)
    assert read(*sent).extra["output.0"] == item


# When arguments are whole.


def runs(*stream: ServerSentEvent) -> list[Any]:
    return [tool.arguments for tool in read(*STARTED, *stream).executable_tools]


def test_arguments_that_came_are_not_taken_back_by_none() -> None:
    assert runs(added(call()), arguments('{"a":1}'), done(call("")), end()) == [{"a": 1}]


@pytest.mark.parametrize("first", ["", " ", '{"a"'])
def test_a_call_whose_end_says_nothing_that_can_run_may_come_again(first: str) -> None:
    assert runs(done(call(first)), done(call('{"a":1}')), end()) == [{"a": 1}]
    assert runs(done(call(first)), end(output=[call('{"a":1}')])) == [{"a": 1}]
    assert runs(done(call(first)), arguments('{"a":1}'[len(first.strip()) :]), end()) == [{"a": 1}]


def test_if_it_is_not_it_ends_with_the_response() -> None:
    events = after(done(call("")), end())
    assert [type(made) for made in events[1:]] == [BlockStart, BlockStop, MessageDelta, MessageStop]
    assert runs(done(call("")), end()) == [{}]
    found = read(*STARTED, done(call("{")), end())
    assert [tool.state for tool in found.tools] == ["invalid"]


def test_one_that_is_json_is_whole_at_once() -> None:
    events = after(done(call('{"a":1}')), done(call('{"a":2}')))
    assert [made for made in events if isinstance(made, ArgumentsDelta | BlockStop)] == [
        ArgumentsDelta(0, '{"a":1}'),
        BlockStop(0),
    ]


def test_what_waits_is_bounded_and_let_go() -> None:
    """What it is not known of who runs it is kept till then."""
    decoder = Decoder(max_held_bytes=40_000)
    stream: list[ServerSentEvent] = []
    for number in range(8):
        item = {**UNSURE["teleport"], "call_id": f"c{number}", "to": "x" * 10_000}
        stream += [
            done(item, 2 * number),
            done({"type": "x_output", "call_id": f"c{number}"}, 2 * number + 1),
        ]
    found = message_of(decode(*STARTED, *stream, end(), decoder=decoder))
    assert len(found.blocks) == 16


# One `call_id` is one call.


@pytest.mark.parametrize("kind", ["added", "done"])
@pytest.mark.parametrize("other", ["custom_tool_call", "computer_call"])
def test_the_same_call_as_another_kind_is_unknown(kind: str, other: str) -> None:
    again = {**call(), "type": other, "input": "x"}
    del again["id"]
    found = read(*STARTED, done(call("{}")), event(f"output_item.{kind}", item=again, output_index=1), end())
    assert [tool.arguments for tool in found.executable_tools] == [{}]
    assert len(found.unknown) == 1


def test_and_in_the_output_of_the_responses_end() -> None:
    other = {**call(), "type": "custom_tool_call", "input": "x"}
    found = read(*STARTED, end(output=[call("{}"), other, call('{"a":1}')]))
    assert [(tool.id, tool.arguments) for tool in found.executable_tools] == [("c", {})]
    assert [made.data for made in found.unknown] == [other]  # type: ignore[attr-defined]
