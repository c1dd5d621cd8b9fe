"""Items of OpenAI's Responses that are no text and no function's call: which chunks each is.

An item of a tool that OpenAI ran is a call and its output.  If the client has to run the tool, the item is a
call as any other, under the name that the package has for the tool.

Source: https://platform.openai.com/docs/api-reference/responses/object and the schemas of the tools in the
npm package ``@ai-sdk/openai``
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...blocks import ToolUseBlock, strict_json
from ...blocks.strict_json import JSON, JSONObject
from ..fields import rest, text
from .camel_case import in_camel_case
from .origin import FIELD, call, call_start, failure, output
from .sources import document, source_of

_Chunks = Callable[[JSONObject], list[JSONObject]]
_Value = Callable[[JSONObject], JSON]
_EXECUTED = {"providerExecuted": True}
#: The statuses of an item that has not failed.
_COMPLETED = (None, "completed")


def _nothing(_: JSONObject) -> list[JSONObject]:
    return []


def _none(_: JSONObject) -> JSON:
    return None


@dataclass(frozen=True, slots=True)
class Item:
    """How a kind of item is sent: at its beginning, when it is whole, and the sources that it names."""

    start: _Chunks
    whole: _Chunks
    sources: _Chunks = _nothing


def _id(item: JSONObject) -> str:
    return text(item, "id", "")


def _call_id(item: JSONObject) -> str:
    return text(item, "call_id", "") or _id(item)


def _of_item(item: JSONObject, **fields: JSON) -> JSONObject:
    return {FIELD: {"openai": {"itemId": item.get("id"), **fields}}}


def call_metadata(item: JSONObject) -> JSONObject:
    """What OpenAI has to get back of the item of a function's call."""
    fields = {name: item[name] for name in ("async", "namespace") if item.get(name) is not None}
    caller = item.get("caller")
    if isinstance(caller, dict):
        fields["caller"] = in_camel_case(caller) if caller.get("type") == "program" else caller
    return _of_item(item, **fields)


def mcp_result(block: ToolUseBlock, item: JSONObject) -> list[JSONObject]:
    """The output of a call of an MCP server's tool; none where nothing came of it."""
    fields = {name: item[name] for name in ("output", "error") if item.get(name) is not None}
    if not fields:
        return []
    value = {"type": "call", "serverLabel": item.get("server_label"), "name": block.name}
    return [output(block.id, {**value, "arguments": block.raw_arguments, **fields}, _of_item(item))]


def _owed(name: str, input_: _Value) -> Item:
    """A call that the client has to run."""

    def start(item: JSONObject) -> list[JSONObject]:
        return [call_start(_call_id(item), name)]

    def whole(item: JSONObject) -> list[JSONObject]:
        return [call(_call_id(item), name, input_(item), **_of_item(item))]

    return Item(start, whole)


def _run(name: str, result: _Value, *, failed: _Value = _none, sources: _Chunks = _nothing) -> Item:
    """A call that OpenAI has run, whose arguments nobody gets."""

    def start(item: JSONObject) -> list[JSONObject]:
        return [call(_id(item), name, {}, **_EXECUTED)]

    def whole(item: JSONObject) -> list[JSONObject]:
        error = failed(item)
        return [failure(_id(item), error) if error is not None else output(_id(item), result(item))]

    return Item(start, whole, sources)


# Searches of the web and of files.


def _web_action(item: JSONObject) -> JSON:
    action = _object(item, "action")
    kind = action.get("type")
    if not isinstance(kind, str) or kind not in _WEB_ACTIONS:
        return {}
    kept = {name: action[name] for name in _WEB_ACTIONS[kind][1] if action.get(name) is not None}
    found = {"sources": action["sources"]} if action.get("sources") is not None else {}
    return {"action": {"type": _WEB_ACTIONS[kind][0], **kept}, **(found if kind == "search" else {})}


