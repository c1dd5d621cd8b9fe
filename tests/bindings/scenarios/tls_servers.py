"""TLS of the server, against clients that have none, stop amid the handshake, or send garbage."""

# ruff: noqa: ARG002  (the face of a handler has a request)

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import tempfile
from pathlib import Path

import trustme

from sse_http import Reply, Request, ServerSettings
from sse_io import CertificateFiles

from ..applications import Feeds
from ..certificates import certificates
from ..peers import PATIENCE
from ..runner import Runner
from ..server_scenario import ServerScenario
from ..server_stage import HEAD_END, Stage, get
from ..server_steps import Check, Closed, Do, Hear, HearEnd, Leave, Open, Pause
from .serving import feeds, greets, hello

TLS = {"tls": "server"}


class Calls:
    """A handler that counts."""

    def __init__(self, _: Runner) -> None:
        self.count = 0

    async def __call__(self, request: Request) -> Reply:
        self.count += 1
        return Reply(204)


class InMemory:
    """A client's TLS whose bytes go where the scenario likes."""

    def __init__(self) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = certificates().client.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")

    def shake_hands(self) -> bytes:
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self.outgoing.read()


def vanishes_amid_the_handshake(stage: Stage) -> bool:
    for count in (0, 1, 20, 100, 300):
        Open(InMemory().shake_hands()[:count]).play(stage)
        Pause(0.01).play(stage)
        Leave("reset").play(stage)
    return True


def asks_and_leaves_in_one(stage: Stage) -> bool:
    """The reader had gone before its handler could begin: it never does."""
    client = InMemory()
    with stage.connected() as sock:
        sock.sendall(client.shake_hands())
        client.incoming.write(sock.recv(65536))
        client.tls.do_handshake()
        client.tls.write(get())
        with contextlib.suppress(ssl.SSLWantReadError):
            client.tls.unwrap()
        sock.sendall(client.outgoing.read())
        while sock.recv(65536):
            pass
    return bool(stage.served.count == 0)


def sends_garbage(stage: Stage) -> bool:
    client = stage.clients["client"]
    return os.write(client.sock.fileno(), os.urandom(100)) == 100


def write(path: Path, authority: trustme.CA, moment: int) -> None:
    """A certificate and its key, written at this moment: the clock of some file systems is coarse."""
    path.write_bytes(authority.issue_cert("localhost").private_key_and_cert_chain_pem.bytes())
    os.utime(path, (moment, moment))


def connected(port: int, authority: trustme.CA) -> ssl.SSLSocket:
    """A connection to a server whose certificate is of this authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    return context.wrap_socket(sock, server_hostname="localhost")


def renews_its_certificate(stage: Stage) -> bool:
    """Each new connection has the one that is in the file then; one that runs keeps its own."""
    before, after = trustme.CA(), trustme.CA()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "both.pem"
        write(path, before, 1)
        with (
            stage.runner.serving(Feeds(hello), tls=CertificateFiles(path)) as server,
            connected(server.port, before) as old,
        ):
            write(path, after, 2)
            with connected(server.port, after) as new:
                for client in (old, new):
                    client.sendall(get())
                    assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    return True


SCENARIOS = [
    ServerScenario(name="a new certificate", served=greets, steps=[Check(renews_its_certificate)]),
    ServerScenario(
        name="a client without TLS",
        served=greets,
        options=TLS,
        steps=[
            Open(get(), "plain"),
            HearEnd(name="plain", lacks=b"HTTP"),
            Open(get(), tls=True),
            Hear(HEAD_END, starts=b"HTTP/1.1 200 "),
        ],
    ),
    *(
        ServerScenario(
            name=f"a client that never shakes hands: {len(first)} bytes",
            served=feeds,
            options={**TLS, "settings": ServerSettings(keep_alive_timeout=0.05)},
            steps=[Open(first), HearEnd(exactly=b"")],
        )
        for first in (b"", b"\x16\x03\x01\x02")
    ),
    ServerScenario(
        name="clients that vanish amid the handshake",
        served=lambda _: Feeds(),
        options=TLS,
        steps=[Check(vanishes_amid_the_handshake), Pause(0.02)],
    ),
    ServerScenario(
        name="garbage amid an answer",
        served=feeds,
        options=TLS,
        steps=[
            Open(get(), tls=True),
            Hear(HEAD_END),
            Check(sends_garbage),
            Closed(),
            Do(lambda stage: stage.served.streams[0].waker()),
        ],
    ),
    ServerScenario(
        name="a client that says goodbye",
        served=feeds,
        options=TLS,
        steps=[Open(get(), tls=True), Hear(HEAD_END), Leave("goodbye"), Closed()],
    ),
    ServerScenario(
        name="a request and goodbye in one", served=Calls, options=TLS, steps=[Check(asks_and_leaves_in_one)]
    ),
]
