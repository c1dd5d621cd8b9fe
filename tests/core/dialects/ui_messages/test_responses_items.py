"""Items of OpenAI's Responses in a UI message stream: tools, sources, reasoning, and what goes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sse_core import LimitExceeded
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    FieldsDelta,
    MessageCut,
    MessageDelta,
    MessageStop,
    ResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    UnknownBlock,
)
from sse_core.dialects.ui_messages import Encoder
from tests.core.dialects.ui_events import FINISH, after_start, call, encode, end, start, whole
from tests.core.growth import is_linear


def item(index: int, **fields: Any) -> MessageDelta:
    return MessageDelta(extra={f"output.{index}": fields})


def responses(*events: BlockEvent) -> list[Any]:
    return after_start(*events, dialect="openai-responses")


def test_openai_gets_back_the_items_that_blocks_belong_to() -> None:
    at = {"output_index": 0}
    cited = {"url": "https://a.example"}
    text_block = BlockStart(0, TextBlock(citations=[cited], extra=at))
    about = item(0, id="i", type="message", phase="final")
    chunks = responses(about, text_block, BlockStop(0), MessageStop())
    assert chunks[-4]["providerMetadata"] == {
        "openai": {"itemId": "i", "phase": "final", "annotations": [cited]}
    }
    chunks = responses(item(0, id="i", type="function_call"), call(extra=at), BlockStop(0), *end("completed"))
    assert chunks[1]["providerMetadata"] == {"openai": {"itemId": "i"}}
    assert "providerMetadata" not in responses(call(extra=at), BlockStop(0), *end("completed"))[1]


def test_reasoning_ends_when_its_item_has() -> None:
    """OpenAI sends at the item's end only what it has to get back."""
    block = ThinkingBlock(extra={"output_index": 0})
    first, last = ({"type": "reasoning", "id": "i", "encrypted_content": text} for text in ("a", "b"))
    items = [item(0, **first), BlockStart(0, block), BlockStop(0), item(0, **last)]
    assert [chunk["type"] for chunk in responses(*items)] == ["reasoning-start"]
    _, ended, begun = responses(*items, BlockStart(1, TextBlock()))
    assert ended["providerMetadata"] == {"openai": {"itemId": "i", "reasoningEncryptedContent": "b"}}
    assert begun["type"] == "text-start"
    assert responses(*items, MessageStop())[1] == ended


def test_reasoning_without_a_text_is_a_part_all_the_same() -> None:
    reasoning = {"type": "reasoning", "id": "i", "encrypted_content": "e"}
    metadata = {"openai": {"itemId": "i", "reasoningEncryptedContent": "e"}}
    later = BlockStart(0, TextBlock(extra={"output_index": 1}))
    chunks = responses(item(0, **reasoning), item(2, **reasoning), later, item(0, **reasoning), MessageStop())
    assert chunks[:2] == [
        {"type": "reasoning-start", "id": "0", "providerMetadata": metadata},
        {"type": "reasoning-end", "id": "0"},
    ]
    assert chunks[2]["type"] == "text-start"
    assert [chunk["type"] for chunk in chunks[3:6]] == ["reasoning-start", "reasoning-end", "text-end"]


WEB = {"type": "web_search_call", "id": "w", "status": "completed"}


def of(*items: Any) -> list[Any]:
    """The chunks of items that are whole, and of the message's end."""
    events: list[BlockEvent] = []
    for index, data in enumerate(items):
        name_and_id = {name: data[name] for name in ("type", "id") if name in data}
        events += [item(index, **name_and_id), *whole(index, ResultBlock(data))]
    return responses(*events, *end("completed"))[: -len(FINISH)]


def test_a_search_is_sent_when_it_begins_and_its_output_when_it_has_ended() -> None:
    search = ResultBlock({**WEB, "status": "in_progress"})
    action = {"type": "search", "query": "q", "queries": None}
    events = [BlockStart(0, search), FieldsDelta(0, {"status": "completed", "action": action}), BlockStop(0)]
    begun = {
        "type": "tool-input-available",
        "toolCallId": "w",
        "toolName": "web_search",
        "input": {},
        "providerExecuted": True,
    }
    assert responses(events[0]) == [begun]
    assert responses(*events) == [
        begun,
        {
            "type": "tool-output-available",
            "toolCallId": "w",
            "output": {"action": {"type": "search", "query": "q"}},
            "providerExecuted": True,
        },
    ]


