"""OpenAI's errors and those of the hosts that speak its protocols: in a stream, as an HTTP answer.

Source: https://platform.openai.com/docs/guides/error-codes
"""

from __future__ import annotations

from ..blocks.events import StreamError
from ..blocks.strict_json import JSON, JSONObject
from ..headers import Headers
from .error_vocabulary import NO_HEADERS, ErrorVocabulary, error_event
from .fields import rest
from .provider_errors import BESIDE, beside, status_in


def read_error(data: JSONObject, status: int = 0, headers: Headers = NO_HEADERS) -> StreamError:
    """An error event, or the body of an answer, as a block event.

    ``code`` may be a status, as a number or as text.
    """
    error = _error_object(data)
    if error.get("code", 0) is None:
        error = rest(error, "code")
    status = status or status_in(error) or status_in(data)
    return VOCABULARY.read(error, beside(data), status, headers)


def write_error(error: StreamError) -> JSONObject:
    """The object that :func:`read_error` reads as ``error``."""
    # OpenAI's own errors always have these four, some of them null.
    data: JSONObject = {"message": error.message, "type": error.type, "param": None, "code": error.code}
    if error.retry_after is not None:
        data["retry_after"] = float(error.retry_after)
    return error_event(error, data)


def _error_object(data: JSONObject) -> JSONObject:
    """The fields of the error."""
    error: JSON = data.get("error")
    if isinstance(error, dict):
        return error
    # Old hosts send the error's fields bare: {"object": "error", "message": ...}.
    return {"message": error} if error else rest(data, "object", "error", *BESIDE)


VOCABULARY = ErrorVocabulary(
    statuses={
        "invalid_request_error": 400,
        "tool_use_failed": 400,
        "context_length_exceeded": 400,
        "content_filter": 400,
        "authentication_error": 401,
        "invalid_api_key": 401,
        "billing_error": 402,
        "permission_error": 403,
        "not_found_error": 404,
        "model_not_found": 404,
        "timeout": 408,
        "rate_limit_error": 429,
        "rate_limit_exceeded": 429,
        "requests": 429,
        "tokens": 429,
        "usage_limit_reached": 429,
        # The status is that of a rate limit, but waiting does not help.
        "insufficient_quota": 429,
        "credit_balance_exhausted": 429,
        "server_error": 500,
        "api_error": 500,
        "overloaded_error": 503,
        "service_unavailable": 503,
        "service_unavailable_error": 503,
        "server_is_overloaded": 503,
        "timeout_error": 504,
    },
    types={
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        408: "timeout",
        429: "rate_limit_error",
        503: "service_unavailable",
        504: "timeout_error",
    },
    client_error="invalid_request_error",
    server_error="server_error",
    kinds={
        "invalid_request": ("invalid_request_error", None),
        "authentication": ("authentication_error", None),
        "permission": ("permission_error", None),
        "billing": ("insufficient_quota", "insufficient_quota"),
        "not_found": ("not_found_error", None),
        "too_large": ("invalid_request_error", "request_too_large"),
        "rate_limit": ("rate_limit_error", "rate_limit_exceeded"),
        "overloaded": ("service_unavailable", None),
        "timeout": ("timeout", None),
        "server": ("server_error", None),
        "refusal": ("invalid_request_error", "content_filter"),
    },
    read_error=read_error,
    write_error=write_error,
)
