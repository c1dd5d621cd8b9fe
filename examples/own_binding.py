"""A binding of your own, whole: a server on plain sockets, which one thread steps, without an event loop.

    .venv/bin/python examples/own_binding.py 8080

Then "curl -N http://127.0.0.1:8080/" in another terminal, and "curl -d Hello http://127.0.0.1:8080/" in a
third one.
"""

from __future__ import annotations

import math
import socket
import sys
import time
from functools import partial
from typing import Any

from sse_core import ServerSentEvent
from sse_core.lifecycle import Broadcast
from sse_http import Application, Follow, HandlerSettings, Reply, Request
from sse_io import HandlerCall, ReadinessLoop, as_application
from sse_io.connector import Cancel, Resolved
from sse_io.handler_application import BlockingHandler


class PlainHost:
    """Nothing runs beside the loop, so nobody has to be woken, and a lookup may as well wait."""

    def now(self) -> float:
        """The clock of all that is stepped."""
        return time.monotonic()

    def look_again(self) -> None:
        """Nobody waits while another one calls."""

    def resolve(self, host: str, port: int, done: Resolved) -> Cancel:
        """Look a name up at once; there is nothing to be cancelled then."""
        try:
            addresses: list[Any] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            done(addresses)
        except (OSError, UnicodeError) as error:
            done(error)
        return lambda: None


def serve(served: Application | BlockingHandler, listener: socket.socket) -> ReadinessLoop:
    """A loop that serves an application, or a handler that doesn't wait; ``run`` steps it."""

    def start(call: HandlerCall) -> None:
        loop.call_soon_threadsafe(partial(answer, call))

    application = as_application(served, HandlerSettings(), start, blocking=True)
    loop = ReadinessLoop(application, PlainHost(), on_error=print)
    loop.listen(listener)
    return loop


def answer(call: HandlerCall) -> None:
    """Call a handler.  There is no thread here in which an iterator could wait."""
    try:
        if call.take_blocking(call.begin(), time.monotonic()) is not None:
            raise TypeError("a handler returns a Reply or a Follow here")  # noqa: TRY301  (its own mistake)
    except Exception as error:  # noqa: BLE001  (a stack trace must not reach the peer)
        print(repr(error))
        call.answer.fail()
    finally:
        call.finished()


def run(loop: ReadinessLoop) -> None:
    """Step ``loop`` until it was shut down and has ended."""
    while not loop.finished:
        now = time.monotonic()
        wait = loop.deadline - now
        loop.step(now, wait=0.0 if wait == -math.inf else min(wait, 60.0))
    loop.close(time.monotonic())


news = Broadcast("news-1")


def handler(request: Request) -> Reply | Follow:
    """GET follows the news, and POST tells them."""
    if request.method == "GET":
        return Follow(news)
    news.publish([ServerSentEvent("message", request.body.decode())], time.monotonic())
    return Reply(204)


if __name__ == "__main__":
    run(serve(handler, socket.create_server(("127.0.0.1", int(sys.argv[1])))))