_WEB_ACTIONS = {
    "search": ("search", ("query", "queries")),
    "open_page": ("openPage", ("url",)),
    "find_in_page": ("findInPage", ("url", "pattern")),
}


def _web_failure(item: JSONObject) -> JSON:
    return {"status": item["status"]} if item.get("status") not in _COMPLETED else None


def _web_sources(item: JSONObject) -> list[JSONObject]:
    found = [source_of(source) for source in _list(_object(item, "action"), "sources")]
    return [{"url": source["url"]} for source in found if source is not None]


def _file_results(item: JSONObject) -> JSON:
    names = ("attributes", "file_id", "filename", "score", "text")
    found = [
        in_camel_case({name: one[name] for name in names if name in one and name != "attributes"})
        | {name: one[name] for name in ("attributes",) if name in one}
        for one in _list(item, "results")
        if isinstance(one, dict)
    ]
    return {"queries": item.get("queries"), "results": found if item.get("results") is not None else None}


def _file_sources(item: JSONObject) -> list[JSONObject]:
    return [
        document(one["filename"], "text/plain", {"openai": {"type": "file_search", "fileId": one["file_id"]}})
        for one in _list(item, "results")
        if isinstance(one, dict)
        and isinstance(one.get("filename"), str)
        and isinstance(one.get("file_id"), str)
    ]


# Code, and programs that call tools.


def _code_start(item: JSONObject) -> list[JSONObject]:
    return [call_start(_id(item), "code_interpreter", **_EXECUTED)]


def _code(item: JSONObject) -> list[JSONObject]:
    input_ = {"code": item.get("code"), "containerId": item.get("container_id")}
    made = call(_id(item), "code_interpreter", input_, **_EXECUTED)
    return [made, output(_id(item), {"outputs": item.get("outputs")})]


_PROGRAM = "programmatic_tool_calling"


def _program(item: JSONObject) -> list[JSONObject]:
    input_ = {name: item[name] for name in ("code", "fingerprint") if name in item}
    return [call(_call_id(item), _PROGRAM, input_, **_EXECUTED, **_of_item(item))]


def _program_output(item: JSONObject) -> list[JSONObject]:
    value = {name: item[name] for name in ("result", "status") if name in item}
    return [output(_call_id(item), value, _of_item(item))]


# Tools that are searched for.


def _search_start(item: JSONObject) -> list[JSONObject]:
    return [call_start(_id(item), _SEARCH, **_EXECUTED)]


def _search(item: JSONObject) -> list[JSONObject]:
    input_ = {"arguments": item.get("arguments"), "call_id": None}
    return [call(_id(item), _SEARCH, input_, **_EXECUTED, **_of_item(item))]


def _found_tools(item: JSONObject) -> list[JSONObject]:
    return [output(_call_id(item), {"tools": item.get("tools")}, _of_item(item))]


_SEARCH = "tool_search"


def _search_by_client(item: JSONObject) -> JSON:
    return {"arguments": item.get("arguments"), "call_id": _call_id(item)}


# Tools of a machine: a shell, files, a screen.


def _exec(item: JSONObject) -> JSON:
    action = _object(item, "action")
    fields = _renamed(action, command="command", timeout_ms="timeoutMs", user="user")
    fields |= _renamed(action, working_directory="workingDirectory", env="env")
    return {"action": {"type": "exec", **fields}}


def _commands(item: JSONObject) -> JSON:
    action = {name: value for name, value in _object(item, "action").items() if value is not None}
    fields = _renamed(action, commands="commands", timeout_ms="timeoutMs")
    return {"action": {**fields, **_renamed(action, max_output_length="maxOutputLength")}}


def _shell_start(item: JSONObject) -> list[JSONObject]:
    return [call_start(_call_id(item), _SHELL, **_EXECUTED)]


def _hosted_shell(item: JSONObject) -> list[JSONObject]:
    return [call(_call_id(item), _SHELL, _commands(item), **_EXECUTED, **_of_item(item))]


