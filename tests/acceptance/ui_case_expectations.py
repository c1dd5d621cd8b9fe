"""What has to be true of the cases whose ``expect`` is words: streams that are sent on as UI messages.

A check is called with the ``UIMessage`` that a browser makes of our stream, and with the stream's chunks; the
same checks hold for ``to_response``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

UIMessage = dict[str, Any]
Chunks = list[dict[str, Any]]


def _parts(message: UIMessage) -> Chunks:
    """The parts, without those that say where a step begins."""
    return [part for part in message["parts"] if part["type"] != "step-start"]


def _types(chunks: Chunks) -> list[str]:
    return [chunk["type"] for chunk in chunks]


def _has(part: dict[str, Any], **fields: Any) -> None:
    assert {name: part.get(name) for name in fields} == fields


def _bash(message: UIMessage, _: Chunks) -> None:
    (part,) = _parts(message)
    result = {"type": "bash_code_execution_result", "stdout": "a", "stderr": "", "return_code": 0}
    _has(
        part,
        type="tool-code_execution",
        toolCallId="srvtoolu_1",
        state="output-available",
        providerExecuted=True,
        input={"type": "bash_code_execution", "command": "ls"},
        output={**result, "content": []},
    )


def _compaction(message: UIMessage, _: Chunks) -> None:
    summary, text = _parts(message)
    _has(summary, type="text", text="summary", providerMetadata={"anthropic": {"type": "compaction"}})
    _has(text, type="text", text="hi", providerMetadata=None)


def _fallback(message: UIMessage, _: Chunks) -> None:
    fallback, text = _parts(message)
    models = {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}}
    _has(fallback, type="custom", kind="anthropic.fallback", providerMetadata={"anthropic": models})
    _has(text, type="text", text="hi")


def _caller(message: UIMessage, _: Chunks) -> None:
    (part,) = _parts(message)
    caller = {"anthropic": {"caller": {"type": "direct"}}}
    _has(part, type="tool-web_search", output=[], state="output-available")
    _has(part, callProviderMetadata=caller, resultProviderMetadata=caller)


def _tool_search(message: UIMessage, _: Chunks) -> None:
    (part,) = _parts(message)
    _has(part, type="tool-tool_search_tool_bm25", state="output-available", providerExecuted=True)
    _has(part, output=[{"type": "tool_reference", "toolName": "rate"}])


def _server_tool(message: UIMessage, chunks: Chunks) -> None:
    tool, text = _parts(message)
    calls = [chunk for chunk in chunks if chunk["type"] in ("tool-input-available", "tool-output-available")]
    assert _types(calls) == ["tool-input-available", "tool-output-available"]
    assert [chunk["providerExecuted"] for chunk in calls] == [True, True]
    assert calls[0]["toolName"] == "server:GOOGLE_SEARCH_WEB"
    server = {"serverToolCallId": "t1", "serverToolType": "GOOGLE_SEARCH_WEB"}
    _has(
        tool,
        type="dynamic-tool",
        toolName="server:GOOGLE_SEARCH_WEB",
        state="output-available",
        input={"queries": ["q"]},
        output={},
        callProviderMetadata={"google": {"thoughtSignature": "U0lH", **server}},
        resultProviderMetadata={"google": {"thoughtSignature": "U0lI", **server}},
    )
    _has(text, type="text", text="a")


def _namespace(message: UIMessage, _: Chunks) -> None:
    (part,) = _parts(message)
    _has(part, type="tool-rate", toolCallId="c1", state="input-available", input={})
    _has(part, callProviderMetadata={"openai": {"itemId": "fc_1", "namespace": "money"}})


def _sources(message: UIMessage, _: Chunks) -> None:
    search, source = _parts(message)
    found = [{"type": "url", "url": "https://a.example"}]
    _has(search, type="tool-web_search", toolCallId="ws_1", state="output-available", providerExecuted=True)
    _has(search, input={}, output={"action": {"type": "search", "query": "q"}, "sources": found})
    _has(source, type="source-url", url="https://a.example")


def _mcp(message: UIMessage, _: Chunks) -> None:
    (part,) = _parts(message)
    _has(
        part,
        type="dynamic-tool",
        toolName="mcp.ask",
        toolCallId="mcp_1",
        state="output-available",
        input={"q": 1},
        output={
            "type": "call",
            "serverLabel": "wiki",
            "name": "ask",
            "arguments": '{"q":1}',
            "output": "x",
        },
        resultProviderMetadata={"openai": {"itemId": "mcp_1"}},
    )
    assert "callProviderMetadata" not in part


def _code(message: UIMessage, _: Chunks) -> None:
    (part,) = _parts(message)
    _has(part, type="tool-code_interpreter", toolCallId="ci_1", state="output-available")
    _has(part, input={"code": "1+1", "containerId": "cntr"})
    _has(part, output={"outputs": [{"type": "logs", "logs": "2"}]})


def _silent_reasoning(message: UIMessage, chunks: Chunks) -> None:
    assert _types(chunks).index("reasoning-start") < _types(chunks).index("tool-input-available")
    reasoning, search = _parts(message)
    item = {"openai": {"itemId": "rs_1", "reasoningEncryptedContent": "E1"}}
    _has(reasoning, type="reasoning", text="", state="done", providerMetadata=item)
    _has(search, type="tool-web_search", toolCallId="ws_1", state="output-available")


#: Name of a case -> what raises ``AssertionError`` where its words are not true.
EXPECTATIONS: dict[str, Callable[[UIMessage, Chunks], None]] = {
    "ui-anthropic-bash": _bash,
    "ui-anthropic-compaction": _compaction,
    "ui-anthropic-fallback": _fallback,
    "ui-anthropic-result-of-a-provider-s-tool-with-its-caller": _caller,
    "ui-anthropic-tool-search": _tool_search,
    "ui-gemini-3-a-tool-that-google-runs": _server_tool,
    "ui-responses-a-call-of-a-function-of-a-namespace": _namespace,
    "ui-responses-a-search-with-sources": _sources,
    "ui-responses-an-mcp-call-goes-back-once": _mcp,
    "ui-responses-code": _code,
    "ui-responses-silent-reasoning-before-a-search": _silent_reasoning,
}
