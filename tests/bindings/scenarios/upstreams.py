"""What ``serve`` does with the connections that an application asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sse_core.lifecycle import OnDisconnect, Outcome, RetryPolicy, Turn, TurnState, Upstream
from sse_http import ClientExchange, Reply

from ..applications import Driving, Served, provider
from ..client_scenario import BODY
from ..peers import BlackHole, Head, PeerLike, Receive, Silence, answer, scripted
from ..peers import Pause as PeerPauses
from ..runner import Runner
from ..server_scenario import ServerScenario
from ..server_stage import Stage
from ..server_steps import Check, Do, Fetch, Pause, Step, Until
from .application_errors import SECRET

AT_ONCE = RetryPolicy(initial_delay=0.0)


class DrivingTo(Driving):
    """Drives one turn to the scenario's peer, whose address is known when it begins."""

    def __init__(
        self,
        *,
        path: str = "",
        body: Any = BODY,
        exchange: Callable[[Turn], ClientExchange] = ClientExchange,
        turn_options: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self._path = path
        self._body = body
        self._exchange = exchange
        self._turn_options = turn_options or {}
        self._options = options

    def begin_at(self, url: str, now: float) -> None:
        upstream = Upstream(url + self._path, **self._options)
        self.turns = (upstream.turn(self._body, **self._turn_options),)
        self.exchanges = [self._exchange(turn) for turn in self.turns]
        self.begin(now)


def driving(**options: Any) -> Callable[[Runner], DrivingTo]:
    return lambda _: DrivingTo(**options)


def begin(stage: Stage) -> None:
    stage.served.begin_at(stage.peers["provider"].url, stage.runner.now())


def turn(stage: Stage) -> Turn:
    return stage.served.turns[0]  # type: ignore[no-any-return]


def wake(stage: Stage) -> None:
    stage.served.exchanges[0].waker()


def stop(stage: Stage) -> None:
    turn(stage).stop(stage.runner.now())
    wake(stage)


def loses_its_last_reader(stage: Stage) -> None:
    turn(stage).readers_changed(0, stage.runner.now())
    wake(stage)


def wakes(seconds: float) -> Sequence[Step]:
    """Wake the exchange five times."""
    return [step for _ in range(5) for step in (Do(wake), Pause(seconds))]


BEGIN = Do(begin)
ENDED = Until(lambda stage: turn(stage).outcome)


def outcome(expected: Outcome) -> Check:
    return Check(lambda stage: turn(stage).outcome is expected)


def connecting_to(stage: Stage) -> list[str]:
    """The sockets of this machine that wait for an answer to their SYN at the peer's port; on Linux."""
    port = f":{stage.peers['provider'].address[1]:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    waiting = [local for _, local, remote, state, *_ in lines if remote.endswith(port) and state == "02"]
    return sorted(waiting)


CONNECTING = Until(connecting_to)


def notes_its_socket(stage: Stage) -> bool:
    stage.noted = connecting_to(stage)
    return bool(stage.noted)


def raises(*_: Any, **__: Any) -> Any:
    raise RuntimeError("a secret")


class FailsWhenConnected(ClientExchange):
    """The application's own exchange has a mistake."""

    connected = raises


class FailsForEver(ClientExchange):
    """It has another one where a lost connection is reported."""

    connected = raises
    connection_lost = raises


LARGE = b"x" * 16_000_000
NOT_FOUND = answer(b"{}", "404 Not Found", "application/json")


def upstream(
    name: str, peer: PeerLike, served: Callable[[Runner], Any], *steps: Step, **options: Any
) -> ServerScenario:
    return ServerScenario(
        name=f"an upstream: {name}", served=served, peers={"provider": peer}, steps=[BEGIN, *steps], **options
    )


def answered_404(stage: Stage) -> bool:
    failure = turn(stage).failure
    return turn(stage).attempts == 1 and failure is not None and failure.status == 404


def secret_stays(stage: Stage) -> bool:
    failure = turn(stage).failure
    return failure is not None and "secret" not in failure.error.message and turn(stage).attempts == 3


SCENARIOS = [
    upstream(
        "a turn is driven to its end",
        Served(provider),
        driving(path="v1/messages"),
        ENDED,
        outcome(Outcome.COMPLETED),
    ),
    upstream(
        "over TLS, by the application's own authorities",
        Served(provider, tls="server"),
        driving(path="v1/messages"),
        ENDED,
        outcome(Outcome.COMPLETED),
        options={"upstream_tls": "client"},
    ),
    upstream(
        # A reader that comes or goes wakes the exchange; a handshake must not start anew for it.
        "waking amid connecting does not begin again",
        BlackHole(),
        driving(),
        CONNECTING,
        Check(notes_its_socket),
        *wakes(0.01),
        Check(lambda stage: connecting_to(stage) == stage.noted),
        Check(lambda stage: turn(stage).state is TurnState.CONNECTING),
        options={"grace": 0.1},
    ),
    upstream(
        "an earlier deadline counts amid connecting",
        BlackHole(),
        driving(turn_options={"on_disconnect": OnDisconnect("detach", 0.02)}),
        CONNECTING,
        Do(loses_its_last_reader),
        ENDED,
        outcome(Outcome.STOPPED),
    ),
    upstream(
        "stopping amid connecting ends it at once",
        BlackHole(),
        driving(),
        CONNECTING,
        Check(notes_its_socket),
        Do(stop),
        Until(lambda stage: len(connecting_to(stage)) == len(stage.noted) - 1, 0.5),
        Check(lambda stage: turn(stage).deadline is None),
    ),
    upstream(
        "waking amid a large request does not cut it",
        scripted(Head(), PeerPauses(0.1), Receive(len(LARGE)), NOT_FOUND),
        driving(body=LARGE),
        Until(lambda stage: turn(stage).state is TurnState.WAITING),
        *wakes(0.005),
        ENDED,
        Check(answered_404),
    ),
    upstream(
        # Nobody else would ever end it for the turn's readers.
        "a mistake in driving a turn fails it",
        scripted(Silence()),
        driving(exchange=FailsWhenConnected, retry=AT_ONCE),
        ENDED,
        outcome(Outcome.FAILED),
        Check(secret_stays),
        logged=[SECRET],
        log_records=3,
    ),
    upstream(
        "a mistake that never ends is given up",
        scripted(Silence()),
        driving(exchange=FailsForEver),
        Pause(0.1),
        Do(lambda stage: setattr(stage.served, "make", lambda _: Reply(204))),
        Fetch(has=[b"204"]),
        logged=[SECRET],
        log_records=2,
    ),
]
