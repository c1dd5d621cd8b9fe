"""docs/relay.md: its commands are run against a demo, its code is run, and its figures are looked up."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from typer.main import get_command

import sse_trio
from sse_core import EventStreamDecoder, MessageAccumulator, ServerSentEvent
from sse_relay import cli
from sse_relay.config import RelayConfig
from sse_relay.listen import Listen
from tests.relay.e2e.support import Answer, Program

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "relay.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its two head rows."""
    table = re.search(rf"^#+ {heading}\n.*?\n((?:\|[^\n]*\n)+)", PAGE, re.DOTALL | re.MULTILINE)
    assert table
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in table[1].splitlines()[2:]]


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    """The address of a running demo."""
    with Program("demo", "--port", "0") as program:
        yield program.address()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_work_when_they_are_pasted(demo: str, tmp_path: Path) -> None:
    commands = [block for block in blocks("sh") if "curl" in block]
    assert len(commands) == 5
    marked = [f"{command}\necho; echo ===={number}\n" for number, command in enumerate(commands)]
    script = "set -eu\n" + "\n".join(marked).replace("http://127.0.0.1:8080", demo)
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    streamed, whole, stopped, resumed, failed = re.split(r"\n====\d\n", done.stdout)[:5]

    assert [event.type for event in events(streamed)][-1] == "message_stop"
    assert json.loads(whole)["stop_reason"] == "end_turn"
    assert '{"outcome":"stopped"}' in stopped
    assert events((tmp_path / "stopped.txt").read_text())[-1].type == "error"
    taken = [events((tmp_path / name).read_text()) for name in ("first.txt", "rest.txt")]
    assert all(taken)
    numbers = [int(event.last_event_id.rpartition("-")[2]) for part in taken for event in part]
    assert numbers == list(range(1, int(resumed) + 1))
    assert taken[1][-1].type == "message_stop"
    assert failed.startswith("HTTP/1.1 401 ")


def events(text: str) -> list[ServerSentEvent]:
    return EventStreamDecoder().receive_data(text.encode())


async def test_the_embedding_example(demo: str, unused_port: int) -> None:
    (code,) = blocks("python")
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102  (ours)
    upstream = demo  # a relay is a provider to another relay
    body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(names["main"], upstream, unused_port)
            await trio.testing.wait_all_tasks_blocked(0.05)
            url = f"http://127.0.0.1:{unused_port}/v1/messages"
            async with sse_trio.stream_turn(url, body) as turn:
                async for _ in turn:
                    pass
            nursery.cancel_scope.cancel()
    assert turn.message.text


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


UNITS = {"": 1, "s": 1, "KiB": 1024, "MiB": 1024**2}


def defaults() -> dict[str, Any]:
    """Every default by its name."""
    config = RelayConfig("https://provider.test")
    settings = Listen("127.0.0.1", 0).settings()
    found: dict[str, Any] = {}
    for each in (settings, config.retry, config.deadlines, config.readers, config.json_bounds, config):
        found |= {field.name: getattr(each, field.name) for field in dataclasses.fields(each)}
    for function in (sse_trio.serve, MessageAccumulator.__init__):
        parameters = inspect.signature(function).parameters
        found |= {name: parameter.default for name, parameter in parameters.items()}
    return found


def test_the_limits_are_what_they_are_said_to_be() -> None:
    known = defaults()
    limits = rows("Limits")
    assert len(limits) > 15
    for _, figure, name in limits:
        number, _, unit = figure.partition(" ")
        assert known[name.strip("`")] == float(number) * UNITS[unit], name


def test_every_flag_is_there_with_its_variable() -> None:
    serve = get_command(cli.app).commands["serve"]  # type: ignore[attr-defined]
    documented = {
        flag: row[1].strip("`") for row in rows("Run it") for flag in re.findall(r"--[a-z-]+", row[0])
    }
    flags = {max(option.opts, key=len): option.envvar or "" for option in serve.params}
    flags.pop("--help", None)
    assert documented == flags


def test_every_field_of_a_line_is_there() -> None:
    (example,) = (block for block in blocks("text") if "turn=" in block)
    fields = re.findall(r" ([a-z_]+)=", example)
    assert [row[0].strip("`") for row in rows("Log lines")] == [*fields, "failure", "reason"]


def test_the_example_of_a_line_is_one(demo: str) -> None:
    (example,) = (block for block in blocks("text") if "turn=" in block)
    with Program("serve", "--port", "0", "--upstream", demo) as relay:
        body = b'{"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}'
        Answer("POST", relay.address(), "/v1/messages", {}, body).json()
        line = relay.wait_for_log("turn=")
    assert shape(line) == shape(example.strip())


def shape(line: str) -> str:
    """A line without its values."""
    return re.sub(r"[0-9]+", "0", re.sub(r"=\S+", "=", line))
