"""One Turn-Id is one turn of one owner: requested again, read again, never run twice."""

from __future__ import annotations

from typing import Any

import pytest

from sse_http import Reply
from tests.relay.support import BEGINNING, ENDING, TURN_ID, WHOLE, World, error_of, question, text

NAMED = {"turn-id": TURN_ID}
DETACHED = {"turn-on-disconnect": "detach=30"}


def test_the_head_names_the_turn() -> None:
    world = World()
    for headers, turn_id in ((NAMED, TURN_ID), ({}, "made-up-turn-id-1")):
        reader = world.ask(headers)
        world.provider.connect().head()
        assert reader.turn_id == turn_id
        # RFC 9110 section 8.7: what the content is a representation of.
        assert reader.headers.get("content-location") == f"/turns/{turn_id}"


def test_the_same_request_again_is_the_same_turn() -> None:
    world = World()
    first = world.ask(NAMED)
    second = world.ask(NAMED)
    world.provider.answer(*WHOLE)
    third = world.ask(NAMED)
    assert first.data == second.data == third.data
    assert first.text == "Scattering."
    assert len(world.providers) == 1


def test_the_same_request_again_goes_on_where_the_client_was() -> None:
    world = World()
    first = world.ask(NAMED | DETACHED)
    provider = world.provider.connect().head().send(*BEGINNING, text("Scat"))
    first.leave()
    second = world.ask(NAMED | {"last-event-id": first.sse[-1].last_event_id})
    provider.send(text("tering."), *ENDING)
    assert first.text + second.text == "Scattering."
    assert first.numbers + second.numbers == list(range(1, len(WHOLE) + 1))


def test_an_event_id_names_its_turn() -> None:
    """An EventSource that speaks POST knows no Turn-Id; it has the last event's ID."""
    world = World()
    first = world.ask(DETACHED)
    provider = world.provider.connect().head().send(*BEGINNING, text("Scat"))
    first.leave()
    second = world.ask({"last-event-id": first.sse[-1].last_event_id})
    provider.send(text("tering."), *ENDING)
    assert first.text + second.text == "Scattering."
    assert len(world.providers) == 1


def test_whoever_wants_to_go_on_never_begins_another_turn() -> None:
    """A second generation would be billed, and begin a second message."""
    world = World()
    for headers in ({"last-event-id": "forgotten-turn-1"}, NAMED | {"last-event-id": f"{TURN_ID}-1"}):
        assert world.refused("POST", "/v1/messages", headers, body=question())[0] == 404
    assert not world.providers


@pytest.mark.parametrize("other", [{"max_tokens": 1}, {"stream": False}])
def test_one_id_for_two_requests_is_a_conflict(other: dict[str, Any]) -> None:
    world = World()
    world.ask(NAMED)
    answer = world.post(NAMED, **other)
    assert isinstance(answer, Reply)
    assert answer.status == 409
    # Anthropic's SDKs try 409 again, and it would be the same every time.
    assert answer.headers.get("x-should-retry") == "false"
    assert "Turn-Id" in error_of(answer)["message"]
    assert len(world.providers) == 1


ALICE, BOB = {"x-api-key": "alice"}, {"x-api-key": "bob"}


def test_nobody_reads_or_stops_anothers_turn() -> None:
    world = World()
    reader = world.ask(NAMED | ALICE)
    world.provider.connect().head().send(*BEGINNING, text("secret"))
    for headers in ({}, BOB, {"authorization": "Bearer bob"}, {"authorization": "Basic alice"}):
        for method in ("GET", "DELETE"):
            answer = world.reply(method, f"/turns/{TURN_ID}", headers)
            assert answer.status == 404
            assert b"secret" not in answer.body
    assert reader.open
    assert world.provider.want == "read"


def test_an_owner_may_show_one_key_in_either_way() -> None:
    world = World()
    world.ask(NAMED | ALICE)
    world.provider.answer(*WHOLE)
    assert world.resume(TURN_ID, headers={"authorization": "bearer alice"}).text == "Scattering."


