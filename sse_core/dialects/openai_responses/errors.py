"""Errors of Responses: in a stream, as an HTTP answer.

In a stream an error comes in four shapes: ``error`` within an event of type ``error``; the same fields
flat in that event, as OpenAI documents it; ``{"error": ...}`` alone; and ``response.error`` of
``response.failed``.  As an HTTP answer it has the form that it has in chat completions.

Source: https://platform.openai.com/docs/api-reference/responses-streaming/error
"""

from __future__ import annotations

from ...blocks.events import MessageCut, StreamError
from ...blocks.strict_json import JSON, JSONObject
from .. import openai_errors
from ..fields import rest
from ..openai_errors import VOCABULARY
from ..provider_errors import BESIDE, beside, status_in

#: The types of events that are errors; the second is a gateway's.
ERRORS = frozenset({"error", "response.error"})
#: Fields of an ``error`` event that are none of the error's.
_OF_EVENT = ("sequence_number", "error", *BESIDE)
#: What may stand in the error or beside it.
_HEADERS = "headers"


def read_error(data: JSONObject) -> StreamError:
    """An ``error`` event as a block event.  What is missing is made up for."""
    error: JSON = data.get("error")
    if not error:
        error = rest(data, *_OF_EVENT, *(("type",) if data.get("type") in ERRORS else ()))
    elif isinstance(error, dict) and _HEADERS in data:
        error = {_HEADERS: data[_HEADERS], **error}
    # Over WebSocket the status stands beside the error.
    return _read(error, beside(data), status_in(data))


def read_failure(response: JSONObject, data: JSONObject) -> StreamError:
    """The error of a response that failed; ``data`` is the event, which has it where the response has not."""
    return _read(response.get("error") or data.get("error"), {})


def write_error(error: StreamError) -> JSONObject:
    """The data of an event, without its ``sequence_number``, that :func:`read_error` reads as ``error``."""
    return {"type": "error", **openai_errors.write_error(error)}


def write_cut(cut: MessageCut) -> JSONObject:
    """The error, without its ``sequence_number``, that reports a cut."""
    return {"type": "error", **VOCABULARY.cut(cut)}


def _read(error: JSON, around: JSONObject, status: int = 0) -> StreamError:
    fields = error if isinstance(error, dict) else {"message": error}
    return openai_errors.read_error({"error": fields, **around}, status)
