"""Clients through tinyproxy, a forward proxy as Debian has it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import sse_socket
from sse_core.errors import TransportError
from sse_core.lifecycle import NO_RETRY
from tests.bindings.certificates import certificates
from tests.bindings.peers import Drip, Head, Peer, Send, over_tls, scripted
from tests.bindings.resources import soon
from tests.bindings.test_socket import RUNNER

TINYPROXY = shutil.which("tinyproxy")
pytestmark = pytest.mark.skipif(TINYPROXY is None, reason="tinyproxy is not installed; `make test` tries to")

CONFIGURATION = """
Port {port}
Listen 127.0.0.1
Timeout 60
Allow 127.0.0.1
BasicAuth user hunter2
LogFile "{folder}/log"
PidFile "{folder}/pid"
"""
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
#: An event in each 30 ms, until the client has gone.
TICKS = (Head(), Send(HEAD), Drip(b"data: tick\n\n", 0.03))
SERVERS = {"http": scripted(*TICKS), "https": scripted(*TICKS, tls=over_tls)}


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its host and port."""
    folder = tmp_path_factory.mktemp("tinyproxy")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = Path(folder) / "tinyproxy.conf"
    file.write_text(CONFIGURATION.format(port=port, folder=folder))
    assert TINYPROXY
    with subprocess.Popen([TINYPROXY, "-d", "-c", str(file)], stdout=subprocess.DEVNULL) as process:
        try:
            soon(lambda: _is_listening(port) or None, 10.0)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("peer", SERVERS.values(), ids=SERVERS)
def test_events_come_one_by_one_and_leaving_reaches_the_server(proxy: str, peer: Peer) -> None:
    arrived: list[float] = []
    with peer.running(RUNNER, {}) as server:
        with sse_socket.connect(
            server.url, proxy=f"http://user:hunter2@{proxy}", tls=certificates().client, retry=NO_RETRY
        ) as stream:
            for event in stream:
                assert event.data == "tick"
                arrived.append(time.monotonic())
                if len(arrived) == 10:
                    break
        assert server.connections[0].gone.wait(2.0)
    assert arrived[-1] - arrived[0] > 0.15, "not all at once"


@pytest.mark.parametrize(("scheme", "peer"), SERVERS.items())
def test_without_its_password_it_refuses(proxy: str, scheme: str, peer: Peer) -> None:
    words = "tunnel is refused" if scheme == "https" else "refuses the request"
    with (
        peer.running(RUNNER, {}) as server,
        sse_socket.connect(server.url, proxy=f"http://{proxy}", tls=certificates().client) as stream,
        pytest.raises(TransportError, match=rf"{words} with status 407 .* wants a user and a password"),
    ):
        next(stream)
    assert not server.connections
