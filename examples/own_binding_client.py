"""A binding of your own, whole: a client that waits for one socket, in the thread that reads.

    .venv/bin/python examples/own_binding_client.py http://127.0.0.1:8080/

It reconnects, resumes, follows redirects and speaks TLS, as every binding does.
"""

from __future__ import annotations

import random
import select
import socket
import ssl
import sys
import time
from collections.abc import Iterator

from sse_core import ServerSentEvent
from sse_core.lifecycle import EventSource, HTTPRequest
from sse_http import ClientExchange
from sse_io import READ, WRITE, ClientPump, EventStreamState, connect_failure
from sse_io.socket_options import set_options


class EventStream(EventStreamState):
    """The events of ``url``, for ``for``."""

    def __init__(self, url: str) -> None:
        source = EventSource(HTTPRequest(url), jitter=random.random)
        super().__init__(source)
        self._pump = ClientPump(ClientExchange(source), tls=ssl.create_default_context, let_go=lambda _: None)  # pyright: ignore[reportArgumentType]  # its waker is a property

    def __iter__(self) -> Iterator[ServerSentEvent]:
        self._source.start(time.monotonic())
        try:
            while True:
                self._begin_reading(time.monotonic())
                while (event := self._take(time.monotonic())) is None:
                    if self._is_over(self._pump.problem):
                        return
                    self._step()
                yield event
        finally:
            self._source.close(time.monotonic())
            self._pump.close()

    def _step(self) -> None:
        pump, now = self._pump, time.monotonic()
        endpoint = pump.endpoint(now)
        if endpoint is not None:
            try:
                sock = socket.create_connection((endpoint.host, endpoint.port), timeout=10.0)
            except OSError as error:
                pump.lose(connect_failure(error), now)
            else:
                set_options(sock)  # from now on, nothing waits but select
                pump.opened(sock, now)
        elif pump.deadline <= now:
            pump.due(now)
        else:
            read = [pump.sock] if pump.sock is not None and pump.interest & READ else []
            write = [pump.sock] if pump.sock is not None and pump.interest & WRITE else []
            ready = select.select(read, write, [], min(pump.deadline - now, 60.0))
            pump.ready((READ if ready[0] else 0) | (WRITE if ready[1] else 0), time.monotonic())
        pump.obey(time.monotonic())


if __name__ == "__main__":
    for received in EventStream(sys.argv[1]):
        print(received.data, flush=True)
