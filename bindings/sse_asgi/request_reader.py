"""Read a request's body, which is bounded: by itself, with all others, and in time."""

from __future__ import annotations

import time

import anyio

from sse_core.errors import LimitExceeded
from sse_http import BodyBudget, Refused, Request, ServerSettings
from sse_http.problem import TOO_LATE, refused_request
from sse_http.request_body import RequestBody

from .asgi_types import Receive


class ReaderGone(Exception):
    """Whoever asked has gone before its request was whole."""


class RequestReader:
    """Reads bodies.

    - ``settings``: their bounds.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._budget = BodyBudget(settings.max_total_body_bytes)

    async def read(self, request: Request, receive: Receive, max_bytes: int) -> bytes:
        """The whole body of ``request``.

        Raises ``Refused`` for one that is too large or too slow, and ``ReaderGone``.
        """
        began = time.monotonic()
        body = RequestBody(self._settings, self._budget, request.client, began=began, max_bytes=max_bytes)
        try:
            body.expect(_length_of(request))
            more = True
            while more:
                data, more = await _next_piece(receive, body.deadline)
                body.receive_data(data, time.monotonic())
            return body.take()
        except LimitExceeded as error:
            raise Refused(refused_request(error.status, str(error)), setting=error.limit) from None
        finally:
            body.release()


async def _next_piece(receive: Receive, deadline: float) -> tuple[bytes, bool]:
    with anyio.move_on_after(max(deadline - time.monotonic(), 0.0)):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ReaderGone
        return message.get("body", b""), message.get("more_body", False)
    raise Refused(TOO_LATE, setting="request_timeout")


def _length_of(request: Request) -> int:
    """What the request says of its length; servers have checked that it is a number."""
    text = request.headers.get("content-length") or "0"
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0
