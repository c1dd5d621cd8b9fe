"""examples/serve_on_asyncio.py, started as a reader would start it."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sse_anyio

EXAMPLE = str(Path(__file__).resolve().parents[3] / "examples" / "serve_on_asyncio.py")


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def counter() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, EXAMPLE, "--port", "0", "--interval", "0.01"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_it_counts_and_goes_on_where_it_was(counter: subprocess.Popen[str]) -> None:
    address = line(counter)

    async def read() -> tuple[list[str], str]:
        async with sse_anyio.connect(address) as source:
            numbers = [(await anext(source)).data for _ in range(5)]
        async with sse_anyio.connect(address, last_event_id=source.last_event_id) as again:
            return numbers, (await anext(again)).data

    assert asyncio.run(read()) == (["1", "2", "3", "4", "5"], "6")
    assert line(counter).startswith("127.0.0.1 has gone after ")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(counter: subprocess.Popen[str], sent: signal.Signals) -> None:
    address = line(counter)

    async def read() -> None:
        async with sse_anyio.connect(address) as source:
            await anext(source)
            counter.send_signal(sent)
            assert await asyncio.to_thread(counter.wait, 10) == 0

    asyncio.run(read())
    assert line(counter).startswith("127.0.0.1 has gone after ")
    assert line(counter) == "stopped"


def test_a_port_that_is_taken_is_reported_in_a_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, EXAMPLE, "--port", str(taken.getsockname()[1])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert said.startswith("can't listen: ")
    assert "--port" in said