def _shell_output(item: JSONObject) -> list[JSONObject]:
    names = ("stdout", "stderr", "outcome")
    outputs = [
        in_camel_case({name: one[name] for name in names if name in one})
        for one in _list(item, "output")
        if isinstance(one, dict)
    ]
    limit = (
        {"maxOutputLength": item["max_output_length"]} if item.get("max_output_length") is not None else {}
    )
    return [output(_call_id(item), {**limit, "output": outputs})]


_SHELL = "shell"


def _patch(item: JSONObject) -> JSON:
    return {"callId": _call_id(item), "operation": item.get("operation")}


def _screen(item: JSONObject) -> JSON:
    actions = item["actions"] if item.get("actions") is not None else [item.get("action")]
    done = [in_camel_case(action) for action in actions if isinstance(action, dict)]
    checks = [
        {name: check[name] for name in ("id", "code", "message") if check.get(name) is not None}
        for check in _list(item, "pending_safety_checks")
        if isinstance(check, dict)
    ]
    return {"actions": done, "pendingSafetyChecks": checks, "status": item.get("status")}


def _used_screen(item: JSONObject) -> JSON:
    return {"type": "computer_use_tool_result", "status": item.get("status")}


# What is no call.


def _approval(item: JSONObject) -> list[JSONObject]:
    """The user is asked whether an MCP server's tool may be run."""
    id_, approval = _id(item), text(item, "approval_request_id", "") or _id(item)
    try:
        input_ = strict_json.loads(text(item, "arguments", ""))
    except ValueError:
        return []
    name = f"mcp.{text(item, 'name', '')}"
    made = call(id_, name, input_, **_EXECUTED, dynamic=True)
    return [made, {"type": "tool-approval-request", "approvalId": approval, "toolCallId": id_}]


def _compaction(item: JSONObject) -> list[JSONObject]:
    fields = _of_item(item, type="compaction", encryptedContent=item.get("encrypted_content"))
    return [{"type": "custom", "kind": "openai.compaction", **fields}]


NOTHING = Item(_nothing, _nothing)
#: What OpenAI runs, and what is no call.
ITEMS: dict[str, Item] = {
    "web_search_call": _run("web_search", _web_action, failed=_web_failure, sources=_web_sources),
    "x_search_call": _run("x_search", lambda item: rest(item, "type", "id", "status")),
    "file_search_call": _run("file_search", _file_results, sources=_file_sources),
    "image_generation_call": _run("image_generation", lambda item: {"result": item.get("result")}),
    "code_interpreter_call": Item(_code_start, _code),
    "program": Item(_nothing, _program),
    "program_output": Item(_nothing, _program_output),
    "tool_search_call": Item(_search_start, _search),
    "tool_search_output": Item(_nothing, _found_tools),
    "shell_call": Item(_shell_start, _hosted_shell),
    "shell_call_output": Item(_nothing, _shell_output),
    # An older tool, whose calls have no `call_id`, so that nobody can answer them.
    "computer_call": _run("computer_use", _used_screen),
    "mcp_approval_request": Item(_nothing, _approval),
    "compaction": Item(_nothing, _compaction),
}
#: What the client has to run.
CLIENT_ITEMS: dict[str, Item] = {
    "tool_search_call": _owed(_SEARCH, _search_by_client),
    "local_shell_call": _owed("local_shell", _exec),
    "shell_call": _owed(_SHELL, _commands),
    "apply_patch_call": _owed("apply_patch", _patch),
    "computer_call": _owed("computer", _screen),
}


def _renamed(fields: JSONObject, **names: str) -> JSONObject:
    """Those of ``fields`` that have a name there, under it."""
    return {names[name]: fields[name] for name in names if name in fields}


def _object(item: JSONObject, name: str) -> JSONObject:
    value = item.get(name)
    return value if isinstance(value, dict) else {}


def _list(item: JSONObject, name: str) -> list[JSON]:
    value = item.get(name)
    return value if isinstance(value, list) else []
