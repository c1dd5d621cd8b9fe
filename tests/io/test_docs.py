"""The page docs/readiness-loop.md: its example runs, and its tables are the code's."""

from __future__ import annotations

import re
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from sse_io.acceptor import ACCEPTS_IN_A_ROW, PAUSE
from sse_io.address_race import ATTEMPT_DELAY
from sse_io.host import Host
from sse_io.reactor import MAX_SECONDS, MAX_TURNS
from sse_io.readiness_loop import ReadinessLoop
from sse_io.transport import READ_SIZE
from tests.http.support import Scripted, echo
from tests.io.support import GET

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "readiness-loop.md").read_text("utf-8")


def test_the_example_serves() -> None:
    [block] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(block, "docs/readiness-loop.md", "exec"), names)  # noqa: S102  (the page is ours)
    listener = socket.create_server(("127.0.0.1", 0))
    loop = names["serve"](Scripted(echo), listener)
    thread = threading.Thread(target=names["run"], args=(loop,))
    with socket.create_connection(listener.getsockname()) as client:
        thread.start()
        client.sendall(GET % b"a")
        client.settimeout(5)
        assert b"GET /a" in client.recv(65536)
        loop.call_soon_threadsafe(lambda: loop.shut_down(time.monotonic()))
        thread.join(5)
    assert loop.finished
    found: list[object] = []
    names["PlainHost"]().resolve("127.0.0.1", 80, found.append)()
    names["PlainHost"]().resolve("a..b", 80, found.append)
    assert isinstance(found[0], list)
    assert isinstance(found[1], UnicodeError)


@pytest.mark.parametrize("named", [ReadinessLoop, Host])
def test_every_method_is_documented(named: type) -> None:
    public = [name for name in vars(named) if not name.startswith("_")]
    assert [name for name in public if f"`{name}" not in PAGE] == []


def test_the_bounds_are_documented() -> None:
    assert (MAX_TURNS, MAX_SECONDS, READ_SIZE) == (16, 0.001, 16 * 1024)
    assert "at most 16 turns, in at most a millisecond, and a turn reads at most 16 KiB" in PAGE
    assert (ACCEPTS_IN_A_ROW, PAUSE, ATTEMPT_DELAY) == (8, 0.1, 0.25)
    assert "eight connections a turn; a tenth of a second of rest" in PAGE
    assert "250 ms between two starts" in PAGE


def test_every_module_is_there() -> None:
    for path in re.findall(r"\]\(\.\./([^)#]+)\)", PAGE):
        assert (ROOT / path).exists(), path
