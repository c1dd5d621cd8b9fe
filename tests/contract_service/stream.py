"""One stream of the service: a thread that follows it, whichever binding does that."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from sse_core import ServerSentEvent, SSEError
from sse_core.lifecycle import Reconnect

from .callbacks import Callbacks
from .parameters import Parameters

#: Follows one stream with a binding's ``connect`` and these arguments, until it is over or closed.  It
#: hands the stream how to close it, which any thread may call.
Follow = Callable[["Stream", dict[str, Any]], None]


class Stream:
    """A stream and its callbacks.  ``follow`` is the binding's."""

    def __init__(self, parameters: Parameters, follow: Follow) -> None:
        self._parameters = parameters
        self._follow = follow
        self._callbacks = Callbacks(parameters.callback_url)
        self._last_event_id = parameters.last_event_id
        self._lock = threading.Lock()
        self._is_over = False
        self._goes_on = False  # the connection was closed to be made again
        self._close: Callable[[], None] | None = None
        self._thread = threading.Thread(target=self._run, name=f"stream {parameters.tag}", daemon=True)
        self._thread.start()

    # What the harness wants

    def restart(self) -> None:
        """Close the connection and make it again."""
        with self._lock:
            self._goes_on = True
            if self._close is not None:
                self._close()

    def close(self) -> None:
        """The harness is done with it."""
        with self._lock:
            self._is_over = True
            if self._close is not None:
                self._close()

    def join(self) -> None:
        """Wait for its threads."""
        self._thread.join(10.0)
        self._callbacks.join()

    # What the binding reports

    def opened(self, close: Callable[[], None]) -> None:
        """A connection is being made; ``close`` ends it."""
        with self._lock:
            self._close = close
            if self._is_over or self._goes_on:
                close()

    def received(self, event: ServerSentEvent) -> None:
        """The stream has given this event."""
        self._last_event_id = event.last_event_id
        fields = {"type": event.type, "data": event.data, "id": event.last_event_id}
        self._callbacks.send("event", event=fields)

    def _commented(self, text: str) -> None:
        self._callbacks.send("comment", comment=text)

    def _reconnects(self, reconnect: Reconnect) -> None:
        if reconnect.error is not None:
            self._failed(reconnect.error)

    def _failed(self, error: SSEError) -> None:
        # The description calls its text "comment"; the harness reads it as "error".
        self._callbacks.send("error", error=str(error), comment=str(error))

    # The thread

    def _run(self) -> None:
        while self._follow_once() and not self._is_over:
            pass
        self._callbacks.close()

    def _follow_once(self) -> bool:
        """Whether to begin anew."""
        arguments = self._parameters.arguments(self._last_event_id)
        arguments |= {"on_comment": self._commented, "on_reconnect": self._reconnects}
        try:
            self._follow(self, arguments)
        except SSEError as error:
            self._failed(error)
        with self._lock:
            self._close = None
            goes_on, self._goes_on = self._goes_on, False
        return goes_on
