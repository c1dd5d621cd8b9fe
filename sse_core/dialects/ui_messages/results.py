"""Results of tools that a provider ran itself, as outputs of the UI message stream."""

from __future__ import annotations

from ...blocks import strict_json
from ...blocks.strict_json import JSON, JSONObject
from .chunk_types import CALL


def read_result(data: JSONObject) -> JSONObject | None:
    """The chunk of a provider's result; ``None`` where it does not say whose it is.

    The output is the content as the provider sent it.
    """
    id_ = data.get(CALL)
    if not isinstance(id_, str):
        return None
    content = data.get("content")
    chunk: JSONObject = {"toolCallId": id_, "providerExecuted": True}
    if data.get("is_error") is True or _is_error(content):
        error = content if isinstance(content, str) else strict_json.dumps(content)
        return {"type": "tool-output-error", **chunk, "errorText": error}
    return {"type": "tool-output-available", **chunk, "output": content}


def _is_error(content: JSON) -> bool:
    """Whether a content is an error, as ``web_search_tool_result_error`` is."""
    kind = content.get("type") if isinstance(content, dict) else None
    return isinstance(kind, str) and kind.endswith("_error")
