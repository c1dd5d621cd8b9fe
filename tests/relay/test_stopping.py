"""Stop, in every state of a turn: the connection to the provider is to be closed at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sse_core.lifecycle import Outcome, TurnState
from sse_http import Reply, StreamState
from tests.relay.support import BEGINNING, TURN_ID, WHOLE, Provider, World, error_event, message_start, text

NAMED = {"turn-id": TURN_ID}


def connecting(provider: Provider) -> None:
    assert provider.want == "connect"


def waiting_for_the_head(provider: Provider) -> None:
    provider.connect()


def waiting_for_the_first_token(provider: Provider) -> None:
    provider.connect().head().send(message_start(), {"type": "ping"})


def reading_a_refusal(provider: Provider) -> None:
    provider.connect().head(400, content_type="application/json").body(b"{")


def streaming(provider: Provider) -> None:
    provider.connect().head().send(*BEGINNING, text("x"))


def paused(provider: Provider) -> None:
    streaming(provider)
    provider.turn.pause(0.0)
    assert provider.want == "pause"


def failed_and_about_to_close(provider: Provider) -> None:
    provider.connect().head().send(error_event())
    assert (provider.turn.state, provider.want) == (TurnState.BACKOFF, "close")


def backing_off(provider: Provider) -> None:
    failed_and_about_to_close(provider)
    provider.close()
    assert provider.want == "wait"


STATES: list[tuple[Callable[[Provider], None], str]] = [
    (connecting, "nothing"),
    (waiting_for_the_head, "close"),
    (waiting_for_the_first_token, "close"),
    (reading_a_refusal, "close"),
    (streaming, "close"),
    (paused, "close"),
    (failed_and_about_to_close, "close"),
    (backing_off, "nothing"),
]


@pytest.mark.parametrize(("reach", "want"), STATES, ids=lambda value: getattr(value, "__name__", ""))
@pytest.mark.parametrize("stream", [True, False], ids=["events", "message"])
@pytest.mark.parametrize("how", ["delete", "wish", "leave", "close"])
def test_stop_in_every_state(reach: Callable[[Provider], None], want: str, stream: object, how: str) -> None:
    world = World()
    reader = world.ask(NAMED, stream=stream)
    provider = world.provider
    reach(provider)
    wakes = provider.wakes
    if how == "delete":
        assert world.stop(TURN_ID) == "stopped"
    elif how == "wish":
        provider.exchange.log.wish_stop(world.now)
    elif how == "leave":
        reader.leave()
    else:
        world.relay.close(world.now)
    assert provider.want == want
    assert provider.wakes > wakes, "whoever waits for the provider must look again"
    if want == "close":
        provider.close()
    assert (provider.want, provider.exchange.deadline) == ("nothing", None)
    assert provider.turn.outcome is Outcome.STOPPED
    assert world.health() == {"running": 0, "finished": 1}
    # And again: the same outcome, and nothing happens.
    assert world.stop(TURN_ID) == world.stop(TURN_ID) == "stopped"
    assert provider.want == "nothing"
    assert world.health() == {"running": 0, "finished": 1}
    assert not reader.open


def test_what_the_reader_gets() -> None:
    world = World()
    reader = world.ask(NAMED)
    streaming(world.provider)
    world.stop(TURN_ID)
    # A bare end would look complete to Anthropic's SDKs; an error event is what they raise on.
    assert reader.kinds == ["message_start", "content_block_start", "content_block_delta", "error"]
    assert reader.events[-1]["outcome"] == "stopped"
    assert reader.events[-1]["error"]["type"] == "turn_stopped"


def test_stop_after_the_end_says_how_it_ended() -> None:
    world = World()
    world.ask(NAMED)
    world.provider.answer(*WHOLE)
    assert world.stop(TURN_ID) == "completed"
    world.ask({"turn-id": f"{TURN_ID}-2"})
    streaming(world.provider)
    world.provider.cut()
    assert world.stop(f"{TURN_ID}-2") == "truncated"


def test_what_comes_after_the_stop_is_not_shown() -> None:
    world = World()
    reader = world.ask(NAMED)
    streaming(world.provider)
    world.stop(TURN_ID)
    before = reader.data
    world.provider.exchange.receive_data(b"3\r\nfoo\r\n", world.now)
    assert reader.data == before
    again = world.resume(TURN_ID)
    assert again.data == before


def test_a_connection_that_is_made_after_the_stop_is_closed() -> None:
    """The binding may hear of the stop when its connection has just been made."""
    world = World()
    world.ask(NAMED)
    world.stop(TURN_ID)
    world.provider.exchange.connected(world.now)
    assert world.provider.want == "close"
    world.provider.close()
    assert world.provider.want == "nothing"


def test_with_nobody_reading() -> None:
    world = World()
    world.ask(NAMED | {"turn-on-disconnect": "detach=100"}).leave()
    streaming(world.provider)
    wakes = world.provider.wakes
    assert world.stop(TURN_ID) == "stopped"
    assert world.provider.wakes > wakes
    assert world.provider.want == "close"


def test_every_reader_gets_the_stop() -> None:
    world = World()
    readers = [world.ask(NAMED), world.ask(NAMED), world.resume(TURN_ID)]
    streaming(world.provider)
    world.stop(TURN_ID)
    assert [reader.kinds[-1] for reader in readers] == ["error"] * 3
    assert not any(reader.open for reader in readers)


def test_when_the_server_goes_down_every_turn_is_stopped(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "sse_relay")
    world = World()
    for reach, _ in STATES:
        world.ask({"turn-on-disconnect": "detach=1000"})
        reach(world.provider)
    readers = list(world.readers)
    for reader in readers[::2]:
        reader.leave()
    assert world.health()["running"] == len(STATES)
    world.relay.close(world.now)
    assert world.health() == {"running": 0, "finished": len(STATES)}
    assert {provider.want for provider in world.providers} <= {"close", "nothing"}
    lines = [record.message for record in caplog.records if "outcome=stopped" in record.message]
    assert len(lines) == len(STATES)
    world.relay.close(world.now)
    assert len(caplog.records) == len(STATES)


class TestGoingDown:
    """SIGTERM: whoever reads gets a last event, whoever has no answer yet a status."""

    def test_a_reader_gets_a_last_event(self) -> None:
        world = World()
        reader = world.ask()
        world.provider.connect().head().send(*BEGINNING)
        world.relay.close(world.now)
        last = reader.events[-1]
        assert (last["type"], last["outcome"]) == ("error", "stopped")
        assert reader.ended is StreamState.FINISHED

    @pytest.mark.parametrize("stream", [True, False])
    def test_who_has_no_answer_yet_gets_a_status(self, stream: bool) -> None:  # noqa: FBT001  (of the body)
        world = World()
        answer = world.post(stream=stream)
        assert not isinstance(answer, Reply)
        world.relay.close(world.now)
        assert isinstance(answer.head, Reply)
        assert answer.head.status == 503
        assert answer.head.headers.get("retry-after") == "1"

    def test_a_turn_that_was_stopped_by_hand_is_no_overload(self) -> None:
        world = World()
        answer = world.post({"turn-id": TURN_ID}, stream=False)
        assert not isinstance(answer, Reply)
        world.stop(TURN_ID)
        assert isinstance(answer.head, Reply)
        assert answer.head.status == 410
