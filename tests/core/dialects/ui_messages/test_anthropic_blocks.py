"""Anthropic's blocks in a UI message stream: tools that it runs, compaction, fallback, and what goes back."""

from __future__ import annotations

from typing import Any

import pytest

from sse_core.blocks import (
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    CitationDelta,
    FieldsDelta,
    ResultBlock,
    TextBlock,
    ToolUseBlock,
    UnknownBlock,
    strict_json,
)
from tests.core.dialects.ui_events import after_start, call, whole


def server_tool(name: str, *fragments: str, **fields: Any) -> list[Any]:
    """The chunks of a tool that Anthropic runs."""
    block = BlockStart(0, ToolUseBlock("c1", name, "server_tool_use", **fields))
    return after_start(block, *(ArgumentsDelta(0, fragment) for fragment in fragments), BlockStop(0))


def result(type: str, content: Any, *, tool: str = "server_tool_use", **fields: Any) -> Any:
    """The chunk of a result, without what every one has."""
    data = {"type": type, "tool_use_id": "c1", "content": content, **fields}
    chunk = after_start(call(type=tool), BlockStop(0), *whole(1, ResultBlock(data)))[2]
    assert (chunk.pop("toolCallId"), chunk.pop("providerExecuted")) == ("c1", True)
    return chunk


def available(value: Any) -> Any:
    return {"type": "tool-output-available", "output": value}


def failed(text: str) -> Any:
    return {"type": "tool-output-error", "errorText": text}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("bash_code_execution", "bash_code_execution"),
        ("text_editor_code_execution", "text_editor_code_execution"),
        ("code_execution", "programmatic-tool-call"),
    ],
)
def test_tools_that_run_code_are_one_whose_input_says_which(name: str, kind: str) -> None:
    start, *deltas, end = server_tool(name, '{"a"', ":1}")
    assert {start["toolName"], end["toolName"]} == {"code_execution"}
    assert end["input"] == {"type": kind, "a": 1}
    assert strict_json.loads("".join(delta["inputTextDelta"] for delta in deltas)) == end["input"]


@pytest.mark.parametrize(
    ("fragments", "text"),
    [
        (("{", '"a":1', "}"), '{"type":"bash_code_execution","a":1}'),
        (("", " ", "{ ", " ", '"a":1}'), '{"type":"bash_code_execution","a":1}'),
        (("{", "}"), '{"type":"bash_code_execution"}'),
        (("{}",), '{"type":"bash_code_execution"}'),
        (("[", "1]"), "[1]"),
        (("{",), ""),
    ],
)
def test_the_kind_of_call_stands_before_the_text_of_the_arguments(fragments: Any, text: str) -> None:
    chunks = server_tool("bash_code_execution", *fragments)
    assert "".join(chunk.get("inputTextDelta", "") for chunk in chunks) == text


def test_an_input_that_was_known_from_the_beginning_says_which_tool_it_is_for() -> None:
    _, end = server_tool("bash_code_execution", start_input={"command": "ls"})
    assert end["input"] == {"type": "bash_code_execution", "command": "ls"}
    assert server_tool("bash_code_execution", "[1]")[-1]["input"] == [1]


def test_a_tool_of_the_client_that_has_such_a_name_keeps_it() -> None:
    chunks = after_start(BlockStart(0, ToolUseBlock("c1", "code_execution")), ArgumentsDelta(0, "{}"))
    assert [chunk["toolName"] for chunk in chunks if "toolName" in chunk] == ["code_execution"]
    assert chunks[1]["inputTextDelta"] == "{}"


def test_a_tool_of_a_set_is_an_action_of_the_set() -> None:
    block = BlockStart(0, ToolUseBlock("c1", "click", extra={"toolset_name": "computer"}))
    start, delta, error = after_start(block, ArgumentsDelta(0, "{"), BlockStop(0))
    assert start["toolName"] == error["toolName"] == "computer"
    assert delta["inputTextDelta"] == "{"
    assert error["providerMetadata"] == {"anthropic": {"toolsetName": "computer"}}


@pytest.mark.parametrize(
    ("type", "content", "output"),
    [
        ("web_search_tool_result", [{"page_age": None}], available([{"pageAge": None}])),
        ("web_fetch_tool_result", {"retrieved_at": "t"}, available({"retrievedAt": "t"})),
        ("advisor_tool_result", {"stop_reason": "r"}, available({"stopReason": "r"})),
        ("code_execution_tool_result", {"return_code": 0}, available({"return_code": 0, "content": []})),
        ("code_execution_tool_result", {"content": [1]}, available({"content": [1]})),
        ("code_execution_tool_result", "x", available("x")),
        ("bash_code_execution_tool_result", {"return_code": 0}, available({"return_code": 0})),
        ("x_tool_result", {"a_b": 1}, available({"a_b": 1})),
        (
            "tool_search_tool_result",
            {"tool_references": [{"type": "tool_reference", "tool_name": "f"}]},
            available([{"type": "tool_reference", "toolName": "f"}]),
        ),
        ("tool_search_tool_result", {"tool_references": 1}, available([])),
        ("tool_search_tool_result", [], available([])),
        (
            "tool_search_tool_result",
            {"type": "tool_search_tool_result_error", "error_code": "e"},
            failed('{"type":"tool_search_tool_result_error","errorCode":"e"}'),
        ),
        (
            "bash_code_execution_tool_result",
            {"type": "bash_code_execution_tool_result_error", "error_code": "e"},
            available({"type": "bash_code_execution_tool_result_error", "error_code": "e"}),
        ),
    ],
)
def test_a_result_is_the_output_that_the_package_makes_of_it(type: str, content: Any, output: Any) -> None:
    assert result(type, content) == output


