"""The service does what its description says, for each binding.

The cases are those that the outside harness has: what it sends, and what it expects to be told.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sse_core.lifecycle import DEFAULT_MAX_REDIRECTS
from sse_core.testing import pieces_of_size
from tests.contract_service.bindings import BINDINGS
from tests.contract_service.harness import Callbacks, Connection, Receiver, ask
from tests.contract_service.service import CAPABILITIES, Service

HELLO = ("message", "Hello", "")
ONE = ("message", "1", "")


@pytest.fixture(scope="module", params=sorted(BINDINGS))
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    with Service(BINDINGS[request.param]) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@dataclass
class Harness:
    """A service, a server of streams, and what receives callbacks."""

    service: Service
    server: Receiver
    callbacks: Callbacks
    stream_url: str = ""

    def begin(self, **parameters: Any) -> Connection:
        """Have a stream created; its connection."""
        known = {"streamUrl": self.server.url, "callbackUrl": self.callbacks.url, "initialDelayMs": 0}
        status, headers, _ = ask("POST", self.service.url, {**known, **parameters})
        assert status == 201
        self.stream_url = headers["location"]
        return self.server.next()

    def command(self, value: Any) -> int:
        return ask("POST", self.stream_url, value)[0]


@pytest.fixture
def harness(service: Service) -> Iterator[Harness]:
    made = Harness(service, Receiver(), Callbacks())
    yield made
    if made.stream_url:
        ask("DELETE", made.stream_url)
    made.server.close()
    made.callbacks.close()


#: Name of a case -> what is sent, and types, data and IDs of the events.
STREAMS: dict[str, tuple[str, list[tuple[str, str, str]]]] = {
    "one_line": ("data: Hello\n\n", [HELLO]),
    "two_events": ("data: Hello\n\ndata: World\n\n", [HELLO, ("message", "World", "")]),
    "two_lines": ("data: Hello\ndata:World\n\n", [("message", "Hello\nWorld", "")]),
    "empty_data": ("data:\n\n", [("message", "", "")]),
    "type": ("event: greeting\ndata: Hello\n\n", [("greeting", "Hello", "")]),
    "id": ("id: abc\ndata: Hello\n\n", [("message", "Hello", "abc")]),
    "id_with_nul": ("id: a\0bc\ndata: Hello\n\n", [HELLO]),
    "id_persists": ("id: a\ndata: 1\n\ndata: 2\n\n", [("message", "1", "a"), ("message", "2", "a")]),
    "id_is_emptied": ("id: a\ndata: 1\n\nid: \ndata: 2\n\n", [("message", "1", "a"), ("message", "2", "")]),
    "reverse_order": ("data: Hello\nid: abc\nevent: greeting\n\n", [("greeting", "Hello", "abc")]),
    "unknown_field": ("color: blue\ndata: Hello\n\n", [HELLO]),
    "no_space": ("event:greeting\ndata:Hello\n\n", [("greeting", "Hello", "")]),
    "more_space": ("event:  greeting\ndata:  Hello\n\n", [(" greeting", " Hello", "")]),
    "no_colon": ("data\n\ndata\ndata\n\n", [("message", "", ""), ("message", "\n", "")]),
    "bytes_of_characters": ("data: €豆腐\n\n", [("message", "€豆腐", "")]),
    "crlf": ("data: 1\r\n\r\n\r\ndata: 2\r\ndata: 3\r\n\r\n", [ONE, ("message", "2\n3", "")]),
    "cr": ("data: 1\r\r\rdata: 2\rdata: 3\r\r", [ONE, ("message", "2\n3", "")]),
    "bom": ("\ufeffdata: 1\n\ndata: \ufeff\n\n", [ONE, ("message", "\ufeff", "")]),
    "many": (
        "".join(f"data: {number}\n\n" for number in range(100)),
        [("message", str(number), "") for number in range(100)],
    ),
}


@pytest.mark.parametrize("size", [1, 2, 10**6])
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_told_as_it_is(name: str, size: int, harness: Harness) -> None:
    text, expected = STREAMS[name]
    harness.begin().stream().send(*pieces_of_size(text.encode(), size))
    assert harness.callbacks.events(len(expected)) == expected


def test_it_says_what_it_can(service: Service) -> None:
    status, _, body = ask("GET", service.url)
    assert (status, json.loads(body)) == (200, {"capabilities": [*CAPABILITIES]})


def test_comments_are_told_at_once_and_in_their_places(harness: Harness) -> None:
    stream = harness.begin().stream()
    for comment in ("Hello", "World"):
        stream.send(f":{comment}\n".encode())
        assert harness.callbacks.message() == {"kind": "comment", "comment": comment}
    stream.send(b"data: Hello\n\n:after\n")
    assert harness.callbacks.events(1) == [HELLO]
    assert harness.callbacks.message() == {"kind": "comment", "comment": "after"}


def test_the_default_request(harness: Harness) -> None:
    request = harness.begin()
    assert (request.method, request.body, "last-event-id" in request.headers) == ("GET", b"", False)
    assert request.headers["accept"] == "text/event-stream"
    assert request.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("method", ["POST", "REPORT"])
def test_a_request_with_a_body_is_sent_again_as_it_was(method: str, harness: Harness) -> None:
    body, kind = '{"hello": "world"}', "application/json; charset=utf-8"
    request = harness.begin(method=method, body=body, headers={"content-type": kind, "x-a": "1"})
    for _ in range(2):
        assert (request.method, request.body) == (method, body.encode())
        assert (request.headers["content-type"], request.headers["x-a"]) == (kind, "1")
        request.stream().cut()
        request = harness.server.next()


def test_a_first_last_event_id(harness: Harness) -> None:
    assert harness.begin(lastEventId="abc").headers["last-event-id"] == "abc"


def test_after_a_cut_it_goes_on_where_it_was(harness: Harness) -> None:
    stream = harness.begin(headers={"x-a": "1"}).stream()
    stream.send(b"id: abc\ndata: Hello\n\ndata: World\n\ndata: half an ev")
    assert harness.callbacks.events(2) == [("message", "Hello", "abc"), ("message", "World", "abc")]
    stream.cut()
    again = harness.server.next()
    assert (again.headers["last-event-id"], again.headers["x-a"]) == ("abc", "1")
    assert harness.callbacks.message()["kind"] == "error"
    again.stream().send(b"data: 3\n\n")
    assert harness.callbacks.events(1) == [("message", "3", "abc")]


def test_a_restart_is_another_connection_and_no_error(harness: Harness) -> None:
    stream = harness.begin().stream()
    stream.send(b"id: 7\ndata: Hello\n\n")
    assert harness.callbacks.events(1) == [("message", "Hello", "7")]
    assert harness.command({"command": "restart"}) == 202
    assert stream.is_closed()
    again = harness.server.next()
    assert again.headers["last-event-id"] == "7"
    again.stream().send(b"data: Thanks\n\n")
    assert harness.callbacks.events(1) == [("message", "Thanks", "7")]


def test_a_silence_that_is_too_long_is_an_error_and_another_connection(harness: Harness) -> None:
    stream = harness.begin(readTimeoutMs=300).stream()
    stream.send(b"data: Hello\n\n")
    assert harness.callbacks.events(1) == [HELLO]
    message = harness.callbacks.message()
    assert message["kind"] == "error"
    assert message["error"]
    harness.server.next()


@pytest.mark.parametrize("status", ["301 Moved Permanently", "307 Temporary Redirect"])
def test_a_redirect_is_followed(status: str, harness: Harness) -> None:
    harness.begin().head(status, "Location: /base/elsewhere", "Content-Length: 0")
    again = harness.server.next()
    assert again.path == "/base/elsewhere"
    again.stream().send(b"data: Hello\n\n")
    assert harness.callbacks.events(1) == [HELLO]


def test_a_redirect_to_nowhere_is_an_error(harness: Harness) -> None:
    harness.begin().head("307 Temporary Redirect", "Content-Length: 0")
    assert harness.callbacks.message()["kind"] == "error"


def test_an_empty_location_leads_in_a_circle_and_that_is_an_error(harness: Harness) -> None:
    request = harness.begin()
    for _ in range(DEFAULT_MAX_REDIRECTS):
        request.head("307 Temporary Redirect", "Location: ", "Content-Length: 0")
        request = harness.server.next()
    request.head("307 Temporary Redirect", "Location: ", "Content-Length: 0")
    assert harness.callbacks.message()["kind"] == "error"


def test_204_says_not_to_come_again(harness: Harness) -> None:
    harness.begin().head("204 No Content")
    assert harness.server.nothing_comes()


def test_a_large_event(harness: Harness) -> None:
    data = "x" * (8 * 1024 * 1024)
    harness.begin().stream().send(f"data: {data}\n\n".encode())
    assert harness.callbacks.events(1) == [("message", data, "")]


def test_a_stream_that_is_deleted_is_closed(harness: Harness) -> None:
    stream = harness.begin().stream()
    assert ask("DELETE", harness.stream_url)[0] == 204
    assert stream.is_closed()
    assert harness.server.nothing_comes()
    assert ask("DELETE", harness.stream_url)[0] == 404
    assert harness.command({"command": "restart"}) == 404


def test_commands(harness: Harness) -> None:
    harness.begin()
    assert harness.command({"command": "listen", "listen": {"type": "greeting"}}) == 202
    wrong: list[Any] = [{"command": "listen"}, {"command": "jump"}, {}, [], b"{"]
    for command in wrong:
        assert harness.command(command) == 400


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        [],
        {},
        {"streamUrl": "http://127.0.0.1:9/"},
        {"streamUrl": "ftp://a.test/", "callbackUrl": "http://127.0.0.1:9/"},
        {"streamUrl": "http://a.test/", "callbackUrl": "http://b.test/", "headers": {"a": 1}},
        {"streamUrl": "http://a.test/", "callbackUrl": "http://b.test/", "readTimeoutMs": 0},
        {"streamUrl": "http://a.test/", "callbackUrl": "http://b.test/", "initialDelayMs": "1"},
        {"streamUrl": "http://a.test/", "callbackUrl": "http://b.test/", "headers": {"a b": "1"}},
        {"streamUrl": "http://a.test/", "callbackUrl": "http://b.test/", "lastEventId": "1\n2"},
        {"streamUrl": "http://a.test/", "callbackUrl": "http://b.test/", "method": "GE T"},
    ],
)
def test_parameters_that_are_wrong_are_refused(body: Any, service: Service) -> None:
    status, _, answer = ask("POST", service.url, body)
    assert status == 400
    assert json.loads(answer)["error"]


def test_there_is_nothing_else(service: Service) -> None:
    assert ask("GET", f"{service.url}/x")[0] == 404
    assert ask("POST", f"{service.url}/streams/x", {})[0] == 404


def test_the_program_serves_until_it_is_told_to_stop() -> None:
    command = [sys.executable, "-m", "tests.contract_service", "--binding", "socket", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as program:
        assert program.stderr is not None
        url = program.stderr.readline().split()[0]
        assert ask("GET", url)[0] == 200
        assert ask("DELETE", url)[0] == 204
        assert program.wait(20) == 0
