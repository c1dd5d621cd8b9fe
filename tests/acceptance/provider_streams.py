"""Streams of providers with all kinds of items, for what a page makes of them and sends back.

An item of Anthropic is a content block: what it begins with, and the deltas.  An item of OpenAI's Responses
is what it is in the end; its events come between its beginning and its end.  An item of Gemini is a part.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

JSONObject = dict[str, Any]


@dataclass(frozen=True)
class Input:
    """A stream, and the tools of the request that it answers.

    ``tools``: a provider's tool as ``{"id": ..., "args": ...}``, the client's as ``None``, by name.
    ``outputs``: what the client answers to its tools, by name.
    """

    dialect: str
    stream: str
    tools: JSONObject = field(default_factory=dict)
    outputs: JSONObject = field(default_factory=dict)
    options: JSONObject = field(default_factory=dict)
    model: str | None = None


def _wire(events: list[JSONObject], *, named: bool = True) -> str:
    heads = [f"event: {event['type']}\n" if named else "" for event in events]
    return "".join(f"{head}data: {json.dumps(event)}\n\n" for head, event in zip(heads, events, strict=True))


def block(start: JSONObject, *deltas: JSONObject) -> list[JSONObject]:
    """A content block of Anthropic's, without its index."""
    return [
        {"type": "content_block_start", "content_block": start},
        *({"type": "content_block_delta", "delta": delta} for delta in deltas),
        {"type": "content_block_stop"},
    ]


def called(type: str, id: str, name: str, *fragments: str, **fields: Any) -> list[JSONObject]:
    """A call in Anthropic's words."""
    deltas = [{"type": "input_json_delta", "partial_json": fragment} for fragment in fragments]
    return block({"type": type, "id": id, "name": name, "input": {}, **fields}, *deltas)


def result(type: str, id: str, content: Any, **fields: Any) -> list[JSONObject]:
    """A result in Anthropic's words."""
    return block({"type": type, "tool_use_id": id, "content": content, **fields})


def said(text: str, **fields: Any) -> list[JSONObject]:
    """A text in Anthropic's words."""
    return block({"type": "text", "text": "", **fields}, {"type": "text_delta", "text": text})


def anthropic(*blocks: list[JSONObject], reason: str = "end_turn", **fields: Any) -> Input:
    """A message of Anthropic's."""
    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": []}
    indexed = [{**event, "index": index} for index, events in enumerate(blocks) for event in events]
    start = {"type": "message_start", "message": {**message, "usage": usage}}
    delta = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 1}}
    return Input("anthropic", _wire([start, *indexed, delta, {"type": "message_stop"}]), **fields)


def item(done: JSONObject, *events: JSONObject, **added: Any) -> list[JSONObject]:
    """An output item of Responses, without its index; ``added`` is what its beginning says otherwise."""
    return [
        {"type": "response.output_item.added", "item": {**done, **added}},
        *events,
        {"type": "response.output_item.done", "item": done},
    ]


def message(*texts: str, annotations: list[JSONObject] | None = None, **fields: Any) -> list[JSONObject]:
    """A message of Responses, with a part for each text; annotations belong to the first."""
    events: list[JSONObject] = []
    parts: list[JSONObject] = []
    id_ = fields.get("id", "msg_1")
    for place, text in enumerate(texts):
        cited = (annotations or []) if place == 0 else []
        where = {"item_id": id_, "content_index": place}
        empty = {"type": "output_text", "text": "", "annotations": []}
        events.append({"type": "response.content_part.added", **where, "part": empty})
        events.append({"type": "response.output_text.delta", **where, "delta": text})
        for number, annotation in enumerate(cited):
            added = {"annotation_index": number, "annotation": annotation}
            events.append({"type": "response.output_text.annotation.added", **where, **added})
        part = {"type": "output_text", "text": text, "annotations": cited}
        events.append({"type": "response.content_part.done", **where, "part": part})
        parts.append(part)
    done = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", **fields}
    return item({**done, "content": parts}, *events, content=[], status="in_progress")


