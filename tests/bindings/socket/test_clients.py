"""A client that blocks, among threads, signals and callbacks."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import sse_socket
from sse_core import encode_comment, encode_event
from sse_core.blocks import MessageCut, MessageStop
from sse_core.errors import LocalProtocolError, RemoteProtocolError, TransportError
from sse_core.lifecycle import NO_RETRY, Outcome, RetryPolicy, SourceDeadlines
from sse_http import Request
from sse_relay.provider import Provider, Settings
from sse_socket.lookups import MAX_LOOKUPS
from sse_socket.threads import Threads
from tests.bindings.certificates import certificates
from tests.bindings.peers import (
    BlackHole,
    Head,
    Nobody,
    Peer,
    Silence,
    answer,
    over_tls,
    scripted,
    unfinished,
)
from tests.bindings.resources import open_files, soon
from tests.bindings.socket.support import serving, url
from tests.bindings.test_socket import RUNNER

QUESTION = {"model": "any", "max_tokens": 10_000, "messages": [{"role": "user", "content": "Go on."}]}


def ticks(_: Request) -> Iterator[str]:
    while True:
        yield "tick"
        time.sleep(0.005)


class Later:
    """Does something in another thread, some time later."""

    def __init__(self, seconds: float, action: Any, *arguments: Any) -> None:
        self.began = 0.0
        self._thread = threading.Thread(target=self._run, args=(seconds, action, arguments))
        self._thread.start()

    def _run(self, seconds: float, action: Any, arguments: tuple[Any, ...]) -> None:
        time.sleep(seconds)
        self.began = time.monotonic()
        action(*arguments)

    def took(self) -> float:
        """Seconds since it was begun."""
        self._thread.join()
        return time.monotonic() - self.began


class TestOtherThreads:
    @pytest.mark.parametrize("tls", [None, over_tls])
    def test_closing_while_it_waits_for_an_event(self, tls: Any) -> None:
        peer = scripted(Head(), unfinished(encode_event("one")), Silence(), tls=tls)
        with (
            peer.running(RUNNER, {}) as server,
            sse_socket.connect(server.url, tls=certificates().client) as stream,
        ):
            assert next(stream).data == "one"
            closing = Later(0.05, stream.close)
            assert list(stream) == []
            assert closing.took() < 0.1
            assert soon(server.connections[0].gone.is_set, 0.1)
            stream.close()

    def test_closing_in_back_off(self) -> None:
        patient = RetryPolicy(initial_delay=60.0)
        with Nobody().running(RUNNER, {}) as nobody, sse_socket.connect(nobody.url, retry=patient) as stream:
            closing = Later(0.05, stream.close)
            assert list(stream) == []
            assert closing.took() < 0.1

    def test_closing_while_nobody_reads(self) -> None:
        with serving(ticks) as server, sse_socket.connect(url(server)) as stream:
            next(stream)
            before = open_files()
            Later(0.0, stream.close).took()
            soon(lambda: open_files() < before)
            assert list(stream) == []

    def test_leaving_while_another_one_reads(self) -> None:
        ended = threading.Event()
        before = open_files()
        with scripted(Head(), Silence()).running(RUNNER, {}) as server:

            def read() -> None:
                assert list(stream) == []
                ended.set()

            with sse_socket.connect(server.url) as stream:
                reader = threading.Thread(target=read)
                reader.start()
                time.sleep(0.05)
            assert ended.wait(0.5)
            reader.join()
        soon(lambda: open_files() <= before)

    def test_two_readers_are_one_too_many(self) -> None:
        with (
            scripted(Head(), Silence()).running(RUNNER, {}) as server,
            sse_socket.connect(server.url) as stream,
        ):
            reader = threading.Thread(target=lambda: list(stream))
            reader.start()
            time.sleep(0.05)
            with pytest.raises(LocalProtocolError, match="another one reads"):
                next(stream)
            stream.close()
            reader.join()

    def test_a_turn_is_stopped_at_any_moment(self) -> None:
        """With the reading thread amid anything, by several at once."""
        provider = Provider(Settings(tokens=1000, rate=0, ttft=0.0), clock=time.time)
        with serving(provider) as server:
            for number in range(60):
                with sse_socket.stream_turn(url(server, "v1/messages"), QUESTION) as turn:
                    stops = [Later(number * 0.0003, turn.stop) for _ in range(2)]
                    events = list(turn)
                    assert all(stop.took() < 1 for stop in stops)
                assert turn.outcome in {Outcome.STOPPED, Outcome.COMPLETED}
                assert isinstance(events[-1], MessageCut | MessageStop)


def read_until_signal(address: str, seconds: float) -> None:
    with sse_socket.connect(address) as stream:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        list(stream)


class TestSignals:
    """They come in the main thread, which may be amid the machine's work, or about to wait."""

    @pytest.fixture(autouse=True)
    def restored(self) -> Iterator[None]:
        before = signal.getsignal(signal.SIGALRM)
        yield
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    def test_a_handler_may_stop_a_turn(self) -> None:
        provider = Provider(Settings(tokens=10_000, rate=2000, ttft=0.0), clock=time.time)
        with serving(provider) as server:
            for number in range(40):
                with sse_socket.stream_turn(url(server, "v1/messages"), QUESTION) as turn:
                    signal.signal(signal.SIGALRM, lambda *_, turn=turn: turn.stop())
                    signal.setitimer(signal.ITIMER_REAL, 0.001 + number * 0.0007)
                    began = time.monotonic()
                    list(turn)
                    assert time.monotonic() - began < 2
                assert turn.outcome is Outcome.STOPPED

    # What was in nobody's hands yet is closed by the interpreter, at once, and it says so.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_an_exception_of_a_handler_leaves_nothing_open(self) -> None:
        class Interrupted(BaseException):
            pass

        def interrupt(*_: object) -> None:
            raise Interrupted

        signal.signal(signal.SIGALRM, interrupt)
        with serving(ticks) as server:
            before = open_files()
            for number in range(40):
                with pytest.raises(Interrupted):
                    read_until_signal(url(server), 0.001 + number * 0.0007)
            soon(lambda: open_files() <= before)

    def test_ctrl_c_amid_a_wait(self) -> None:
        program = (
            "import sse_socket, sys\n"
            "try:\n"
            "    with sse_socket.connect(sys.argv[1]) as stream:\n"
            "        print(next(stream).data, flush=True)\n"
            "        next(stream)\n"
            "except KeyboardInterrupt:\n"
            "    print('interrupted')\n"
        )
        with scripted(Head(), unfinished(encode_event("one")), Silence()).running(RUNNER, {}) as server:
            command = [sys.executable, "-W", "error", "-X", "dev", "-c", program, server.url]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                assert process.stdout is not None
                assert process.stdout.readline() == b"one\n"
                time.sleep(0.1)
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=5)
            assert (out, err, process.returncode) == (b"interrupted\n", b"", 0)
            assert soon(server.connections[0].gone.is_set)


