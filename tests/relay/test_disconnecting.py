"""What happens to a turn when its last reader has gone: cancel, detach, drain."""

from __future__ import annotations

import gc
import weakref

import pytest

from sse_core.lifecycle import Outcome
from sse_http import Reply, StreamState
from tests.relay.support import BEGINNING, ENDING, TURN_ID, WHOLE, World, error_of, text

NAMED = {"turn-id": TURN_ID}


def policy(text: str) -> dict[str, str]:
    return NAMED | {"turn-on-disconnect": text}


@pytest.mark.parametrize("headers", [NAMED, policy("cancel")], ids=["default", "cancel"])
def test_cancel(headers: dict[str, str]) -> None:
    world = World()
    first, second = world.ask(headers), world.resume(TURN_ID)
    world.provider.connect().head().send(*BEGINNING, text("x"))
    first.leave()
    assert world.provider.want == "read"
    second.leave()
    assert world.provider.want == "close"
    assert world.provider.turn.outcome is Outcome.STOPPED


def test_to_leave_twice_is_to_leave_once() -> None:
    world = World()
    first, second = world.ask(NAMED), world.resume(TURN_ID)
    whole = world.post(NAMED)
    world.read(whole)
    for _ in range(3):
        first.stream.close(world.now)
    world.provider.connect().head().send(*BEGINNING, text("x"))
    assert world.provider.want == "read"
    assert second.text == "x"


def test_a_reader_that_has_left_is_left_alone() -> None:
    world = World()
    stay = world.ask(NAMED)
    detached = {"turn-id": f"{TURN_ID}-2", "turn-on-disconnect": "detach=60"}
    gone = [world.resume(TURN_ID), world.ask(detached, stream=False)]
    for reader in gone:
        reader.leave()
        reader.wakes = 0
    assert gone[0].stream.state is StreamState.ABORTED
    for provider in world.providers:
        provider.answer(*WHOLE)
    world.pass_time(100)
    assert stay.text == "Scattering."
    assert [reader.wakes for reader in gone] == [0, 0]


def test_a_client_of_the_whole_message_is_a_reader_too() -> None:
    world = World()
    reader = world.ask(NAMED, stream=False)
    other = world.resume(TURN_ID)
    other.leave()
    world.provider.connect().head()
    assert world.provider.want == "read"
    for _ in range(3):
        reader.stream.close(world.now)
    assert world.provider.turn.outcome is Outcome.STOPPED


def test_detach_goes_on_without_a_reader() -> None:
    world = World()
    first = world.ask(policy("detach=30"))
    world.provider.connect().head().send(*BEGINNING, text("Scat"))
    first.leave()
    world.pass_time(29)
    wakes = world.provider.wakes
    world.ask(policy("cancel")).leave()
    assert world.provider.wakes == wakes + 2, "its deadline has changed twice"
    world.pass_time(29)
    world.provider.send(text("tering."), *ENDING)
    assert world.provider.turn.outcome is Outcome.COMPLETED
    assert world.resume(TURN_ID, first.sse[-1].last_event_id).text == "tering."


def test_detach_has_its_time_anew_each_time() -> None:
    world = World()
    reader = world.ask(policy("detach=3"))
    world.provider.connect().head().send(*BEGINNING, text("x"))
    for _ in range(5):
        reader.leave()
        world.pass_time(2.9)
        reader = world.resume(TURN_ID)
        world.pass_time(2.9)
    assert world.provider.want == "read"
    reader.leave()
    world.pass_time(3)
    assert world.provider.want == "close"
    assert world.provider.turn.outcome is Outcome.STOPPED
    assert world.resume(TURN_ID).events[-1]["outcome"] == "stopped"


@pytest.mark.parametrize("wish", ["detach=0", "drain=0"])
def test_no_time_at_all(wish: str) -> None:
    world = World()
    reader = world.ask(policy(wish))
    world.provider.connect()
    reader.leave()
    world.pass_time(0)
    assert world.provider.turn.outcome is Outcome.STOPPED


def test_the_policy_is_the_first_requests() -> None:
    """A client that only reads along can't change what becomes of the turn."""
    world = World()
    first = world.ask(policy("detach=30"))
    second = world.ask(policy("cancel"))
    first.leave()
    second.leave()
    assert world.provider.turn.outcome is None


def test_drain_reads_on_and_keeps_nothing() -> None:
    world = World(log_bytes=2000)
    reader = world.ask(policy("drain=30"))
    provider = world.provider.connect().head().send(*BEGINNING, text("x"))
    reader.leave()
    assert provider.exchange.log.retained_bytes == 0
    for _ in range(100):
        # With nobody to read it, no log is full.
        provider.send(text("y" * 100))
    provider.send(*ENDING)
    assert provider.turn.outcome is Outcome.COMPLETED
    assert provider.turn.message.usage["output_tokens"] == 7
    assert provider.exchange.log.retained_bytes == 0


def test_drain_lets_a_paused_provider_go_on() -> None:
    world = World(log_bytes=2000)
    reader = world.ask(policy("drain=30"), stalled=True)
    provider = world.provider.connect().head().send(*BEGINNING, text("x" * 3000))
    assert provider.want == "pause"
    wakes = provider.wakes
    reader.leave()
    assert provider.want == "read"
    assert provider.wakes > wakes
    provider.send(*ENDING)
    assert provider.turn.outcome is Outcome.COMPLETED


@pytest.mark.parametrize("ended", [False, True], ids=["running", "ended"])
def test_nobody_comes_back_to_a_drained_turn(ended: object) -> None:
    world = World()
    world.ask(policy("drain=30")).leave()
    if ended:
        world.provider.answer(*WHOLE)
    for answer in (world.reply("GET", f"/turns/{TURN_ID}"), world.post(NAMED)):
        assert getattr(answer, "status", None) == 410
    if not ended:
        # Nor does the attempt give it more time.
        world.pass_time(30)
        assert world.stop(TURN_ID) == "stopped"


def test_nobody_comes_back_for_the_whole_message_of_a_drained_turn() -> None:
    world = World()
    world.ask(policy("drain=30"), stream=False).leave()
    answer = world.post(NAMED, stream=False)
    assert getattr(answer, "status", None) == 410


def test_a_drained_turn_can_be_stopped() -> None:
    world = World()
    world.ask(policy("drain=30")).leave()
    assert world.stop(TURN_ID) == "stopped"
    assert world.provider.want == "nothing"


def test_gone_says_so() -> None:
    world = World()
    world.ask(policy("drain=30")).leave()
    error = error_of(world.reply("GET", f"/turns/{TURN_ID}"))
    assert error["type"] == "gone_error"


def test_to_leave_after_the_end_changes_nothing() -> None:
    world = World()
    reader = world.ask(policy("drain=30"), stalled=True)
    world.provider.answer(*WHOLE)
    reader.leave()
    # It ended while somebody read it, so it was not drained.
    assert world.resume(TURN_ID).text == "Scattering."


def test_an_answer_that_is_over_is_not_kept_by_itself() -> None:
    """It holds its turn, and would until the collector of cycles happens to run."""
    world = World()
    answer = world.post()
    kept = weakref.ref(answer)
    assert not isinstance(answer, Reply)
    gc.disable()
    try:
        answer.close(world.now)
        del answer
        assert kept() is None
    finally:
        gc.enable()