def test_a_result_says_who_called() -> None:
    by_code: Any = {"caller": {"type": "code", "tool_id": "t"}}
    chunk = result("web_search_tool_result", [], **by_code)
    assert chunk["providerMetadata"] == {"anthropic": {"caller": {"type": "code", "toolId": "t"}}}
    assert "providerMetadata" not in result("code_execution_tool_result", {}, **by_code)
    assert "providerMetadata" not in result("web_search_tool_result", [], caller="x")


def test_a_tool_of_an_mcp_server_is_dynamic_and_says_which_server() -> None:
    block = call(type="mcp_tool_use", extra={"server_name": "wiki"})
    answer = {"type": "mcp_tool_result", "tool_use_id": "c1", "content": [{"a_b": 1, "url": "u"}]}
    chunks = after_start(block, BlockStop(0), *whole(1, ResultBlock(answer)))
    assert [chunk.get("dynamic") for chunk in chunks] == [True, True, None]
    server = {"anthropic": {"type": "mcp-tool-use", "serverName": "wiki"}}
    assert chunks[1]["providerMetadata"] == chunks[2]["providerMetadata"] == server
    assert chunks[2]["output"] == [{"a_b": 1, "url": "u"}]
    error = after_start(block, BlockStop(0), *whole(1, ResultBlock({**answer, "is_error": True})))[2]
    assert error["errorText"] == '[{"a_b":1,"url":"u"}]'


def test_a_server_that_has_no_name_is_none() -> None:
    assert after_start(call(type="mcp_tool_use"), BlockStop(0))[1]["providerMetadata"] == {
        "anthropic": {"type": "mcp-tool-use"}
    }


def test_a_compaction_is_a_text_that_says_so() -> None:
    events = [
        BlockStart(0, UnknownBlock({"type": "compaction", "content": None})),
        FieldsDelta(0, {"content": "summary"}),
        BlockStop(0),
    ]
    assert after_start(*events) == [
        {"type": "text-start", "id": "1", "providerMetadata": {"anthropic": {"type": "compaction"}}},
        {"type": "text-delta", "id": "1", "delta": "summary"},
        {"type": "text-end", "id": "1"},
    ]
    start, end = after_start(*whole(0, UnknownBlock({"type": "compaction", "signature": "s"})))
    assert start["providerMetadata"] == {"anthropic": {"type": "compaction", "signature": "s"}}
    assert end["type"] == "text-end"


def test_a_fallback_is_a_part_of_its_own() -> None:
    block = UnknownBlock({"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}, "x": 1})
    fields = {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}}
    metadata = {"providerMetadata": {"anthropic": fields}}
    assert after_start(*whole(0, block)) == [{"type": "custom", "kind": "anthropic.fallback", **metadata}]


def test_what_nobody_knows_is_left_out() -> None:
    assert after_start(*whole(0, UnknownBlock({"type": "new"}))) == []


def test_names_are_changed_however_deep_they_are() -> None:
    deep: Any = {"a_b": [{"c_d": 1}]}
    for _ in range(strict_json.MAX_DEPTH):
        deep = {"e_f": deep}
    found = result("web_search_tool_result", deep)["output"]
    for _ in range(strict_json.MAX_DEPTH):
        found = found["eF"]
    assert found == {"aB": [{"cD": 1}]}


def test_what_a_search_finds_is_a_source_and_what_is_cited_of_it_is_none() -> None:
    page = {"type": "web_search_result", "url": "https://a.example", "title": "A", "page_age": None}
    found = ResultBlock(
        {"type": "web_search_tool_result", "tool_use_id": "c1", "content": [page, "x", {"url": 1}]}
    )
    cited = {"url": "https://a.example?utm", "cited_text": "a"}
    chunks = after_start(
        call(type="server_tool_use"),
        BlockStop(0),
        *whole(1, found),
        BlockStart(2, TextBlock(citations=[cited])),
        CitationDelta(2, {"type": "char_location", "document_title": "no address"}),
        CitationDelta(2, {"type": "search_result_location", "source": "https://s.example"}),
        BlockStop(2),
    )
    _, _, output, source, _, text_end = chunks
    assert output["output"][0]["pageAge"] is None
    assert source == {
        "type": "source-url",
        "sourceId": "https://a.example",
        "url": "https://a.example",
        "title": "A",
        "providerMetadata": {"anthropic": {"pageAge": None}},
    }
    assert text_end["providerMetadata"]["anthropic"]["citations"][0] == cited
    page_cited, result_cited = text_end["citations"]
    assert page_cited == {
        "source": {
            "type": "source",
            "sourceType": "url",
            "id": "https://a.example?utm",
            "url": "https://a.example?utm",
            "providerMetadata": {"anthropic": cited},
        },
        "citedText": "a",
    }
    assert result_cited["source"]["url"] == "https://s.example"


def test_a_page_that_is_cited_without_a_search_is_a_source() -> None:
    cited = {"url": "https://a.example", "title": "A"}
    chunks = after_start(BlockStart(0, TextBlock(citations=[cited, cited])), BlockStop(0))
    assert [chunk["url"] for chunk in chunks if chunk["type"] == "source-url"] == ["https://a.example"]
