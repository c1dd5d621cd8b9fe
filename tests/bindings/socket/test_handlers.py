"""Handlers on threads: how many, in which order, and what becomes of one whose reader has gone."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import sse_socket
from sse_core import ServerSentEvent
from sse_core.lifecycle import Broadcast
from sse_http import Comment, EventStreamReply, Follow, HandlerSettings, Reply, Request
from tests.bindings.resources import soon
from tests.bindings.server_stage import get
from tests.bindings.socket.support import serving, url
from tests.bindings.test_socket import SocketServing


class Blocking:
    """A handler whose threads wait until they are let go on, and which notes who was called."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.ended: list[str] = []
        self.go_on = threading.Semaphore(0)

    def __call__(self, request: Request) -> Iterator[str]:
        self.called.append(request.path)
        try:
            while True:
                self.go_on.acquire()
                yield request.path
        finally:
            self.ended.append(request.path)


@pytest.fixture
def blocking() -> Iterator[Blocking]:
    handler = Blocking()
    yield handler
    handler.go_on.release(1000)  # or its threads would stay


@contextlib.contextmanager
def asked(server: SocketServing, path: str = "") -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as sock:
        sock.sendall(get(path))
        yield sock


def until(sock: socket.socket, text: bytes) -> bytes:
    received = b""
    while text not in received:
        data = sock.recv(65536)
        assert data, received
        received += data
    return received


