"""Faults of peers and of the system: each is told with a clear error, and the server goes on."""

from __future__ import annotations

import re
import resource
import signal
import socket
import ssl
import struct
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import trustme

from . import scripted_provider as scripts
from .asking import answer_to, connected, first_line, request, rest_of, wait_for
from .generator import provider
from .processes import Running, cpu_ns
from .python_generator import FIRST, event
from .relays import relay
from .scripted_provider import Call, ScriptedProvider
from .verdicts import Verdicts

HEAD = FIRST.split(b"\r\n\r\n")[0] + b"\r\n\r\n"
HUGE = b"%x\r\n" % 2**63
END = event({"type": "message_stop"}) + b"0\r\n\r\n"
ENDLESS = 4 * 1024 * 1024  #: bytes of what would never end
BEYOND = 33 * 1024 * 1024  #: bytes: more than a body may have
SETTINGS = {"retry": {"max_attempts": 1}, "deadlines": {"connect": 1.0, "first_byte": 1.0}}


@dataclass(frozen=True)
class Size:
    """How many connections want to be accepted at the same time."""

    connections: int


FULL = Size(connections=1500)
QUICK = Size(connections=150)


def run(binding: str, size: Size, verdicts: Verdicts) -> None:
    """Play each fault, and ask for a whole turn after it."""
    faults_of_providers(binding, verdicts)
    faults_of_certificates(binding, verdicts)
    faults_of_clients(binding, verdicts)
    queue_is_full(binding, size.connections, verdicts)
    descriptors_run_out(binding, verdicts)


def sent(data: bytes) -> scripts.Script:
    """Take the request, send ``data`` and close."""

    def script(call: Call) -> None:
        call.take_request()
        call.sock.sendall(data)

    return script


def reset_after(data: bytes) -> scripts.Script:
    """Take the request, send ``data`` and reset the connection."""

    def script(call: Call) -> None:
        call.take_request()
        call.sock.sendall(data)
        time.sleep(0.05)
        call.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return script


WHOLE = sent(
    FIRST
    + scripts.TOKENS.write(0)
    + event({"type": "content_block_stop", "index": 0})
    + event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}})
    + END
)

