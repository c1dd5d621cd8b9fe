"""Anthropic's errors: in a stream, as an HTTP answer, and whether asking again may help.

Source: https://docs.claude.com/en/api/errors
"""

from __future__ import annotations

from ..blocks import strict_json
from ..blocks.events import MessageCut, StreamError
from ..blocks.strict_json import JSON, JSONObject
from ..headers import Headers
from .fields import rest

MAX_TYPE = 100  #: characters of an error's type that are kept
MAX_MESSAGE = 2000  #: characters of an error's message that are kept

#: Anthropic's error types: the HTTP status code, and whether the same request may succeed later.
_ANTHROPIC_TYPES = {
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
}
#: How this side tells of a message that was cut, in the same form.  410 for a stopped turn: after
#: 408, 409, 429 and 5xx Anthropic's clients ask again on their own, and would undo the stop.
_TYPES = {
    **_ANTHROPIC_TYPES,
    "stream_truncated": (502, True),
    "turn_stopped": (410, False),
    "turn_failed": (502, False),
}
_UNKNOWN_TYPE = (500, False)
_TYPE_OF_STATUS = {status: type for type, (status, _) in _ANTHROPIC_TYPES.items()}
#: The statuses below 500 that Anthropic's own clients ask again after.
_RETRYABLE_STATUSES = frozenset({408, 409, 429})

#: completeness -> the type and message of the error that tells of the cut
_CUTS = {
    "truncated": ("stream_truncated", "The stream ended before the message was complete."),
    "stopped": ("turn_stopped", "The turn was stopped before the message was complete."),
    "failed": ("turn_failed", "The turn failed before the message was complete."),
}
#: Fields that stand beside the error object, not in it.
_BESIDE = frozenset({"request_id", "outcome"})


def error_status(error_type: str) -> int:
    """The HTTP status code of an error type; 500 for a type that is not known."""
    return _TYPES.get(error_type, _UNKNOWN_TYPE)[0]


def error_response(error: StreamError) -> JSONObject:
    """The body of an HTTP answer that is this error."""
    return rest(write_error(error), "outcome")


def parse_error(status: int, body: bytes, headers: Headers) -> StreamError:
    """What an HTTP answer with a status other than 200 says.

    The type and the message are the body's if it has an error object, else they follow from
    ``status``: nothing else of a body is passed on, since a stack trace or a proxy's page may be
    in it.  ``retryable`` is what the header ``x-should-retry`` says, else what a known type says,
    else what the status says.
    """
    data = _object(body)
    if "error" in data:
        error = read_error(data)
    else:
        usual = "api_error" if status >= 500 else "invalid_request_error"
        message = f"The provider answered with status {status} and no error object."
        error = StreamError(_TYPE_OF_STATUS.get(status, usual), message)
    if "error" not in data or error.type not in _TYPES:
        error.retryable = status >= 500 or status in _RETRYABLE_STATUSES
    wish = headers.get("x-should-retry")
    if wish in {"true", "false"}:
        error.retryable = wish == "true"
    request_id = headers.get("request-id")
    if request_id is not None:
        error.extra.setdefault("request_id", request_id)
    return error


def read_error(data: JSONObject) -> StreamError:
    """An error event, or the body of an answer, as a block event; its text is bounded.

    What is missing is made up for: an error is never refused for its form.
    """
    error = data["error"] if isinstance(data.get("error"), dict) else {"message": data.get("error")}
    type = _text(error, "type", "api_error")[:MAX_TYPE]
    message = _text(error, "message", "The provider gave no message.")[:MAX_MESSAGE]
    extra = {**rest(error, "type", "message"), **rest(data, "type", "error")}
    return StreamError(
        type,
        message,
        code=_take(extra, "code", str, None),
        retryable=_take(extra, "retryable", bool, _retryable(type)),
        retry_after=_take(extra, "retry_after", float, None),
        extra=extra,
    )


def write_error(error: StreamError) -> JSONObject:
    """The error event that :func:`read_error` reads as ``error``.

    ``outcome`` is our own field: what became of the message.
    """
    data: JSONObject = {"type": error.type, "message": error.message}
    if error.code is not None:
        data["code"] = error.code
    if error.retryable != _retryable(error.type):
        data["retryable"] = error.retryable
    if error.retry_after is not None:
        data["retry_after"] = float(error.retry_after)
    data.update(rest(error.extra, *_BESIDE))
    beside = {name: error.extra[name] for name in _BESIDE if name in error.extra}
    return {"type": "error", "error": data, "outcome": "failed", **beside}


def write_cut(event: MessageCut) -> JSONObject:
    """The error event that tells of a cut.

    A stream that just ended would look complete: Anthropic's own clients take a bare end for the
    end of the message, and raise on an error event.
    """
    type, message = _CUTS[event.completeness]
    return {"type": "error", "error": {"type": type, "message": message}, "outcome": event.completeness}


def _retryable(error_type: str) -> bool:
    return _TYPES.get(error_type, _UNKNOWN_TYPE)[1]


def _text(fields: JSONObject, name: str, default: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else default


def _take(fields: JSONObject, name: str, kind: type, default: JSON) -> JSON:
    """Take the field ``name`` out if it is of this type; of any other, it stays where it is."""
    return fields.pop(name) if type(fields.get(name)) is kind else default


def _object(body: bytes) -> JSONObject:
    try:
        data = strict_json.loads(body.decode())
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
