"""Each ``async def`` test in this folder runs on asyncio, and again on trio."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import pytest

BACKENDS = ("asyncio", "trio")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        metafunc.parametrize("backend", BACKENDS)


@pytest.fixture
def run(backend: str) -> Callable[..., Any]:
    """Run an async function on this backend, with its arguments."""

    def run_it(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        assert inspect.iscoroutinefunction(function)
        return anyio.run(partial(function, *arguments, **named), backend=backend)

    return run_it
