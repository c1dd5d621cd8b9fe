"""OpenAI's errors and those of the hosts that speak its protocol: in a stream, as an HTTP answer.

In a stream an error comes in three shapes: an object with ``error`` alone; the same, named
``event: error``; and ``error`` beside the fields of a chunk (OpenRouter).

Source: https://platform.openai.com/docs/guides/error-codes
"""

from __future__ import annotations

from ...blocks.events import MessageCut, StreamError
from ...blocks.strict_json import JSON, JSONObject
from ...headers import Headers
from ..error_body import error_in, message_of
from ..fields import rest, take
from ..portable_block import ErrorVocabulary, in_vocabulary, status_of
from ..provider_errors import (
    BESIDE,
    CUTS,
    TYPES_OF_CUTS,
    UNKNOWN_TYPE,
    beside,
    error_without_object,
    heed_headers,
    kind_of,
    may_pass,
    status_in,
    type_in,
)
from ..retry_delay import take_delay

#: Types and codes, and their HTTP status codes.
_STATUSES = {
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
    **{type_: status for type_, (status, _) in TYPES_OF_CUTS.items()},
}
_TYPE_OF_STATUS = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout",
    429: "rate_limit_error",
    503: "service_unavailable",
    504: "timeout_error",
}
_NO_HEADERS = Headers()
_WORDS: ErrorVocabulary = {
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
}


def is_error(data: JSONObject, name: str) -> bool:
    """Whether an event's data tells of an error; ``name`` is the event's.

    ``error`` may be there and null in a chunk that tells of none.
    """
    return bool(data.get("error")) or name == "error" or data.get("object") == "error"


def error_status(error_type: str) -> int:
    """The HTTP status code of an error type, of another protocol's too; 500 for one that is not known."""
    return status_of(error_type, _STATUSES, _WORDS)


def error_response(error: StreamError) -> JSONObject:
    """The body of an HTTP answer that is this error."""
    return rest(write_error(in_own_words(error)), "outcome")


def parse_error(status: int, body: bytes, headers: Headers) -> StreamError:
    """What an HTTP answer with a status other than 200 says.

    The words are the body's, whatever form it has (``error_body``).  What it leaves out follows from
    ``status``.  ``retryable`` is what the header ``x-should-retry`` says, else what a known code or type
    says, else what the status says.
    """
    data = error_in(body, headers)
    error = read_error(data, status, headers) if data else error_without_object(status, _type_of(status))
    heed_headers(error, headers, request_id="x-request-id")
    return error


def read_error(data: JSONObject, status: int = 0, headers: Headers = _NO_HEADERS) -> StreamError:
    """An error event, or the body of an answer, as a block event; its text is bounded.

    An error is never refused for its form.  ``code`` may be a status, as a number or as text; a number is no
    text and stays in ``extra``.  An error that has no type is named by its code, else by its status; where
    nothing says what it means, it is unknown, and nothing says that asking again may help.
    """
    error = _error_object(data)
    extra = {**rest(error, "type", "message"), **beside(data)}
    status = status or status_in(error) or status_in(data)
    told = type_in(error)
    delay = take_delay(extra, headers)
    code = take(extra, "code", str, None)
    if extra.get("code", 0) is None:
        del extra["code"]
    return StreamError(
        _type_of(status) if told is None else told,
        message_of(error),
        code=code,
        # A code is more precise than a type.
        kind=kind_of(code, told, status=status),
        retryable=take(extra, "retryable", bool, may_pass(code, told, status=status, delay=delay)),
        retry_after=delay,
        extra=extra,
    )


def in_own_words(error: StreamError, *, translated: bool = False) -> StreamError:
    """``error``, or what OpenAI would say in its place where it is in another protocol's words.

    ``translated``: it is known to be.  Then its code and its extra fields stay behind.
    """
    return in_vocabulary(error, _STATUSES, _WORDS, translated=translated)


def write_error(error: StreamError) -> JSONObject:
    """The object that :func:`read_error` reads as ``error``.

    ``outcome`` is our own field: what became of the message.
    """
    # OpenAI's own errors always have these four, some of them null.
    data: JSONObject = {"message": error.message, "type": error.type, "param": None, "code": error.code}
    if error.retry_after is not None:
        data["retry_after"] = float(error.retry_after)
    data.update(rest(error.extra, *BESIDE))
    if error.retryable != may_pass(error.code, error.type, status=status_in(data), delay=error.retry_after):
        data["retryable"] = error.retryable
    return {"error": data, "outcome": "failed", **beside(error.extra)}


def write_cut(event: MessageCut) -> JSONObject:
    """The error that tells of a cut: a stream that just ended would look complete to OpenAI's clients."""
    type_, message = CUTS[event.completeness]
    error = {"message": message, "type": type_, "param": None, "code": None}
    return {"error": error, "outcome": event.completeness}


def _error_object(data: JSONObject) -> JSONObject:
    """The fields of the error."""
    error: JSON = data.get("error")
    if isinstance(error, dict):
        return error
    # Old hosts send the error's fields bare: {"object": "error", "message": ...}.
    return {"message": error} if error else rest(data, "object", "error", *BESIDE)


def _type_of(status: int) -> str:
    if status == 0:
        return UNKNOWN_TYPE
    known = _TYPE_OF_STATUS.get(status)
    return known or ("invalid_request_error" if 400 <= status < 500 else "server_error")
