"""Unix sockets, at both ends."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sse_core.errors import RemoteProtocolError, TransportError
from sse_core.lifecycle import NO_RETRY, Outcome
from sse_http import Reply, Request

from ..applications import Feeds, Logged, Served, closed_log, provider
from ..client_scenario import ClientScenario, Connect, Error, Turn
from ..client_steps import Peers, Stage, Take
from ..peers import Head, Nobody, Peer, answer
from ..runner import Runner
from ..server_scenario import ServerScenario
from ..server_stage import Stage as ServerStage
from ..server_steps import Check

NUMBERS = [f"<{number}>" for number in range(1, 2001)]
AT_A_SOCKET = {"server": Served(lambda _: Logged(closed_log(*NUMBERS)), unix=True)}
NOWHERE = "http+unix://%2Fnowhere%2Fat.sock/"


def hosts(peers: Peers, _: Sequence[Stage]) -> None:
    [first, *_] = peers["server"].application.requests
    assert first.headers.get("host") == "localhost"
    assert first.client == ""


def file_is_gone(peers: Peers, stages: Sequence[Stage]) -> None:
    """It is only when ``serve`` has ended; until then it is a socket of the server's user alone."""
    status = os.lstat(peers["server"].uds)
    assert stat.S_ISSOCK(status.st_mode)
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert stages[0].stream.origin == peers["server"].url.rstrip("/")
    assert peers["server"].serving.port == 0


def hello(request: Request) -> Reply:
    return Reply.json(200, {"path": request.path})


def asked(path: Path) -> bytes:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(str(path))
        sock.sendall(b"GET /a HTTP/1.0\r\nhost: localhost\r\n\r\n")
        return b"".join(iter(lambda: sock.recv(65536), b""))


def comes_and_goes(stage: ServerStage) -> bool:
    """A file that was left behind is replaced, one in use is not, and none is left."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "socket"
        with socket.socket(socket.AF_UNIX) as abandoned:
            abandoned.bind(str(path))
        with stage.runner.serving(Feeds(hello), uds=str(path), uds_mode=0o666):
            assert stat.S_IMODE(path.lstat().st_mode) == 0o666
            assert b"200 OK" in asked(path)
            again = stage.runner.serving(Feeds(hello), uds=str(path))
            with pytest.raises(OSError, match="in use"), again:
                raise AssertionError("it is served")
            assert b"200 OK" in asked(path)
        return not path.exists()


def serves(_: Runner) -> Any:
    return Feeds(hello)


SCENARIOS = [
    ClientScenario(
        name="a URL of a Unix socket",
        peers=AT_A_SOCKET,
        calls=[Connect(do=[Take(2000)], texts=NUMBERS)],
        check=file_is_gone,
    ),
    ClientScenario(
        name="its Host is localhost",
        peers=AT_A_SOCKET,
        calls=[Connect(do=[Take(1)])],
        check=hosts,
    ),
    ClientScenario(
        name="a Unix socket whatever the URL's host",
        peers=AT_A_SOCKET,
        calls=[
            Connect(url="http://localhost:1/", options={"uds": "{server:uds}"}, do=[Take(1)], texts=["<1>"])
        ],
    ),
    ClientScenario(
        name="TLS by a Unix socket",
        peers={"server": Served(lambda _: Logged(closed_log("<1>")), tls="server", unix=True)},
        calls=[
            Connect(
                url="https://localhost/",
                options={"uds": "{server:uds}"},
                trust="client",
                do=[Take(1)],
                texts=["<1>"],
            )
        ],
    ),
    ClientScenario(
        name="a turn by a Unix socket",
        peers={"server": Served(provider, unix=True)},
        calls=[
            Turn(text=True),
            Turn(url="http://localhost/v1/messages", options={"uds": "{server:uds}"}, text=True),
        ],
    ),
    ClientScenario(
        name="nobody listens at a Unix socket",
        peers={"server": Nobody()},
        calls=[
            Connect(
                url=NOWHERE,
                options={"retry": NO_RETRY},
                do=[Take(1)],
                errors=[Error(TransportError, "could not connect to '/nowhere/at.sock': No such file")],
            ),
            Connect(
                url="http://host.test/",
                options={"retry": NO_RETRY, "uds": "/nowhere/at.sock"},
                do=[Take(1)],
                errors=[
                    Error(TransportError, "No such file or directory, by the Unix socket '/nowhere/at.sock'")
                ],
            ),
            Turn(
                url=NOWHERE,
                upstream={"retry": NO_RETRY},
                outcome=Outcome.FAILED,
                failure="No such file or directory",
            ),
        ],
    ),
    ClientScenario(
        name="no server sends a client to a Unix socket",
        peers={"server": Peer([[Head(), answer(b"", "307 Temporary Redirect", location=NOWHERE)]])},
        calls=[Connect(do=[Take(1)], errors=[Error(RemoteProtocolError, "redirects to what is no http")])],
    ),
]
SERVER_SCENARIOS = [
    ServerScenario(name="a Unix socket's file", served=serves, steps=[Check(comes_and_goes)]),
]