def reasoning(id: str, *summaries: str, encrypted: str = "E") -> list[JSONObject]:
    """An item of reasoning of Responses."""
    events: list[JSONObject] = []
    for place, text in enumerate(summaries):
        where = {"item_id": id, "summary_index": place}
        empty, part = {"type": "summary_text", "text": ""}, {"type": "summary_text", "text": text}
        events.append({"type": "response.reasoning_summary_part.added", **where, "part": empty})
        events.append({"type": "response.reasoning_summary_text.delta", **where, "delta": text})
        events.append({"type": "response.reasoning_summary_part.done", **where, "part": part})
    summary = [{"type": "summary_text", "text": text} for text in summaries]
    done = {"id": id, "type": "reasoning", "summary": summary, "encrypted_content": encrypted}
    return item(done, *events, summary=[], encrypted_content="begun")


def responses(*items: list[JSONObject], **fields: Any) -> Input:
    """A response."""
    head = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "service_tier": None}
    indexed = [{**event, "output_index": index} for index, events in enumerate(items) for event in events]
    output = [events[-1]["item"] for events in items]
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    end = {**head, "status": "completed", "output": output, "usage": usage}
    events = [
        {"type": "response.created", "response": {**head, "status": "in_progress", "output": []}},
        *indexed,
        {"type": "response.completed", "response": end},
    ]
    numbered = [{**event, "sequence_number": number} for number, event in enumerate(events)]
    return Input("openai-responses", _wire(numbered), **fields)


def gemini(*chunks: list[JSONObject], beside: JSONObject | None = None, **fields: Any) -> Input:
    """An answer of Gemini's, each chunk with these parts; ``beside`` is what else its last candidate has."""
    events = []
    for number, parts in enumerate(chunks):
        last = {"finishReason": "STOP", **(beside or {})} if number == len(chunks) - 1 else {}
        candidate = {"content": {"role": "model", "parts": parts}, "index": 0, **last}
        events.append({"responseId": "r", "modelVersion": "m", "candidates": [candidate]})
    return Input("gemini", _wire(events, named=False), **fields)


def _file(text: str) -> JSONObject:
    source = {"type": "text", "media_type": "text/plain", "data": text}
    return {"type": "document", "title": "T", "citations": {"enabled": False}, "source": source}


PAGE = {"type": "web_search_result", "url": "https://a.example", "title": "A", "encrypted_content": "X"}
CITED = {
    "type": "web_search_result_location",
    "url": "https://a.example",
    "title": "A",
    "cited_text": "a",
    "encrypted_index": "I",
}
DIRECT = {"caller": {"type": "direct"}}
BY_CODE = {"caller": {"type": "code_execution_20250825", "tool_id": "srvtoolu_1"}}
_CODE = {"code_execution": {"id": "codeExecution_20250825"}}
_SEARCH = {"web_search": {"id": "webSearch_20250305"}}
_FETCH = {"web_fetch": {"id": "webFetch_20250910"}}
_FIND = {"tool_search_tool_bm25": {"id": "toolSearchBm25_20251119"}}
_ADVISOR = {"advisor": {"id": "advisor_20260301", "args": {"model": "claude-opus-4-6"}}}
_RATE = {"rate": None}
_RAN = {"type": "bash_code_execution_result", "stdout": "a", "stderr": "", "return_code": 0, "content": []}
_EDITED = {"type": "text_editor_code_execution_create_result", "is_file_update": False}
_SERVER = {"id": "mcp_1", "name": "ask"}


def _anthropic_tool(name: str, arguments: str, kind: str, content: Any, **fields: Any) -> Input:
    """A tool that Anthropic runs, and a word after it."""
    beside = {name: fields.pop(name) for name in ("caller",) if name in fields}
    use = called("server_tool_use", "srvtoolu_1", name, arguments[:3], arguments[3:], **beside)
    return anthropic(use, result(kind, "srvtoolu_1", content, **beside), said("Done."), **fields)


