"""Run the applications on trio: clocks, randomness, certificates and signals are found here."""

from __future__ import annotations

import errno
import ipaddress
import logging
import random
import secrets
import signal
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import trio

import sse_trio
from sse_http import LOOPBACK_HOSTS, AllowedPeers, Application, Refusal, ServerSettings
from sse_trio.server_log import log_refusal

from .config import RelayConfig
from .lines import refusal_line
from .page import load_page
from .provider import Provider, Settings
from .relay import Relay

_log = logging.getLogger("sse_relay")

#: What Anthropic's API takes: https://docs.anthropic.com/en/api/overview
_MAX_BODY_BYTES = 32 * 1024 * 1024


class StartError(Exception):
    """The program can't start; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen, and for whom."""

    host: str
    port: int
    hosts: frozenset[str] = field(default_factory=frozenset)
    origins: frozenset[str] = field(default_factory=frozenset)
    certificate: Path | None = None
    key: Path | None = None

    @property
    def is_private(self) -> bool:
        """Whether only programs of this machine are meant to reach it, by one of its own names."""
        return all(_is_loopback(host) for host in (self.host, *self.hosts))

    def settings(self) -> ServerSettings:
        """The server's bounds and checks.

        A server on all interfaces answers to every address: no name can be made to point at it
        that isn't listed in ``hosts``.
        """
        peers = AllowedPeers(
            hosts=LOOPBACK_HOSTS | {self.host} | {host.lower() for host in self.hosts},
            any_address=_is_wildcard(self.host),
            origins=self.origins,
        )
        return ServerSettings(max_body_bytes=_MAX_BODY_BYTES, peers=peers)

    def tls(self) -> ssl.SSLContext | None:
        """The server's certificate, if there is one.  Raises ``StartError``."""
        if self.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            # An empty password, as nobody is there to be asked for one.
            context.load_cert_chain(self.certificate, self.key, password="")
        except OSError as error:
            advice = "It has to be a PEM file; --tls-key names its key, if that is in another"
            raise StartError(
                f"the certificate {self.certificate} can't be used: {error}. {advice}."
            ) from error
        return context


async def run_relay(config: RelayConfig, listen: Listen, upstream_ca: Path | None = None) -> None:
    """Run the relay until a signal ends it."""
    upstream_tls = _trust(upstream_ca)
    relay = Relay(config, new_id=_new_id, jitter=random.random, wall_clock=time.time, files=load_page())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_cancel_on_signal, nursery.cancel_scope)
        port = await _start(nursery, relay, listen, upstream_tls, on_refusal=_log_refusal)
        _say(f"{_url(listen, port)}/")


async def run_provider(
    listen: Listen, settings: Settings, *, api_key: str | None = None, replay: bytes | None = None
) -> None:
    """Run the simulated provider until a signal ends it."""
    provider = _new_provider(settings, api_key, replay)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_cancel_on_signal, nursery.cancel_scope)
        port = await _start(nursery, provider, listen)
        _say(f"provider {_url(listen, port)}")


async def run_demo(port: int) -> None:
    """Run the simulated provider, the relay and the page, on loopback."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_cancel_on_signal, nursery.cancel_scope)
        provider = _new_provider(Settings(), None, None)
        provider_port = await _start(nursery, provider, Listen("127.0.0.1", 0))
        config = RelayConfig(
            f"http://127.0.0.1:{provider_port}",
            pass_headers=("Sim-*",),
            simulated=True,
            model="simulated",
        )
        relay = Relay(config, new_id=_new_id, jitter=random.random, wall_clock=time.time, files=load_page())
        listen = Listen("127.0.0.1", port)
        port = await _start(nursery, relay, listen)
        _say(f"{_url(listen, port)}/")
        _say(f"provider http://127.0.0.1:{provider_port}")
        _say("Open the first address in a browser; Ctrl-C ends it.")


async def _start(
    nursery: trio.Nursery,
    application: Application,
    listen: Listen,
    upstream_tls: ssl.SSLContext | None = None,
    *,
    on_refusal: Callable[[Refusal], None] = log_refusal,
) -> int:
    """Serve ``application`` in ``nursery``; returns the port."""
    tls, settings = listen.tls(), listen.settings()

    async def serve(task_status: trio.TaskStatus[int]) -> None:
        await sse_trio.serve(
            application,
            host=listen.host,
            port=listen.port,
            tls=tls,
            upstream_tls=upstream_tls,
            settings=settings,
            on_refusal=on_refusal,
            task_status=task_status,
        )

    try:
        port: int = await nursery.start(serve)
    except OSError as error:
        hint = " Choose another with --port." if error.errno == errno.EADDRINUSE else ""
        message = f"can't listen on {listen.host} port {listen.port}: {error.strerror or error}."
        raise StartError(message + hint) from error
    return port


def _log_refusal(refusal: Refusal) -> None:
    _log.log(logging.WARNING if refusal.setting else logging.INFO, "%s", refusal_line(refusal))


async def _cancel_on_signal(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()


def _new_provider(settings: Settings, api_key: str | None, replay: bytes | None) -> Provider:
    return Provider(settings, clock=time.time, token=secrets.token_hex(4), api_key=api_key, replay=replay)


def _new_id() -> str:
    # 128 bits: nobody guesses another's turn.
    return secrets.token_urlsafe(16)


def _trust(authorities: Path | None) -> ssl.SSLContext | None:
    if authorities is None:
        return None
    try:
        return ssl.create_default_context(cafile=str(authorities))
    except OSError as error:
        advice = "It has to be a PEM file"
        raise StartError(f"the certificates {authorities} can't be used: {error}. {advice}.") from error


def _is_loopback(host: str) -> bool:
    try:
        return host.lower() in LOOPBACK_HOSTS or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _url(listen: Listen, port: int) -> str:
    scheme = "http" if listen.certificate is None else "https"
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    return f"{scheme}://{host}:{port}"


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  (a program's own words)


__all__ = ["Listen", "StartError", "run_demo", "run_provider", "run_relay"]
