"""Anthropic's errors: in a stream, as an HTTP answer, and whether a retry may help.

Source: https://docs.claude.com/en/api/errors
"""

from __future__ import annotations

from ...blocks.events import StreamError
from ...blocks.strict_json import JSONObject
from ...headers import Headers
from ..error_vocabulary import NO_HEADERS, ErrorVocabulary, error_event
from ..fields import rest
from ..provider_errors import BESIDE

_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def read_error(data: JSONObject, status: int = 0, headers: Headers = NO_HEADERS) -> StreamError:
    """An error event, or the body of an answer, as a block event.  Anthropic's own have no code."""
    error = _error_object(data)
    bare = () if data.get("error") else error
    return VOCABULARY.read(error, rest(data, "type", "error", *bare), status, headers)


def write_error(error: StreamError) -> JSONObject:
    """The error event that :func:`read_error` reads as ``error``."""
    data: JSONObject = {"type": error.type, "message": error.message}
    if error.code is not None:
        data["code"] = error.code
    if error.retry_after is not None:
        data["retry_after"] = float(error.retry_after)
    return {"type": "error", **error_event(error, data)}


def _error_object(data: JSONObject) -> JSONObject:
    """The fields of the error.  Some hosts send them bare: {"type": "error", "message": ...}."""
    error = data.get("error")
    if isinstance(error, dict):
        return error
    return {"message": error} if error else rest(data, "type", "error", *BESIDE)


VOCABULARY = ErrorVocabulary(
    statuses=_STATUSES,
    types={status: type_ for type_, status in _STATUSES.items()},
    client_error="invalid_request_error",
    server_error="api_error",
    kinds={
        "invalid_request": ("invalid_request_error", None),
        "authentication": ("authentication_error", None),
        "permission": ("permission_error", None),
        "billing": ("billing_error", None),
        "not_found": ("not_found_error", None),
        "too_large": ("request_too_large", None),
        "rate_limit": ("rate_limit_error", None),
        "overloaded": ("overloaded_error", None),
        "timeout": ("timeout_error", None),
        "server": ("api_error", None),
        # what Anthropic answers where its filter would not have the text
        "refusal": ("invalid_request_error", None),
    },
    request_id="request-id",
    read_error=read_error,
    write_error=write_error,
)
