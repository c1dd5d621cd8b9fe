"""A server in a thread of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tests.bindings.test_socket import RUNNER, SocketServing


@contextlib.contextmanager
def serving(served: Any, **options: Any) -> Iterator[SocketServing]:
    """``sse_socket.serve`` with what blocks, as it is."""
    with RUNNER.serving(served, adapted=False, **options) as server:
        yield server


def url(server: SocketServing, path: str = "") -> str:
    return f"http://127.0.0.1:{server.port}/{path}"