def test_what_is_no_call_is_left_out() -> None:
    for data in ({"type": "mcp_list_tools", "id": "w"}, {"type": "new_call", "id": "w"}):
        assert responses(*whole(0, ResultBlock(data)), *whole(1, UnknownBlock(data))) == []


_FOUND = {"attributes": {"a_b": 1}, "file_id": "f", "filename": "a.txt", "score": 1, "text": "t", "more": 1}


@pytest.mark.parametrize(
    ("data", "input_", "output"),
    [
        ({**WEB, "action": None}, {}, {}),
        (
            {**WEB, "action": {"type": "open_page", "url": "u"}},
            {},
            {"action": {"type": "openPage", "url": "u"}},
        ),
        (
            {**WEB, "action": {"type": "find_in_page", "url": "u", "pattern": "p"}},
            {},
            {"action": {"type": "findInPage", "url": "u", "pattern": "p"}},
        ),
        ({"type": "x_search_call", "id": "w", "status": "completed", "a": 1}, {}, {"a": 1}),
        (
            {"type": "file_search_call", "id": "w", "queries": ["q"], "results": [_FOUND, "x"]},
            {},
            {
                "queries": ["q"],
                "results": [
                    {
                        "attributes": {"a_b": 1},
                        "fileId": "f",
                        "filename": "a.txt",
                        "score": 1,
                        "text": "t",
                    }
                ],
            },
        ),
        ({"type": "file_search_call", "id": "w"}, {}, {"queries": None, "results": None}),
        ({"type": "image_generation_call", "id": "w", "result": "aGk="}, {}, {"result": "aGk="}),
        (
            {"type": "code_interpreter_call", "id": "w", "code": "1", "container_id": "c", "outputs": []},
            {"code": "1", "containerId": "c"},
            {"outputs": []},
        ),
        (
            {"type": "computer_call", "id": "w", "status": "completed"},
            {},
            {"type": "computer_use_tool_result", "status": "completed"},
        ),
    ],
)
def test_an_item_that_openai_runs_is_a_call_and_its_output(data: Any, input_: Any, output: Any) -> None:
    chunks = [chunk for chunk in of(data) if not chunk["type"].startswith("source")]
    made, answer = [chunk for chunk in chunks if chunk["type"] != "tool-input-start"]
    assert {chunk["toolCallId"] for chunk in chunks} == {"w"}
    assert {chunk["providerExecuted"] for chunk in chunks} == {True}
    assert (made["type"], made["input"]) == ("tool-input-available", input_)
    assert (answer["type"], answer["output"]) == ("tool-output-available", output)


def test_a_search_that_failed_is_an_error() -> None:
    assert of({**WEB, "status": "failed"})[-1]["errorText"] == '{"status":"failed"}'


def test_calls_of_one_id_are_distinguished() -> None:
    assert [chunk["toolCallId"] for chunk in of(WEB, WEB)] == ["w", "w", "w-1", "w-1"]


EXEC = {"command": ["ls"], "timeout_ms": 5, "working_directory": "/a", "env": {"A_B": "1"}}
SCREEN = {
    "actions": [{"type": "scroll", "scroll_x": 1}, "x"],
    "pending_safety_checks": [{"id": "s", "code": None}, "x"],
}


