"""After many streams no thread, socket or file is left: ``LEAK_STREAMS=10000`` for as many."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

import sse_socket
from sse_core.lifecycle import Outcome
from sse_http import Request
from sse_relay.provider import Provider, Settings
from tests.bindings.resources import open_files, soon
from tests.bindings.socket.support import serving, url

STREAMS = int(os.environ.get("LEAK_STREAMS", "150"))
#: More than the usual number is asked for by hand.
pytestmark = [pytest.mark.slow("as many streams as LEAK_STREAMS says")] if STREAMS > 1000 else []


def endless(request: Request) -> Iterator[str]:
    while True:
        yield request.path
        time.sleep(0.001)


class Left:
    """What this process has more than before."""

    def __init__(self) -> None:
        self._files, self._threads = open_files(), threading.active_count()

    def nothing(self) -> bool:
        return open_files() <= self._files and threading.active_count() <= self._threads


@pytest.mark.timeout(STREAMS)
def test_of_clients_and_handlers() -> None:
    left = Left()
    with serving(endless) as server:
        for number in range(STREAMS):
            with sse_socket.connect(url(server).replace("127.0.0.1", "localhost")) as stream:
                next(stream)
                if number % 2:
                    stream.close()
                    assert list(stream) == []
    assert soon(left.nothing)


@pytest.mark.timeout(STREAMS)
def test_of_turns_that_are_stopped() -> None:
    left = Left()
    with serving(Provider(Settings(tokens=1000, rate=100, ttft=0.0), clock=time.time)) as server:
        for number in range(STREAMS):
            with sse_socket.stream_turn(url(server, "v1/messages"), {"model": "any"} | BODY) as turn:
                next(turn)
                if number % 2:
                    threading.Thread(target=turn.stop).start()
                    list(turn)
            assert turn.outcome is Outcome.STOPPED
    assert soon(left.nothing)


BODY = {"max_tokens": 1000, "messages": [{"role": "user", "content": "Go on."}]}
