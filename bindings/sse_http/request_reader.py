"""The requests of one connection, from bytes to whole requests; what is refused is refused early.

A head is judged before its body is read, and before a peer that waits for it may send it: the grammar,
Host and Origin, then the application's own check, then the size of the body.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import h11

from sse_core.errors import LimitExceeded, RemoteProtocolError

from .application import Reply, Request
from .h11_feed import H11Feed
from .h11_messages import read_request
from .problem import refused_request
from .refusal import Refused
from .request_body import BodyBudget, RequestBody
from .server_settings import ServerSettings

#: What an application says of a request's head: a refusal, a bound of its body, or nothing.
HeadCheck = Callable[[Request, float], "Reply | int | None"]

_NOT_READ_YET = Request("", "")

#: What h11's refusals mean to the peer.  Its own words may repeat the peer's.
_UNREADABLE = {
    431: "The request's header section, or a line between chunks, is too large (limit: max_head_bytes).",
    501: "The request's transfer coding is not supported.",
}


class RequestReader:
    """Reads the requests of one connection.

    - ``http``: a server's connection of h11.
    - ``settings``: the bounds.
    - ``budget``: what all requests' bodies may take.
    - ``client``: the peer's address.
    - ``check``: judges each head.
    - ``send``: gets what the peer must have before it goes on.
    """

    __slots__ = (
        "_began",
        "_body",
        "_budget",
        "_check",
        "_client",
        "_feed",
        "_http",
        "_send",
        "_settings",
        "request",
    )

    def __init__(
        self,
        http: h11.Connection,
        settings: ServerSettings,
        budget: BodyBudget,
        *,
        client: str,
        check: HeadCheck,
        send: Callable[[bytes], None],
    ) -> None:
        self.request: Request = _NOT_READ_YET  #: the one whose head was read last
        self._http = http
        self._settings = settings
        self._budget = budget
        self._client = client
        self._check = check
        self._send = send
        self._feed = H11Feed(http, settings.max_head_bytes, max_head_fields=settings.max_head_fields)
        self._began: float | None = None
        self._body: RequestBody | None = None

    def __len__(self) -> int:
        """How many bytes have come and have not been read yet."""
        return len(self._feed)

    @property
    def deadline(self) -> float | None:
        """When the request that has begun has to be whole; ``None`` if none has."""
        if self._body is not None:
            return self._body.deadline
        return None if self._began is None else self._began + self._settings.request_timeout

    def receive_data(self, data: bytes) -> None:
        """Bytes from the peer, which are kept until ``next_request``."""
        self._feed.receive_data(data)

    def next_request(self, now: float) -> Request | None:
        """The next whole request; ``None`` until more has come, or been sent.

        Raises ``Refused``, and what the application's check raises.
        """
        try:
            return self._read(now)
        except h11.RemoteProtocolError as error:
            status = error.error_status_hint
            raise _refused(status, _UNREADABLE.get(status, "The request is not valid HTTP/1.1.")) from None
        except RemoteProtocolError as error:
            raise _refused(error.status, str(error)) from None
        except LimitExceeded as error:
            raise _refused(error.status, str(error), error.limit) from None

    def _read(self, now: float) -> Request | None:
        while True:
            event = self._feed.next_event()
            if self._began is None and (isinstance(event, h11.Event) or len(self._feed)):
                self._began = now
            if isinstance(event, h11.Request):
                if self._receive_head(event, now):
                    return None
            elif isinstance(event, h11.Data) and self._body is not None:
                self._body.receive_data(bytes(event.data), now)
            elif isinstance(event, h11.EndOfMessage):
                return self._end()
            else:
                return None

    def _receive_head(self, head: h11.Request, now: float) -> bool:
        """Judge the head; whether its sender waits for ``100 Continue``."""
        self.request = Request(head.method.decode("ascii"), "")  # what a refusal has to know
        self.request = read_request(head, self._client)
        verdict = self._check(self.request, now)
        if isinstance(verdict, Reply):
            raise Refused(verdict)
        self._body = self._new_body(verdict, now)
        self._body.expect(int(self.request.headers.get("content-length") or 0))
        waits = self._http.they_are_waiting_for_100_continue
        if waits:
            go_on = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
            self._send(self._http.send(go_on))
        return waits

    def _new_body(self, bound: int | None, now: float) -> RequestBody:
        most = self._settings.max_body_bytes
        return RequestBody(
            self._settings,
            self._budget,
            self._client,
            began=now if self._began is None else self._began,
            max_bytes=most if bound is None else min(bound, most),
        )

    def _end(self) -> Request:
        body = b"" if self._body is None else self._body.take()
        self._body = self._began = None
        return replace(self.request, body=body)

    def forget(self) -> None:
        """Hold nothing of the request that was being read; idempotent."""
        if self._body is not None:
            self._body.release()
        self._body = self._began = None
        self.request = _NOT_READ_YET


def _refused(status: int, message: str, setting: str = "") -> Refused:
    return Refused(refused_request(status, message), setting=setting)