@pytest.mark.parametrize(
    ("data", "name", "input_"),
    [
        (
            {"type": "local_shell_call", "action": EXEC},
            "local_shell",
            {
                "action": {
                    "type": "exec",
                    "command": ["ls"],
                    "timeoutMs": 5,
                    "workingDirectory": "/a",
                    "env": {"A_B": "1"},
                }
            },
        ),
        (
            {
                "type": "shell_call",
                "action": {"commands": ["ls"], "timeout_ms": None, "max_output_length": 1},
            },
            "shell",
            {"action": {"commands": ["ls"], "maxOutputLength": 1}},
        ),
        (
            {"type": "apply_patch_call", "operation": {"type": "delete_file", "path": "a"}},
            "apply_patch",
            {"callId": "c1", "operation": {"type": "delete_file", "path": "a"}},
        ),
        (
            {"type": "computer_call", **SCREEN},
            "computer",
            {
                "actions": [{"type": "scroll", "scrollX": 1}],
                "pendingSafetyChecks": [{"id": "s"}],
                "status": "completed",
            },
        ),
        (
            {"type": "computer_call", "action": {"type": "wait"}},
            "computer",
            {"actions": [{"type": "wait"}], "pendingSafetyChecks": [], "status": "completed"},
        ),
        (
            {"type": "tool_search_call", "execution": "client", "arguments": {"a": 1}},
            "tool_search",
            {"arguments": {"a": 1}, "call_id": "c1"},
        ),
    ],
)
def test_what_the_client_owes_is_a_call_that_waits_for_the_end(data: Any, name: str, input_: Any) -> None:
    """Nothing may be run for a message that may still be cut."""
    data = {"id": "i", "call_id": "c1", "status": "completed", **data}
    tool = ToolUseBlock("c1", name, extra={"output_index": 0, "field": data["type"]})
    events = [item(0, type=data["type"], id="i", call_id="c1"), BlockStart(0, tool)]
    begun = {"type": "tool-input-start", "toolCallId": "c1", "toolName": name}
    assert responses(*events) == [begun]
    events += [item(0, **data), ArgumentsDelta(0, "{}"), BlockStop(0)]
    assert responses(*events) == [begun]
    *sent, _, finish, _ = responses(*events, *end("completed"))
    available = {"type": "tool-input-available", "toolCallId": "c1", "toolName": name, "input": input_}
    assert sent == [begun, {**available, "providerMetadata": {"openai": {"itemId": "i"}}}]
    assert finish == {"type": "finish", "finishReason": "tool-calls"}
    for cut in ([MessageCut("truncated")], end("max_output_tokens")):
        assert [chunk["type"] for chunk in responses(*events, *cut)[:2]] == [
            "tool-input-start",
            "finish-step",
        ]


def test_a_tool_that_nobody_knows_is_called_with_the_fields_of_its_item() -> None:
    tool = ToolUseBlock("c1", "new", extra={"output_index": 0, "field": "new_call"})
    events = [
        item(0, type="new_call", id="i"),
        BlockStart(0, tool),
        ArgumentsDelta(0, '{"a":1}'),
        BlockStop(0),
    ]
    available = responses(*events, *end("completed"))[-4]
    assert (available["toolName"], available["input"]) == ("new", {"a": 1})
    assert available["providerMetadata"] == {"openai": {"itemId": "i"}}


def test_a_shell_that_openai_runs_is_not_the_clients() -> None:
    shell = {
        "type": "shell_call",
        "id": "i",
        "call_id": "c1",
        "status": "completed",
        "action": {"commands": ["ls"]},
    }
    ended, timeout = {"type": "exit", "exit_code": 1}, {"type": "timeout"}
    outputs = [{"stdout": "a", "stderr": "", "outcome": ended, "more": 1}, {"outcome": timeout}, "x"]
    result_item = {"type": "shell_call_output", "id": "o", "call_id": "c1", "output": outputs}
    start, made, answer = of(shell, result_item)
    assert start["providerExecuted"] is made["providerExecuted"] is True
    assert made["providerMetadata"] == {"openai": {"itemId": "i"}}
    expected = [
        {"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exitCode": 1}},
        {"outcome": timeout},
    ]
    assert answer["output"] == {"output": expected}
    assert of(shell, {**result_item, "max_output_length": 9})[2]["output"]["maxOutputLength"] == 9


