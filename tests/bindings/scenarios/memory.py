"""A connection that is over holds nothing: its objects go at once, without the collector's help."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from sse_http import Request, ServerSettings

from ..runner import Runner
from ..server_scenario import ServerScenario
from ..server_stage import get
from ..server_steps import Fetch, ForgetsConnections, Hear, Leave, Open, Pause, Step
from .serving import greets

HALF = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n" + b"x" * 900_000


def handler(runner: Runner) -> Any:
    async def stream(request: Request) -> AsyncIterator[str]:
        yield request.path
        await runner.sleep_for_ever()

    return stream


def forgets(name: str, served: Callable[[Runner], Any], *steps: Step, **options: Any) -> ServerScenario:
    refusals: Sequence[str] = ["refused a request"] if "late" in name or "too large" in name else []
    return ServerScenario(
        name=f"nothing is kept of a connection: {name}",
        served=served,
        steps=[ForgetsConnections(steps)],
        options=options,
        logged=refusals,
        needs=frozenset({"interrupt"} if name == "that was answered, a handler" else ()),
    )


KINDS: dict[str, Callable[[Runner], Any]] = {"an application": greets, "a handler": handler}
ENDS: list[tuple[str, list[Step], ServerSettings | None]] = [
    ("closed amid a body", [Open(HALF), Pause(0.02)], None),
    ("reset amid a body", [Open(HALF), Pause(0.02), Leave("reset")], None),
    (
        "late with its body",
        [Open(HALF[:1000]), Hear(b"408")],
        ServerSettings(request_timeout=0.05, linger=0.01),
    ),
    (
        "with a body that is too large",
        [Open(HALF.replace(b"1000000", b"9000000")), Hear(b"413")],
        ServerSettings(linger=0.01),
    ),
    ("that was answered", [Open(get()), Hear(b"200 OK")], None),
]
SCENARIOS = [
    *(
        forgets(f"{end}, {kind}", served, *steps, settings=settings)
        for kind, served in KINDS.items()
        for end, steps, settings in ENDS
    ),
    forgets("over TLS", greets, Open(HALF, tls=True), tls="server"),
    forgets("many whole requests", greets, Fetch(times=5)),
]
