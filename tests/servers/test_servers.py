"""``sse_asgi`` inside real servers: one of them in ``make test``, all of them in ``make servers``.

What is measured is printed (``-s``), for the table in docs/asgi.md.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sse_asgi
from sse_core import EventStreamDecoder
from sse_relay.provider import Provider, Settings
from tests.bindings.test_trio import RUNNER

ROOT = Path(__file__).resolve().parents[2]
APP = "tests.servers.app:app"
COMMANDS = {
    "uvicorn": ["uvicorn", APP, "--http", "h11", "--loop", "asyncio"],
    "uvicorn, httptools, uvloop": ["uvicorn", APP, "--http", "httptools", "--loop", "uvloop"],
    # With workers it handles no signal where the streams are: see docs/asgi.md.
    "hypercorn": ["hypercorn", APP, "--workers", "0"],
    # On trio it handles none at all: this program does.
    "hypercorn, trio": ["tests.servers.hypercorn_on_trio"],
    "granian": ["granian", "--interface", "asgi", APP],
}
QUICK = ["uvicorn, httptools, uvloop"]
SERVERS = list(COMMANDS) if os.environ.get("SERVERS") == "all" else QUICK
#: Seconds from the signal until the process is gone: what is asked of our part is far less.
STATED = 3.0
STREAMS = 100


class Server:
    """A server in a process of its own."""

    def __init__(self, name: str) -> None:
        self.port = free_port()
        self.name = name
        place = ["-b", f"127.0.0.1:{self.port}"] if "hypercorn" in name else ["--port", str(self.port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", *COMMANDS[name], *place],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait_until_it_listens(self) -> None:
        end = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert self.process.poll() is None, "the server has ended"
            assert time.monotonic() < end, "the server doesn't listen"
            time.sleep(0.05)

    def connect(self, path: str, headers: dict[str, str] | None = None, buffer: int = 0) -> socket.socket:
        """A socket on which that was requested."""
        sock = socket.socket()
        if buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        sock.settimeout(10)
        sock.connect(("127.0.0.1", self.port))
        lines = [f"GET {path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        sock.sendall("\r\n".join([*lines, "", ""]).encode())
        return sock

    def state(self) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", "/state")
        state = json.loads(connection.getresponse().read())
        connection.close()
        return state

    def state_when(self, condition: Any, seconds: float = 3.0) -> Any:
        end = time.monotonic() + seconds
        while not condition(state := self.state()):
            assert time.monotonic() < end, state
            time.sleep(0.01)
        return state

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server(request.param)
    try:
        server.wait_until_it_listens()
        yield server
    finally:
        server.end()


def read_until(sock: socket.socket, text: bytes) -> bytes:
    received = b""
    while text not in received:
        data = sock.recv(65536)
        assert data, received[-500:]
        received += data
    return received


@pytest.mark.parametrize("kind", ["tick", "flood"])
def test_a_reader_that_leaves(server: Server, kind: str) -> None:
    name = f"leaves-{kind}"
    with server.connect(f"/{kind}/{name}") as sock:
        read_until(sock, b"data: ")
        time.sleep(0.2)
        left = time.time()
    state = server.state_when(lambda state: name in state["closed"])
    took = state["closed"][name] - left
    measured(f"{server.name}: closed {took * 1000:.1f} ms after the reader of {kind} had left")
    assert took < 0.1 * patience()
    if kind == "flood":
        before = max(made for moment, made in state["history"][name] if moment <= left)
        after = state["made"][name] - before
        measured(f"{server.name}: {after / 1e6:.2f} MB made after it had left")
        assert after < 1_000_000 * patience()


def measured(text: str) -> None:
    print(text)  # noqa: T201  (figures for docs/asgi.md)


def patience() -> float:
    """How many times as long something may take on a machine that is busy."""
    return 5.0 if os.getloadavg()[0] > 2 * (os.cpu_count() or 1) else 1.0


def test_a_reader_that_never_reads(server: Server) -> None:
    with server.connect("/flood/never-reads", buffer=4096):
        server.state_when(lambda state: state["made"].get("never-reads"))
        time.sleep(0.5)
        made = server.state()["made"]["never-reads"]
        time.sleep(0.3)
        assert server.state()["made"]["never-reads"] == made
    measured(f"{server.name}: {made / 1e6:.1f} MB made for a reader that never reads")
    assert made < 8_000_000  # the kernel's own buffer is the server's to bound
    server.state_when(lambda state: "never-reads" in state["closed"])


def test_a_stream_is_taken_up_after_a_cut(server: Server) -> None:
    with server.connect("/count") as sock:
        read_until(sock, b"id: 3\r\n\r\n")
    with server.connect("/count", {"Last-Event-ID": "3"}) as sock:
        received = read_until(sock, b"id: 13\r\n\r\n")
    texts = [line for line in received.split(b"\r\n") if line.startswith(b"data: ")]
    assert texts == [b"data: %d" % number for number in range(4, 14)]


def test_the_relay_inside(server: Server) -> None:
    body = {"model": "m", "max_tokens": 50, "stream": True, "messages": [{"role": "user", "content": "?"}]}
    with RUNNER.serving(Provider(Settings(tokens=20, rate=0, ttft=0), clock=time.time)) as provider:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        headers = {"content-type": "application/json", "x-provider-port": str(provider.port)}
        connection.request("POST", "/v1/messages", json.dumps(body), headers)
        response = connection.getresponse()
        events = EventStreamDecoder().receive_data(response.read())
        connection.close()
    assert response.status == 200
    assert events[-1].type == "message_stop"


@pytest.mark.parametrize("name", SERVERS)
def test_sigterm_amid_many_streams(name: str) -> None:
    server = Server(name)
    try:
        server.wait_until_it_listens()
        socks = [server.connect(f"/tick/{number}") for number in range(STREAMS)]
        for sock in socks:
            read_until(sock, b"data: ")
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        for sock in socks:
            received = b""
            while data := sock.recv(65536):
                received += data
            assert received.endswith(b"0\r\n\r\n"), received[-100:]
            sock.close()
        ended = time.monotonic() - began
        server.process.wait(STATED * patience())
        gone = time.monotonic() - began
        measured(f"{name}: {STREAMS} streams ended in {ended:.2f} s, the process in {gone:.2f} s")
    finally:
        server.end()


def test_a_listener_of_ours_bounds_what_waits_in_the_kernel() -> None:
    (listener,) = sse_asgi.listen("127.0.0.1")
    with listener:
        listener.settimeout(None)
        os.set_inheritable(listener.fileno(), True)  # noqa: FBT003  (there is no name for it)
        process = subprocess.Popen(
            [sys.executable, "-m", *COMMANDS[QUICK[0]], "--fd", str(listener.fileno())],
            cwd=ROOT,
            pass_fds=[listener.fileno()],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        server = Server.__new__(Server)
        server.port, server.name, server.process = listener.getsockname()[1], "uvicorn --fd", process
        try:
            with server.connect("/flood/bounded", buffer=4096):
                server.state_when(lambda state: state["made"].get("bounded"), 20)
                time.sleep(0.5)
                made = server.state()["made"]["bounded"]
            measured(f"{server.name}: {made / 1e6:.2f} MB made for a reader that never reads")
            assert made < 1_000_000
        finally:
            server.end()
