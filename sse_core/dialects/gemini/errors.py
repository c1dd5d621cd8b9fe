"""Google's errors: in a stream, as an HTTP answer, and whether asking again may help.

An error has a number, which is the HTTP status, and a word for it (``RESOURCE_EXHAUSTED``).  Among its
details may be how long to wait.  An answer that is a list, as Gemini sends without ``alt=sse``, holds
it as its only item.

Source: https://ai.google.dev/gemini-api/docs/troubleshooting and
https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
"""

from __future__ import annotations

import re

from ...blocks.events import MessageCut, StreamError
from ...blocks.strict_json import JSON, JSONObject
from ...headers import Headers
from ..error_body import error_in, message_of
from ..fields import rest, take, text
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

#: Google's words and their HTTP status codes.
_STATUSES = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNKNOWN": 500,
    "DATA_LOSS": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
    **{type_: status for type_, (status, _) in TYPES_OF_CUTS.items()},
}
#: Google has no word for what it charges, nor for a request that is too large or refused.
_NO_HEADERS = Headers()
_WORDS: ErrorVocabulary = {
    "invalid_request": ("INVALID_ARGUMENT", None),
    "refusal": ("INVALID_ARGUMENT", None),
    "too_large": ("INVALID_ARGUMENT", None),
    "billing": ("FAILED_PRECONDITION", None),
    "authentication": ("UNAUTHENTICATED", None),
    "permission": ("PERMISSION_DENIED", None),
    "not_found": ("NOT_FOUND", None),
    "rate_limit": ("RESOURCE_EXHAUSTED", None),
    "overloaded": ("UNAVAILABLE", None),
    "timeout": ("DEADLINE_EXCEEDED", None),
    "server": ("INTERNAL", None),
}
#: Where there is no word, the number's.
_TYPE_OF_STATUS = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
#: https://protobuf.dev/reference/protobuf/google.protobuf/#duration, as JSON.
_DURATION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?s")
_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


def error_of(data: JSON) -> JSONObject | None:
    """The object that tells of an error, if ``data`` does: itself, or the first item of a list."""
    if isinstance(data, list) and data:
        data = data[0]
    return data if isinstance(data, dict) and data.get("error") else None


def error_status(error_type: str) -> int:
    """The HTTP status code of an error type, of another protocol's too; 500 for one that is not known."""
    return status_of(error_type, _STATUSES, _WORDS)


def error_response(error: StreamError) -> JSONObject:
    """The body of an HTTP answer that is this error."""
    return rest(write_error(in_own_words(error)), "outcome")


def parse_error(status: int, body: bytes, headers: Headers) -> StreamError:
    """What an HTTP answer with a status other than 200 says.

    The words are the body's, whatever form it has (``error_body``).  What it leaves out follows from
    ``status``.  ``retryable`` is what the header ``x-should-retry`` says, else what a known type says,
    else what the status says.
    """
    data = error_in(body, headers)
    error = read_error(data, status, headers) if data else error_without_object(status, _type_of(status))
    # Google names no header for a request's id; this one is what gateways send.
    heed_headers(error, headers, request_id="x-request-id")
    return error


def read_error(data: JSONObject, status: int = 0, headers: Headers = _NO_HEADERS) -> StreamError:
    """An object with ``error`` as a block event; its text is bounded.

    An error is never refused for its form.  The number stays in ``extra``, as ``code``.  Where nothing says
    what an error means, it is unknown, and nothing says that asking again may help.
    """
    inner = data["error"]
    error = inner if isinstance(inner, dict) else {"message": inner}
    extra = {**rest(error, "status", "message"), **beside(data)}
    status = status or status_in(error)
    told = type_in(error, "status")
    asked = take_delay(extra, headers)
    delay = _delay(error.get("details"))
    delay = asked if delay is None else delay
    code = take(extra, "code", str, None)
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
    """``error``, or what Google would say in its place where it is in another protocol's words.

    ``translated``: it is known to be.  Then its code and its extra fields stay behind.
    """
    return in_vocabulary(error, _STATUSES, _WORDS, translated=translated)


def write_error(error: StreamError) -> JSONObject:
    """The object that :func:`read_error` reads as ``error``.

    ``outcome`` is our own field: what became of the message.
    """
    status = error.extra.get("code")
    number = status if type(status) is int else 0
    code = number or error_status(error.type) if error.code is None else error.code
    data: JSONObject = {"code": code, "message": error.message, "status": error.type}
    data.update(rest(error.extra, "code", *BESIDE))
    if error.retryable != may_pass(error.code, error.type, status=status_in(data), delay=error.retry_after):
        data["retryable"] = error.retryable
    if error.retry_after is not None and _delay(data.get("details")) != error.retry_after:
        delay = f"{error.retry_after:.9f}".rstrip("0").rstrip(".")
        known = data["details"] if isinstance(data.get("details"), list) else []
        data["details"] = [{"@type": _RETRY_INFO, "retryDelay": f"{delay}s"}, *known]
    return {"error": data, "outcome": "failed", **beside(error.extra)}


def write_cut(event: MessageCut) -> JSONObject:
    """The error that tells of a cut.

    Gemini's own clients take a bare end for the end of the message, and raise on an error.
    """
    type_, message = CUTS[event.completeness]
    error = {"code": error_status(type_), "message": message, "status": type_}
    return {"error": error, "outcome": event.completeness}


def _delay(details: JSON) -> float | None:
    """The seconds that a ``google.rpc.RetryInfo`` among the details asks to wait."""
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, dict) and text(detail, "@type", "").endswith("google.rpc.RetryInfo"):
            delay = text(detail, "retryDelay", "")
            return float(delay[:-1]) if _DURATION.fullmatch(delay) else None
    return None


def _type_of(status: int) -> str:
    if status == 0:
        return UNKNOWN_TYPE
    known = _TYPE_OF_STATUS.get(status)
    return known or ("INVALID_ARGUMENT" if 400 <= status < 500 else "INTERNAL")
