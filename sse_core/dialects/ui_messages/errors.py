"""Errors and cuts in a UI message stream, and as an HTTP answer.

The protocol's error is a text for the user.  What else there is of an error stays on the server.

Source: https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol#error-part
"""

from __future__ import annotations

from ...blocks.events import ErrorKind, StreamError
from ...blocks.strict_json import JSONObject
from ...headers import Headers
from ..cuts import CUTS, TYPES_OF_CUTS
from ..error_body import error_in, message_of
from ..fields import rest, text
from ..provider_errors import (
    MAX_MESSAGE,
    UNKNOWN_TYPE,
    heed_headers,
    kind_of,
    may_pass,
)

_STATUSES: dict[ErrorKind, int] = {
    "invalid_request": 400,
    "refusal": 400,
    "authentication": 401,
    "billing": 402,
    "permission": 403,
    "not_found": 404,
    "too_large": 413,
    "rate_limit": 429,
    "overloaded": 503,
    "timeout": 504,
}
_UNKNOWN_STATUS = 500


def error_status(error_type: str) -> int:
    """The HTTP status code of an error type; 500 for a type that is not known."""
    if error_type in TYPES_OF_CUTS:
        return TYPES_OF_CUTS[error_type][0]
    return _STATUSES.get(kind_of(error_type), _UNKNOWN_STATUS)


def error_response(error: StreamError) -> JSONObject:
    """The body of an HTTP answer that is this error.

    The protocol has none: the browser's side takes the whole body for the text.  So it is the error's
    chunk, as in a stream.
    """
    return write_error(error.message)


def parse_error(status: int, body: bytes, headers: Headers) -> StreamError:
    """What an HTTP answer with a status other than 200 says.

    The protocol has no form for it: the words are the body's, whatever form it has (``error_body``).
    ``retryable`` is what the header ``x-should-retry`` says, else what the status says.
    """
    data = error_in(body, headers)
    message = message_of(data["error"]) if data else f"The server answered with status {status}."
    kind, retryable = kind_of(status=status), may_pass(status=status)
    error = StreamError(UNKNOWN_TYPE, message, kind=kind, retryable=retryable)
    heed_headers(error, headers, request_id="x-request-id")
    return error


def read_error(data: JSONObject) -> StreamError:
    """An error chunk as a block event; its text is bounded.

    One without its text says what other servers' errors say in their fields.
    """
    message = text(data, "errorText", "") or message_of(rest(data, "type", "errorText"))
    message = message[:MAX_MESSAGE]
    return StreamError(UNKNOWN_TYPE, message, extra=rest(data, "type", "errorText"))


def write_error(message: str) -> JSONObject:
    """The error chunk with this text."""
    return {"type": "error", "errorText": message[:MAX_MESSAGE]}


def cut_text(completeness: str) -> str:
    """The text that a user sees where a message was cut."""
    return CUTS[completeness][1]
