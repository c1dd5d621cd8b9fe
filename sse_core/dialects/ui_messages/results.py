"""What providers tell of tools that they ran themselves, and of files, as chunks.

Anthropic tells a call and its result apart; OpenAI's Responses tell both in one item; Gemini gives neither
an id.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from ...blocks import strict_json
from ...blocks.strict_json import JSON, JSONObject
from ..fields import rest, text
from .chunk_types import CALL, output_of

_SNAKE = re.compile("_([a-z])")
#: Results whose fields the packages of ``ai`` name in their own way.
_RENAMED = frozenset({"web_search_tool_result", "web_fetch_tool_result"})


class Results:
    """The results in one stream."""

    def __init__(self) -> None:
        self._codes = 0

    def read(self, data: JSONObject, dialect: str) -> list[JSONObject]:
        """The chunks of a provider's result; none where it does not say whose it is."""
        return self._READERS.get(dialect, _anthropic_or_own)(self, data)

    def _gemini(self, data: JSONObject) -> list[JSONObject]:
        if isinstance(data.get("executableCode"), dict):
            self._codes += 1
            return [_call(self._code_id(), "code_execution", data["executableCode"])]
        if isinstance(data.get("codeExecutionResult"), dict):
            return [_output(self._code_id(), data["codeExecutionResult"])]
        return []

    def _code_id(self) -> str:
        return f"code_execution-{self._codes}"

    def _responses(self, data: JSONObject) -> list[JSONObject]:
        id_, kind = data.get("id"), data["type"]
        if not isinstance(id_, str) or not kind.endswith("_call"):
            return []
        name = kind.removesuffix("_call")
        return [_call(id_, name, {}), _output(id_, rest(data, "type", "id", "status"))]

    _READERS: ClassVar[dict[str, Callable[[Results, JSONObject], list[JSONObject]]]] = {
        "gemini": _gemini,
        "openai-responses": _responses,
    }


def _anthropic_or_own(_: Results, data: JSONObject) -> list[JSONObject]:
    own = output_of(data)
    if own is not None:
        return [own]
    id_ = data.get(CALL)
    if not isinstance(id_, str):
        return []
    content = data.get("content")
    is_error = data.get("is_error") is True or _is_error(content)
    if is_error or data["type"] in _RENAMED:
        content = _renamed(content)
    return [_failure(id_, content) if is_error else _output(id_, content)]


def output_of_call(id_: str, item: JSONObject) -> list[JSONObject]:
    """What an item of OpenAI's Responses says of the result of the call that it is."""
    if item.get("output") is not None:
        return [_output(id_, item["output"])]
    return [_failure(id_, item["error"])] if item.get("error") is not None else []


def read_file(data: JSONObject) -> list[JSONObject]:
    """The chunk of a file that Gemini sent within a part."""
    file = data.get("inlineData")
    if not isinstance(file, dict):
        return []
    media = text(file, "mimeType", "application/octet-stream")
    kind = "reasoning-file" if data.get("thought") is True else "file"
    return [{"type": kind, "mediaType": media, "url": f"data:{media};base64,{text(file, 'data', '')}"}]


def _call(id_: str, name: str, arguments: JSON) -> JSONObject:
    chunk = {"type": "tool-input-available", "toolCallId": id_, "toolName": name}
    return {**chunk, "input": arguments, "providerExecuted": True}


def _output(id_: str, output: JSON) -> JSONObject:
    return {"type": "tool-output-available", "toolCallId": id_, "output": output, "providerExecuted": True}


def _failure(id_: str, error: JSON) -> JSONObject:
    message = error if isinstance(error, str) else strict_json.dumps(error)
    return {"type": "tool-output-error", "toolCallId": id_, "errorText": message, "providerExecuted": True}


def _is_error(content: JSON) -> bool:
    """Whether a content is an error, as ``web_search_tool_result_error`` is."""
    kind = content.get("type") if isinstance(content, dict) else None
    return isinstance(kind, str) and kind.endswith("_error")


def _renamed(value: JSON) -> JSON:
    """The value with its fields' names in camel case."""
    whole = [value]
    waiting: list[Any] = [whole]  # no calls within calls: a value may be nested deeper than those may
    while waiting:
        around = waiting.pop()
        for place, inner in list(around.items() if isinstance(around, dict) else enumerate(around)):
            if isinstance(inner, dict | list):
                around[place] = _renamed_fields(inner) if isinstance(inner, dict) else list(inner)
                waiting.append(around[place])
    return whole[0]


def _renamed_fields(fields: JSONObject) -> JSONObject:
    return {_SNAKE.sub(lambda found: found[1].upper(), name): value for name, value in fields.items()}