def test_a_search_for_tools_has_the_first_output_that_comes() -> None:
    first: Any = {"type": "tool_search_call", "id": "a", "execution": "server", "arguments": {}}
    second = {**first, "id": "b"}
    found = {"type": "tool_search_output", "id": "o", "call_id": None, "tools": [{"name": "f"}]}
    chunks = of(first, second, found, {**found, "id": "p"})
    assert [(chunk["type"], chunk["toolCallId"]) for chunk in chunks] == [
        ("tool-input-start", "a"),
        ("tool-input-available", "a"),
        ("tool-input-start", "b"),
        ("tool-input-available", "b"),
        ("tool-output-available", "a"),
        ("tool-output-available", "b"),
    ]
    assert chunks[1]["input"] == {"arguments": {}, "call_id": None}
    assert chunks[4]["output"] == {"tools": [{"name": "f"}]}
    assert chunks[4]["providerMetadata"] == {"openai": {"itemId": "o"}}
    assert of(found) == []


def test_a_program_and_its_output() -> None:
    made, answer = of(
        {"type": "program", "id": "i", "call_id": "c", "code": "1", "fingerprint": "f"},
        {"type": "program_output", "id": "o", "call_id": "c", "result": "1", "status": "completed"},
    )
    assert (made["toolName"], made["input"]) == (
        "programmatic_tool_calling",
        {"code": "1", "fingerprint": "f"},
    )
    assert (made["toolCallId"], answer["toolCallId"]) == ("c", "c")
    assert answer["output"] == {"result": "1", "status": "completed"}


def test_the_approval_of_an_mcp_servers_tool_is_requested() -> None:
    approval_item = {"type": "mcp_approval_request", "id": "i", "name": "ask", "arguments": '{"q":1}'}
    made, request = of(approval_item)
    assert (made["toolName"], made["input"], made["dynamic"]) == ("mcp.ask", {"q": 1}, True)
    assert request == {"type": "tool-approval-request", "approvalId": "i", "toolCallId": "i"}
    assert of({**approval_item, "approval_request_id": "r"})[1]["approvalId"] == "r"
    assert of({**approval_item, "arguments": "{"}) == []


def test_a_compaction_is_a_part_of_its_own() -> None:
    fields = {"itemId": "i", "type": "compaction", "encryptedContent": "e"}
    metadata = {"providerMetadata": {"openai": fields}}
    data = {"type": "compaction", "id": "i", "encrypted_content": "e"}
    assert of(data) == [{"type": "custom", "kind": "openai.compaction", **metadata}]


@pytest.mark.parametrize("outcome", [{"output": "o"}, {"error": "e"}, {}])
def test_the_item_of_an_mcp_servers_call_is_sent_with_its_output_only(outcome: Any) -> None:
    """With both, OpenAI would get two references to one item, which it refuses."""
    block = call(type="mcp_tool_use", extra={"output_index": 0})
    about = item(0, type="mcp_call", id="i", server_label="wiki", **outcome)
    start, made, *outputs = (
        responses(about, block, ArgumentsDelta(0, "{}"), BlockStop(0))[:1]
        + responses(about, block, ArgumentsDelta(0, "{}"), BlockStop(0))[2:]
    )
    assert (start["toolName"], start["dynamic"]) == ("mcp.f", True)
    assert "providerMetadata" not in made
    value = {"type": "call", "serverLabel": "wiki", "name": "f", "arguments": "{}", **outcome}
    output = {"type": "tool-output-available", "toolCallId": "c1", "output": value, "providerExecuted": True}
    assert outputs == ([{**output, "providerMetadata": {"openai": {"itemId": "i"}}}] if outcome else [])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"namespace": "n"}, {"namespace": "n"}),
        ({"async": True}, {"async": True}),
        ({"namespace": None}, {}),
        ({"caller": {"type": "program", "caller_id": "p"}}, {"caller": {"type": "program", "callerId": "p"}}),
        ({"caller": {"type": "direct", "a_b": 1}}, {"caller": {"type": "direct", "a_b": 1}}),
    ],
)
def test_a_call_says_what_openai_has_to_get_back_of_it(fields: Any, expected: Any) -> None:
    block = call(extra={"output_index": 0})
    chunks = responses(
        item(0, type="function_call", id="i", **fields), block, BlockStop(0), *end("completed")
    )
    assert chunks[-4]["providerMetadata"] == {"openai": {"itemId": "i", **expected}}


