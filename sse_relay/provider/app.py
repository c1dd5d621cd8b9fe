"""The simulated provider: an application that answers as Anthropic's Messages API does.

It is pure.  Nothing in it is random: ids are a token and a counter, texts come from the question.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from sse_core.errors import RemoteProtocolError
from sse_core.headers import Headers
from sse_http.application import Exchange, Reply, Request, Stream, StreamHead, no_waker
from sse_http.problem import Problem

from . import events
from .faults import Fault, FaultCounts, spoil
from .generation import Generation
from .messages_request import MessagesRequest
from .non_streaming import NonStreamingAnswer
from .records import Record, Records, RecordState
from .replay import pieces, replay_steps
from .script import script
from .settings import Settings
from .steps import Pacer

_Handler = Callable[[Request, str, float], "Reply | Stream"]


class Provider:
    """An ``Application`` that stands in for the provider.

    - ``settings``: hold for every request that does not say otherwise with ``Sim-*`` fields.
    - ``clock``: gives the wall-clock time in seconds since the epoch, for the record only.
    - ``token``: letters and digits that begin every id, so that two providers' ids differ.
    - ``api_key``: if there is one, every message needs it in ``x-api-key``.
    - ``replay``: the bytes of a recorded stream, which is then the answer to every streaming request.
    - ``max_records``: so many of the latest are kept.

    Raises ``ValueError`` for a token that is not letters and digits.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        clock: Callable[[], float],
        token: str = "sim",  # noqa: S107  (a name, not a secret)
        api_key: str | None = None,
        replay: bytes | None = None,
        max_records: int = 10_000,
    ) -> None:
        if not (token.isascii() and token.isalnum()):
            raise ValueError(f"token {token!r} is not letters and digits")
        self.waker = no_waker
        self._settings = settings or Settings()
        self._token = token
        self._api_key = api_key
        self._recorded = None if replay is None else pieces(replay)
        self._records = Records(clock, max_records)
        self._fault_counts = FaultCounts()
        self._streams: WeakSet[Stream] = WeakSet()
        self._count = 0
        self._routes: dict[str, dict[str, _Handler]] = {
            "/v1/messages": {"POST": self._messages},
            "/sim/generations": {"GET": self._list, "DELETE": self._clear},
            "/healthz": {"GET": self._health},
        }

    @property
    def deadline(self) -> float | None:
        """The provider itself waits for nothing; its streams do."""
        return None

    def handle(self, request: Request, now: float) -> Reply | Stream:
        """Answer a request."""
        self._count += 1
        number = f"{self._token}{self._count:08d}"
        handlers = self._routes.get(request.path)
        if handlers is None:
            known = ", ".join(self._routes)
            return _error(404, number, f"There is nothing at this path; there is something at {known}")
        handler = handlers.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            allowed = ", ".join(handlers)
            return _error(405, number, f"This path takes {allowed} only", [("allow", allowed)])
        try:
            return handler(request, number, now)
        except RemoteProtocolError as error:
            return _error(error.status, number, str(error))

    def problem_reply(self, request: Request, problem: Problem) -> Reply:  # noqa: ARG002  (ShapesProblems)
        """The server's own refusals, as the API that it simulates would put them."""
        self._count += 1
        return _error(problem.status, f"{self._token}{self._count:08d}", problem.message, [*problem.headers])

    def upstreams(self) -> list[Exchange]:
        """None: a provider asks nobody."""
        return []

    def handle_timeout(self, now: float) -> None:
        """Nothing to do."""

    def close(self, now: float) -> None:
        """The server goes down: every generation is aborted."""
        for stream in list(self._streams):
            stream.close(now)
            stream.waker()

    def _list(self, request: Request, number: str, now: float) -> Reply:  # noqa: ARG002  (the face of a handler)
        return Reply.json(200, self._records.as_json())

    def _clear(self, request: Request, number: str, now: float) -> Reply:  # noqa: ARG002  (the face of a handler)
        self._records.clear()
        return Reply(204)

    def _health(self, request: Request, number: str, now: float) -> Reply:  # noqa: ARG002  (the face of a handler)
        return Reply.json(200, {"status": "ok"})

    def _messages(self, request: Request, number: str, now: float) -> Reply | Stream:
        self._authenticate(request.headers)
        messages_request = MessagesRequest.parse(request.body)
        settings = self._settings.with_headers(request.headers)
        if self._recorded is not None and not messages_request.stream:
            raise RemoteProtocolError('A recorded stream is replayed: it needs "stream": true')
        fault = settings.fault
        if fault is not None and not self._fault_counts.strikes(fault, request.body):
            fault = None
        record = self._records.begin(f"msg_{number}", request.path)
        if fault is not None and fault.kind == "status":
            return _refuse(fault, record, number)
        stream = self._generate(settings, messages_request, fault, record, now)
        self._streams.add(stream)
        return stream

    def _authenticate(self, headers: Headers) -> None:
        if self._api_key is None:
            return
        given = headers.get("x-api-key", "") or ""
        if not hmac.compare_digest(given.encode(), self._api_key.encode()):
            raise RemoteProtocolError("invalid x-api-key", status=401)

    def _generate(
        self, settings: Settings, request: MessagesRequest, fault: Fault | None, record: Record, now: float
    ) -> Stream:
        number = record.id.removeprefix("msg_")
        if self._recorded is None:
            steps = script(settings, request, record.id)
        else:
            steps = replay_steps(self._recorded, settings.rate)
        pacer = Pacer(spoil(steps, fault, f"req_{number}"), now)
        if not request.stream:
            return NonStreamingAnswer(pacer, record, Headers(_fields("application/json", number)))
        head = StreamHead(200, Headers(_fields("text/event-stream; charset=utf-8", number)))
        piece = fault.number if fault is not None and fault.kind == "split" else None
        return Generation(pacer, record, head, piece)


def _refuse(fault: Fault, record: Record, number: str) -> Reply:
    record.end(RecordState.FAULTED)
    fields = [] if fault.retry_after is None else [("retry-after", fault.retry_after)]
    return _error(fault.number, number, None, fields)


def _error(
    status: int, number: str, message: str | None, fields: list[tuple[str, str]] | None = None
) -> Reply:
    body: dict[str, Any] = events.error(status, f"req_{number}", message)
    return Reply.json(status, body, [("request-id", f"req_{number}"), *(fields or [])])


def _fields(content_type: str, number: str) -> list[tuple[str, str]]:
    return [
        ("content-type", content_type),
        ("cache-control", "no-cache"),
        ("request-id", f"req_{number}"),
        ("anthropic-organization-id", "00000000-0000-0000-0000-000000000000"),
        ("anthropic-ratelimit-requests-limit", "10000"),
        ("anthropic-ratelimit-requests-remaining", "9999"),
    ]
