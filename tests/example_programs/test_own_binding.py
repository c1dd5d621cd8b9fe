"""examples/own_binding.py and own_binding_client.py: a binding of one's own, on plain sockets."""

from __future__ import annotations

import runpy
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

import sse_socket
from sse_core import ServerSentEvent
from sse_core.errors import RemoteProtocolError
from sse_http import Follow, Reply, Request, Retry
from tests.bindings.socket.support import serving, url
from tests.example_programs.program import EXAMPLES, PATIENCE, ROOT, lines_of_code

FILES = ("own_binding.py", "own_binding_client.py")


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What both files define."""
    return {name: value for file in FILES for name, value in runpy.run_path(str(EXAMPLES / file)).items()}


@pytest.fixture
def news(names: dict[str, Any]) -> Iterator[str]:
    """The URL of the server of the example, stepped by a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    loop = names["serve"](names["handler"], listener)
    thread = threading.Thread(target=names["run"], args=(loop,))
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    loop.call_soon_threadsafe(lambda: loop.shut_down(time.monotonic()))
    thread.join(10)
    assert loop.finished


def publish(to: str, text: str) -> None:
    with urllib.request.urlopen(to, text.encode(), timeout=PATIENCE) as answer:
        assert answer.status == 204


def test_its_client_reads_its_server(names: dict[str, Any], news: str) -> None:
    publish(news, "one")
    publish(news, "two")
    events = iter(names["EventStream"](news))
    assert [event.data for event in islice(events, 2)] == ["one", "two"]
    publish(news, "three")
    event = next(events)
    assert (event.data, event.last_event_id) == ("three", "news-1-3")
    events.close()
    with sse_socket.connect(news, last_event_id="news-1-2") as late:
        assert next(late).data == "three"


def test_a_handler_that_is_wrong_is_a_500(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    def iterates(_: Request) -> Iterator[str]:
        yield "never"

    loop = names["serve"](iterates, socket.create_server(("127.0.0.1", 0)))
    call = names["HandlerCall"](iterates, Request("GET", "/"), _Answer(), lambda: None)
    names["answer"](call)
    assert call.answer.failed
    assert "a handler returns a Reply or a Follow here" in capsys.readouterr().out
    loop.close(time.monotonic())


class _Answer:
    """What a call looks at."""

    failed = False

    def fail(self) -> None:
        self.failed = True


def test_its_client_connects_again(names: dict[str, Any]) -> None:
    seen: list[str] = []

    def one_a_connection(request: Request) -> Iterator[Any] | Reply:
        seen.append(request.last_event_id)
        number = str(len(seen))
        return Reply(204) if number == "3" else iter([Retry(10), ServerSentEvent("message", number, number)])

    with serving(one_a_connection) as server:
        stream = names["EventStream"](url(server))
        assert [event.data for event in stream] == ["1", "2"]
    assert seen == ["", "1", "2"]


def test_its_client_says_why_it_was_refused(names: dict[str, Any]) -> None:
    with serving(lambda _: Reply(404)) as server, pytest.raises(RemoteProtocolError, match="404"):
        list(names["EventStream"](url(server)))


def test_the_readers_of_a_broadcast_that_is_over_end(names: dict[str, Any]) -> None:
    broadcast = names["Broadcast"]("b")
    broadcast.publish([ServerSentEvent("message", "one")], 0.0)
    broadcast.close(0.0)
    with serving(lambda _: Follow(broadcast)) as server:
        assert [event.data for event in names["EventStream"](url(server))] == ["one"]


@pytest.mark.parametrize("file", FILES)
def test_it_is_short(file: str) -> None:
    assert lines_of_code(file) < 60
    page = (ROOT / "docs" / "readiness-loop.md").read_text("utf-8")
    assert f"[`examples/{file}`](../examples/{file})" in page
