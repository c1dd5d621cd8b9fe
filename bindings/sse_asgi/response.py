"""An event stream as a response of any ASGI framework's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import anyio

from sse_core.arguments import check_type
from sse_core.headers import Headers
from sse_core.lifecycle import SubscriptionSettings
from sse_http import EventItem, EventStreamReply, HandlerSettings, Retry, StreamHead
from sse_http.handlers import MAX_RECONNECT_AFTER

from .asgi_types import Message, Receive, Scope, Send
from .event_items import ItemOf, event_item
from .feeder import Content, Feeder
from .http_scope import request_of
from .response_base import ResponseBase
from .stream_run import StreamPlan, StreamRun

#: Seconds, as ``HandlerSettings`` has them.
_RECONNECT_AFTER = HandlerSettings().reconnect_after
_SEPARATORS = {"\r\n": b"\r\n", "\n": b"\n", "\r": b"\r"}


class EventStreamResponse(ResponseBase):
    r"""Server-sent events, to be returned from an endpoint, or to be called as an ASGI application.

    - ``content``: an async iterator; an iterator that blocks, which is run on threads; a ``Broadcast`` or an
      ``EventLog``, of which a reader gets what comes after its ``Last-Event-ID``; or a ``Subscription``.  An
      iterator gives ``str`` (an event's data), ``ServerSentEvent``, mappings and pydantic models (as JSON),
      ``Comment`` or ``Retry``.  It is closed as soon as its reader has gone.
    - ``status_code``, ``headers``, ``media_type``: of the answer.
    - ``background``: called when the answer is over.
    - ``ping``: seconds without an event after which a comment is sent; 15 if ``None``, never if 0.
    - ``sep``: ends each line: ``"\n"`` if ``None``.
    - ``ping_message_factory``: gives what is sent in place of that comment.
    - ``data_sender_callable``: run beside the stream; it ends with it.
    - ``send_timeout``: seconds that the server may take for one message; then ``SendTimeoutError``.
    - ``client_close_handler_callable``: called with the message that says that the reader has gone.
    - ``shutdown_event``: is set when the server goes down, for an iterator that wants to say something then.
    - ``shutdown_grace_period``: seconds for that; then the stream comes to its proper end.
    - ``cleanup_timeout``: seconds for an iterator's ``aclose()``; without end if ``None``.
    - ``join``: where a reader of a broadcast or a log begins that has no ID of it: at the ``"start"``, or
      ``"now"``.
    - ``retry``: milliseconds after which a reader is to connect again, sent with the first event; and, when
      the server goes down, each at a time of its own around it, so that they don't all come at once.
    - ``stall``: seconds after which a reader is given up that takes nothing, though there is something.
    - ``max_log_bytes``: what waits for a slow reader at most; beyond it, an iterator isn't pulled.

    Raises ``ValueError`` and ``TypeError`` that name the argument.
    """

    media_type = "text/event-stream"
    _separator = "\n"
    _item_of: ItemOf = staticmethod(event_item)

    def __init__(  # noqa: PLR0917  (the order is sse-starlette's)
        self,
        content: Content,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: Callable[[], Awaitable[object]] | None = None,
        ping: float | None = None,
        sep: str | None = None,
        ping_message_factory: Callable[[], object] | None = None,
        data_sender_callable: Callable[[], Awaitable[object]] | None = None,
        send_timeout: float | None = None,
        client_close_handler_callable: Callable[[Message], Awaitable[object]] | None = None,
        shutdown_event: anyio.Event | None = None,
        shutdown_grace_period: float = 0,
        cleanup_timeout: float | None = 30.0,
        *,
        join: Literal["start", "now"] = "start",
        retry: int | None = None,
        stall: float | None = 60.0,
        max_log_bytes: int = 256 * 1024,
    ) -> None:
        sep = self._separator if sep is None else sep
        if sep not in _SEPARATORS:
            raise ValueError(f"sep must be one of {', '.join(map(repr, _SEPARATORS))}, not {sep!r}")
        ping = 15.0 if ping is None else ping
        check_type("ping", ping, int, float)
        if ping < 0:
            raise ValueError("ping must be a number of seconds; 0 sends none")
        if shutdown_grace_period < 0:
            raise ValueError("shutdown_grace_period must not be below zero")
        if cleanup_timeout is not None and cleanup_timeout < 0:
            raise ValueError("cleanup_timeout must not be below zero; None waits without end")
        prefix = b"" if retry is None else b"retry: %d\n" % Retry(retry).milliseconds
        idle = None if ping == 0 or ping_message_factory else float(ping)
        self._plan = StreamPlan(
            Feeder(content, self._item_of, join=join, cleanup_timeout=cleanup_timeout),
            HandlerSettings(
                SubscriptionSettings(heartbeat=idle, stall=stall),
                max_log_bytes=max_log_bytes,
                reconnect_after=_RECONNECT_AFTER if retry is None else min(retry / 1000, MAX_RECONNECT_AFTER),
            ),
            separator=_SEPARATORS[sep],
            prefix=prefix,
            send_timeout=send_timeout,
            ping=float(ping) if ping_message_factory else 0.0,
            new_ping=_item_maker(ping_message_factory, self._item_of),
            beside=data_sender_callable,
            on_disconnect=client_close_handler_callable,
            shutdown_event=shutdown_event,
            grace=shutdown_grace_period,
        )
        self.status_code = status_code
        self.background = background  # type: ignore[assignment]  # Starlette's has a class for it
        own = {**({} if media_type is None else {"content-type": media_type}), **(headers or {})}
        head = EventStreamReply([], status=status_code, headers=own).head
        # Frameworks and middleware add to these until the answer begins.
        self.raw_headers: list[tuple[bytes, bytes]] = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in head.headers
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream, as ASGI has it.  Raises what the iterator raises."""
        if scope["type"] == "websocket":
            send = _denial(send)
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self.raw_headers]
        head = StreamHead(self.status_code, Headers(fields))
        await StreamRun(self._plan, head, request_of(scope), send).run(receive)
        if self.background is not None:
            await self.background()


def _item_maker(factory: Callable[[], object] | None, item_of: ItemOf) -> Callable[[], EventItem] | None:
    return None if factory is None else lambda: item_of(factory())


def _denial(send: Send) -> Send:
    """The answer to a handshake for a WebSocket: ASGI's "websocket.http.response" extension."""

    async def denied(message: Message) -> None:
        await send({**message, "type": "websocket." + message["type"]})

    return denied