class TestCallbacks:
    def test_a_comment_may_close_the_stream(self) -> None:
        """The event that was about to be handed out still is."""
        body = encode_event("one") + encode_comment("enough") + encode_event("two") + encode_event("three")
        with (
            scripted(Head(), unfinished(body), Silence()).running(RUNNER, {}) as server,
            sse_socket.connect(server.url, on_comment=lambda _: stream.close()) as stream,
        ):
            assert [event.data for event in stream] in (["one"], ["one", "two"])
            assert list(stream) == []

    def test_and_so_may_a_reconnect(self) -> None:
        with (
            Nobody().running(RUNNER, {}) as nobody,
            sse_socket.connect(nobody.url, on_reconnect=lambda _: stream.close()) as stream,
        ):
            assert list(stream) == []

    def test_none_may_read_on(self) -> None:
        def read_on(_: str) -> None:
            list(stream)

        body = encode_event("one") + encode_comment("x")
        with (
            scripted(Head(), unfinished(body), Silence()).running(RUNNER, {}) as server,
            sse_socket.connect(server.url, on_comment=read_on) as stream,
        ):
            assert next(stream).data == "one"
            with pytest.raises(LocalProtocolError, match="another one reads"):
                next(stream)

    def test_an_async_function_for_headers(self) -> None:
        async def headers() -> dict[str, str]:
            return {}

        with (
            Nobody().running(RUNNER, {}) as nobody,
            sse_socket.connect(nobody.url, headers=headers) as stream,  # type: ignore[arg-type]
            pytest.raises(TypeError, match="sse_trio and sse_anyio"),
        ):
            next(stream)

    def test_one_that_waits_holds_nobody_up_who_closes(self) -> None:
        asked, done = threading.Event(), threading.Event()

        def headers() -> dict[str, str]:
            asked.set()
            done.wait(5)
            return {"authorization": "late"}

        with (
            Nobody().running(RUNNER, {}) as nobody,
            sse_socket.connect(nobody.url, headers=headers) as stream,
        ):
            reader = threading.Thread(target=lambda: list(stream))
            reader.start()
            asked.wait()
            began = time.monotonic()
            stream.close()
            assert time.monotonic() - began < 0.5
            done.set()
            reader.join()


