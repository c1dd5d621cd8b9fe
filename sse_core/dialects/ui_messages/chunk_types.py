"""The fields of chunks, and which chunks stand for what.

Some chunks are a part of the message by themselves; some say what became of a call.  In a message of ours
the first are an ``UnknownBlock``, the others a ``ResultBlock`` with the call's id as ``tool_use_id``; both
hold the chunk as it came.

The browser's side gives up on a stream with a chunk that its schema does not allow.  So a field that
another side made up is looked at before it is sent.

Source: ``uiMessageChunkSchema`` of the npm package ``ai``.
"""

from __future__ import annotations

from collections.abc import Callable

from ...blocks.strict_json import JSON, JSONObject
from ..fields import required, rest

START_STEP = "start-step"
ANSWER = "tool-approval-response"
#: Type -> fields that have to be text.
PARTS: dict[str, tuple[str, ...]] = {
    START_STEP: (),
    "custom": ("kind",),
    "source-url": ("sourceId", "url"),
    "source-document": ("sourceId", "mediaType", "title"),
    "file": ("url", "mediaType"),
    "reasoning-file": ("url", "mediaType"),
    ANSWER: ("approvalId",),
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
#: Fields that may be missing in any chunk, but are never null.
_OPTIONAL: dict[str, type] = {
    "dynamic": bool,
    "filename": str,
    "isAutomatic": bool,
    "preliminary": bool,
    "providerExecuted": bool,
    "reason": str,
    "signature": str,
    "title": str,
    "toolMetadata": dict,
    "transient": bool,
}


def is_field(name: str, value: JSON) -> bool:
    """Whether a chunk may have this field."""
    if name == "providerMetadata":
        return isinstance(value, dict) and all(isinstance(inner, dict) for inner in value.values())
    kind = _OPTIONAL.get(name)
    return kind is None or type(value) is kind


def check_fields(data: JSONObject) -> None:
    """Raise ``ValueError`` where a field of a chunk is of a type that it can't have."""
    for name, value in data.items():
        if not is_field(name, value):
            raise ValueError(f"{name} is of the wrong type")


def check_part(data: JSONObject) -> None:
    """Raise ``ValueError`` where ``data`` is no chunk that is a part by itself."""
    kind = required(data, "type", str)
    if kind not in PARTS and not kind.startswith(DATA):
        raise ValueError("no part")
    check_fields(data)
    _check(data, PARTS.get(kind, ()))
    if kind.startswith(DATA) and "id" in data:
        required(data, "id", str)
    if kind == ANSWER:
        required(data, "approved", bool)


def check_output(data: JSONObject) -> None:
    """Raise ``ValueError`` where ``data`` is no chunk that says what became of a call."""
    kind = required(data, "type", str)
    if kind not in OUTPUTS:
        raise ValueError("no output")
    check_fields(data)
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
