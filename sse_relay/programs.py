"""The programs: what each of them serves, where, and what it says when it has begun.

A program is a generator.  It gives one :class:`Service` after another; whoever runs it serves each and
sends back the port on which it listens.  So a program knows of no event loop, and can be run on any.
Clocks and randomness are found here.
"""

from __future__ import annotations

import os
import random
import secrets
import ssl
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path

from sse_core.errors import TransportError
from sse_http import Application, Proxies, Refusal, parse_url

from .config import RelayConfig
from .listen import Listen, StartError, trust
from .log_lines import log_record
from .page import load_page
from .provider import Provider, Settings
from .relay import Relay


@dataclass(frozen=True, slots=True)
class Service:
    """An application, and how it is to be served."""

    application: Application
    listen: Listen
    upstream_tls: ssl.SSLContext | None = None  #: for the connections that the application asks for
    on_refusal: Callable[[Refusal], None] | None = None  #: ``None`` leaves it to the server's own log


Program = Generator[Service, int, None]


def relay_program(config: RelayConfig, listen: Listen, upstream_ca: Path | None = None) -> Program:
    """The relay.

    - ``config``: its settings.
    - ``listen``: where, and for whom.
    - ``upstream_ca``: a PEM file; its certificates, and no others, are trusted for an https upstream.

    A forward proxy that ``config`` doesn't name is taken from the environment: ``HTTPS_PROXY`` and its like.

    Raises ``StartError`` for certificates and for variables that can't be used.
    """
    config = _with_proxies(config)
    upstream_tls = trust(upstream_ca)
    port = yield Service(_new_relay(config), listen, upstream_tls, log_record)
    _say(f"{listen.url(port)}/")


def provider_program(
    listen: Listen, settings: Settings, *, api_key: str | None = None, replay: bytes | None = None
) -> Program:
    """The simulated provider.

    - ``listen``: where, and for whom.
    - ``settings``: hold for every request that does not say otherwise.
    - ``api_key``: requests must show it, if there is one.
    - ``replay``: the bytes of a recorded stream, which is then the answer to every streaming request.
    """
    port = yield Service(_new_provider(settings, api_key, replay), listen)
    _say(f"provider {listen.url(port)}")


def demo_program(port: int) -> Program:
    """The simulated provider, the relay and the page, on loopback."""
    beside = Listen("127.0.0.1", 0)
    provider_url = beside.url((yield Service(_new_provider(Settings(), None, None), beside)))
    config = RelayConfig(provider_url, pass_headers=("Sim-*",), simulated=True, model="simulated")
    listen = Listen("127.0.0.1", port)
    port = yield Service(_new_relay(config), listen)
    _say(f"{listen.url(port)}/")
    _say(f"provider {provider_url}")
    _say("Open the first address in a browser; Ctrl-C ends it.")


def _with_proxies(config: RelayConfig) -> RelayConfig:
    if config.proxies is not None:
        return config
    proxies = Proxies.from_environment(os.environ)
    try:
        proxies.proxy_for(parse_url(config.upstream))
    except TransportError as error:
        raise StartError(f"the provider can't be reached: {error}.") from None
    return replace(config, proxies=proxies)


def _new_relay(config: RelayConfig) -> Relay:
    return Relay(
        config,
        new_id=_new_id,
        jitter=random.random,
        wall_clock=time.time,
        files=load_page(),
        on_record=log_record,
    )


def _new_provider(settings: Settings, api_key: str | None, replay: bytes | None) -> Provider:
    return Provider(settings, clock=time.time, token=secrets.token_hex(4), api_key=api_key, replay=replay)


def _new_id() -> str:
    # 128 bits: nobody guesses another's turn.
    return secrets.token_urlsafe(16)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  (a program's own words)
