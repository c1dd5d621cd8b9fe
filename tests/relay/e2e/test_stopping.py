"""Stop reaches the provider: its own record says so within 200 ms, in every phase.

The ways to stop: ``DELETE``, and a client that vanishes.  (The page's button has its test in
``tests/browser``.)  The phases: before the head of the answer, before the first token, amid text,
during back-off.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import socket
import threading
import time
from contextlib import closing
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.relay.e2e.support import JSON, QUESTION, Answer, House, wait_for

PROMPTLY = 0.2


def assert_aborted_at_once(house: House, generation: str, stopped_at: float) -> None:
    """The record says aborted within 200 ms, and its count of tokens stands still."""
    record = wait_for(lambda: ended(house, generation), PROMPTLY + 1)
    took = time.monotonic() - stopped_at
    assert record, f"still running after {took:.3f} s"
    assert record["state"] == "aborted"
    assert took < PROMPTLY
    time.sleep(0.15)
    assert by_id(house, generation) == record


def by_id(house: House, generation: str) -> JSON:
    return next(record for record in house.generations() if record["id"] == generation)


def ended(house: House, generation: str) -> JSON | None:
    record = by_id(house, generation)
    return None if record["state"] == "running" else record


@pytest.fixture(params=["delete", "vanish"])
def stop(request: pytest.FixtureRequest, house: House) -> Any:
    """Stops the turn behind an answer; returns when it began to."""

    def stop_by_delete(answer: Answer) -> float:
        began = time.monotonic()
        assert house.stop(answer.headers["turn-id"]) == {"outcome": "stopped"}
        return began

    def vanish(answer: Answer) -> float:
        began = time.monotonic()
        answer.close()
        return began

    return {"delete": stop_by_delete, "vanish": vanish}[request.param]


def test_before_the_first_token(house: House, stop: Any) -> None:
    with closing(house.ask(Sim_TTFT="30")) as answer:
        generation = house.newest()["id"]
        assert_aborted_at_once(house, generation, stop(answer))
        assert by_id(house, generation)["tokens"] == 0


def test_amid_thinking(house: House, stop: Any) -> None:
    with closing(house.ask(Sim_TTFT="0.1", Sim_Thinking="30", Sim_Rate="50")) as answer:
        list(islice(answer.events(), 10))
        assert_aborted_at_once(house, house.newest()["id"], stop(answer))


def test_amid_text(house: House, stop: Any) -> None:
    with closing(house.ask(Sim_TTFT="0", Sim_Tokens="10000", Sim_Rate="50")) as answer:
        list(islice(answer.visible(), 10))
        generation = house.newest()["id"]
        assert_aborted_at_once(house, generation, stop(answer))
        assert 10 <= by_id(house, generation)["tokens"] < 40


def test_as_fast_as_it_can(house: House, stop: Any) -> None:
    with closing(house.ask(Sim_TTFT="0", Sim_Tokens="1000000", Sim_Rate="0")) as answer:
        list(islice(answer.visible(), 1000))
        assert_aborted_at_once(house, house.newest()["id"], stop(answer))


def test_during_back_off(house: House, stop: Any) -> None:
    before = len(house.generations())
    with closing(house.ask(Sim_Fault="status=503,retry-after=30")) as answer:
        # The head comes at once, though nothing has been answered: the back-off is a long one.
        assert answer.status == 200
        stop(answer)
        house.program.wait_for_log(f"turn={answer.headers['turn-id']} outcome=stopped attempts=1")
    assert [record["state"] for record in house.generations()[before:]] == ["faulted"]


@pytest.mark.parametrize("how", ["delete", "vanish"])
def test_before_the_head_of_the_answer(house: House, how: str) -> None:
    """A client that wants the whole message has no head until the end; it may name its turn."""
    turn_id = secrets.token_urlsafe(16)
    unanswered = Unanswered(house, turn_id)
    generation = wait_for(lambda: next((r for r in house.generations() if r["state"] == "running"), None))
    assert generation
    began = time.monotonic()
    if how == "delete":
        assert house.stop(turn_id) == {"outcome": "stopped"}
    else:
        unanswered.vanish()
    assert_aborted_at_once(house, generation["id"], began)
    unanswered.vanish()


class Unanswered:
    """A request for a whole message, whose answer is a long time coming."""

    def __init__(self, house: House, turn_id: str) -> None:
        body = {**QUESTION, "stream": False}
        self._connection: Any = None
        self._thread = threading.Thread(target=self._ask, args=(house.relay, turn_id, body))
        self._thread.start()
        wait_for(lambda: self._connection and self._connection.sock)

    def _ask(self, base: str, turn_id: str, body: JSON) -> None:
        address = urlsplit(base)
        self._connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=20)
        fields = {"Turn-Id": turn_id, "Sim-TTFT": "20"}
        with contextlib.suppress(OSError, http.client.HTTPException):
            self._connection.request("POST", "/v1/messages", json.dumps(body), fields)
            self._connection.getresponse().read()

    def vanish(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._connection.close()
        self._thread.join(5)


def test_stop_is_idempotent_and_gives_the_outcome(house: House) -> None:
    with closing(house.ask(Sim_Tokens="10000", Sim_TTFT="0")) as answer:
        turn_id = answer.headers["turn-id"]
        list(islice(answer.visible(), 3))
        assert house.stop(turn_id) == house.stop(turn_id) == {"outcome": "stopped"}
        rest = [json.loads(event.data) for event in answer.events()]
    assert rest[-1]["type"] == "error"
    assert rest[-1]["outcome"] == "stopped"
    with closing(house.ask(Sim_Tokens="1", Sim_TTFT="0")) as answer:
        list(answer.events())
        assert house.stop(answer.headers["turn-id"]) == {"outcome": "completed"}


def test_stop_is_not_disconnect(house: House) -> None:
    """A detached turn goes on without its reader, until it is stopped."""
    answer = house.ask(Sim_Tokens="10000", Sim_TTFT="0", Turn_On_Disconnect="detach=30")
    list(islice(answer.visible(), 3))
    generation = house.newest()["id"]
    answer.close()
    time.sleep(0.3)
    assert by_id(house, generation)["state"] == "running"
    began = time.monotonic()
    house.stop(answer.headers["turn-id"])
    assert_aborted_at_once(house, generation, began)


def test_a_detached_turn_is_stopped_when_nobody_comes_back(house: House) -> None:
    answer = house.ask(Sim_Tokens="10000", Sim_TTFT="0", Turn_On_Disconnect="detach=0.3")
    list(islice(answer.visible(), 3))
    generation = house.newest()["id"]
    answer.close()
    record = wait_for(lambda: ended(house, generation), 2)
    assert record
    assert record["state"] == "aborted"
    assert record["ended"] - record["started"] < 1.0


def test_a_drained_turn_is_read_to_its_end_for_its_usage(house: House) -> None:
    answer = house.ask(Sim_Tokens="50", Sim_Rate="100", Sim_TTFT="0", Turn_On_Disconnect="drain=30")
    list(islice(answer.visible(), 3))
    generation = house.newest()["id"]
    turn_id = answer.headers["turn-id"]
    answer.close()
    record = wait_for(lambda: ended(house, generation), 3)
    assert record
    assert record["state"] == "completed"
    assert "tokens=50" in house.program.wait_for_log(f"INFO .*turn={turn_id}")
    with closing(house.get(f"/turns/{turn_id}")) as gone:
        assert gone.status == 410