def test_a_turn_id_is_its_owners_own() -> None:
    """Nobody learns of, takes, or blocks an ID that another has chosen."""
    world = World()
    alices, bobs = world.ask(NAMED | ALICE), world.ask(NAMED | BOB)
    assert len(world.providers) == 2
    world.providers[0].answer(*BEGINNING, text("for Alice"), *ENDING)
    world.providers[1].answer(*BEGINNING, text("for Bob"), *ENDING)
    assert (alices.text, bobs.text) == ("for Alice", "for Bob")
    assert world.resume(TURN_ID, headers=ALICE).text == "for Alice"
    assert world.resume(TURN_ID, headers=BOB).text == "for Bob"
    world.pass_time(60)
    assert world.health() == {"running": 0, "finished": 0}


# Reading again


def test_a_turn_can_be_read_from_any_of_its_events() -> None:
    world = World()
    whole = world.ask(NAMED)
    world.provider.answer(*WHOLE)
    for position in range(len(WHOLE)):
        after = f"{TURN_ID}-{position}"
        assert world.resume(TURN_ID, after).sse == whole.sse[position:]
        # A browser's EventSource can't set a header for its first request.
        query = world.read(world.send("GET", f"/turns/{TURN_ID}", query=f"last_event_id={after}"))
        assert query.sse == whole.sse[position:]


def test_after_the_last_event_there_is_nothing_to_come_for() -> None:
    # WHATWG HTML 9.2.1: "a client can be told to stop reconnecting using the HTTP 204 No Content
    # response code."
    world = World()
    world.ask(NAMED)
    world.provider.connect().head().send(*BEGINNING, text("x"))
    last = f"{TURN_ID}-3"
    assert world.resume(TURN_ID, last).open
    world.provider.send(*ENDING)
    answer = world.reply("GET", f"/turns/{TURN_ID}", {"last-event-id": f"{TURN_ID}-6"})
    assert (answer.status, answer.body) == (204, b"")


@pytest.mark.parametrize(
    "event_id", ["x", "-1", "other-1", f"{TURN_ID}-8", f"{TURN_ID}--1", f"{TURN_ID}-1e0", f"{TURN_ID}-"]
)
def test_a_position_that_the_turn_has_not(event_id: str) -> None:
    world = World()
    world.ask(NAMED)
    world.provider.answer(*WHOLE)
    status, error = world.refused("GET", f"/turns/{TURN_ID}", {"last-event-id": event_id})
    assert status == 400
    assert "Last-Event-ID" in error["message"]


def test_a_query_of_very_many_fields_is_refused() -> None:
    world = World()
    world.ask(NAMED)
    world.provider.answer(*WHOLE)
    status, error = world.refused("GET", f"/turns/{TURN_ID}", query="&".join("abcdefghijkl"))
    assert status == 400
    assert "query" in error["message"]


def test_a_query_that_asks_for_nothing_of_ours() -> None:
    world = World()
    whole = world.ask(NAMED)
    world.provider.answer(*WHOLE)
    for query in ("x=1", "last_event_id=", "last_event_id"):
        assert world.read(world.send("GET", f"/turns/{TURN_ID}", query=query)).sse == whole.sse


# How many


def test_no_more_turns_than_it_may_run() -> None:
    world = World(max_turns=2)
    first = world.ask(NAMED)
    world.ask()
    answer = world.post()
    assert isinstance(answer, Reply)
    assert (answer.status, answer.headers.get("retry-after")) == (503, "1")
    assert error_of(answer)["type"] == "overloaded_error"
    assert "max_turns" in error_of(answer)["message"]
    # To come back to a turn that runs is not to begin one.
    assert world.ask(NAMED).open
    world.providers[0].answer(*WHOLE)
    assert not first.open
    assert world.ask().open
    assert len(world.providers) == 3
