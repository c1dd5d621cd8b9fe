"""What a plain handler gives, as a stream: the part that decides.

A handler is somebody's own code.  A binding calls it, reports here what it gives, and asks it for
no more while the log is full.  So a reader that is slow slows the handler, and nothing piles up.

The head of the answer waits for a while (:class:`HeadHold`): until the first event, an exception of the
handler can still become a status.  After it, the connection is cut, so that what came never looks whole.
"""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sse_core.arguments import check_type
from sse_core.framing import ServerSentEvent, encode_comment, encode_event
from sse_core.headers import Headers, HeadersLike
from sse_core.lifecycle import Broadcast, Subscription, SubscriptionSettings, TurnLog
from sse_core.lifecycle.timers import earlier

from .application import Reply, Request, StreamHead, StreamState, Waker, no_waker
from .event_stream import EVENT_STREAM_HEADERS, READER_STATES
from .head_hold import HeadHold
from .problem import GOING_DOWN, INTERNAL_ERROR, problem_reply

#: Seconds: a day.
MAX_RECONNECT_AFTER = 86400
#: The head of an event stream that has none of its own.
_HEAD = StreamHead(200, Headers(EVENT_STREAM_HEADERS))


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, which a handler may yield: no client takes it for an event."""

    text: str

    def __post_init__(self) -> None:
        check_type("text", self.text, str)


@dataclass(frozen=True, slots=True)
class Retry:
    """How long clients are to wait before they connect again, which a handler may yield.

    Raises ``ValueError`` for ``milliseconds`` that are no int from 0 to 2147483647.
    """

    milliseconds: int

    def __post_init__(self) -> None:
        encode_event("", retry=self.milliseconds)


@dataclass(frozen=True, slots=True)
class EncodedEvents:
    """Whole events, or other whole lines, that are encoded already, which a handler may yield.

    They are sent as they are: what a stranger wrote belongs into an event's data instead.
    """

    data: bytes

    def __post_init__(self) -> None:
        check_type("data", self.data, bytes)


#: What a handler may yield: the data of an event, a whole event, a value to be sent as JSON, or what is none.
EventItem = str | ServerSentEvent | Mapping[str, object] | Comment | Retry | EncodedEvents


class EventStreamReply:
    """An event stream with a head of its own, which a handler may return.

    - ``events``: what the handler would have returned else: an (async) iterator.
    - ``status``: of the answer.
    - ``headers``: are added to those of every event stream, or stand in their place.

    Raises ``ValueError`` for a ``status`` that has no content, and for headers that can't be sent.
    """

    def __init__(
        self,
        events: AsyncIterable[EventItem] | Iterable[EventItem],
        *,
        status: int = 200,
        headers: HeadersLike = (),
    ) -> None:
        if not 200 <= status <= 599 or status in {204, 205, 304}:
            raise ValueError(f"an event stream can't have the status {status}")
        self.events = events
        self.head: StreamHead = StreamHead(status, Headers(EVENT_STREAM_HEADERS).replaced(headers))


@dataclass(frozen=True, slots=True)
class Follow:
    """What a handler returns to let its reader follow a broadcast.

    The reader goes on after its ``Last-Event-ID``, if that is one of the broadcast's.

    - ``broadcast``: its events are published with ``now`` of the same clock as the server's.
    - ``join``: where any other reader begins: at the ``"start"``, as far as that is kept, or ``"now"``.
    """

    broadcast: Broadcast
    join: Literal["start", "now"] = "start"


@dataclass(frozen=True, slots=True)
class HandlerSettings:
    """How the events of a handler are passed on.

    - ``readers``: when a heartbeat is due, and when a reader is given up.
    - ``max_log_bytes``: bounds what waits for a slow one.
    - ``head_hold``: for how many seconds, from when the handler gave an iterator, the head of the answer
      waits for the first event.
    - ``check_head``: judges a request before its body is read: see :class:`sse_http.ChecksHeads`.
    - ``reconnect_after``: when the server goes down, each reader is told to come back after a time of its
      own, from half of so many seconds to half as much again, so that not all come at once.  ``None`` leaves
      that to the reader.

    Raises ``ValueError`` for what no bound and no duration can be.
    """

    readers: SubscriptionSettings = field(default_factory=SubscriptionSettings)
    max_log_bytes: int = 256 * 1024
    head_hold: float = 1.0
    check_head: Callable[[Request, float], Reply | int | None] | None = None
    reconnect_after: float | None = 3.0

    def __post_init__(self) -> None:
        after = self.reconnect_after
        if after is not None and not 0 <= after <= MAX_RECONNECT_AFTER:
            raise ValueError(f"reconnect_after must be from 0 to {MAX_RECONNECT_AFTER} seconds, or None")
        if self.max_log_bytes < 1:
            raise ValueError("max_log_bytes must be 1 or more")
        if not 0 <= self.head_hold < math.inf:
            raise ValueError("head_hold must be a finite number of seconds, not below zero")


class HandlerAnswer:
    """A handler's answer to a request: a ``Stream``.

    - ``settings``: how its events are passed on.
    - ``method``: the request's.

    Whoever runs the handler reports ``reply``, or ``begin``, any number of ``receive`` and
    ``finish``; and ``fail`` at any time.  ``on_room`` is called when ``full`` ends, ``on_close``
    when the exchange is over: then the handler is to be ended, wherever it is.
    """

    __slots__ = (
        "_failed",
        "_farewell",
        "_has_body",
        "_hold",
        "_log",
        "_settings",
        "_stopped",
        "_stream_head",
        "_subscription",
        "_waker",
        "closed",
        "on_close",
        "on_room",
    )

    def __init__(self, settings: HandlerSettings | None = None, *, method: str = "GET") -> None:
        self.on_room: Waker = no_waker
        self.on_close: Waker = no_waker
        self.closed: bool = False
        self._settings = settings or HandlerSettings()
        self._hold = HeadHold()
        self._stream_head = _HEAD
        self._waker: Waker = no_waker
        self._has_body = method != "HEAD"
        self._failed = False
        self._stopped = False
        self._farewell = b""  # a line that goes before what is sent next
        self._log = TurnLog(None, max_bytes=self._settings.max_log_bytes)
        self._log.on_room = self._go_on
        self._subscription: Subscription | None = None

    # What the handler does

    @property
    def full(self) -> bool:
        """Whether the handler is to give no more until ``on_room`` is called."""
        return self._log.full

    def reply(self, reply: Reply) -> None:
        """The handler answered with a whole reply."""
        self._hold.decide(reply)
        self._waker()

    def set_head(self, reply: EventStreamReply) -> None:
        """The handler answered with a head of its own; ``begin`` follows."""
        self._stream_head = reply.head

    def begin(self, now: float) -> bool:
        """The handler answered with an iterator; whether that is to begin.

        RFC 9110 section 9.3.2: HEAD is GET without the content.  So there is a head, and nothing is begun.
        """
        if self._stopped or not self._has_body:
            self._show_head()
            self._waker()
            return False
        self._hold.begin(now + self._settings.head_hold)
        self._subscription = Subscription(self._log, now, settings=self._settings.readers, waker=self._waker)
        return True

    def follow(self, followed: Follow, request: Request, now: float) -> None:
        """The handler let its reader follow a broadcast, by the broadcast's own settings.

        Who has all of one that is over gets a 204, or an ``EventSource`` would come again for ever.
        """
        if self.closed or self._stopped:
            return  # the reader had gone before the handler knew
        if not self._has_body:
            self._show_head()
            self._waker()
            return
        subscription = followed.broadcast.subscribe(
            now, last_event_id=request.last_event_id, join=followed.join, waker=self._waker
        )
        if followed.broadcast.log.closed and not subscription.behind:
            subscription.close(now)
            self.reply(Reply(204))
            return
        self.read(subscription)

    def read(self, subscription: Subscription) -> None:
        """The reader gets what ``subscription`` gives."""
        subscription.waker = self._waker
        self._subscription = subscription
        self._show_head()
        self._waker()

    def receive(self, item: EventItem, now: float) -> None:
        """The iterator gave an item.

        Raises ``TypeError`` for one that is no event, and ``ValueError`` for one that can't be
        written: an event's type or ID of more than one line, a value that has no JSON.
        """
        if self._stopped:
            return
        if isinstance(item, Comment):
            self._log.append_lines(encode_comment(item.text))
        elif isinstance(item, Retry):
            # 9.2.6 heeds this line when it is read, whatever follows; without an empty line behind it
            # nobody takes it for an event.
            self._log.append_lines(b"retry: %d\n" % item.milliseconds)
        elif isinstance(item, EncodedEvents):
            self._log.append_lines(item.data)
        else:
            self._log.append(_event(item))
        self._show_head()
        self._log.announce(now)

    def finish(self, now: float) -> None:
        """The iterator is exhausted."""
        self._show_head()
        self._log.close(now)

    def announce_end(self, jitter: float) -> None:
        """The server is going to go down: the reader is told when to come back, with the next event.

        Or with the end, if none comes before.  ``jitter`` is from 0 to 1.
        """
        if self._settings.reconnect_after is not None:
            milliseconds = int(self._settings.reconnect_after * 1000 * (0.5 + jitter))
            # A line before an event's own is that event's; as for ``Retry``, no empty line is behind it.
            self._farewell = b"retry: %d\n" % milliseconds

    def stop(self, now: float) -> None:
        """The server goes down: the reader gets what there is, and that is the end; or a 503."""
        if self._stopped or self.closed:
            return
        self._stopped = True
        self._hold.decide(problem_reply(GOING_DOWN))
        self._log.close(now)
        self.on_close()
        self._waker()

    def fail(self) -> None:
        """The handler raised an exception."""
        if self._stopped:
            return
        self._failed = True
        self._hold.decide(problem_reply(INTERNAL_ERROR))
        self._waker()

    # What the server asks: sse_http.Stream

    @property
    def waker(self) -> Waker:
        """Called when there may be something to pull."""
        return self._waker

    @waker.setter
    def waker(self, waker: Waker) -> None:
        self._waker = waker
        if self._subscription is not None:
            self._subscription.waker = waker

    @property
    def head(self) -> StreamHead | Reply | None:
        """Known with the first event, with a reply, or when it has waited for long enough."""
        return self._hold.head

    @property
    def state(self) -> StreamState:
        """Open until the reader has been given everything, or is given up."""
        if self._failed:
            return StreamState.ABORTED
        if self._subscription is None:
            undecided = self._hold.head is None
            return StreamState.OPEN if self._has_body or undecided else StreamState.FINISHED
        if self._stopped and not self._subscription.behind:
            return StreamState.FINISHED
        return READER_STATES[self._subscription.outcome]

    @property
    def deadline(self) -> float | None:
        """The end of the head's hold, or the subscription's own deadline."""
        return earlier(self._hold.deadline, self._subscription.deadline if self._subscription else None)

    @property
    def has_more(self) -> bool:
        """Whether the last pull left something."""
        return self._subscription is not None and self._subscription.behind

    def data_to_send(self, now: float) -> bytes:
        """The next events, or a heartbeat that is due."""
        if self._subscription is None:
            return b""
        data = self._subscription.data_to_send(now)
        if self._farewell and (data or self.state is StreamState.FINISHED):
            data, self._farewell = self._farewell + data, b""
        return data

    def handle_timeout(self, now: float) -> None:
        """Show the head, send a heartbeat, give a reader up."""
        if self._hold.is_over(now):
            self._show_head()
            self._waker()
        if self._subscription is not None:
            self._subscription.handle_timeout(now)

    def close(self, now: float) -> None:
        """The reader has gone, or has everything; idempotent."""
        if self.closed:
            return
        self.closed = True
        self._hold.give_up()
        if self._subscription is not None:
            self._subscription.close(now)
            self._subscription.waker = no_waker
        self._log.on_room = _nothing  # none of them keeps the others any more
        self.on_room = no_waker
        self.on_close()

    def _show_head(self) -> None:
        self._hold.decide(self._stream_head)

    def _go_on(self, now: float) -> None:  # noqa: ARG002  (a log passes the time)
        self.on_room()


def _event(item: EventItem) -> ServerSentEvent:
    if isinstance(item, ServerSentEvent):
        return item
    if isinstance(item, str):
        return ServerSentEvent("message", item)
    if isinstance(item, Mapping):
        data = json.dumps(dict(item), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return ServerSentEvent("message", data)
    raise TypeError(
        f"a handler yields str, ServerSentEvent, a mapping, Comment or Retry, not {type(item).__name__}"
    )


def _nothing(now: float) -> None:
    """Nobody waits for room."""
