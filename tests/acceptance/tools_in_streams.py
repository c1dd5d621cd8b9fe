"""The tools that the request of a recorded stream must have had: the package refuses calls of any other."""

from __future__ import annotations

import json
from typing import Any

from tests.acceptance.recorded import framed

#: Tools of providers by the names that a UI message stream has for them.
_OF_PROVIDERS: dict[str, dict[str, Any]] = {
    "web_search": {"openai-responses": {"id": "webSearch"}, "anthropic": {"id": "webSearch_20250305"}},
    "web_fetch": {"anthropic": {"id": "webFetch_20250910"}},
    "code_execution": {"anthropic": {"id": "codeExecution_20250825"}, "gemini": {"id": "codeExecution"}},
    "tool_search_tool_bm25": {"anthropic": {"id": "toolSearchBm25_20251119"}},
    "tool_search_tool_regex": {"anthropic": {"id": "toolSearchRegex_20251119"}},
    "advisor": {"anthropic": {"id": "advisor_20260301", "args": {"model": "claude-opus-4-6"}}},
    "file_search": {"openai-responses": {"id": "fileSearch", "args": {"vectorStoreIds": ["v"]}}},
    "code_interpreter": {"openai-responses": {"id": "codeInterpreter"}},
    "image_generation": {"openai-responses": {"id": "imageGeneration"}},
    "programmatic_tool_calling": {"openai-responses": {"id": "programmaticToolCalling"}},
    "tool_search": {"openai-responses": {"id": "toolSearch"}},
    "local_shell": {"openai-responses": {"id": "localShell"}},
    "shell": {"openai-responses": {"id": "shell"}},
    "apply_patch": {"openai-responses": {"id": "applyPatch"}},
    "computer": {"openai-responses": {"id": "computer"}},
}
#: What the client answers to such tools.
_OUTPUTS: dict[str, Any] = {
    "local_shell": {"output": "a"},
    "shell": {"output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exitCode": 0}}]},
    "apply_patch": {"status": "completed", "output": "ok"},
    "computer": {"output": {"type": "computer_screenshot", "imageUrl": "data:image/png;base64,aGk="}},
}


def with_tools(dialect: str, ui: str) -> dict[str, Any]:
    """The ``tools`` and ``outputs`` of the request whose answer is sent on as ``ui``."""
    chunks = [json.loads(sse.data) for sse in framed([ui.encode()]) if sse.data != "[DONE]"]
    called = {chunk["toolName"]: chunk for chunk in chunks if "toolName" in chunk and "dynamic" not in chunk}
    tools: dict[str, Any] = {}
    for name, chunk in called.items():
        text = chunk.get("inputEncoding") == "text" or isinstance(chunk.get("input"), str)
        custom = {"id": "customTool", "args": {"name": name}} if text else None
        tools[name] = _OF_PROVIDERS.get(name, {}).get(dialect, custom)
    return {"tools": tools, "outputs": _OUTPUTS}
