"""Arguments of ``serve`` are checked at once, and named."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from sse_http import HandlerSettings, ServerSettings
from sse_io.arguments import check_serving, check_tls

GOOD: dict[str, Any] = {
    "host": "127.0.0.1",
    "port": 0,
    "uds": None,
    "uds_mode": 0o600,
    "tls": None,
    "upstream_tls": ssl.create_default_context(),
    "settings": ServerSettings(),
    "max_connections": 1,
    "handler_settings": HandlerSettings(),
    "on_refusal": print,
    "grace": 0.0,
    "drain": 0.0,
    "reuse_port": False,
}


def test_what_can_be_is_let_through() -> None:
    check_serving(**GOOD)
    check_serving(**{**GOOD, "settings": None, "handler_settings": None, "port": 65535, "grace": 1})


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("host", 7, TypeError),
        ("port", "80", TypeError),
        ("port", -1, ValueError),
        ("port", 65536, ValueError),
        ("uds", 7, TypeError),
        ("uds", "", ValueError),
        ("uds", "/run/x\0.sock", ValueError),
        ("uds_mode", "600", TypeError),
        ("uds_mode", 600 * 10, ValueError),
        ("uds_mode", -1, ValueError),
        ("tls", True, TypeError),
        ("upstream_tls", "x", TypeError),
        ("settings", HandlerSettings(), TypeError),
        ("max_connections", 0, ValueError),
        ("handler_settings", ServerSettings(), TypeError),
        ("on_refusal", 7, TypeError),
        ("reuse_port", 1, TypeError),
        ("drain", "2", TypeError),
        ("drain", -1.0, ValueError),
        ("drain", float("inf"), ValueError),
        ("grace", "2", TypeError),
        ("grace", -1.0, ValueError),
        ("grace", float("nan"), ValueError),
        ("grace", float("inf"), ValueError),
    ],
)
def test_what_cannot_is_named(name: str, value: object, error: type[Exception]) -> None:
    with pytest.raises(error, match=name):
        check_serving(**{**GOOD, name: value})


def test_two_places_to_listen() -> None:
    check_serving(**{**GOOD, "uds": "/run/x.sock"})
    check_serving(**{**GOOD, "uds": "\0abstract"})
    with pytest.raises(ValueError, match="uds and port are two places"):
        check_serving(**{**GOOD, "uds": "/run/x.sock", "port": 80})


def test_a_unix_socket_is_nobody_elses() -> None:
    with pytest.raises(ValueError, match="reuse_port is for ports"):
        check_serving(**{**GOOD, "uds": "/run/x.sock", "reuse_port": True})


def test_a_function_may_give_the_context() -> None:
    check_serving(**{**GOOD, "tls": ssl.create_default_context})


def test_a_context_or_none() -> None:
    check_tls("tls", None)
    with pytest.raises(TypeError, match="create_default_context"):
        check_tls("tls", 7)
