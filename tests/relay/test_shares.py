"""No client takes the places of all: what it reads it may have, what it leaves behind is bounded."""

from __future__ import annotations

import pytest

from tests.relay.support import WHOLE, World, error_of

DETACH = {"turn-on-disconnect": "detach=3600"}
OTHER = {"x-api-key": "somebody-else"}


def leave(world: World, count: int, policy: str = "detach=3600") -> None:
    """Begin so many turns, then leave them all."""
    readers = [world.ask({"turn-on-disconnect": policy}) for _ in range(count)]
    for reader in readers:
        reader.leave()


@pytest.mark.parametrize("policy", ["detach=3600", "drain=3600"])
def test_who_leaves_all_turns_leaves_half_of_the_places(policy: str) -> None:
    world = World(max_turns=10)
    leave(world, 10, policy)
    assert world.health()["running"] == 5
    for _ in range(5):
        assert world.ask(OTHER).open


@pytest.mark.parametrize("policy", ["detach=3600", "drain=3600"])
def test_who_has_left_so_many_gets_no_more_that_may_be_left(policy: str) -> None:
    world = World(max_turns=10)
    leave(world, 5)
    answer = world.post({"turn-on-disconnect": policy})
    status, error = world.refused("POST", "/v1/messages", {"turn-on-disconnect": policy}, body=b"{}")
    assert status == 429
    assert "max_unread_turns" in error["message"]
    assert getattr(answer, "headers").get("retry-after") == "1"  # noqa: B009
    # Others may, and so may it what it reads to its end.
    assert world.ask({**DETACH, **OTHER}).open
    assert world.ask().open


def test_a_client_that_reads_may_have_all() -> None:
    """One backend with one key is usual."""
    world = World(max_turns=10)
    readers = [world.ask(DETACH) for _ in range(10)]
    assert all(reader.open for reader in readers)
    assert world.reply("POST", "/v1/messages", body=b"{}").status == 503


def test_a_place_is_free_again_when_a_turn_is_read_or_over() -> None:
    world = World(max_turns=4)
    readers = [world.ask({**DETACH, "turn-id": f"turn-of-the-test-{number}"}) for number in range(2)]
    for reader in readers:
        reader.leave()
    assert world.reply("POST", "/v1/messages", DETACH, body=b"{}").status == 429
    back = world.resume("turn-of-the-test-0")
    third = world.ask(DETACH)
    third.leave()
    back.leave()
    assert world.stop("turn-of-the-test-0") == "stopped"
    assert world.health()["running"] == 2
    world.stop("turn-of-the-test-1")
    assert world.ask(DETACH).open


def test_a_share_of_each_client() -> None:
    world = World(max_turns=10, max_client_turns=2)
    readers = [world.ask(), world.ask()]
    answer = world.reply("POST", "/v1/messages", body=b"{}")
    assert (answer.status, error_of(answer)["type"]) == (429, "rate_limit_error")
    assert "2 turns" in error_of(answer)["message"]
    assert "max_client_turns" in error_of(answer)["message"]
    assert answer.headers.get("retry-after") == "1"
    assert world.ask(OTHER).open
    readers[0].leave()
    assert world.ask().open


def test_the_turns_that_nobody_reads_are_the_operators_to_bound() -> None:
    world = World(max_turns=10, max_unread_turns=1)
    leave(world, 3)
    assert world.health()["running"] == 1


def test_a_relay_for_one_turn_lets_it_be_left() -> None:
    world = World(max_turns=1)
    leave(world, 1)
    assert world.health()["running"] == 1


@pytest.mark.parametrize("stream", [True, False])
def test_a_turn_that_was_read_to_its_end_leaves_no_place_behind(stream: object) -> None:
    world = World(max_turns=10, max_unread_turns=1)
    leave(world, 1)  # so that the client is remembered
    world.ask(stream=stream)
    world.provider.answer(*WHOLE)
    assert world.reply("POST", "/v1/messages", DETACH, body=b"{}").status == 429
