"""Arguments of the bindings' functions, which are refused at once where they are wrong."""

from __future__ import annotations

import math
import ssl
from types import NoneType

from sse_core.arguments import check_bound, check_callable, check_type
from sse_http import HandlerSettings, ServerSettings

_MAX_PORT = 65535
_MAX_MODE = 0o777


def check_tls(name: str, value: object) -> None:
    """See that ``value`` is a context for TLS, or ``None``.  Raises ``TypeError``."""
    check_type(name, value, ssl.SSLContext, NoneType, hint="ssl.create_default_context() gives one")


def check_server_tls(value: object) -> None:
    """See that ``value`` is a context, gives one, or is ``None``.  Raises ``TypeError``."""
    if not callable(value):
        check_tls("tls", value)


def check_uds(value: object) -> None:
    """See that ``value`` is the path of a Unix socket, or ``None``.  Raises ``TypeError``, ``ValueError``."""
    check_type("uds", value, str, NoneType)
    # Linux has names that begin with NUL, without a file; elsewhere the kernel takes what stands before it.
    if value == "" or (isinstance(value, str) and "\0" in value[1:]):
        raise ValueError("uds must be the path of a Unix socket, or None: not empty, and without NUL in it")


def check_serving(
    *,
    host: object,
    port: int,
    uds: object,
    uds_mode: int,
    tls: object,
    upstream_tls: object,
    settings: object,
    max_connections: object,
    handler_settings: object,
    on_refusal: object,
    grace: float,
    drain: float,
    reuse_port: object,
) -> None:
    """See that the arguments of ``serve`` are what they have to be.

    Raises ``TypeError`` and ``ValueError`` that name the argument.
    """
    check_type("host", host, str)
    check_type("port", port, int)
    if not 0 <= port <= _MAX_PORT:
        raise ValueError(f"port must be from 0 to {_MAX_PORT}, not {port}")
    check_uds(uds)
    if uds is not None and port:
        raise ValueError("uds and port are two places to listen: give one of them")
    check_type("uds_mode", uds_mode, int)
    if not 0 <= uds_mode <= _MAX_MODE:
        raise ValueError(f"uds_mode must be permissions from 0 to 0o777, as 0o660, not {uds_mode:#o}")
    check_server_tls(tls)
    check_tls("upstream_tls", upstream_tls)
    check_type("settings", settings, ServerSettings, NoneType)
    check_bound("max_connections", max_connections)
    check_type("handler_settings", handler_settings, HandlerSettings, NoneType)
    check_callable("on_refusal", on_refusal)
    check_type("reuse_port", reuse_port, bool)
    if uds is not None and reuse_port:
        raise ValueError("reuse_port is for ports: a Unix socket has one server")
    for name, seconds in (("grace", grace), ("drain", drain)):
        check_type(name, seconds, int, float)
        if not 0 <= seconds < math.inf:
            raise ValueError(f"{name} must be a finite number of seconds, not below zero: {seconds}")
