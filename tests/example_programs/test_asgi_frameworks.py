"""examples/embedding: event streams in frameworks of ASGI's, in their servers, read by our own client."""

from __future__ import annotations

import signal
import urllib.error
import urllib.request

import pytest

import sse_socket
from tests.example_programs.program import PATIENCE, Program

UVICORN = ("-m", "uvicorn", "--port", "0", "--no-access-log", "--app-dir", "examples/embedding")
HYPERCORN = ("-m", "hypercorn", "--workers", "0", "--bind", "127.0.0.1:0")
#: How each is started, and at which path it counts.
COMMANDS = {
    "fastapi": (*UVICORN, "fastapi_app:app", "/count"),
    "starlette": (*UVICORN, "starlette_app:app", "/count"),
    "litestar": (*UVICORN, "litestar_app:app", "/count"),
    "django": (*UVICORN, "django_app:application", "/events/count"),
    "quart": (*HYPERCORN, "examples/embedding/quart_app:application", "/events/count"),
    "aiohttp": ("examples/embedding/aiohttp_app.py", "--port", "0", "/count"),
}
GONE = r"the reader has gone after (\d+)"


def see_its_neighbour(address: str, name: str) -> None:
    """All paths but those of events are the framework's."""
    with urllib.request.urlopen(address + "/", timeout=PATIENCE) as answer:
        assert answer.read().decode().lower() == f"/ is {name}'s"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(address + "/events/other", timeout=PATIENCE)
    caught.value.close()
    assert caught.value.code == 404


def follow_news(url: str) -> None:
    """They are for all readers, and kept for those who come again."""
    with sse_socket.connect(url) as early, sse_socket.connect(url) as other:
        for text in ("one", "two"):
            request = urllib.request.Request(f"{url}?text={text}", method="POST")
            urllib.request.urlopen(request, timeout=PATIENCE).close()
        assert [next(early).data for _ in range(2)] == ["one", "two"]
        seen = next(other)
    with sse_socket.connect(url, last_event_id=seen.last_event_id) as late:
        assert next(late).data == "two"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_stream_is_left_taken_up_again_and_ended_properly(name: str) -> None:
    *command, path = COMMANDS[name]
    with Program(*command) as program:
        address = program.address()
        url = address + path
        if path.startswith("/events/"):
            see_its_neighbour(address, name)
        if name == "fastapi":
            follow_news(address + "/news")
        with sse_socket.connect(url) as source:
            assert [next(source).data for _ in range(3)] == ["1", "2", "3"]
        assert program.wait_for(GONE) is not None
        with sse_socket.connect(url, last_event_id="41", resume="never") as again:
            assert next(again).data == "42"
            program.process.send_signal(signal.SIGTERM)
            list(again)  # a stream that is cut would raise
        program.process.wait(PATIENCE)
