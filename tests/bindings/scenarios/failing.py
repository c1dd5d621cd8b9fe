"""Connections that can't be made: the words for it, and what another attempt may mend."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

from sse_core.errors import TransportError
from sse_core.lifecycle import NO_RETRY, Outcome, RetryPolicy

from ..client_scenario import ClientScenario, Connect, Error, Turn
from ..client_steps import Peers, Stage, Take
from ..peers import Head, Nobody, PeerLike, Receive, Send, scripted

QUICK = RetryPolicy(initial_delay=0.01)
REFUSED = os.strerror(errno.ECONNREFUSED)


def turn_fails(
    name: str,
    peer: PeerLike,
    words: str,
    *,
    attempts: int = 1,
    url: str = "{server}",
    trust: str | None = None,
    lacks: str = "\0",
) -> ClientScenario:
    """A turn that fails; one attempt if it is no use to try again."""

    def secret_stays(stage: Stage) -> None:
        assert lacks not in stage.events[-1].message

    return ClientScenario(
        name=name,
        peers={"server": peer},
        calls=[
            Turn(
                url=url,
                upstream={"retry": QUICK},
                trust=trust,
                outcome=Outcome.FAILED,
                failure=words,
                failure_is={"retryable": attempts > 1},
                stream={"attempts": attempts},
                check=secret_stays,
            )
        ],
    )


def has_its_cause(peers: Peers, stages: Sequence[Stage]) -> None:
    error, _ = stages[0].errors
    assert str(error).startswith("could not connect to {}:{}: ".format(*peers["server"].address))
    cause: BaseException | None = error
    while (cause := cause.__cause__ if cause else None) is not None:
        if isinstance(cause, OSError):
            return
    raise AssertionError("no OSError among its causes")


SCENARIOS = [
    ClientScenario(
        name="a refused connection has its cause, and the error stays",
        peers={"server": Nobody()},
        calls=[
            Connect(
                options={"retry": NO_RETRY},
                do=[Take(1), Take(1)],
                errors=[Error(TransportError, "Connection refused")] * 2,
            )
        ],
        check=has_its_cause,
    ),
    *(
        ClientScenario(
            name=f"a host that is none: {scheme}, {host[:20]}",
            peers={},
            calls=[
                Connect(
                    url=f"{scheme}://{host}/",
                    options={"retry": NO_RETRY},
                    do=[Take(1)],
                    errors=[Error(TransportError)],
                )
            ],
        )
        for host in ("a..b", "nowhere.invalid", "x" * 70)
        for scheme in ("http", "https")
    ),
    turn_fails(
        "a turn to what speaks another protocol",
        scripted(Head(), Send(b"SSH-2.0-OpenSSH_9.6\r\n")),
        r"not valid HTTP/1\.1",
        lacks="SSH",
    ),
    *(
        turn_fails(
            f"a turn to a host that is no name: {host[:20]}", Nobody(), "not a name", url=f"http://{host}/"
        )
        for host in ("a..b", "x" * 70)
    ),
    turn_fails(
        "a refused turn names host and port, and is tried again",
        Nobody(),
        rf"the connection to 127\.0\.0\.1:\d+ could not be made: {REFUSED}",
        url="{server}v1/messages?key=s3cret",
        lacks="s3cret",
        attempts=3,
    ),
    turn_fails(
        "a turn whose connection is closed amid the handshake is tried again",
        scripted(Receive(1)),
        "",
        url="https://{server:address}/",
        trust="client",
        attempts=3,
    ),
]
