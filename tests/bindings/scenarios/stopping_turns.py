"""``stop()`` from another task, and leaving: the provider stops at once, whatever the turn was doing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from sse_core import TurnError
from sse_core.blocks import TextBlock, TextDelta
from sse_core.lifecycle import Outcome, RetryPolicy

from ..applications import Served, provider
from ..client_scenario import ClientScenario, Error, Turn, text_of
from ..client_steps import Condition, Fail, Peers, Stage, Step, Stop, StopMeanwhile, Take, TakeUntil, ToEnd
from ..peers import BlackHole, Forward, PeerLike, scripted
from ..resources import soon
from .turns import Raises, with_fault

NEEDS = frozenset({"tasks"})
SLOW_PROVIDER = Served(partial(provider, tokens=1000, rate=100))


def provider_stopped(peers: Peers, _: Sequence[Stage]) -> None:
    """It generates no more."""
    peer = peers.get("provider", peers["server"])
    soon(lambda: peer.records[-1]["state"] == "aborted" or None, 0.5)
    tokens = peer.records[-1]["tokens"]
    time.sleep(0.05)
    assert peer.records[-1]["tokens"] == tokens < 100


def stopped(
    name: str,
    peer: PeerLike,
    when: Condition,
    *,
    others: dict[str, PeerLike] | None = None,
    check: Any = None,
    look: Any = None,
    **call: Any,
) -> ClientScenario:
    return ClientScenario(
        name=f"stopped {name}",
        peers={**(others or {}), "server": peer},
        calls=[
            Turn(
                do=[StopMeanwhile(when)],
                outcome=Outcome.STOPPED,
                seconds=(0, 3),
                check=look,
                **call,
            )
        ],
        needs=NEEDS,
        check=check,
    )


def no_text(stage: Stage) -> None:
    assert stage.stream.message.completeness == "stopped"
    assert text_of(stage.events) == ""


def its_text(stage: Stage) -> None:
    assert stage.stream.message.completeness == "stopped"
    [block] = stage.stream.message.blocks
    assert isinstance(block, TextBlock)
    assert block.text == text_of(stage.events) != ""


def never_requested(peers: Peers, stages: Sequence[Stage]) -> None:
    assert len(stages[0].events) == 1
    assert peers["server"].records == []


def one_record(peers: Peers, _: Sequence[Stage]) -> None:
    assert len(peers["server"].records) == 1


def no_token(peers: Peers, stages: Sequence[Stage]) -> None:
    provider_stopped(peers, stages)
    assert peers["server"].records[0]["tokens"] == 0


class CloseText:
    """To close ``text_stream`` is to stop."""

    async def play(self, stage: Stage) -> None:
        async with contextlib.aclosing(stage.stream.text_stream) as texts:
            await anext(texts)


def is_text(event: object) -> bool:
    return isinstance(event, TextDelta)


def left(name: str, *steps: Step, errors: Sequence[Error] = (), needs: str = "") -> ClientScenario:
    return ClientScenario(
        name=f"a turn left by {name}",
        peers={"server": SLOW_PROVIDER},
        calls=[Turn(do=[TakeUntil(is_text), *steps], errors=errors, outcome=Outcome.STOPPED)],
        needs=frozenset({needs} - {""}),
        check=provider_stopped,
    )


class GiveUp:
    """The wait for the next event is cancelled, again and again, until the turn is left."""

    async def play(self, stage: Stage) -> None:
        assert not await stage.runner.within(0.02, lambda: ToEnd().play(stage))


SCENARIOS = [
    stopped(
        "before the connection is made",
        BlackHole(),
        lambda stage: time.monotonic() > stage.began + 0.05,
        look=no_text,
    ),
    ClientScenario(
        name="stopped before anybody reads",
        peers={"server": Served(provider)},
        calls=[Turn(do=[Stop(), ToEnd()], outcome=Outcome.STOPPED)],
        check=never_requested,
    ),
    stopped(
        "before the head",
        scripted(Forward("provider", cut=0)),
        lambda stage: stage.peers["provider"].records,
        others={"provider": SLOW_PROVIDER},
        look=no_text,
        check=provider_stopped,
    ),
    stopped(
        "before the first token",
        Served(partial(provider, tokens=1000, rate=100, ttft=5)),
        lambda stage: stage.stream.timing.first_byte_at,
        look=no_text,
        check=no_token,
    ),
    stopped(
        "amid text",
        SLOW_PROVIDER,
        lambda stage: stage.stream.timing.outputs >= 5,
        look=its_text,
        check=provider_stopped,
    ),
    stopped(
        "in back-off",
        Served(provider),
        lambda stage: stage.peers["server"].records,
        upstream=with_fault("status=503", retry=RetryPolicy(initial_delay=8.0)),
        check=one_record,
    ),
    ClientScenario(
        name="stopped while nobody reads",
        peers={"server": SLOW_PROVIDER},
        calls=[Turn(do=[Take(1), Stop()], outcome=Outcome.STOPPED)],
        check=provider_stopped,
    ),
    ClientScenario(
        name="stopped after the end",
        peers={"server": Served(provider)},
        calls=[Turn(do=[ToEnd(), Stop(Outcome.COMPLETED)], text=True)],
    ),
    left("a break"),
    left("an exception", Fail(), errors=[Error(ZeroDivisionError)]),
    left("a cancelled wait", GiveUp(), needs="cancel"),
    ClientScenario(
        name="to close the text is to stop",
        peers={"server": SLOW_PROVIDER},
        calls=[Turn(do=[CloseText(), Raises(TurnError, "stopped: turn_stopped")], outcome=Outcome.STOPPED)],
        check=provider_stopped,
    ),
]