def test_a_message_is_one_text() -> None:
    """The package has a text for each item, so each goes back once."""
    first, second = ({"output_index": 0, "content_index": place} for place in (0, 1))
    chunks = responses(
        item(0, id="i", type="message"),
        *whole(0, TextBlock("a", citations=[{"url": "https://a.example"}], extra=first)),
        *whole(1, TextBlock("b", citations=[{"url": "https://b.example"}], extra=second)),
        *whole(2, TextBlock("c", extra={"output_index": 1})),
    )
    assert [(chunk["type"], chunk.get("id")) for chunk in chunks if chunk["type"] != "source-url"] == [
        ("text-start", "0"),
        ("text-delta", "0"),
        ("text-delta", "0"),
        ("text-end", "0"),
        ("text-start", "1"),
        ("text-delta", "1"),
    ]
    cited = next(chunk for chunk in chunks if chunk["type"] == "text-end")["citations"]
    assert [citation["source"]["url"] for citation in cited] == ["https://a.example", "https://b.example"]


def test_a_text_that_had_ended_has_so_too_where_the_message_is_cut() -> None:
    events = [item(0, id="i", type="message"), *whole(0, TextBlock("a", extra={"output_index": 0}))]
    for cut in (MessageCut("stopped"), MessageCut("failed"), MessageCut("truncated")):
        assert "text-end" in [chunk["type"] for chunk in responses(*events, cut)[:-1]]


def test_reasoning_as_such_does_not_go_back_as_a_summary() -> None:
    """The package drops it, and keeps the item without a text."""
    about = item(0, id="i", type="reasoning", encrypted_content="e")
    block = ThinkingBlock("Hm", extra={"output_index": 0, "field": "reasoning_text"})
    start, delta, ended, empty, _ = responses(about, *whole(0, block), MessageStop())[:5]
    assert (start, ended) == ({"type": "reasoning-start", "id": "0"}, {"type": "reasoning-end", "id": "0"})
    assert delta["delta"] == "Hm"
    assert empty["providerMetadata"] == {"openai": {"itemId": "i", "reasoningEncryptedContent": "e"}}


def test_an_item_keeps_its_first_id_where_a_host_gives_it_another_with_each_event() -> None:
    text = TextBlock("a", extra={"output_index": 0})
    chunks = responses(
        item(0, id="a", type="message"),
        BlockStart(0, text),
        item(0, id="b", type="message"),
        BlockStop(0),
        MessageStop(),
    )
    assert chunks[0]["providerMetadata"] == chunks[2]["providerMetadata"] == {"openai": {"itemId": "a"}}


@pytest.mark.parametrize("id_", ["r", "another"])
def test_silent_reasoning_comes_before_the_item_that_it_led_to(id_: str) -> None:
    """Given back the other way round, OpenAI refuses it; some hosts give an item another id each time."""
    reasoning = item(0, id="r", type="reasoning", encrypted_content="e")
    search = ResultBlock({**WEB, "id": id_})
    events = [reasoning, item(1, type="web_search_call", id="w"), *whole(0, search), *end("completed")]
    assert [chunk["type"] for chunk in responses(*events)[:3]] == [
        "reasoning-start",
        "reasoning-end",
        "tool-input-available",
    ]


def test_items_of_one_kind_are_placed_one_after_the_other() -> None:
    places = [item(0, type="web_search_call", id="w"), item(1, type="reasoning", id="r")]
    places.append(item(2, type="web_search_call", id="v"))
    first, second = whole(0, ResultBlock(WEB)), whole(1, ResultBlock({**WEB, "id": "changed"}))
    kinds = [chunk["type"] for chunk in responses(*places, *first, *second)]
    assert kinds[2:5] == ["reasoning-start", "reasoning-end", "tool-input-available"]


# Sources.


def sources(*blocks: Any) -> list[Any]:
    events = [event for index, block in enumerate(blocks) for event in whole(index, block)]
    return [chunk for chunk in responses(*events) if chunk["type"].startswith("source")]


