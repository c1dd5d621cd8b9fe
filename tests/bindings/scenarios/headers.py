"""Tokens expire: the function for headers is called before each attempt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sse_core import encode_event
from sse_core.errors import TransportError
from sse_core.lifecycle import SourceDeadlines

from ..client_scenario import ClientScenario, Connect, Error, Request
from ..client_steps import Glance, Stage, Step, Take
from ..peers import Head, Peer, answer
from ..runner import Runner
from .reconnecting import AT_ONCE


class Tokens:
    """A function for ``headers`` that gives another token each time; an ``async`` one on that host."""

    def __init__(self, *, pauses: Sequence[float] | None = None) -> None:
        self.given = 0
        self.runner: Runner | None = None
        self._pauses = pauses

    def __call__(self) -> Any:
        self.given += 1
        fields = {"Authorization": f"token-{self.given}"}
        return fields if self._pauses is None else self._later(fields)

    async def _later(self, fields: dict[str, str]) -> dict[str, str]:
        assert self.runner is not None
        assert self._pauses is not None
        await self.runner.sleep(self._pauses[min(self.given, len(self._pauses)) - 1])
        return fields


class ConnectWithTokens(Connect):
    """A call whose ``headers`` are new in each scenario that is played."""

    def opened(self, stage: Stage) -> Any:
        headers = self.options["headers"]()
        if isinstance(headers, Tokens):
            headers.runner = stage.runner
        options = {**self.options, "headers": headers}
        if isinstance(headers, dict):  # a mapping that somebody renews
            options["on_reconnect"] = lambda reconnect: headers.update(
                authorization=f"token-{reconnect.attempt + 1}"
            )
        return stage.runner.connect(stage.peers["server"].url, retry=AT_ONCE, **options)


def called(
    name: str,
    headers: Any,
    sent: Sequence[str],
    *,
    error: Error | None = None,
    do: Sequence[Step] = (Take(3),),
    needs: Sequence[str] = (),
    **options: Any,
) -> ClientScenario:
    """The tokens that come at a server whose every answer is one event."""
    count = len(sent)
    return ClientScenario(
        name=name,
        peers={
            "server": Peer(
                [[Head(), answer(encode_event(str(number), id=str(number)))] for number in range(1, 5)]
            )
        },
        calls=[
            ConnectWithTokens(
                options={"headers": headers, **options},
                do=do,
                texts=[str(number) for number in range(1, count + 1)],
                errors=[error] if error else [],
                seconds=(0, 2),
            )
        ],
        requests=[Request(has=[f"\r\nauthorization: {token}\r\n".encode()]) for token in sent],
        needs=frozenset(needs),
    )


def no_token() -> Any:
    def headers() -> dict[str, str]:
        raise OSError("no token to be had")

    return headers


def forged() -> Any:
    return lambda: {"authorization": "a\r\nforged: b"}


THREE = ["token-1", "token-2", "token-3"]
SCENARIOS = [
    called("a plain function", Tokens, THREE),
    called("a mapping is read anew", lambda: {"authorization": "token-1"}, ["token-1", "token-2", "token-2"]),
    called("a function that waits", lambda: Tokens(pauses=[0.001]), THREE, needs=["await headers"]),
    called("what it raises the iteration raises", no_token, [], error=Error(OSError, "no token to be had")),
    called("what no header can hold", forged, [], error=Error(ValueError)),
    called(
        "it has as long as connecting has",
        lambda: Tokens(pauses=[60.0]),
        [],
        error=Error(TransportError, "deadline: connect"),
        deadlines=SourceDeadlines(connect=0.02),
        needs=["await headers"],
    ),
    called(
        "a wait for it that is cancelled is made again",
        lambda: Tokens(pauses=[60.0, 0.0]),
        ["token-2"],
        do=[Glance(0.02), Take(1)],
        needs=["await headers", "cancel"],
    ),
]
