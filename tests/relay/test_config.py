"""Settings that can't work are refused when they are made, in words, and no key is ever shown."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sse_core.lifecycle import RetryPolicy
from sse_relay.config import RelayConfig

UPSTREAM = "https://provider.test"


@pytest.mark.parametrize(
    "upstream",
    ["http://localhost:8081", "https://provider.test/", "https://provider.test/base/path", "http://[::1]:81"],
)
def test_an_upstream(upstream: str) -> None:
    assert RelayConfig(upstream).upstream == upstream


@pytest.mark.parametrize(
    "upstream",
    [
        "",
        "provider.test",
        "localhost:8081",
        "//provider.test",
        "ftp://provider.test",
        "http://",
        "http://provider.test:99999",
        "http://provider.test:port",
        "http://b\u00fccher.test",
        "http://provider.test/a b",
        "http://provider.test/\r\nX-Forged: 1",
        "https://provider.test?key=secret",
        "https://provider.test#secret",
        "https://user:secret@provider.test",
    ],
)
def test_an_upstream_that_is_no_base_url(upstream: str) -> None:
    with pytest.raises(ValueError, match=r"^upstream: ") as caught:
        RelayConfig(upstream)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "key", ["", " ", "sk secret", "sk-secret\n", "\tsk-secret", "sk-secr\u00e9t", "secret\0", "secret\udce9"]
)
def test_a_key_that_no_header_can_carry(key: str) -> None:
    """An empty key above all: whoever shows none would show it."""
    for name, value in (("api_key", key), ("client_keys", frozenset({key, "right"}))):
        with pytest.raises(ValueError, match=f"^{name}: ") as caught:
            RelayConfig(UPSTREAM, **{name: value})  # type: ignore[arg-type]
        assert "secr" not in str(caught.value)
        assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("log_bytes", 0),
        ("retained_bytes", -1),
        ("max_turns", 0),
        ("head_hold", -0.1),
        ("retention", math.inf),
        ("max_disconnect_seconds", math.nan),
    ],
)
def test_a_bound_that_bounds_nothing(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be"):
        RelayConfig(UPSTREAM, **{name: value})


def test_no_key_in_a_repr() -> None:
    config = RelayConfig(UPSTREAM, api_key="sk-secret", client_keys=frozenset({"ck-secret"}))
    assert "secret" not in repr(config)
    assert "secret" not in f"{config}"


def test_clients_of_this_protocol_can_not_take_back() -> None:
    with pytest.raises(ValueError, match=r"^retry: after_output must be never"):
        RelayConfig(UPSTREAM, retry=RetryPolicy(after_output="retract"))
