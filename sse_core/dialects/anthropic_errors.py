"""Anthropic's errors: within a stream, as an HTTP answer, and as the facts of a retry.

Source: https://docs.claude.com/en/api/errors
"""

from __future__ import annotations

from typing import Any

from ..blocks import strict_json
from ..blocks.events import JSONObject, StreamError
from ..headers import Headers

MAX_MESSAGE = 2000  #: characters of an error's message that are kept
MAX_TYPE = 100  #: characters of an error's type that are kept

#: error type -> (HTTP status code, whether the same request may succeed later)
_TYPES = {
    "invalid_request_error": (400, False),
    "authentication_error": (401, False),
    "billing_error": (402, False),
    "permission_error": (403, False),
    "not_found_error": (404, False),
    "request_too_large": (413, False),
    "rate_limit_error": (429, True),
    "api_error": (500, True),
    "timeout_error": (504, True),
    "overloaded_error": (529, True),
    # Not Anthropic's: how this side says that a stream was cut (see Encoder).
    "stream_truncated": (502, True),
    "turn_failed": (502, False),
    "turn_stopped": (410, False),
}
_TYPE_OF_STATUS = {status: type for type, (status, _) in reversed(_TYPES.items())}
#: The statuses below 500 that Anthropic's own clients ask again after.
_RETRYABLE_STATUSES = frozenset({408, 409, 429})
#: Fields that stand beside the error object, not in it.
_BESIDE = frozenset({"request_id", "outcome"})


def error_status(error_type: str) -> int:
    """The HTTP status code of an error type; 500 for a type that is not known."""
    return _TYPES.get(error_type, (500, False))[0]


def error_response(error: StreamError) -> dict[str, Any]:
    """The body of an HTTP answer that is this error."""
    body: dict[str, Any] = {
        "type": "error",
        "error": {"type": error.type, "message": error.message},
    }
    if "request_id" in error.extra:
        body["request_id"] = error.extra["request_id"]
    return body


def parse_error(status: int, body: bytes, headers: Headers) -> StreamError:
    """What an HTTP answer with a status other than 200 says.

    The type and message are the body's if it has an error object, else they follow from
    ``status``; the message is bounded.  ``retryable`` is what the header ``x-should-retry`` says,
    else what the type says, else what the status says.
    """
    data = _json_object(body)
    if isinstance(data.get("error"), dict):
        error = read_error(data)
    else:
        fallback = "api_error" if status >= 500 else "invalid_request_error"
        type = _TYPE_OF_STATUS.get(status, fallback)
        error = StreamError(type, f"the provider answered with status {status} and no error object")
    if error.type not in _TYPES or not isinstance(data.get("error"), dict):
        error.retryable = status in _RETRYABLE_STATUSES or status >= 500
    wish = headers.get("x-should-retry")
    if wish in ("true", "false"):
        error.retryable = wish == "true"
    request_id = headers.get("request-id")
    if request_id is not None:
        error.extra.setdefault("request_id", request_id)
    return error


def read_error(data: JSONObject) -> StreamError:
    """An error event or body as a block event.  What is missing in it is made up for."""
    error = data.get("error")
    if not isinstance(error, dict):
        error = {"message": error}
    extra = {key: value for key, value in error.items() if key not in ("type", "message")}
    extra.update((key, value) for key, value in data.items() if key not in ("type", "error"))
    type = error.get("type")
    message = error.get("message")
    type = type[:MAX_TYPE] if isinstance(type, str) else "api_error"
    return StreamError(
        type,
        message[:MAX_MESSAGE] if isinstance(message, str) else "the provider gave no message",
        retryable=_TYPES.get(type, (0, False))[1],
        extra=extra,
    )


def write_error(error: StreamError) -> JSONObject:
    """The error event that :func:`read_error` reads as ``error``."""
    inner: JSONObject = {"type": error.type, "message": error.message}
    inner.update((key, value) for key, value in error.extra.items() if key not in _BESIDE)
    beside = {key: value for key, value in error.extra.items() if key in _BESIDE}
    return {"type": "error", "error": inner, "outcome": "failed", **beside}


def _json_object(body: bytes) -> JSONObject:
    try:
        data = strict_json.loads(body.decode())
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
