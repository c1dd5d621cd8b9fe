"""What ``serve`` makes of its arguments."""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sse_http import HandlerSettings, Reply, Request, ServerSettings
from sse_io.handler_application import HandlerCall
from sse_io.serving import Serving
from tests.http.support import Scripted, echo
from tests.io.support import GET, Client, TinyHost


def started(call: HandlerCall) -> None:
    raise AssertionError(f"no handler is called here: {call}")


def serving(served: Any, **options: Any) -> Serving:
    arguments: dict[str, Any] = {
        "start": started,
        "jitter": lambda: 0.5,
        "on_error": print,
        "date": lambda: "today",
        "host": "127.0.0.1",
        "port": 0,
        "uds": None,
        "uds_mode": 0o600,
        "tls": None,
        "upstream_tls": None,
        "settings": None,
        "max_connections": 10,
        "handler_settings": None,
        "on_refusal": print,
        "grace": 2.0,
        "drain": 0.0,
        "reuse_port": False,
    }
    return Serving(served, **{**arguments, **options})


@contextlib.contextmanager
def answering(call: Serving, listeners: list[socket.socket], address: Any) -> Iterator[bytes]:
    """The answer of a server that ``call`` makes."""
    host = TinyHost()
    loop = call.new_loop(host)
    for listener in listeners:
        loop.listen(listener)
    with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as sock:
        sock.connect(address)
        client = Client(sock, lambda: loop.step(host.time, 0.01))
        client.send(GET % b"x")
        yield client.until(b"GET /x")
    loop.close(host.time)


def test_it_serves_at_its_addresses() -> None:
    call = serving(Scripted(echo))
    assert (call.host, call.port, call.uds, call.grace) == ("127.0.0.1", 0, None, 2.0)
    listeners = call.open_listeners([(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 0))])
    with answering(call, listeners, listeners[0].getsockname()) as answer:
        assert b"\r\ndate: today\r\n" in answer


def test_it_serves_at_its_path() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/socket"
        call = serving(Scripted(echo), uds=path)
        with answering(call, call.open_listeners([]), path) as answer:
            assert b"200 OK" in answer


@pytest.mark.parametrize(
    ("write_timeout", "stall", "silence"), [(60.0, 90.0, 90.0), (60.0, 30.0, 60.0), (60.0, None, 60.0)]
)
def test_no_slow_reader_counts_as_silent(write_timeout: float, stall: float | None, silence: float) -> None:
    """The kernel's own patience is not less than a reader's."""

    async def handler(request: Request) -> Reply:
        raise AssertionError(request)

    readers = HandlerSettings().readers.__class__(stall=stall)
    call = serving(
        handler,
        settings=ServerSettings(write_timeout=write_timeout),
        handler_settings=HandlerSettings(readers),
    )
    loop = call.new_loop(TinyHost())
    assert loop._max_silence == silence  # noqa: SLF001  (the kernel shows it for a connection only)
    loop.close(0.0)


def test_where_there_is_no_loop_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_file_is_left() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("sse_io.readiness_loop.NestedSelector", no_file_is_left)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "socket"
        call = serving(Scripted(echo), uds=str(path))
        [listener] = call.open_listeners([])
        with pytest.raises(OSError, match="Too many open files"):
            call.new_loop(TinyHost())
        assert listener.fileno() == -1
        assert not path.exists()


def test_a_certificate_is_asked_for_before_anybody_listens() -> None:
    def none_is_there() -> ssl.SSLContext:
        raise FileNotFoundError("no certificate")

    with pytest.raises(FileNotFoundError, match="no certificate"):
        serving(Scripted(echo), tls=none_is_there)
    with pytest.raises(TypeError, match="what the function tls returns takes SSLContext, not str"):
        serving(Scripted(echo), tls=str)


def test_what_cannot_be_served() -> None:
    with pytest.raises(TypeError, match="an application, or a handler"):
        serving(7)
    with pytest.raises(ValueError, match="grace"):
        serving(Scripted(echo), grace=-1.0)
