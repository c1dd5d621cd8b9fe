"""Anthropic's Messages streaming, written by hand.

Nothing here is shared with the house's own dialects: what tests a decoder must not have its bugs.
The models are recorded streams: ``event`` and ``data`` lines that end in LF, the type repeated in
``event``, blanks before the last brace, a ping with a blank after its colon.

https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

import json
from typing import Any

Event = dict[str, Any]

PING: Event = {"type": "ping"}

#: The kinds of https://docs.anthropic.com/en/api/errors by status.
_ERROR_KINDS = {
    400: ("invalid_request_error", "The request was not valid"),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "There is an issue with your billing or payment information"),
    403: ("permission_error", "Your API key does not have permission to use the specified resource"),
    404: ("not_found_error", "The requested resource was not found"),
    413: ("request_too_large", "Request exceeds the maximum size"),
    429: ("rate_limit_error", "This request would exceed your rate limit"),
    504: ("timeout_error", "The request timed out"),
    529: ("overloaded_error", "Overloaded"),
}
_CLIENT_ERROR = ("invalid_request_error", "The request was not valid")
_SERVER_ERROR = ("api_error", "Internal server error")

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def frame(event: Event) -> bytes:
    """The event as the provider writes it to the wire."""
    if event is PING:
        return b'event: ping\ndata: {"type": "ping"}\n\n'
    data = _compact(event)
    # The real ones pad each event so that its length does not reveal the length of its text.
    padding = " " * (len(data) * 7 % 16)
    return f"event: {event['type']}\ndata: {data[:-1]}{padding}}}\n\n".encode()


def message_start(message_id: str, model: str, input_tokens: int) -> Event:
    """The first event: a message with no content yet.

    - ``message_id``: begins with ``msg_``.
    - ``model``: as the request names it.
    - ``input_tokens``: what the request counts as.
    """
    message: Event = {
        "model": model,
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            "input_tokens": input_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 1,
            "service_tier": "standard",
        },
    }
    return {"type": "message_start", "message": message}


def block_start(index: int, block: Event) -> Event:
    """A content block begins as ``block``, still empty."""
    return {"type": "content_block_start", "index": index, "content_block": block}


def block_delta(index: int, delta: Event) -> Event:
    """More of the content block ``index``."""
    return {"type": "content_block_delta", "index": index, "delta": delta}


def block_stop(index: int) -> Event:
    """The content block ``index`` is whole."""
    return {"type": "content_block_stop", "index": index}


def message_delta(stop_reason: str, input_tokens: int, output_tokens: int) -> Event:
    """Why the message ends, and the final usage.

    - ``stop_reason``: in the provider's words.
    - ``input_tokens``, ``output_tokens``: the usage.
    """
    usage = {
        "input_tokens": input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output_tokens,
    }
    delta = {"stop_reason": stop_reason, "stop_sequence": None}
    return {"type": "message_delta", "delta": delta, "usage": usage}


def message_stop() -> Event:
    """The last event."""
    return {"type": "message_stop"}


def error(status: int, request_id: str, message: str | None = None) -> Event:
    """An error: the body of an answer of that status, and the data of an ``error`` event.

    - ``status``: says of which type it is.
    - ``request_id``: begins with ``req_``.
    - ``message``: in place of the usual one for that status.
    """
    kind, usual = _ERROR_KINDS.get(status, _CLIENT_ERROR if status < 500 else _SERVER_ERROR)
    details = {"details": None, "type": kind, "message": message or usual}
    return {"type": "error", "error": details, "request_id": request_id}