class TestThreads:
    def test_further_requests_wait_in_order(self, blocking: Blocking) -> None:
        with serving(blocking, handler_threads=2) as server, contextlib.ExitStack() as clients:
            sockets = []
            for name in "abcd":
                sockets.append(clients.enter_context(asked(server, name)))
                time.sleep(0.05)
            assert blocking.called == ["/a", "/b"]
            sockets[0].close()

            def another_is_called() -> bool:
                blocking.go_on.release()  # until it's the turn of the one whose reader has gone
                return len(blocking.called) > 2

            soon(another_is_called)
            assert blocking.called == ["/a", "/b", "/c"]
            blocking.go_on.release(1000)

    def test_who_leaves_while_it_waits_is_never_called(self, blocking: Blocking) -> None:
        with serving(blocking, handler_threads=1, max_connections=3) as server:
            with asked(server, "a"):
                soon(lambda: blocking.called)
                for _ in range(10):  # each has its place, and gives it back at once
                    with asked(server, "b"), asked(server, "c"):
                        time.sleep(0.01)
                blocking.go_on.release(1000)
            assert blocking.called == ["/a"]

    def test_an_application_and_a_broadcast_need_none(self) -> None:
        broadcast = Broadcast("job")
        served = serving(lambda _: Follow(broadcast), handler_threads=1)
        with served as server, contextlib.ExitStack() as clients:
            readers = [clients.enter_context(asked(server)) for _ in range(20)]
            for reader in readers:
                until(reader, b"200 OK")
            event = ServerSentEvent("message", "to all")
            server.call(lambda: broadcast.publish([event], time.monotonic()))
            for reader in readers:
                until(reader, b"data: to all\n")

    def test_threads_are_begun_when_they_are_needed_and_end_when_they_are_not(self) -> None:
        def count() -> int:
            return sum(thread.name == "sse_socket handler" for thread in threading.enumerate())

        with serving(lambda _: Reply(204)) as server:
            assert count() == 0
            for _ in range(5):
                with asked(server) as sock:
                    until(sock, b"204")
            assert 0 < count() <= 5, "one that has answered may yet be busy"
            soon(lambda: not count(), 5)

    def test_nobody_waits_for_a_thread_that_never_ends(self, blocking: Blocking) -> None:
        began = time.monotonic()
        with serving(blocking, grace=0.2) as server, asked(server) as sock:
            soon(lambda: blocking.called)
            server.stop()
            assert b" 503 " in until(sock, b"\r\n\r\n"), "which is said at once"
            assert time.monotonic() - began < 2

    def test_no_thread_to_be_had(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fails(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        with serving(lambda _: Reply(204)) as server:
            with monkeypatch.context() as patch, asked(server) as sock:
                patch.setattr(threading.Thread, "start", fails)
                assert b" 500 " in until(sock, b"\r\n\r\n")
            with asked(server) as sock:
                until(sock, b" 204 ")
        assert "can't start new thread" in caplog.text

    def test_those_that_are_there_do_it(self, monkeypatch: pytest.MonkeyPatch, blocking: Blocking) -> None:
        def fails(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        with serving(blocking) as server, asked(server, "a"):
            soon(lambda: blocking.called)
            with monkeypatch.context() as patch, asked(server, "b"):
                patch.setattr(threading.Thread, "start", fails)
                time.sleep(0.05)
                server.call(lambda: None)
            blocking.go_on.release(1000)


class TestClosing:
    def test_at_the_next_item(self, blocking: Blocking) -> None:
        with serving(blocking) as server:
            with asked(server, "a"):
                soon(lambda: blocking.called)
            time.sleep(0.05)
            assert not blocking.ended, "nothing can interrupt a thread"
            blocking.go_on.release()
            soon(lambda: blocking.ended)
            blocking.go_on.release(10)

    def test_its_place_is_free_after_that_and_not_before(
        self, blocking: Blocking, caplog: pytest.LogCaptureFixture
    ) -> None:
        with serving(blocking, max_connections=1) as server:
            with asked(server, "a"):
                soon(lambda: blocking.called)
            with asked(server, "b") as sock, contextlib.suppress(ConnectionResetError):
                assert not sock.recv(1)
            soon(lambda: "max_connections=1" in caplog.text)
            blocking.go_on.release()
            soon(lambda: blocking.ended)

            def is_served() -> bool:
                with asked(server, "c"):
                    time.sleep(0.01)
                    blocking.go_on.release()
                    return "/c" in blocking.called

            soon(is_served)
            blocking.go_on.release(10)

    def test_in_its_own_thread(self) -> None:
        threads: list[int] = []

        def handler(request: Request) -> Iterator[str]:
            threads.append(threading.get_ident())
            try:
                while True:
                    yield request.path
                    time.sleep(0.001)
            finally:
                threads.append(threading.get_ident())

        with serving(handler) as server:
            with asked(server) as sock:
                until(sock, b"data: ")
            soon(lambda: len(threads) == 2)
        assert threads[0] == threads[1]

    def test_a_comment_now_and_then_shows_that_the_reader_has_gone(self) -> None:
        closed = threading.Event()

        def handler(_: Request) -> Iterator[Comment]:
            try:
                while True:
                    yield Comment("still nothing")
                    time.sleep(0.01)
            finally:
                closed.set()

        with serving(handler) as server:
            with asked(server) as sock:
                until(sock, b": still nothing\n")
            assert closed.wait(1)


class TestAnswers:
    def test_a_list_in_a_reply_of_its_own(self) -> None:
        reply = EventStreamReply(["one", {"two": 2}], headers={"x-own": "yes"})
        with serving(lambda _: reply) as server, sse_socket.connect(url(server)) as stream:
            assert [next(stream).data for _ in range(2)] == ["one", '{"two":2}']
            assert stream.response_headers.get("x-own") == "yes"

    def test_what_only_a_call_shows_to_be_async(self, caplog: pytest.LogCaptureFixture) -> None:
        async def later() -> Reply:
            return Reply(204)

        with serving(lambda _: later()) as server, asked(server) as sock:
            assert b" 500 " in until(sock, b"\r\n\r\n")
        assert "an iterator, not coroutine" in caplog.text

    def test_one_that_would_end_the_program(self, caplog: pytest.LogCaptureFixture) -> None:
        with serving(lambda _: sys.exit("a secret"), handler_threads=1) as server:
            for _ in range(2):
                with asked(server) as sock:
                    assert b" 500 " in until(sock, b"\r\n\r\n")
        assert caplog.text.count("SystemExit") == 2

    @pytest.mark.parametrize("threads", [1, 50])
    def test_many_at_once_and_nothing_is_lost(self, threads: int) -> None:
        def handler(_: Request) -> Iterator[str]:
            yield from map(str, range(100))
            yield "end"

        def read() -> list[str]:
            with sse_socket.connect(url(server)) as stream:
                texts: list[str] = []
                for event in stream:
                    if event.data == "end":
                        return texts
                    texts.append(event.data)
            raise AssertionError

        small = HandlerSettings(max_log_bytes=200)
        found: list[list[str]] = []
        with serving(handler, handler_threads=threads, handler_settings=small) as server:
            readers = [threading.Thread(target=lambda: found.append(read())) for _ in range(30)]
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join()
        assert found == [[str(number) for number in range(100)]] * 30

    def test_handlers_run_beside_each_other(self) -> None:
        barrier = threading.Barrier(5, timeout=5)

        def handler(_: Request) -> Reply:
            barrier.wait()
            return Reply(204)

        with serving(handler) as server, contextlib.ExitStack() as clients:
            for sock in [clients.enter_context(asked(server)) for _ in range(5)]:
                until(sock, b"204")


class TestHandle:
    def test_it_says_that_serve_could_not_begin(self) -> None:
        handle = sse_socket.ServerHandle()
        with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
            sse_socket.serve(lambda _: Reply(204), port=taken.getsockname()[1], handle=handle)
        with pytest.raises(RuntimeError, match="has ended"):
            handle.wait_until_started()
        with pytest.raises(RuntimeError, match="nothing is being served"):
            handle.call_soon(lambda: None)
        handle.stop()  # in vain

    def test_it_does_not_wait_for_ever(self) -> None:
        with pytest.raises(TimeoutError):
            sse_socket.ServerHandle().wait_until_started(0.01)

    def test_stopped_before_it_begins(self) -> None:
        handle = sse_socket.ServerHandle()
        handle.stop()
        sse_socket.serve(lambda _: Reply(204), handle=handle)

    @pytest.mark.parametrize(("name", "value"), [("handle", 5), ("handler_threads", "many")])
    def test_arguments_of_another_type(self, name: str, value: Any) -> None:
        with pytest.raises(TypeError, match=f"{name} takes"):
            sse_socket.serve(lambda _: Reply(204), **{name: value})
        with pytest.raises(ValueError, match="handler_threads must be"):
            sse_socket.serve(lambda _: Reply(204), handler_threads=0)

    def test_an_error_in_a_call_is_logged_and_ends_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        def raises() -> None:
            raise ZeroDivisionError

        with serving(lambda _: Reply(204)) as server:
            server.post(raises)
            with asked(server) as sock:
                until(sock, b"204")
        assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_ctrl_c_ends_it_at_once_and_leaves_nothing_open() -> None:
    program = (
        "import sse_socket, threading, time\n"
        "def ticks(request):\n"
        "    while True:\n"
        "        yield 'tick'\n"
        "        time.sleep(0.01)\n"
        "handle = sse_socket.ServerHandle()\n"
        "def say():\n"
        "    print(handle.wait_until_started(), flush=True)\n"
        "threading.Thread(target=say).start()\n"
        "try:\n"
        "    sse_socket.serve(ticks, grace=60, handle=handle)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(get())
            until(client, b"data: tick")
            process.send_signal(signal.SIGINT)
            received = b"".join(iter(lambda: client.recv(65536), b""))
        out, err = process.communicate(timeout=5)
    assert (out, err, process.returncode) == (b"interrupted\n", b"", 0)
    assert received.endswith(b"0\r\n\r\n"), "what there is room for goes out: the end, here"


def test_a_handler_that_never_waits_leaves_room_for_the_others(record_property: Callable[..., None]) -> None:
    """Python gives a thread that wants to run its turn after 5 ms; each item is a chance before that."""

    def handler(request: Request) -> Any:
        return endless() if request.path == "/endless" else Reply(204)

    def endless() -> Iterator[str]:
        while True:
            yield "x" * 100

    with serving(handler) as server, contextlib.ExitStack() as clients:
        stop = threading.Event()

        def read_on(sock: socket.socket) -> None:
            while not stop.is_set() and sock.recv(1_000_000):
                pass

        readers = [
            threading.Thread(target=read_on, args=(clients.enter_context(asked(server, "endless")),))
            for _ in range(4)
        ]
        for reader in readers:
            reader.start()
        latencies = []
        for _ in range(10):
            began = time.monotonic()
            with asked(server) as sock:
                until(sock, b"204")
            latencies.append(time.monotonic() - began)
        stop.set()
        for reader in readers:
            reader.join()
    record_property("median latency", sorted(latencies)[5])
    assert sorted(latencies)[5] < 1.0
