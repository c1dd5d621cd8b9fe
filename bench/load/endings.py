"""Ends: a Stop and a disconnect reach the provider, in each phase; and after many streams nothing is left."""

from __future__ import annotations

import secrets
import ssl
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import trustme

from . import scripted_provider as scripts
from .asking import connected, request, stop, wait_for
from .generator import Readers, provider
from .processes import descriptors_of, resident_bytes, sockets_of, threads_of
from .relays import relay
from .scripted_provider import Script, ScriptedProvider
from .verdicts import Verdicts

MOST_MS = 100.0  #: from a Stop or a disconnect to the end of the provider's connection
AT_ONCE = 50  #: streams of those that are counted
MOST_LEFT = (
    4 * 1024 * 1024
)  #: bytes of memory, which the interpreter may keep, however many streams there were

PHASES: dict[str, Script] = {
    "before the head": scripts.no_head,
    "before the first token": scripts.head_only,
    "between two tokens": scripts.some_tokens,
    "as fast as it can": scripts.as_fast_as_it_can,
}


@dataclass(frozen=True)
class Size:
    """How often each phase is ended, and how many streams come to their ends."""

    times: int
    streams: int


FULL = Size(times=10, streams=10_000)
QUICK = Size(times=2, streams=200)


def run(binding: str, size: Size, verdicts: Verdicts) -> None:
    """End turns in each phase; then many by themselves."""
    with tempfile.TemporaryDirectory() as folder:
        authority = trustme.CA()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost").configure_cert(context)
        file = Path(folder, "authority.pem")
        authority.cert_pem.write_to_path(str(file))
        for tls in (None, context):
            end_in_each_phase(binding, size.times, tls, file, verdicts)
    end_many(binding, size.streams, verdicts)


def end_in_each_phase(
    binding: str, times: int, tls: ssl.SSLContext | None, authority: Path, verdicts: Verdicts
) -> None:
    """Over plain TCP or TLS."""
    phases = PHASES if tls is None else {"in the handshake": scripts.silent, **PHASES}
    over = "TCP" if tls is None else "TLS"
    with ScriptedProvider(scripts.no_head, tls) as upstream:
        settings = {} if tls is None else {"authorities": str(authority)}
        with relay(binding, upstream.port, settings, secure=tls is not None) as (_, port):
            for phase, script in phases.items():
                upstream.script = script
                for how in ("Stop", "disconnect"):
                    took = [end_one(upstream, port, how) for _ in range(times)]
                    verdicts.at_most(f"{how} {phase}, over {over}, takes", max(took), MOST_MS, "ms")


def end_one(upstream: ScriptedProvider, port: int, how: str) -> float:
    """Milliseconds until the provider sees that a turn is ended; infinity if it doesn't."""
    turn = secrets.token_hex(16)
    before = len(upstream.calls)
    with connected(port) as sock:
        sock.sendall(request(turn))
        if not wait_for(lambda: len(upstream.calls) > before, 5.0):
            raise EOFError("the provider was not asked")
        time.sleep(0.05)  # until the phase has come
        call = upstream.calls[before]
        began = time.monotonic()
        if how == "Stop":
            stop(port, turn)
        else:
            sock.close()
        wait_for(call.was_left, 2.0)
    return float("inf") if call.left_at is None else 1000 * (call.left_at - began)


def end_many(binding: str, streams: int, verdicts: Verdicts) -> None:
    """See what is left of streams that have ended."""
    settings = {"retention": 0.0}
    with (
        provider(500.0, events=4) as (_, provider_port),
        relay(binding, provider_port, settings) as (process, port),
        Readers(port) as readers,
    ):
        pid = process.pid
        readers.churn(streams // 10, AT_ONCE, 60.0)
        time.sleep(1.0)
        before = (sockets_of(pid), descriptors_of(pid), threads_of(pid))
        memory = resident_bytes(pid)
        report = readers.churn(streams, AT_ONCE, 600.0)
        verdicts.holds(
            "every stream comes to its end",
            f"{report.ended} of {streams} in {report.seconds:.1f} s, {report.tokens} events",
            met=report.whole and report.ended == streams and report.tokens == 4 * streams,
        )
        wait_for(lambda: sockets_of(pid) <= before[0], 5.0)
        left = [
            now - then
            for now, then in zip((sockets_of(pid), descriptors_of(pid), threads_of(pid)), before, strict=True)
        ]
        verdicts.holds(
            "no socket, file or thread is left",
            f"{left[0]} sockets, {left[1]} descriptors, {left[2]} threads more than before",
            met=max(left) <= 0,
        )
        kept = resident_bytes(pid) - memory
        verdicts.at_most("memory that is left of all of them", kept / 2**20, MOST_LEFT / 2**20, "MB")
