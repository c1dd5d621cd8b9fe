"""The programs in examples/, started as a reader would start them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

import sse_trio
from tests.bindings.applications import provider
from tests.bindings.test_trio import RUNNER
from tests.bindings.trio.support import serving

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


class Counter:
    """The running program."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self._printed = b""

    async def line(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        while b"\n" not in self._printed:
            self._printed += await self.process.stdout.receive_some()
        line, _, self._printed = self._printed.partition(b"\n")
        return line.decode()


@pytest.fixture
async def counter() -> AsyncIterator[Counter]:
    command = [sys.executable, str(EXAMPLES / "serve_counter.py"), "--port", "0", "--interval", "0.01"]
    process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    yield Counter(process)
    if process.poll() is None:
        process.kill()
    await process.wait()
    await process.stdout.aclose()


class TestCounter:
    async def test_it_counts_and_goes_on_where_it_was(self, counter: Counter) -> None:
        address = await counter.line()
        async with sse_trio.connect(address) as source:
            assert [(await anext(source)).data for _ in range(5)] == ["1", "2", "3", "4", "5"]
        async with sse_trio.connect(address, last_event_id=source.last_event_id) as again:
            assert (await anext(again)).data == "6"

    async def test_it_notices_that_its_reader_has_gone(self, counter: Counter) -> None:
        address = await counter.line()
        async with sse_trio.connect(address) as source:
            await anext(source)
        with trio.fail_after(2):
            assert (await counter.line()).startswith("127.0.0.1 has gone after ")

    async def test_ctrl_c_ends_it(self, counter: Counter) -> None:
        address = await counter.line()
        async with sse_trio.connect(address) as source:
            await anext(source)
            counter.process.send_signal(signal.SIGINT)
            with trio.fail_after(5):
                assert await counter.process.wait() == 0
        assert (await counter.line()).startswith("127.0.0.1 has gone after ")
        assert await counter.line() == "stopped"


async def test_a_port_that_is_taken_is_reported_in_a_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, str(EXAMPLES / "serve_counter.py"), "--port", port]
        done = await trio.run_process(command, capture_stderr=True, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("can't listen: ")
    assert "--port" in line


class TestAsk:
    async def ask(self, url: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, str(EXAMPLES / "ask.py"), "--url", url, "Why is the sky blue?"]
        return await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False)

    async def test_it_prints_the_answer(self) -> None:
        async with serving(provider(RUNNER, tokens=30, rate=0, ttft=0)) as server:
            done = await self.ask(server.url + "v1/messages")
        assert done.returncode == 0
        assert len(done.stdout.split()) > 10
        assert b"Outcome.COMPLETED, first token after 0." in done.stderr

    async def test_ctrl_c_ends_it_without_a_traceback(self) -> None:
        async with serving(provider(RUNNER, tokens=1000, rate=100, ttft=0)) as server:
            command = [sys.executable, str(EXAMPLES / "ask.py"), "--url", server.url + "v1/messages", "Why?"]
            process = await trio.lowlevel.open_process(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            assert process.stdout is not None
            assert process.stderr is not None
            with trio.fail_after(10):
                assert await process.stdout.receive_some()  # it is amid its answer
                process.send_signal(signal.SIGINT)
                said = b"".join([piece async for piece in process.stderr])
                assert await process.wait() == 130
            await process.stdout.aclose()
        assert said == b"\nstopped\n"

    async def test_it_says_what_went_wrong(self) -> None:
        async with serving(provider(RUNNER)) as server:
            done = await self.ask(server.url + "nowhere")
        assert done.returncode == 1
        assert b"not_found_error: " in done.stderr
        assert b"Traceback" not in done.stderr


class TestUseTools:
    """The program that runs what a model calls, and asks again."""

    async def run(self, url: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, str(EXAMPLES / "use_tools.py"), "--url", url, "How is the weather?"]
        return await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False)

    async def test_the_call_is_run_and_its_result_answered(self) -> None:
        async with serving(provider(RUNNER, tokens=10, rate=0, ttft=0, tool=True)) as server:
            done = await self.run(server.url + "v1/messages")
        assert done.returncode == 0, done.stderr
        assert done.stderr.decode().startswith("[get_weather {")
        assert len(done.stdout.decode().splitlines()) == 2  # an answer with a call, and one with its result

    async def test_a_failure_is_reported(self) -> None:
        async with serving(provider(RUNNER)) as server:
            done = await self.run(server.url + "nowhere")
        assert done.returncode == 1
        assert b"the turn ended as failed: not_found_error: " in done.stderr
        assert b"Traceback" not in done.stderr