ANTHROPIC: dict[str, Input] = {
    "thinking": anthropic(
        block(
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "Hm"},
            {"type": "signature_delta", "signature": "S"},
        ),
        block({"type": "redacted_thinking", "data": "R"}),
        said("Yes."),
    ),
    "web search": anthropic(
        called("server_tool_use", "srvtoolu_1", "web_search", '{"query"', ':"q"}', **DIRECT),
        result("web_search_tool_result", "srvtoolu_1", [{**PAGE, "page_age": "2 days"}], **DIRECT),
        block(
            {"type": "text", "text": "", "citations": []},
            {"type": "text_delta", "text": "a"},
            {"type": "citations_delta", "citation": CITED},
        ),
        tools=_SEARCH,
    ),
    "web search by code": anthropic(
        called("server_tool_use", "srvtoolu_1", "code_execution", '{"code":', '"search()"}'),
        called("server_tool_use", "srvtoolu_2", "web_search", '{"query":"q"}', **BY_CODE),
        result("web_search_tool_result", "srvtoolu_2", [{**PAGE, "page_age": None}], **BY_CODE),
        tools={**_CODE, **_SEARCH},
    ),
    "web search that fails": _anthropic_tool(
        "web_search",
        '{"query":"q"}',
        "web_search_tool_result",
        {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"},
        tools=_SEARCH,
    ),
    "web fetch": _anthropic_tool(
        "web_fetch",
        '{"url":"https://a.example"}',
        "web_fetch_tool_result",
        {
            "type": "web_fetch_result",
            "url": "https://a.example",
            "retrieved_at": "2026-01-01T00:00:00Z",
            "content": _file("a"),
        },
        tools=_FETCH,
        **DIRECT,
    ),
    "web fetch that fails": _anthropic_tool(
        "web_fetch",
        '{"url":"https://a.example"}',
        "web_fetch_tool_result",
        {"type": "web_fetch_tool_result_error", "error_code": "url_not_accessible"},
        tools=_FETCH,
    ),
    "code": _anthropic_tool(
        "code_execution",
        '{"code":"1+1"}',
        "code_execution_tool_result",
        {"type": "code_execution_result", "stdout": "2", "stderr": "", "return_code": 0},
        tools={"code_execution": {"id": "codeExecution_20250522"}},
    ),
    "code whose output is encrypted": _anthropic_tool(
        "code_execution",
        '{"code":"1+1"}',
        "code_execution_tool_result",
        {
            "type": "encrypted_code_execution_result",
            "encrypted_stdout": "X",
            "stderr": "",
            "return_code": 0,
            "content": [],
        },
        tools={"code_execution": {"id": "codeExecution_20260120"}},
    ),
    "code that fails": _anthropic_tool(
        "code_execution",
        '{"code":"1/0"}',
        "code_execution_tool_result",
        {"type": "code_execution_tool_result_error", "error_code": "unavailable"},
        tools=_CODE,
    ),
    "bash": _anthropic_tool(
        "bash_code_execution", '{"command":"ls"}', "bash_code_execution_tool_result", _RAN, tools=_CODE
    ),
    "bash that fails": _anthropic_tool(
        "bash_code_execution",
        '{ "command": "ls" }',
        "bash_code_execution_tool_result",
        {"type": "bash_code_execution_tool_result_error", "error_code": "execution_time_exceeded"},
        tools=_CODE,
    ),
    "a file is edited": _anthropic_tool(
        "text_editor_code_execution",
        '{"command":"create","path":"a.txt","file_text":"é"}',
        "text_editor_code_execution_tool_result",
        _EDITED,
        tools=_CODE,
    ),
    "a file that can't be edited": _anthropic_tool(
        "text_editor_code_execution",
        '{"command":"view","path":"a.txt"}',
        "text_editor_code_execution_tool_result",
        {"type": "text_editor_code_execution_tool_result_error", "error_code": "file_not_found"},
        tools=_CODE,
    ),
    "tools are searched": _anthropic_tool(
        "tool_search_tool_bm25",
        '{"query":"q"}',
        "tool_search_tool_result",
        {
            "type": "tool_search_tool_search_result",
            "tool_references": [{"type": "tool_reference", "tool_name": "rate"}],
        },
        tools={**_FIND, **_RATE},
    ),
    "tools are searched by a pattern, in vain": _anthropic_tool(
        "tool_search_tool_regex",
        '{"pattern":"("}',
        "tool_search_tool_result",
        {"type": "tool_search_tool_result_error", "error_code": "invalid_pattern"},
        tools={"tool_search_tool_regex": {"id": "toolSearchRegex_20251119"}, **_RATE},
    ),
    "mcp": anthropic(
        block({"type": "mcp_tool_use", **_SERVER, "server_name": "wiki", "input": {"q": 1}}),
        result("mcp_tool_result", "mcp_1", [{"type": "text", "text": "x"}], is_error=False),
        said("x."),
    ),
    "mcp whose arguments come later": anthropic(
        called("mcp_tool_use", "mcp_1", "ask", '{"q"', ":1}", server_name="wiki"),
        result("mcp_tool_result", "mcp_1", [{"type": "text", "text": "x"}], is_error=False),
    ),
    "mcp that fails": anthropic(
        block({"type": "mcp_tool_use", **_SERVER, "server_name": "wiki", "input": {}}),
        result("mcp_tool_result", "mcp_1", [{"type": "text", "text": "ä"}], is_error=True),
    ),
    "advice": _anthropic_tool(
        "advisor",
        "{}",
        "advisor_tool_result",
        {"type": "advisor_result", "text": "Go.", "stop_reason": "end_turn"},
        tools=_ADVISOR,
    ),
    "advice that nobody can read": _anthropic_tool(
        "advisor",
        "{}",
        "advisor_tool_result",
        {"type": "advisor_redacted_result", "encrypted_content": "X"},
        tools=_ADVISOR,
    ),
    "compaction": anthropic(
        block({"type": "compaction", "content": None}, {"type": "compaction_delta", "content": "summary"}),
        said("hi"),
    ),
    "compaction that is signed": anthropic(
        block({"type": "compaction", "content": "summary", "signature": "S"}), said("hi")
    ),
    "fallback": anthropic(
        block({"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}}), said("hi")
    ),
    "a refusal that says nothing": anthropic(reason="refusal"),
    "a call": anthropic(
        said("I look."),
        called("tool_use", "toolu_1", "rate", '{"of":', "1}", **DIRECT),
        called("tool_use", "toolu_2", "rate"),
        reason="tool_use",
        tools=_RATE,
    ),
    "a call that is no json": anthropic(
        called("tool_use", "toolu_1", "rate", '{"of":'), reason="tool_use", tools=_RATE
    ),
    "a call by code": anthropic(
        called("server_tool_use", "srvtoolu_1", "code_execution", '{"code":"rate()"}'),
        called("tool_use", "toolu_1", "rate", "{}", **BY_CODE),
        reason="tool_use",
        tools={**_CODE, **_RATE},
    ),
    "a tool of a set": anthropic(
        called("tool_use", "toolu_1", "screenshot", "{}", toolset_name="computer"),
        reason="tool_use",
        tools={
            "computer": {
                "id": "computerToolset_20260801",
                "args": {"displayWidthPx": 800, "displayHeightPx": 600},
            }
        },
    ),
}

_URL = {"type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 0, "end_index": 1}
_FOUND = {"attributes": {"a_b": 1}, "file_id": "file_1", "filename": "a.txt", "score": 0.5, "text": "a"}
_MCP = {"mcp": {"id": "mcp", "args": {"serverLabel": "wiki", "serverUrl": "https://a.example"}}}
_MCP_CALL = {"type": "mcp_call", "name": "ask", "server_label": "wiki", "arguments": '{"q":1}'}
_WEB = {"web_search": {"id": "webSearch"}}
_CONTAINER = {"environment": {"type": "containerReference", "containerId": "c"}}


def _searched(action: JSONObject, status: str = "completed") -> Input:
    done = {"id": "ws_1", "type": "web_search_call", "status": status, "action": action}
    return responses(item(done, status="in_progress"), message("a"), tools=_WEB)


def _function(arguments: str = '{"a":1}', **fields: Any) -> list[JSONObject]:
    done = {"id": "fc_1", "type": "function_call", "call_id": "c1", "name": "rate", "arguments": arguments}
    where = {"item_id": "fc_1"}
    return item(
        {**done, "status": "completed", **fields},
        {"type": "response.function_call_arguments.delta", **where, "delta": arguments},
        {"type": "response.function_call_arguments.done", **where, "arguments": arguments},
        arguments="",
        status="in_progress",
    )


def _patched(operation: JSONObject) -> Input:
    done = {"id": "ap_1", "type": "apply_patch_call", "call_id": "c1", "status": "completed"}
    added = {**operation, "diff": ""} if "diff" in operation else operation
    events = []
    if "diff" in operation:
        where = {"item_id": "ap_1"}
        kind = "response.apply_patch_call_operation_diff"
        events = [
            {"type": f"{kind}.delta", **where, "delta": operation["diff"]},
            {"type": f"{kind}.done", **where, "diff": operation["diff"]},
        ]
    return responses(
        item({**done, "operation": operation}, *events, operation=added, status="in_progress"),
        tools={"apply_patch": {"id": "applyPatch"}},
        outputs={"apply_patch": {"status": "completed", "output": "ok"}},
    )


def _shell(**fields: Any) -> list[JSONObject]:
    action = {"commands": ["ls"], "timeout_ms": 1000, "max_output_length": None}
    done = {"id": "sh_1", "type": "shell_call", "call_id": "c1", "status": "completed", "action": action}
    return item({**done, **fields}, status="in_progress")


_LATER: JSONObject = {"async": True}
_SHELL = {"shell": {"id": "shell", "args": _CONTAINER}}
_SHELL_OUTPUT = item(
    {
        "id": "so_1",
        "type": "shell_call_output",
        "call_id": "c1",
        "status": "completed",
        "max_output_length": 9,
        "output": [
            {"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}},
            {"stdout": "", "stderr": "", "outcome": {"type": "timeout"}},
        ],
    }
)
RESPONSES: dict[str, Input] = {
    "a message of two parts": responses(message("a", "b", annotations=[_URL], phase="final_answer")),
    "a comment and an answer": responses(
        message("I look.", phase="commentary"),
        _function(),
        message("Done.", id="msg_2", phase="final_answer"),
        tools=_RATE,
    ),
    "files are cited": responses(
        message(
            "a",
            annotations=[
                {"type": "file_citation", "file_id": "file_1", "filename": "a.txt", "index": 0},
                {
                    "type": "container_file_citation",
                    "container_id": "c",
                    "file_id": "file_2",
                    "filename": "b.txt",
                    "start_index": 0,
                    "end_index": 1,
                },
                {"type": "file_path", "file_id": "file_3", "index": 0},
            ],
        )
    ),
    "reasoning": responses(reasoning("rs_1", "One.", "Two."), message("a")),
    "silent reasoning": responses(
        reasoning("rs_1"),
        item({"id": "ws_1", "type": "web_search_call", "status": "completed", "action": None}),
        reasoning("rs_2"),
        message("a"),
        tools=_WEB,
    ),
    "silent reasoning at the end": responses(message("a"), reasoning("rs_1")),
    "a search": _searched(
        {
            "type": "search",
            "query": "q",
            "queries": ["q"],
            "sources": [{"type": "url", "url": "https://a.example"}],
        }
    ),
    "a page is opened": _searched({"type": "open_page", "url": "https://a.example"}),
    "a page is searched": _searched({"type": "find_in_page", "url": "https://a.example", "pattern": "a"}),
    "a search that fails": _searched({"type": "search", "query": "q"}, status="failed"),
    "files are searched": responses(
        item(
            {
                "id": "fs_1",
                "type": "file_search_call",
                "status": "completed",
                "queries": ["q"],
                "results": [_FOUND],
            },
            results=None,
            status="in_progress",
        ),
        message("a"),
        tools={"file_search": {"id": "fileSearch", "args": {"vectorStoreIds": ["v"]}}},
    ),
    "files are searched, and what was found is not sent": responses(
        item(
            {
                "id": "fs_1",
                "type": "file_search_call",
                "status": "completed",
                "queries": ["q"],
                "results": None,
            }
        ),
        tools={"file_search": {"id": "fileSearch", "args": {"vectorStoreIds": ["v"]}}},
    ),
    "code": responses(
        item(
            {
                "id": "ci_1",
                "type": "code_interpreter_call",
                "status": "completed",
                "code": "1+1",
                "container_id": "cntr",
                "outputs": [{"type": "logs", "logs": "2"}],
            },
            {"type": "response.code_interpreter_call_code.delta", "item_id": "ci_1", "delta": "1+1"},
            {"type": "response.code_interpreter_call_code.done", "item_id": "ci_1", "code": "1+1"},
            code="",
            outputs=None,
            status="in_progress",
        ),
        tools={"code_interpreter": {"id": "codeInterpreter"}},
    ),
    "an image": responses(
        item(
            {"id": "ig_1", "type": "image_generation_call", "status": "completed", "result": "aGk="},
            result=None,
            status="in_progress",
        ),
        tools={"image_generation": {"id": "imageGeneration"}},
    ),
    "mcp": responses(
        item(
            {
                "id": "mcpl_1",
                "type": "mcp_list_tools",
                "server_label": "wiki",
                "tools": [{"name": "ask", "input_schema": {}}],
            }
        ),
        item({**_MCP_CALL, "id": "mcp_1", "status": "completed", "output": "x", "error": None}, output=None),
        message("x"),
        tools=_MCP,
    ),
    "mcp that fails": responses(
        item({**_MCP_CALL, "id": "mcp_1", "status": "failed", "output": None, "error": "gone"}), tools=_MCP
    ),
    "mcp that needs a leave": responses(
        item(
            {
                "id": "mcpr_1",
                "type": "mcp_approval_request",
                "name": "ask",
                "server_label": "wiki",
                "arguments": '{"q":1}',
            }
        ),
        tools=_MCP,
    ),
    "a function": responses(_function(), tools=_RATE),
    "a function that is no json": responses(_function('{"a":'), tools=_RATE),
    "a function of a namespace": responses(_function(namespace="money"), tools=_RATE),
    "a function that answers later": responses(_function(**_LATER), tools=_RATE),
    "a function that a program calls": responses(
        item(
            {
                "id": "pr_1",
                "type": "program",
                "call_id": "p1",
                "code": "rate()",
                "fingerprint": "F",
            }
        ),
        _function(caller={"type": "program", "caller_id": "p1"}),
        tools={"programmatic_tool_calling": {"id": "programmaticToolCalling"}, **_RATE},
    ),
    "a program that has ended": responses(
        item(
            {"id": "pr_1", "type": "program", "call_id": "p1", "code": "1", "fingerprint": "F"},
        ),
        item({"id": "po_1", "type": "program_output", "call_id": "p1", "result": "1", "status": "completed"}),
        tools={"programmatic_tool_calling": {"id": "programmaticToolCalling"}},
    ),
    "a tool with free text": responses(
        item(
            {
                "id": "ct_1",
                "type": "custom_tool_call",
                "call_id": "c1",
                "name": "run",
                "input": "ls",
                "status": "completed",
            },
            {"type": "response.custom_tool_call_input.delta", "item_id": "ct_1", "delta": "ls"},
            {"type": "response.custom_tool_call_input.done", "item_id": "ct_1", "input": "ls"},
            input="",
        ),
        tools={"run": {"id": "customTool", "args": {"name": "run"}}},
    ),
    "tools are searched by openai": responses(
        item(
            {
                "id": "ts_1",
                "type": "tool_search_call",
                "execution": "server",
                "call_id": None,
                "status": "completed",
                "arguments": {"paths": ["money"]},
            }
        ),
        item(
            {
                "id": "to_1",
                "type": "tool_search_output",
                "execution": "server",
                "call_id": None,
                "status": "completed",
                "tools": [{"type": "function", "name": "rate"}],
            }
        ),
        _function(namespace="money"),
        tools={"tool_search": {"id": "toolSearch"}, **_RATE},
    ),
    "tools are searched by the client": responses(
        item(
            {
                "id": "ts_1",
                "type": "tool_search_call",
                "execution": "client",
                "call_id": "c1",
                "status": "completed",
                "arguments": {"goal": "money"},
            },
            arguments={},
        ),
        tools={
            "tool_search": {
                "id": "toolSearch",
                "args": {"execution": "client", "description": "d", "parameters": {"type": "object"}},
            }
        },
        outputs={"tool_search": {"tools": [{"type": "function", "name": "rate"}]}},
    ),
    "local shell": responses(
        item(
            {
                "id": "ls_1",
                "type": "local_shell_call",
                "call_id": "c1",
                "status": "completed",
                "action": {
                    "type": "exec",
                    "command": ["ls"],
                    "timeout_ms": 5,
                    "working_directory": "/a_b",
                    "env": {"A_B": "1"},
                },
            },
            status="in_progress",
        ),
        tools={"local_shell": {"id": "localShell"}},
        outputs={"local_shell": {"output": "a"}},
        model="codex-mini-latest",
    ),
    "a shell of the client's": responses(
        _shell(environment={"type": "local"}),
        tools={"shell": {"id": "shell"}},
        outputs={
            "shell": {"output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exitCode": 0}}]}
        },
    ),
    "a shell of openai's": responses(
        _shell(environment={"type": "container_reference", "container_id": "c"}), _SHELL_OUTPUT, tools=_SHELL
    ),
    "a shell of openai's, of which only the output says so": responses(_shell(), _SHELL_OUTPUT, tools=_SHELL),
    "a file is patched": _patched({"type": "update_file", "path": "a", "diff": '+"a"\n'}),
    "a file is removed": _patched({"type": "delete_file", "path": "a"}),
    "a screen": responses(
        item(
            {
                "id": "cu_1",
                "type": "computer_call",
                "call_id": "c1",
                "status": "completed",
                "actions": [
                    {"type": "scroll", "x": 1, "y": 2, "scroll_x": 3, "scroll_y": 4},
                    {"type": "screenshot"},
                ],
                "pending_safety_checks": [{"id": "s", "code": "c", "message": None}],
            },
            status="in_progress",
        ),
        tools={"computer": {"id": "computer"}},
        outputs={
            "computer": {"output": {"type": "computer_screenshot", "imageUrl": "data:image/png;base64,aGk="}}
        },
    ),
    "a screen that nobody can answer": responses(
        item({"id": "cu_1", "type": "computer_call", "status": "completed"}), message("a")
    ),
    "compaction": responses(
        item({"id": "cmp_1", "type": "compaction", "encrypted_content": "X"}), message("a")
    ),
    "refusal": responses(
        item(
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "content": [{"type": "refusal", "refusal": "No."}],
            },
            {
                "type": "response.refusal.delta",
                "item_id": "msg_1",
                "content_index": 0,
                "delta": "No.",
            },
            content=[],
        )
    ),
    "reasoning as such": responses(
        item(
            {
                "id": "rs_1",
                "type": "reasoning",
                "summary": [],
                "content": [{"type": "reasoning_text", "text": "Hm"}],
                "encrypted_content": "E",
            },
            {
                "type": "response.reasoning_text.delta",
                "item_id": "rs_1",
                "content_index": 0,
                "delta": "Hm",
            },
            content=[],
        ),
        message("a"),
    ),
}


