"""Google's errors: in a stream, as an HTTP answer, and whether a retry may help.

An error has a number, which is the HTTP status, and a word for it (``RESOURCE_EXHAUSTED``).  Among its
details may be how long to wait.  An answer that is a list, as Gemini sends without ``alt=sse``, holds
it as its only item.

Source: https://ai.google.dev/gemini-api/docs/troubleshooting and
https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
"""

from __future__ import annotations

import re

from ...blocks.events import StreamError
from ...blocks.strict_json import JSON, JSONObject
from ...headers import Headers
from ..error_vocabulary import NO_HEADERS, ErrorVocabulary, error_event
from ..fields import text
from ..provider_errors import beside

#: https://protobuf.dev/reference/protobuf/google.protobuf/#duration, as JSON.
_DURATION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?s")
_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


def error_of(data: JSON) -> JSONObject | None:
    """The object that reports an error, if ``data`` does: itself, or the first item of a list."""
    if isinstance(data, list) and data:
        data = data[0]
    return data if isinstance(data, dict) and data.get("error") else None


def read_error(data: JSONObject, status: int = 0, headers: Headers = NO_HEADERS) -> StreamError:
    """An object with ``error`` as a block event.  The number stays in ``extra``, as ``code``."""
    inner = data["error"]
    error = inner if isinstance(inner, dict) else {"message": inner}
    return VOCABULARY.read(error, beside(data), status, headers, delay=_delay(error.get("details")))


def write_error(error: StreamError) -> JSONObject:
    """The object that :func:`read_error` reads as ``error``."""
    status = error.extra.get("code")
    number = status if type(status) is int else 0
    code = number or VOCABULARY.status_of(error.type) if error.code is None else error.code
    data: JSONObject = {"code": code, "message": error.message, "status": error.type}
    event = error_event(error, data, "code")
    if error.retry_after is not None and _delay(data.get("details")) != error.retry_after:
        delay = f"{error.retry_after:.9f}".rstrip("0").rstrip(".")
        known = data["details"] if isinstance(data.get("details"), list) else []
        data["details"] = [{"@type": _RETRY_INFO, "retryDelay": f"{delay}s"}, *known]
    return event


def _delay(details: JSON) -> float | None:
    """The seconds that a ``google.rpc.RetryInfo`` among the details asks to wait."""
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, dict) and text(detail, "@type", "").endswith("google.rpc.RetryInfo"):
            delay = text(detail, "retryDelay", "")
            return float(delay[:-1]) if _DURATION.fullmatch(delay) else None
    return None


VOCABULARY = ErrorVocabulary(
    statuses={
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
    },
    types={
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        409: "ABORTED",
        429: "RESOURCE_EXHAUSTED",
        499: "CANCELLED",
        501: "UNIMPLEMENTED",
        503: "UNAVAILABLE",
        504: "DEADLINE_EXCEEDED",
    },
    client_error="INVALID_ARGUMENT",
    server_error="INTERNAL",
    # Google has no word for what it charges, nor for a request that is too large or refused.
    kinds={
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
    },
    type_field="status",
    # Google names no header for a request's id: the usual one is what gateways send.
    read_error=read_error,
    write_error=write_error,
)
