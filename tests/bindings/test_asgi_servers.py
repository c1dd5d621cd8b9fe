"""The scenarios of servers on ``sse_asgi.asgi``, inside uvicorn and hypercorn.

What a server decides, and no application, is left out: see the lists.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sse_asgi import asgi
from tests.bindings.asgi_servers import (
    ASGIServing,
    HttptoolsServing,
    HypercornOnTrioServing,
    HypercornServing,
    UvicornServing,
)
from tests.bindings.scenarios.catalogue import SERVER_SCENARIOS
from tests.bindings.server_scenario import ServerScenario
from tests.bindings.test_anyio import LOOPS, AnyioRunner

#: A server, and the event loop that it runs on.
SERVERS: dict[str, tuple[type[ASGIServing], str]] = {
    "uvicorn with h11": (UvicornServing, "asyncio"),
    "uvicorn with httptools": (HttptoolsServing, "asyncio"),
    "hypercorn on asyncio": (HypercornServing, "asyncio"),
    "hypercorn on trio": (HypercornOnTrioServing, "trio"),
}
#: One scenario in so many is played by ``make test`` on each server, other ones on each.
PART = 8
#: The options of ``serve`` that ``asgi`` has, and those that a server has.
APPLICATIONS = frozenset({"settings", "handler_settings", "upstream_tls", "on_refusal"})
OPTIONS = APPLICATIONS | {"host", "tls", "grace"}

MEMORY = frozenset(
    scenario.name
    for scenario in SERVER_SCENARIOS
    if scenario.name.startswith("nothing is kept of a connection")
)
#: The only ones in which no task of an application is cancelled.
MEMORY_OF_HALF_REQUESTS = frozenset(
    name for name in MEMORY if "closed amid" in name or "reset amid" in name or "over TLS" in name
)
OTHER_OPTIONS = frozenset(scenario.name for scenario in SERVER_SCENARIOS if scenario.options.keys() - OPTIONS)
HYPERCORN = frozenset({"hypercorn on asyncio", "hypercorn on trio"})
#: What a server decides, and no application: on which servers it isn't played, and why.
LEFT_OUT: list[tuple[frozenset[str], str, frozenset[str]]] = [
    (frozenset(SERVERS), "a server has options of its own for it", OTHER_OPTIONS),
    (
        frozenset(SERVERS),
        "its heads, and how it cuts",
        frozenset(
            {
                "HTTP/1.0: a stream that is ABORTED",
                "HTTP/1.0 over TLS: a stream that is ABORTED",
                "connection: close over TLS: a stream that is ABORTED",
                "a handler without an answer gives a status",
            }
        ),
    ),
    (
        frozenset(SERVERS),
        "where it listens, whom it lets in, and how long it waits for them",
        frozenset(
            {
                "a client that never shakes hands: 0 bytes",
                "a client that never shakes hands: 4 bytes",
                "a new certificate",
                "a refusal of a host is a warning",
                "a refusal of what is no request is a note",
                "a request and goodbye in one",
                "a silent connection is closed in time",
                "an address in use is an error of the system",
                "or it goes to whom one likes",
                "the port can be chosen",
                "the write timeout ends it",
                "a Unix socket's file",
            }
        ),
    ),
    (
        frozenset(SERVERS),
        "when bytes go to the kernel",
        frozenset(
            {
                "a stream that wakes while it is pulled",
                "each piece is in the kernel when the waker returns",
                "each piece is in the kernel when the waker returns over TLS",
                "one event is in every reader's kernel",
            }
        ),
    ),
    (
        frozenset(SERVERS),
        "tasks that asyncio has cancelled, and hypercorn's connections, wait for the collector",
        MEMORY - MEMORY_OF_HALF_REQUESTS,
    ),
    (HYPERCORN, "its connections wait for the collector", MEMORY_OF_HALF_REQUESTS),
    (
        frozenset({"uvicorn with httptools"}),
        "it sends chunks to clients of HTTP/1.0, which know none",
        frozenset({"HTTP/1.0: a stream that is FINISHED", "HTTP/1.0 over TLS: a stream that is FINISHED"}),
    ),
    (
        HYPERCORN,
        "it says 100 before it asks the application",
        frozenset({f"a check before the body is read: {status}" for status in (401, 413)}),
    ),
    (
        HYPERCORN,
        "when it gives up waiting, and when it closes",
        frozenset(
            {
                "garbage amid an answer",
                "the end closes the application and every socket",
                "the socket is closed before a long cleaning up",
                "who has no end is cut when the time is over, and not before",
            }
        ),
    ),
    (
        frozenset({"hypercorn on trio"}),
        "it closes without TLS's goodbye",
        frozenset(
            {
                "HTTP/1.0 over TLS: a stream that is FINISHED",
                "connection: close over TLS: a stream that is FINISHED",
            }
        ),
    ),
    (
        frozenset({"hypercorn on trio"}),
        "nobody can break into its sending, so that only the kernel gives a reader up",
        frozenset({"a reader that is given up", "eviction ends it"}),
    ),
]
#: What a server says of a stream that was cut, which is meant.
CUTS = ("without completing", "timeout graceful shutdown exceeded")


class OfInterest(logging.Filter):
    """Not what servers say of themselves; but that an application raised would be our error."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] not in {"uvicorn", "hypercorn"}:
            return True
        error = record.exc_info[1] if record.exc_info else None
        if record.levelno < logging.ERROR or isinstance(error, asyncio.CancelledError):
            return False
        return not any(cut in record.msg for cut in CUTS)


class ASGIRunner(AnyioRunner):
    """``sse_asgi.asgi`` in a server."""

    def __init__(self, server: str) -> None:
        self.server, loop = SERVERS[server]
        super().__init__(LOOPS[loop])
        self.now = time.monotonic

    @contextlib.contextmanager
    def serving(self, served: Any, **options: Any) -> Iterator[ASGIServing]:  # type: ignore[override]
        application = asgi(served, **{name: options.pop(name) for name in APPLICATIONS & options.keys()})
        serving = self.server(application, **options)
        serving.start()
        try:
            yield serving
        finally:
            serving.finish()


RUNNERS = {server: ASGIRunner(server) for server in SERVERS}


def left_out(server: str, scenario: ServerScenario) -> bool:
    """Whether it is this server's matter."""
    return any(server in servers and scenario.name in names for servers, _, names in LEFT_OUT)


def played() -> list[Any]:
    """All scenarios on all servers in ``make scenarios``; else a part of them."""
    whole = os.environ.get("SCENARIOS") == "all"
    return [
        pytest.param(server, scenario, id=f"{scenario.name}-{server}")
        for place, server in enumerate(SERVERS)
        for number, scenario in enumerate(SERVER_SCENARIOS)
        if not left_out(server, scenario) and (whole or number % PART == place)
    ]


@pytest.mark.parametrize(("server", "scenario"), played())
def test_server(server: str, scenario: ServerScenario, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with caplog.filtering(OfInterest()):
        scenario.play(RUNNERS[server], caplog.records)


def test_the_lists_name_scenarios() -> None:
    names = {scenario.name for scenario in SERVER_SCENARIOS}
    assert names >= frozenset().union(*(left for _, _, left in LEFT_OUT))