def _google(kind: str, content: JSONObject, signature: str) -> JSONObject:
    return {kind: {"toolType": "GOOGLE_SEARCH_WEB", "id": "t1", **content}, "thoughtSignature": signature}


GEMINI: dict[str, Input] = {
    "thoughts and a text": gemini(
        [{"text": "Hm", "thought": True}], [{"text": "a"}], [{"text": "b", "thoughtSignature": "U0k="}]
    ),
    "a signature at the end": gemini([{"text": "a"}], [{"text": "", "thoughtSignature": "U0k="}]),
    "a signature alone": gemini([{"text": "", "thoughtSignature": "U0k="}]),
    "a function": gemini(
        [
            {"functionCall": {"id": "f1", "name": "rate", "args": {"a": 1}}, "thoughtSignature": "U0k="},
            {"functionCall": {"id": "f2", "name": "rate", "args": {}}},
        ],
        tools=_RATE,
    ),
    "a function whose arguments come value by value": gemini(
        [{"functionCall": {"id": "f1", "name": "rate", "willContinue": True}, "thoughtSignature": "U0k="}],
        [
            {
                "functionCall": {
                    "partialArgs": [{"jsonPath": "$.of", "stringValue": "mon", "willContinue": True}],
                    "willContinue": True,
                }
            }
        ],
        [
            {
                "functionCall": {
                    "partialArgs": [{"jsonPath": "$.of", "stringValue": "ey"}],
                    "willContinue": True,
                }
            }
        ],
        [{"functionCall": {}}],
        tools=_RATE,
    ),
    "a function without arguments": gemini([{"functionCall": {"name": "rate"}}], tools=_RATE),
    "code": gemini(
        [{"executableCode": {"language": "PYTHON", "code": "print(1)"}}],
        [{"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}],
        [{"text": "1"}],
        tools={"code_execution": {"id": "codeExecution"}},
    ),
    "code without an output": gemini(
        [{"executableCode": {"language": "PYTHON", "code": "1"}}],
        [{"codeExecutionResult": {"outcome": "OUTCOME_OK"}}],
        tools={"code_execution": {"id": "codeExecution"}},
    ),
    "a text before and after code": gemini(
        [{"text": "I run it."}, {"executableCode": {"language": "PYTHON", "code": "1"}}],
        [{"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}, {"text": "1."}],
        tools={"code_execution": {"id": "codeExecution"}},
    ),
    "a tool of google's": gemini(
        [_google("toolCall", {"args": {"queries": ["q"]}}, "U0lH")],
        [_google("toolResponse", {"response": {"a": 1}}, "U0lI")],
        [{"text": "a"}],
        model="gemini-3-pro-preview",
        tools={"google_search": {"id": "googleSearch"}},
    ),
    "files": gemini(
        [
            {"inlineData": {"mimeType": "image/png", "data": "aGk="}, "thought": True},
            {"inlineData": {"mimeType": "image/png", "data": "aGk="}, "thoughtSignature": "U0k="},
        ]
    ),
    "grounding": gemini(
        [{"text": "a"}],
        beside={
            "groundingMetadata": {
                "groundingChunks": [
                    {"web": {"uri": "https://a.example", "title": "A"}},
                    {"retrievedContext": {"uri": "gs://b/c.pdf", "title": "C"}},
                    {"maps": {"uri": "https://m.example", "title": "M"}},
                    {"web": {"uri": "https://a.example", "title": "A"}},
                    {"retrievedContext": {"title": "D", "fileSearchStore": "stores/s"}},
                ]
            }
        },
        tools={"google_search": {"id": "googleSearch"}},
    ),
}


def _named() -> dict[str, Input]:
    named = {f"anthropic: {name}": given for name, given in ANTHROPIC.items()}
    named |= {f"gemini: {name}": given for name, given in GEMINI.items()}
    for name, given in RESPONSES.items():
        named[f"responses: {name}"] = given
        unstored = {**given.__dict__, "options": {"openai": {"store": False}}}
        named[f"responses, not stored: {name}"] = Input(**unstored)
    return named


#: All of them by name; those of Responses twice, as OpenAI may keep them or not.
INPUTS = _named()