FILE = {"type": "file_citation", "file_id": "f", "filename": "a.txt", "index": 3}
PAGE = {"type": "url_citation", "url": "https://b.example"}
DOCUMENT = {
    "type": "source-document",
    "sourceId": "f",
    "mediaType": "text/plain",
    "title": "a.txt",
    "filename": "a.txt",
}


def test_what_searches_find_are_sources_and_what_is_cited_of_them_is_none() -> None:
    found = [{"type": "url", "url": "https://a.example", "title": "A"}, {"type": "api", "name": "x"}]
    web = ResultBlock({**WEB, "action": {"type": "search", "sources": found}})
    files = ResultBlock(
        {"type": "file_search_call", "id": "f", "results": [_FOUND, _FOUND, {"filename": 1}, 1]}
    )
    cited = TextBlock("a", citations=[PAGE, FILE])
    url = {"type": "source-url", "sourceId": "https://a.example", "url": "https://a.example"}
    stored = {"providerMetadata": {"openai": {"type": "file_search", "fileId": "f"}}}
    assert sources(web, files, cited) == [url, {**DOCUMENT, **stored}]


def test_files_that_are_cited_are_documents() -> None:
    made = {"type": "container_file_citation", "container_id": "c", "file_id": "g", "filename": "b.txt"}
    path = {"type": "file_path", "file_id": "h", "index": 0}
    block = TextBlock("a", citations=[FILE, made, path, {**FILE, "file_id": 1}, {"type": 1}, PAGE])
    first, second, third, page = sources(block)
    index, container = {"index": 3}, {"containerId": "c"}
    metadata = {"providerMetadata": {"openai": {"type": "file_citation", "fileId": "f", **index}}}
    assert first == {**DOCUMENT, **metadata}
    assert second["providerMetadata"]["openai"] == {
        "type": "container_file_citation",
        "fileId": "g",
        **container,
    }
    assert (third["mediaType"], third["title"]) == ("application/octet-stream", "h")
    assert page["url"] == "https://b.example"
    citations = responses(*whole(0, block), MessageStop())[-4]["citations"]
    assert [citation["source"]["id"] for citation in citations] == ["f", "g", "https://b.example"]
    assert citations[0]["source"]["sourceType"] == "document"


# Items.


@pytest.mark.parametrize(
    "extra", [{"output.x": {}}, {"output.0": 1}, {"other": {}}, {"output.99999999999": {"type": "reasoning"}}]
)
def test_what_is_no_item_is_none(extra: Any) -> None:
    assert responses(MessageDelta(extra=extra), MessageStop()) == FINISH


def test_items_have_a_bound() -> None:
    with pytest.raises(LimitExceeded, match="max_held_bytes=500"):
        encode(start("openai-responses"), item(0, id="x" * 500), encoder=Encoder(max_held_bytes=500))


# What it costs.


def _items(kind: str, size: int) -> list[BlockEvent]:
    """A response of so many parts of one message, silent thoughts, searches of one id, or tools searched."""
    events: list[BlockEvent] = []
    for place in range(size):
        if kind == "parts":
            cited = [{"type": "url_citation", "url": f"https://{place}.example"}]
            events += whole(place, TextBlock("a", cited, {"output_index": 0}))
        elif kind == "thoughts":
            events += [item(place, type="reasoning", id="r"), item(place + size, type="web_search_call")]
        else:
            search = {"type": "tool_search_call", "id": "s", "execution": "server"}
            found = {"type": "tool_search_output", "id": "o"}
            events += [*whole(2 * place, UnknownBlock(search)), *whole(2 * place + 1, UnknownBlock(found))]
    if kind == "thoughts":
        events += [event for place in range(size) for event in whole(place, ResultBlock(WEB))]
    return [start("openai-responses"), item(0, type="message", id="i"), *events, MessageStop()]


@pytest.mark.parametrize("kind", ["parts", "thoughts", "searches"])
@pytest.mark.untraced
def test_items_take_linear_time(kind: str) -> None:
    def step(size: int) -> Callable[[], object]:
        events = _items(kind, size)
        return lambda: encode(*events)

    assert is_linear(step, 300)
