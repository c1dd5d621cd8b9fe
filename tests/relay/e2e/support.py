"""Real programs on real sockets, and small clients for them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from sse_core import EventStreamDecoder, ServerSentEvent

T = TypeVar("T")
JSON = dict[str, Any]
QUESTION: JSON = {
    "model": "claude-test",
    "max_tokens": 100_000,
    "stream": True,
    "messages": [{"role": "user", "content": "Why is the sky blue?"}],
}


class Program:
    """``sse-relay`` with some arguments, in a process of its own, with these variables beside our own."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        command = [sys.executable, "-m", "sse_relay", *arguments]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        self.log: list[str] = []
        self._out: queue.Queue[str] = queue.Queue()
        for stream, take in ((self.process.stdout, self._out.put), (self.process.stderr, self.log.append)):
            assert stream is not None
            threading.Thread(target=_each_line, args=(stream, take), daemon=True).start()

    def address(self, pattern: str = r"(http://\S+?)/?$") -> str:
        """The address that the program prints, without a slash at its end."""
        while True:
            found = re.search(pattern, self._out.get(timeout=20))
            if found:
                return found[1]

    def memory_bytes(self) -> int:
        """The resident memory of the process."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text("ascii").split()[1]) * 4096

    def wait_for_log(self, pattern: str, seconds: float = 5.0) -> str:
        """The first log line that matches."""
        found = wait_for(lambda: next((line for line in self.log if re.search(pattern, line)), None), seconds)
        assert found, f"no line matches {pattern!r} in {self.log}"
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:  # a program that ignores SIGTERM is a defect of its own
            self.process.kill()
            raise
        finally:
            for stream in (self.process.stdout, self.process.stderr):
                with contextlib.suppress(Exception):
                    assert stream is not None
                    stream.close()


def _each_line(stream: Any, take: Callable[[str], None]) -> None:
    with contextlib.suppress(ValueError):
        for line in stream:
            take(line.rstrip("\n"))


class House:
    """A provider, a relay before it, and what a test wants to ask them."""

    def __init__(self, provider: str, relay: str, relay_program: Program) -> None:
        self.provider = provider
        self.relay = relay
        self.program = relay_program

    def ask(self, body: JSON | None = None, /, *, base: str | None = None, **headers: str) -> Answer:
        """``POST /v1/messages``; ``Sim_Rate="5"`` is the header ``Sim-Rate: 5``."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        content = json.dumps(QUESTION if body is None else body).encode()
        return Answer("POST", base or self.relay, "/v1/messages", fields, content)

    def get(self, path: str, /, base: str | None = None, **headers: str) -> Answer:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return Answer("GET", base or self.relay, path, fields)

    def stop(self, turn_id: str) -> JSON:
        """``DELETE /turns/{id}``."""
        answer = Answer("DELETE", self.relay, f"/turns/{turn_id}")
        assert answer.status == 200
        outcome: JSON = answer.json()
        return outcome

    def generations(self) -> list[JSON]:
        """The provider's own record."""
        listed = self.get("/sim/generations", base=self.provider).json()
        assert isinstance(listed, list)
        return listed

    def newest(self) -> JSON:
        """The provider's newest record."""
        return self.generations()[-1]


class Answer:
    """The answer to one request, its head read; ``events`` reads on."""

    def __init__(
        self, method: str, base: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> None:
        address = urlsplit(base)
        assert address.hostname
        self.connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
        self.connection.request(method, path, body or None, headers or {})
        self.response = self.connection.getresponse()
        self.status = self.response.status
        self.headers = self.response.headers
        self._decoder = EventStreamDecoder()
        self._pending: deque[ServerSentEvent] = deque()

    def json(self) -> Any:
        with contextlib.closing(self):
            return json.loads(self.response.read())

    def events(self) -> Iterator[ServerSentEvent]:
        """The events as they come; returns at the stream's proper end.  May be called again."""
        while True:
            while self._pending:
                yield self._pending.popleft()
            data = self.response.read1()
            if not data:
                return
            self._pending.extend(self._decoder.receive_data(data))

    def visible(self) -> Iterator[tuple[float, str]]:
        """When each piece of text came, and the piece."""
        for event in self.events():
            data = json.loads(event.data)
            if data["type"] == "content_block_delta" and "text" in data["delta"]:
                yield time.monotonic(), data["delta"]["text"]

    def close(self) -> None:
        self.response.close()
        self.connection.close()


def text_of(events: list[ServerSentEvent]) -> str:
    """All text of a stream's events."""
    payloads = [json.loads(event.data) for event in events]
    deltas = [data["delta"] for data in payloads if data["type"] == "content_block_delta"]
    return "".join(delta.get("text", "") for delta in deltas)


def wait_for(probe: Callable[[], T], seconds: float = 5.0) -> T:
    """What ``probe`` gives, as soon as it is true, or after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (value := probe()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return value