class TestNames:
    @pytest.fixture
    def slow_resolver(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
        """Looking up a name takes until the event is set."""
        answers = threading.Event()
        look_up = socket.getaddrinfo

        def getaddrinfo(host: str, *rest: Any, **more: Any) -> Any:
            if host == "slow.example" and not more.get("flags"):
                answers.wait()
                return look_up("127.0.0.1", *rest, **more)
            return look_up(host, *rest, **more)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield answers
        answers.set()

    def test_the_deadline_for_connecting_holds(self, slow_resolver: threading.Event) -> None:
        del slow_resolver
        strict = SourceDeadlines(connect=0.05)
        began = time.monotonic()
        with (
            sse_socket.connect("http://slow.example/", deadlines=strict, retry=NO_RETRY) as stream,
            pytest.raises(TransportError, match="deadline: connect"),
        ):
            next(stream)
        assert time.monotonic() - began < 1

    def test_closing_amid_a_lookup(self, slow_resolver: threading.Event) -> None:
        with sse_socket.connect("http://slow.example/") as stream:
            closing = Later(0.05, stream.close)
            assert list(stream) == []
            assert closing.took() < 0.2
        slow_resolver.set()  # whose answer nobody hears

    def test_lookups_are_bounded(self, slow_resolver: threading.Event) -> None:
        def count() -> int:
            return sum(thread.name == "sse_socket lookup" for thread in threading.enumerate())

        with serving(ticks) as server:
            strict = SourceDeadlines(connect=0.01)
            for _ in range(MAX_LOOKUPS + 5):
                with (
                    sse_socket.connect("http://slow.example/", deadlines=strict, retry=NO_RETRY) as stream,
                    pytest.raises(TransportError),
                ):
                    next(stream)
            assert count() == MAX_LOOKUPS
            slow_resolver.set()
            with sse_socket.connect(url(server).replace("127.0.0.1", "slow.example")) as stream:
                assert stream.status is None
            soon(lambda: not count(), 5)

    def test_its_addresses_are_tried_against_each_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        look_up = socket.getaddrinfo
        with BlackHole().running(RUNNER, {}) as silent, serving(ticks) as server:

            def getaddrinfo(host: str, *rest: Any, **more: Any) -> Any:
                if host != "two.example" or more.get("flags"):
                    return look_up(host, *rest, **more)
                addresses = [silent.address, ("127.0.0.1", server.port)]
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]

            monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
            began = time.monotonic()
            with (
                sse_socket.connect("http://two.example/", retry=NO_RETRY) as stream,
                pytest.raises(RemoteProtocolError, match="421"),
            ):
                next(stream)  # it is the server that refuses the name
            assert 0.2 < time.monotonic() - began < 2

    def test_no_thread_to_be_had(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr("sse_socket.lookups._LOOKUPS", Threads(1, "none"))
        monkeypatch.setattr(threading.Thread, "start", fails)
        with (
            sse_socket.connect("http://localhost:9/", retry=NO_RETRY) as stream,
            pytest.raises(TransportError, match="Resource temporarily unavailable"),
        ):
            next(stream)

    def test_one_that_is_none(self) -> None:
        with (
            sse_socket.connect("http://nowhere.invalid/", retry=NO_RETRY) as stream,
            pytest.raises(TransportError, match=r"nowhere\.invalid"),
        ):
            next(stream)


def test_no_event_loop_is_loaded() -> None:
    program = "import sse_socket, sys; print({'anyio', 'asyncio', 'trio'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "set()", done


def test_no_file_left_is_a_transport_error() -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = open_files()
    spare = os.dup(0)
    os.close(spare)
    resource.setrlimit(resource.RLIMIT_NOFILE, (spare + 1, hard))
    try:
        for _ in range(3):
            with (
                pytest.raises(TransportError, match="Too many open files"),
                sse_socket.connect("http://127.0.0.1:9/"),
            ):
                raise AssertionError
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert open_files() == before


def test_a_stream_that_ends_by_itself_can_be_left_late() -> None:
    with (
        Peer([[Head(), answer(encode_event("one"))], [Head(), answer(b"", "204 No Content")]]).running(
            RUNNER, {}
        ) as server,
        sse_socket.connect(server.url, retry=RetryPolicy(initial_delay=0.0)) as stream,
    ):
        assert [event.data for event in stream] == ["one"]
        assert list(stream) == []
        stream.close()
