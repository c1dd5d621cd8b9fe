"""examples/clients: other people's HTTP clients, against servers of ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from sse_core import ServerSentEvent
from sse_http import Request, Retry
from tests.bindings.applications import provider
from tests.bindings.socket.support import serving, url
from tests.bindings.test_socket import RUNNER
from tests.example_programs.program import EXAMPLES, PATIENCE


def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / "clients" / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def two_a_connection(request: Request) -> Iterator[ServerSentEvent | Retry]:
    yield Retry(10)
    first = int(request.last_event_id or 0) + 1
    for number in (first, first + 1):
        yield ServerSentEvent("end" if number == 4 else "message", f"<{number}>", str(number))


def test_httpx2_follows_across_connections() -> None:
    with serving(two_a_connection) as server:
        done = run("with_httpx2.py", url(server))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["1 <1>", "2 <2>", "3 <3>", "4 <4>"]


def test_httpx2_reads_one_connection() -> None:
    with serving(two_a_connection) as server:
        done = run("with_httpx2.py", "--once", url(server))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["1 <1>", "2 <2>"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["with_aiohttp.py"], ""),
        (["with_aiohttp.py", "--once"], "\ncomplete\n"),
        (["with_requests.py"], "\ncomplete\n"),
    ],
)
def test_a_model_is_asked(command: list[str], said: str) -> None:
    with serving(provider(RUNNER, tokens=20, rate=0, ttft=0)) as server:
        done = run(*command, url(server, "v1/messages"), "Why is the sky blue?")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("You asked")
    assert done.stderr == said


def test_a_refusal_is_raised() -> None:
    with serving(provider(RUNNER)) as server:
        done = run("with_requests.py", url(server, "nowhere"), "Why?")
    assert done.returncode == 1
    assert "HTTPError: 404" in done.stderr
    assert done.stdout == ""
