"""Anthropic's errors: in a stream, as an HTTP answer, and whether asking again may help.

Source: https://docs.claude.com/en/api/errors
"""

from __future__ import annotations

from ...blocks.events import MessageCut, StreamError
from ...blocks.strict_json import JSONObject
from ...headers import Headers
from ..fields import json_object, rest, take, text
from ..foreign import Words, in_words, status_of
from ..provider_errors import (
    BESIDE,
    CUTS,
    MAX_MESSAGE,
    MAX_TYPE,
    TYPES_OF_CUTS,
    beside,
    error_without_object,
    heed_headers,
    kind_of,
    may_pass,
)

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
_WORDS: Words = {
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

    The type and the message are the body's if it has an error object, else they follow from
    ``status``: nothing else of a body is passed on, since a stack trace or a proxy's page may be
    in it.  ``retryable`` is what the header ``x-should-retry`` says, else what a known type says,
    else what the status says.
    """
    data = json_object(body)
    if "error" in data:
        error = read_error(data)
        error.kind = kind_of(error.code, error.type, status=status)
        if error.type not in _STATUSES:
            error.retryable = may_pass(status=status)
    else:
        usual = "api_error" if status >= 500 else "invalid_request_error"
        error = error_without_object(status, _TYPE_OF_STATUS.get(status, usual))
    heed_headers(error, headers, request_id="request-id")
    return error


def read_error(data: JSONObject) -> StreamError:
    """An error event, or the body of an answer, as a block event; its text is bounded.

    What is missing is made up for: an error is never refused for its form.
    """
    error = data["error"] if isinstance(data.get("error"), dict) else {"message": data.get("error")}
    type = text(error, "type", "api_error")[:MAX_TYPE]
    message = text(error, "message", "The provider gave no message.")[:MAX_MESSAGE]
    extra = {**rest(error, "type", "message"), **rest(data, "type", "error")}
    code = take(extra, "code", str, None)  # Anthropic's own have none
    return StreamError(
        type,
        message,
        code=code,
        kind=kind_of(code, type),
        retryable=take(extra, "retryable", bool, may_pass(type)),
        retry_after=take(extra, "retry_after", float, None),
        extra=extra,
    )


def in_own_words(error: StreamError, *, foreign: bool = False) -> StreamError:
    """``error``, or what Anthropic would say in its place where it is in another protocol's words.

    ``foreign``: it is known to be.  Then its code and its extra fields stay behind.
    """
    return in_words(error, _STATUSES, _WORDS, foreign=foreign)


def write_error(error: StreamError) -> JSONObject:
    """The error event that :func:`read_error` reads as ``error``.

    ``outcome`` is our own field: what became of the message.
    """
    data: JSONObject = {"type": error.type, "message": error.message}
    if error.code is not None:
        data["code"] = error.code
    if error.retryable != may_pass(error.type):
        data["retryable"] = error.retryable
    if error.retry_after is not None:
        data["retry_after"] = float(error.retry_after)
    data.update(rest(error.extra, *BESIDE))
    return {"type": "error", "error": data, "outcome": "failed", **beside(error.extra)}


def write_cut(event: MessageCut) -> JSONObject:
    """The error event that tells of a cut.

    A stream that just ended would look complete: Anthropic's own clients take a bare end for the
    end of the message, and raise on an error event.
    """
    type, message = CUTS[event.completeness]
    return {"type": "error", "error": {"type": type, "message": message}, "outcome": event.completeness}
