"""All bindings have the same names with the same arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import sse_anyio
import sse_socket
import sse_trio

#: What only one host can have: trio's way to say that something has begun, what threads need, and a client
#: of asyncio's in place of the project's own connections.
OWN = {"task_status", "handle", "handler_threads", "transport"}


def arguments(function: Callable[..., Any]) -> dict[str, object]:
    """Their names and defaults, in order."""
    parameters = inspect.signature(function).parameters.values()
    return {each.name: each.default for each in parameters if each.name not in OWN}


@pytest.mark.parametrize("binding", [sse_anyio, sse_socket])
@pytest.mark.parametrize("name", ["connect", "stream_turn", "serve"])
def test_arguments(binding: Any, name: str) -> None:
    ours, others = arguments(getattr(sse_trio, name)), arguments(getattr(binding, name))
    for logs in (ours, others):
        logs.pop("on_refusal", None)  # each has a log of its own name
    assert list(ours.items()) == list(others.items())


@pytest.mark.parametrize("binding", [sse_anyio, sse_socket])
def test_names(binding: Any) -> None:
    assert set(sse_trio.__all__) <= set(binding.__all__)
