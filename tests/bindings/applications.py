"""Applications whose streams a scenario drives, and a provider behind the binding's own server."""

from __future__ import annotations

# ruff: noqa: ARG002  (the faces of Stream and Application have a clock in every input)
import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from sse_core import ServerSentEvent
from sse_core.headers import Headers
from sse_core.lifecycle import Subscription, SubscriptionSettings, Turn, TurnLog
from sse_http import ClientExchange, Exchange, Reply, Request, Stream, StreamHead, StreamState, no_waker
from sse_relay.provider import Provider, Settings

from .certificates import certificates
from .peers import Running
from .runner import Runner, Serving
from .server_stage import json_of

EVENT_STREAM = StreamHead(200, Headers([("content-type", "text/event-stream")]))


class Feed:
    """A ``Stream`` whose bytes the scenario gives.  It counts what is pulled."""

    def __init__(self, head: StreamHead | Reply | None = EVENT_STREAM, *, endless: bytes = b"") -> None:
        self.waker = no_waker
        self.head: StreamHead | Reply | None = head
        self.state = StreamState.OPEN
        self.deadline: float | None = None
        self.pulls = 0
        self.pulled_bytes = 0
        self.closed = False
        self._endless = endless  # what to give whenever nothing else is there
        self._data: list[bytes] = []

    @property
    def has_more(self) -> bool:
        return bool(self._data or self._endless)

    def send(self, data: bytes) -> None:
        """Have bytes, and say so."""
        self._data.append(data)
        self.waker()

    def end(self, state: str = "FINISHED") -> None:
        """No more bytes will come."""
        self.state = StreamState[state]
        self.waker()

    def data_to_send(self, now: float) -> bytes:
        self.pulls += 1
        data, self._data = b"".join(self._data) or self._endless, []
        self.pulled_bytes += len(data)
        return data

    def handle_timeout(self, now: float) -> None:
        """Waits for nothing."""

    def close(self, now: float) -> None:
        assert not self.closed, "a stream is closed once"
        self.closed = True


class Feeds:
    """An application that answers each request with what ``make`` gives, a new ``Feed`` by default."""

    def __init__(self, make: Callable[[Request], Reply | Stream] | None = None) -> None:
        self.waker = no_waker
        self.deadline: float | None = None
        self.requests: list[Request] = []
        self.streams: list[Any] = []
        self.closed = False
        self.make = make

    def handle(self, request: Request, now: float) -> Reply | Stream:
        self.requests.append(request)
        answer = self.make(request) if self.make is not None else Feed()
        if not isinstance(answer, Reply):
            self.streams.append(answer)
        return answer

    def upstreams(self) -> list[Exchange]:
        return []

    def handle_timeout(self, now: float) -> None:
        """Waits for nothing."""

    def close(self, now: float) -> None:
        self.closed = True


class LogAnswer:
    """A ``Stream`` that reads a log from Last-Event-ID on."""

    def __init__(self, log: TurnLog, request: Request, now: float, settings: SubscriptionSettings) -> None:
        self.waker = no_waker
        self.head = EVENT_STREAM
        self.closed = False
        after = log.position_of(request.headers.get("last-event-id") or "") or 0
        self._subscription = Subscription(log, now, after=after, settings=settings, waker=self._wake)

    def _wake(self) -> None:
        self.waker()

    @property
    def state(self) -> StreamState:
        outcome = self._subscription.outcome
        if outcome is None:
            return StreamState.OPEN
        return StreamState.FINISHED if outcome.value in {"finished", "expired"} else StreamState.ABORTED

    @property
    def deadline(self) -> float | None:
        return self._subscription.deadline

    @property
    def has_more(self) -> bool:
        return self._subscription.behind

    def data_to_send(self, now: float) -> bytes:
        return self._subscription.data_to_send(now)

    def handle_timeout(self, now: float) -> None:
        self._subscription.handle_timeout(now)

    def close(self, now: float) -> None:
        self.closed = True
        self._subscription.close(now)


class Logged(Feeds):
    """Every request reads the same log."""

    def __init__(self, log: TurnLog, settings: SubscriptionSettings | None = None) -> None:
        super().__init__()
        self.log = log
        self._settings = settings or SubscriptionSettings()

    def handle(self, request: Request, now: float) -> Reply | Stream:
        self.requests.append(request)
        self.streams.append(LogAnswer(self.log, request, now, self._settings))
        return self.streams[-1]  # type: ignore[no-any-return]

    def append(self, texts: Sequence[str], now: float) -> None:
        """Append events and wake the readers."""
        for text in texts:
            self.log.append(ServerSentEvent("message", text))
        self.log.announce(now)


def closed_log(*texts: str, name: str = "log") -> TurnLog:
    """A log that is closed behind these."""
    log = TurnLog(name, max_bytes=50_000_000)
    for text in texts:
        log.append(ServerSentEvent("message", text))
    log.close(0.0)
    return log


class Driving(Feeds):
    """An application that wants turns driven, from ``begin`` on."""

    def __init__(self, *turns: Turn, exchange: Callable[[Turn], Exchange] = ClientExchange) -> None:
        super().__init__()
        self.turns = turns
        self.exchanges = [exchange(turn) for turn in turns]
        self._new: list[Exchange] = []

    def begin(self, now: float) -> None:
        """Have them driven from now on."""
        for turn in self.turns:
            turn.start(now)
        self._new = [*self.exchanges]
        self.waker()

    def upstreams(self) -> list[Exchange]:
        new, self._new = self._new, []
        return new


class RunningServed:
    """A running ``Served``."""

    def __init__(self, application: Any, serving: Serving, scheme: str, host: str, uds: str | None) -> None:
        self.application = application
        self.address = (host, serving.port)
        self.url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{serving.port}/"
        if uds is not None:
            self.url = f"http+unix://{quote(uds, safe='')}/"
        self.uds = uds
        self.serving = serving

    @property
    def records(self) -> list[dict[str, Any]]:
        """The provider's own record of what it generated."""

        def ask() -> bytes:
            reply = self.application.handle(Request("GET", "/sim/generations"), 0.0)
            return b"\r\n\r\n" + bytes(reply.body)

        listed: list[dict[str, Any]] = json_of(self.serving.call(ask))
        return listed


@dataclass(frozen=True)
class Served:
    """A peer that the binding itself serves: an application or a handler, made anew for each scenario.

    ``unix`` serves it at a Unix socket of its own.
    """

    make: Callable[[Runner], Any]
    tls: str | None = None
    unix: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @contextlib.contextmanager
    def running(self, runner: Runner, others: Mapping[str, Running]) -> Iterator[RunningServed]:
        application = self.make(runner)
        tls = getattr(certificates(), self.tls) if self.tls else None
        with contextlib.ExitStack() as stack:
            uds = unix_path(stack) if self.unix else None
            options = dict(self.options) if uds is None else {**self.options, "uds": uds}
            serving = stack.enter_context(runner.serving(application, tls=tls, **options))
            host = self.options.get("host", "127.0.0.1")
            yield RunningServed(application, serving, "https" if tls else "http", host, uds)


def unix_path(stack: contextlib.ExitStack) -> str:
    """A path for a Unix socket, in a folder of its own; short, as such paths have to be."""
    return f"{stack.enter_context(tempfile.TemporaryDirectory())}/socket"


def provider(runner: Runner, **settings: Any) -> Provider:  # noqa: ARG001  (as all that is ``Served``)
    """A simulated provider, which by default says its 20 tokens at once."""
    return Provider(Settings(**{"tokens": 20, "rate": 0, "ttft": 0, **settings}), clock=time.time)
