"""examples/embedding/flask_app.py, in Flask's own server with its threads, and its channel by itself."""

from __future__ import annotations

import runpy
import urllib.request
from typing import Any

import pytest

import sse_socket
from sse_core import EventStreamDecoder, ServerSentEvent
from tests.bindings.resources import soon
from tests.example_programs.program import EXAMPLES, PATIENCE, Program

COMMAND = ("-m", "flask", "--app", "examples/embedding/flask_app", "run", "--port", "0")


def test_news_are_followed_left_and_taken_up_again() -> None:
    with Program(*COMMAND) as program:
        url = program.address() + "/news"

        def publish(text: str) -> None:
            urllib.request.urlopen(url, text.encode(), timeout=PATIENCE).close()

        with sse_socket.connect(url) as early, sse_socket.connect(url) as other:
            publish("one")
            publish("two")
            assert [next(early).data for _ in range(2)] == ["one", "two"]
            seen = next(other)

        def is_seen() -> bool:
            publish("more")  # a server of WSGI's sees it when it writes, and not always the first time
            return program.wait_for(r"the reader has gone after (\d+)", 0.2) is not None

        assert soon(is_seen, PATIENCE)
        with sse_socket.connect(url, last_event_id=seen.last_event_id) as late:
            assert next(late).data == "two"


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / "embedding" / "flask_app.py"))


def test_the_head_is_sent_at_once_and_silence_has_signs_of_life(names: dict[str, Any]) -> None:
    channel = names["Channel"]("c", heartbeat=0.05)
    stream = channel.follow()
    assert [next(stream) for _ in range(3)] == [b": hello\n", b": ping\n", b": ping\n"]
    channel.publish(ServerSentEvent("message", "one"))
    assert next(stream) == b"data: one\nid: c-1\n\n"
    stream.close()


def test_a_slow_reader_costs_no_more_than_the_broadcast_keeps(names: dict[str, Any]) -> None:
    channel = names["Channel"]("c")
    stream = channel.follow()
    next(stream)
    channel.publish(ServerSentEvent("message", "first"))
    assert b"first" in next(stream)
    for number in range(6):  # meanwhile its thread waits in the server's send
        channel.publish(ServerSentEvent("message", str(number) * 1024 * 1024))
    decoder = EventStreamDecoder()
    events: list[ServerSentEvent] = []
    while not events or events[-1].data[0] != "5":
        events += decoder.receive_data(next(stream))
    assert events[0].type == "gap"
    assert len(events) < 6
    stream.close()


def test_a_reader_that_leaves_is_forgotten(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    stream = names["Channel"]("c", heartbeat=0.01).follow()
    next(stream)
    next(stream)
    stream.close()
    assert capsys.readouterr().out == "the reader has gone after 0\n"