#: What a provider does wrong, and what the answer has to have in it.
PROVIDERS: dict[str, tuple[scripts.Script, str]] = {
    "garbage": (sent(bytes(range(256)) * 4), r"502.*error"),
    "an endless head": (sent(b"HTTP/1.1 200 OK\r\nX: " + b"x" * ENDLESS), r"502.*error"),
    "endlessly many fields": (sent(b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * (ENDLESS // 6)), r"502.*error"),
    "a chunk of 2**63 bytes": (sent(HEAD + HUGE + b"data: x\n\n"), r"error"),
    "a chunk size that is no number": (sent(HEAD + b"xyz\r\n"), r"error"),
    "an endless line": (sent(HEAD + b"%x\r\n" % ENDLESS + b"data: " + b"x" * (ENDLESS - 6)), r"error"),
    "a reset amid the stream": (reset_after(FIRST + scripts.TOKENS.write(0)), r"@\d.*error"),
    "an end amid the stream": (sent(FIRST + scripts.TOKENS.write(0)), r"@\d.*error"),
    "an end before the head": (sent(b""), r"502.*error"),
    "no head in time": (scripts.no_head, r"504.*error"),
}

CHUNKED = b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
SMUGGLED = b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"

#: What a client does wrong, and the status that it is told.
CLIENTS: dict[str, tuple[bytes, str]] = {
    "garbage": (bytes(range(256)) * 4 + b"\r\n\r\n", "400"),
    "TLS to a port without": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100), "400"),
    "an endless head": (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * ENDLESS, "431"),
    "endlessly many fields": (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: x\r\n" * 100_000, "431"),
    "a chunk of 2**63 bytes": (CHUNKED + HUGE + b"x" * BEYOND, "413"),
    "two lengths": (SMUGGLED + b"123456", "400"),
    "a body that is no JSON": (request(body=b"{" * 1000), "400"),
}


def check(verdicts: Verdicts, port: int, fault: str, answer: bytes, wanted: str) -> None:
    """The answer has what is ``wanted`` in it, and a turn after it is whole."""
    met = re.search(wanted.encode(), answer, re.DOTALL) is not None
    after = answer_to(port, request())
    goes_on = after.startswith(b"HTTP/1.1 200") and b"message_stop" in after
    verdicts.holds(fault, f"{told(answer)}; then {first_line(after)}", met=met and goes_on)


def told(answer: bytes) -> str:
    """The status and the error's own words."""
    words = re.search(rb'"message": ?"([^"]*)"[^"]*$|"type": ?"error".*?"message": ?"([^"]*)"', answer)
    text = (words[1] or words[2] if words else b"").decode("utf-8", "replace")
    return f"{first_line(answer)} {text[:120]!a}"


def faults_of_providers(binding: str, verdicts: Verdicts) -> None:
    """Each before the same relay."""
    with ScriptedProvider(WHOLE) as upstream, relay(binding, upstream.port, SETTINGS) as (_, port):
        for fault, (script, wanted) in PROVIDERS.items():
            upstream.script = script
            answer = answer_to(port, request())
            upstream.script = WHOLE
            check(verdicts, port, f"the provider sends {fault}", answer, wanted)


def faults_of_certificates(binding: str, verdicts: Verdicts) -> None:
    """A certificate of another authority, and one for another name."""
    with tempfile.TemporaryDirectory() as folder:
        known, unknown = trustme.CA(), trustme.CA()
        file = Path(folder, "authority.pem")
        known.cert_pem.write_to_path(str(file))
        settings = {**SETTINGS, "authorities": str(file)}
        for fault, authority, name in (
            ("of an unknown authority", unknown, "localhost"),
            ("for another name", known, "example.org"),
        ):
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            authority.issue_cert(name).configure_cert(context)
            with (
                ScriptedProvider(WHOLE, context) as upstream,
                relay(binding, upstream.port, settings, secure=True) as (_, port),
            ):
                answer = answer_to(port, request())
                met = re.search(rb"502.*certificate", answer, re.DOTALL) is not None
                verdicts.holds(f"a certificate {fault}", told(answer), met=met)


def faults_of_clients(binding: str, verdicts: Verdicts) -> None:
    """Each to the same relay."""
    with ScriptedProvider(WHOLE) as upstream, relay(binding, upstream.port, SETTINGS) as (_, port):
        for fault, (data, status) in CLIENTS.items():
            check(verdicts, port, f"a client sends {fault}", answer_to(port, data), rf"^HTTP/1.1 {status}")
        # Of a client that closes its side it is assumed that it has gone: browsers and SDKs close both.
        for how in ("closes its sending half", "resets amid a write"):
            upstream.script = scripts.as_fast_as_it_can
            call = leave(port, upstream, reset=how != "closes its sending half")
            ended = wait_for(call.was_left, 2.0)
            upstream.script = WHOLE
            verdicts.holds(f"a client {how}: the provider is left", ended, met=ended)
            check(verdicts, port, f"a client {how}", answer_to(port, request()), "message_stop")


def leave(port: int, upstream: ScriptedProvider, *, reset: bool) -> Call:
    """Have a turn, and leave it amid its tokens: by a reset, or by closing one half and reading on."""
    with connected(port) as sock:
        sock.sendall(request())
        sock.recv(1000)
        call = upstream.calls[-1]
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            sock.shutdown(socket.SHUT_WR)
            rest_of(sock, 1 << 30)
    return call


def queue_is_full(binding: str, connections: int, verdicts: Verdicts) -> None:
    """Many clients come while the relay can't accept, more than its queue has room for."""
    with provider(0.0, events=1) as (_, upstream), relay(binding, upstream, SETTINGS) as (process, port):
        process.send_signal(signal.SIGSTOP)
        socks = [begin_to_connect(port) for _ in range(connections)]
        time.sleep(0.5)
        process.send_signal(signal.SIGCONT)
        whole = 0
        for sock in socks:
            with sock:
                sock.settimeout(20.0)
                sock.sendall(request())
                whole += b"message_stop" in rest_of(sock)
        verdicts.holds(
            "the accept queue is full: all are served in the end",
            f"{whole} of {connections}",
            met=whole == connections,
        )


def begin_to_connect(port: int) -> socket.socket:
    """A socket that is being connected."""
    sock = socket.socket()
    sock.settimeout(0)
    sock.connect_ex(("127.0.0.1", port))
    sock.settimeout(20.0)
    return sock


def descriptors_run_out(binding: str, verdicts: Verdicts) -> None:
    """More clients than there are descriptors; then fewer."""
    with provider(0.0, events=1) as (_, upstream), relay(binding, upstream, SETTINGS) as running:
        process, port = running
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (40, 40))
        idle = [connected(port) for _ in range(100)]
        time.sleep(0.5)
        used = cpu_while(running, 1.0)
        for sock in idle:
            sock.close()
        verdicts.at_most("descriptors are exhausted: it doesn't spin", 100 * used, 20.0, "% of a core")
        check(verdicts, port, "descriptors were exhausted", answer_to(port, request()), "message_stop")


def cpu_while(running: Running, seconds: float) -> float:
    """The part of a core that a process takes."""
    before = cpu_ns(running[0].pid)
    time.sleep(seconds)
    return (cpu_ns(running[0].pid) - before) / 1e9 / seconds
