"""Temporary: the other branch's errors take this module's place."""

from __future__ import annotations

from ...blocks.events import MessageCut, StreamError
from ...blocks.strict_json import JSONObject
from ..openai_chat import errors as chat


def write_error(error: StreamError) -> JSONObject:
    """The error event."""
    return {"type": "error", **chat.write_error(error)}


def write_cut(event: MessageCut) -> JSONObject:
    """The error event that tells of a cut."""
    return {"type": "error", **chat.write_cut(event)}
