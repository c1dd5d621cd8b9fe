"""Anthropic's errors: in a stream, as an HTTP answer, and whether asking again may help.

Source: https://docs.claude.com/en/api/errors
"""

from __future__ import annotations

from ...blocks.events import MessageCut, StreamError
from ...blocks.strict_json import JSONObject
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

#: Anthropic's error types and their HTTP status codes.
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
_TYPE_OF_STATUS = {status: type for type, status in _STATUSES.items()}
_STATUSES |= {type: status for type, (status, _) in TYPES_OF_CUTS.items()}
_NO_HEADERS = Headers()
_WORDS: ErrorVocabulary = {
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
    "refusal": (
        "invalid_request_error",
        None,
    ),  # what Anthropic answers where its filter would not have the text
}


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
    heed_headers(error, headers, request_id="request-id")
    return error


def read_error(data: JSONObject, status: int = 0, headers: Headers = _NO_HEADERS) -> StreamError:
    """An error event, or the body of an answer, as a block event; its text is bounded.

    An error is never refused for its form.  One that has no type is named by its code, else by its status;
    where nothing says what it means, it is unknown, and nothing says that asking again may help.
    """
    error = _error_object(data)
    bare = () if data.get("error") else error
    extra = {**rest(error, "type", "message"), **rest(data, "type", "error", *bare)}
    status = status or status_in(error)
    told = type_in(error)
    delay = take_delay(extra, headers)
    code = take(extra, "code", str, None)  # Anthropic's own have none
    return StreamError(
        _type_of(status) if told is None else told,
        message_of(error),
        code=code,
        kind=kind_of(code, told, status=status),
        retryable=take(extra, "retryable", bool, may_pass(code, told, status=status, delay=delay)),
        retry_after=delay,
        extra=extra,
    )


def in_own_words(error: StreamError, *, translated: bool = False) -> StreamError:
    """``error``, or what Anthropic would say in its place where it is in another protocol's words.

    ``translated``: it is known to be.  Then its code and its extra fields stay behind.
    """
    return in_vocabulary(error, _STATUSES, _WORDS, translated=translated)


def write_error(error: StreamError) -> JSONObject:
    """The error event that :func:`read_error` reads as ``error``.

    ``outcome`` is our own field: what became of the message.
    """
    data: JSONObject = {"type": error.type, "message": error.message}
    if error.code is not None:
        data["code"] = error.code
    if error.retry_after is not None:
        data["retry_after"] = float(error.retry_after)
    data.update(rest(error.extra, *BESIDE))
    if error.retryable != may_pass(error.code, error.type, status=status_in(data), delay=error.retry_after):
        data["retryable"] = error.retryable
    return {"type": "error", "error": data, "outcome": "failed", **beside(error.extra)}


def write_cut(event: MessageCut) -> JSONObject:
    """The error event that tells of a cut.

    A stream that just ended would look complete: Anthropic's own clients take a bare end for the
    end of the message, and raise on an error event.
    """
    type, message = CUTS[event.completeness]
    return {"type": "error", "error": {"type": type, "message": message}, "outcome": event.completeness}


def _error_object(data: JSONObject) -> JSONObject:
    """The fields of the error.  Some hosts send them bare: {"type": "error", "message": ...}."""
    error = data.get("error")
    if isinstance(error, dict):
        return error
    return {"message": error} if error else rest(data, "type", "error", *BESIDE)


def _type_of(status: int) -> str:
    if status == 0:
        return UNKNOWN_TYPE
    return _TYPE_OF_STATUS.get(status, "api_error" if status >= 500 else "invalid_request_error")
