"""Chunks that are a part of the message by themselves, and those that say what became of a call.

In a message of ours the first are an ``UnknownBlock``, the others a ``ResultBlock`` with the call's id as
``tool_use_id``; both hold the chunk as it came.

Source: ``uiMessageChunkSchema`` of the npm package ``ai``.
"""

from __future__ import annotations

from collections.abc import Callable

from ...blocks.strict_json import JSONObject
from ..fields import required, rest

START_STEP = "start-step"
#: Type -> fields that have to be text.
PARTS: dict[str, tuple[str, ...]] = {
    START_STEP: (),
    "custom": ("kind",),
    "source-url": ("sourceId", "url"),
    "source-document": ("sourceId", "mediaType", "title"),
    "file": ("url", "mediaType"),
    "reasoning-file": ("url", "mediaType"),
    "steering-message": ("id",),
    "tool-approval-response": ("approvalId",),
}
DATA = "data-"  #: what the type of an application's own part begins with
OUTPUTS: dict[str, tuple[str, ...]] = {
    "tool-output-available": ("toolCallId",),
    "tool-output-error": ("toolCallId", "errorText"),
    "tool-output-denied": ("toolCallId",),
    "tool-input-error": ("toolCallId", "toolName", "errorText"),
    "tool-approval-request": ("toolCallId", "approvalId"),
}
CALL = "tool_use_id"


def check_part(data: JSONObject) -> None:
    """Raise ``ValueError`` where ``data`` is no chunk that is a part by itself."""
    kind = required(data, "type", str)
    if kind not in PARTS and not kind.startswith(DATA):
        raise ValueError(f"{kind} is no part")
    _check(data, PARTS.get(kind, ()))
    if kind.startswith(DATA) and "id" in data:
        required(data, "id", str)
    if kind == "steering-message":
        required(data, "parts", list)
    if kind == "tool-approval-response":
        required(data, "approved", bool)


def check_output(data: JSONObject) -> None:
    """Raise ``ValueError`` where ``data`` is no chunk that says what became of a call."""
    kind = required(data, "type", str)
    if kind not in OUTPUTS:
        raise ValueError(f"{kind} is no output")
    _check(data, OUTPUTS[kind])


def is_part(data: JSONObject) -> bool:
    """Whether ``data`` is a chunk that is a part by itself."""
    return _passes(check_part, data)


def output_of(data: JSONObject) -> JSONObject | None:
    """The chunk that a result block of this protocol holds."""
    chunk = rest(data, CALL)
    return chunk if _passes(check_output, chunk) else None


def _check(data: JSONObject, names: tuple[str, ...]) -> None:
    for name in names:
        required(data, name, str)


def _passes(check: Callable[[JSONObject], None], data: JSONObject) -> bool:
    try:
        check(data)
    except ValueError:
        return False
    return True
