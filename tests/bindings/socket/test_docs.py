"""All code of docs/sockets.md, run as one program against servers on loopback."""

from __future__ import annotations

import inspect
import os
import re
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import sse_socket
from sse_core import ServerSentEvent
from sse_core.lifecycle import Outcome
from sse_relay.provider import Provider, Settings
from sse_socket.lookups import MAX_LOOKUPS
from tests.bindings.resources import soon
from tests.bindings.socket.support import serving, url

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "sockets.md").read_text("utf-8")
COUNT = [str(number) for number in range(1, 11)]


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "docs_sockets"}
    for code in re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        exec(compile(code, "docs/sockets.md", "exec", dont_inherit=True), names)  # noqa: S102  (ours)
    return names


def provider(**settings: Any) -> Provider:
    return Provider(Settings(**{"rate": 0, "ttft": 0.0, **settings}), clock=time.time)


def test_a_handler(page: dict[str, Any]) -> None:
    assert page["count_on_loopback"]() == [*COUNT, ""]
    with serving(page["route"]) as server:
        assert page["follow"](url(server, "count")) == [*COUNT, ""]


def test_closing_from_another_thread(page: dict[str, Any]) -> None:
    def waits(request: object) -> Any:  # noqa: ARG001  (a handler's face)
        yield "first"
        done.wait(5)

    done = threading.Event()
    with serving(waits) as server:
        began = time.monotonic()
        assert page["follow_for"](url(server), 0.1) == ["first"]
        assert time.monotonic() - began < 2
        done.set()


def test_a_turn(page: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    with serving(provider(tokens=20)) as server:
        text = page["print_answer"](url(server, "v1/messages"), "Why?")
    assert text == capsys.readouterr().out != ""


def test_stopping_a_turn(page: dict[str, Any]) -> None:
    pressed = threading.Event()
    with serving(provider(tokens=10_000, rate=100)) as server:
        threading.Timer(0.1, pressed.set).start()
        assert page["ask_with_a_button"](url(server, "v1/messages"), pressed) is Outcome.STOPPED


def test_a_signal_ends_it(page: dict[str, Any]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    threading.Timer(0.2, os.kill, args=(os.getpid(), signal.SIGTERM)).start()
    try:
        page["serve_until_sigterm"](0)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_broadcast(page: dict[str, Any]) -> None:
    handle = sse_socket.ServerHandle()
    server = threading.Thread(target=sse_socket.serve, args=(page["follow_job"],), kwargs={"handle": handle})
    server.start()
    port = handle.wait_until_started()
    page["publish"](handle, ServerSentEvent("progress", "10 %"), ServerSentEvent("end"))
    assert page["follow"](f"http://127.0.0.1:{port}/") == ["10 %", ""]
    handle.stop()
    server.join()
    assert soon(lambda: not server.is_alive())


def test_the_tables_are_the_code() -> None:
    defaults = inspect.signature(sse_socket.serve).parameters
    assert f"| `handler_threads` | {defaults['handler_threads'].default} |" in PAGE
    assert f"`handler_threads` ({defaults['handler_threads'].default})" in PAGE
    assert f"({MAX_LOOKUPS} at most for the whole process)" in PAGE
    public = {name for name in vars(sse_socket.ServerHandle()) if not name.startswith("_")} - {"grace"}
    public |= {"wait_until_started", "stop", "call_soon"}
    assert {name for name in public if f"| `{name}" not in PAGE} == set()
