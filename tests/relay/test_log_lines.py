"""One line a turn: how it went, and nothing of what was said."""

from __future__ import annotations

import re

import pytest

from sse_core.lifecycle import RetryPolicy
from sse_http import Refusal
from sse_relay.log_lines import refusal_line
from tests.relay.support import (
    BEGINNING,
    ENDING,
    JSON,
    TURN_ID,
    WHOLE,
    World,
    block_start,
    block_stop,
    delta,
    error_event,
    message_delta,
    message_start,
    text,
)

NAMED = {"turn-id": TURN_ID}


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def line(caplog: pytest.LogCaptureFixture) -> dict[str, str]:
    """The fields of the only line."""
    (text,) = logged(caplog)
    return dict(field.split("=", 1) for field in text.split(" "))


@pytest.fixture(autouse=True)
def at_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")


def test_a_completed_turn(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.ask(NAMED)
    world.pass_time(0.25)
    provider = world.provider.connect().head()
    world.pass_time(0.25)
    provider.send(*BEGINNING, text("a"))
    world.pass_time(0.3)
    provider.send(text("b"))
    assert not logged(caplog)
    world.pass_time(0.3)
    provider.send(*ENDING)
    assert line(caplog) == {
        "turn": TURN_ID,
        "outcome": "completed",
        "attempts": "1",
        "ttft": "0.500",
        "reasoning": "0.000",
        "tpot": "0.10000",
        "tokens": "7",
        "outputs": "2",
        "duration": "1.100",
        "stop_reason": '"end_turn"',
    }


def test_a_turn_of_which_little_is_known(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.ask(NAMED)
    world.stop(TURN_ID)
    assert line(caplog) == {
        "turn": TURN_ID,
        "outcome": "stopped",
        "attempts": "1",
        "ttft": "-",
        "reasoning": "0.000",
        "tpot": "-",
        "tokens": "-",
        "outputs": "0",
        "duration": "0.000",
        "stop_reason": "-",
    }


def test_a_failure_has_its_status_and_type(caplog: pytest.LogCaptureFixture) -> None:
    world = World(retry=RetryPolicy(max_attempts=2, initial_delay=1.0))
    world.ask()
    world.provider.connect().refuse(529)
    world.pass_time(1)
    world.provider.connect().head().send(*BEGINNING, text("x"), error_event("api_error"))
    assert "attempts=2" in logged(caplog)[0]
    assert logged(caplog)[0].endswith(' failure="500 api_error"')


def test_a_failure_of_the_connection_has_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    world = World(retry=RetryPolicy(max_attempts=1))
    world.ask()
    world.provider.exchange.connection_lost("Connection refused", world.now)
    assert re.search(r' reason="The provider can\'t be reached: [^"]*Connection refused"$', logged(caplog)[0])
    world.ask()
    world.provider.connect().head().send(*BEGINNING, text("x"))
    world.provider.exchange.connection_lost("reset\nforged", world.now)
    assert re.search(r' reason="The [^"]*reset\\nforged"$', logged(caplog)[1])


def test_one_line_whatever_happens_afterwards(caplog: pytest.LogCaptureFixture) -> None:
    world = World(retention=10.0)
    readers = [world.ask(NAMED), world.ask(NAMED), world.ask({"turn-id": TURN_ID})]
    world.provider.answer(*WHOLE)
    world.stop(TURN_ID)
    for reader in readers:
        reader.leave()
    world.resume(TURN_ID)
    world.pass_time(20)
    world.relay.close(world.now)
    assert len(logged(caplog)) == 1


SECRETS = [
    "sk-of-the-client",
    "sk-of-the-relay",
    "sk-for-the-relay",
    "text-of-the-question",
    "text-of-the-answer",
    "thought-of-the-model",
    "argument-of-the-tool",
    "signature-of-it",
]


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
@pytest.mark.parametrize("end", ["whole", "cut", "error"])
@pytest.mark.parametrize("settings", [{}, {"api_key": "sk-of-the-relay"}], ids=["passed on", "own key"])
def test_nothing_of_what_was_said_and_no_key(
    caplog: pytest.LogCaptureFixture, level: str, end: str, settings: JSON
) -> None:
    caplog.set_level(level)
    world = World(**settings)
    keys = {"x-api-key": "sk-of-the-client", "authorization": "Bearer sk-for-the-relay"}
    world.ask(keys, system="text-of-the-question")
    provider = world.provider.connect().head()
    provider.send(
        message_start(),
        block_start(type="thinking", thinking="", signature=""),
        delta(0, type="thinking_delta", thinking="thought-of-the-model"),
        delta(0, type="signature_delta", signature="signature-of-it"),
        block_stop(),
        block_start(1, type="text", text=""),
        text("text-of-the-answer", 1),
        block_stop(1),
        block_start(2, type="tool_use", id="toolu_1", name="look", input={}),
        delta(2, type="input_json_delta", partial_json='{"a": "argument-of-the-tool"}'),
        block_stop(2),
    )
    if end == "whole":
        provider.send(message_delta("tool_use"), {"type": "message_stop"})
    elif end == "cut":
        provider.cut()
    else:
        provider.body(b"data: text-of-the-answer\n\n")
    assert len(logged(caplog)) == (2 if level == "DEBUG" else 1)
    everything = "\n".join(logged(caplog)) + repr(world.relay) + repr(vars(world.relay)) + repr(provider.turn)
    assert not [secret for secret in SECRETS if secret in everything]


FORGED = 'x"\n2026-01-01 INFO turn=forged \r\u2028\x1b[31m\x00\x85 outcome=completed'


def test_what_a_peer_wrote_cannot_forge_a_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    world = World()
    tool = block_start(type="tool_use", id="toolu_1", name=FORGED, input={})
    world.ask()
    world.provider.answer(
        message_start(), tool, block_stop(), message_delta(FORGED), {"type": "message_stop"}
    )
    world.ask()
    world.provider.answer(*BEGINNING, text("x"), error_event(FORGED))
    assert len(logged(caplog)) == 3
    for each in logged(caplog):
        assert "forged" in each
        assert each.isascii()
        assert each.isprintable()


def test_what_a_peer_wrote_cannot_make_a_line_long(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    world = World()
    long = "\u00fc" * 100_000
    tool = block_start(type="tool_use", id="toolu_1", name=long, input={})
    world.ask()
    world.provider.answer(message_start(), tool, block_stop(), message_delta(long), {"type": "message_stop"})
    world.ask()
    world.provider.answer(*BEGINNING, text("x"), error_event(long))
    assert max(len(each) for each in logged(caplog)) < 2000


@pytest.mark.parametrize(
    ("tokens", "shown"),
    [
        (0, "0"),
        (1, "1"),
        (-5, "-"),
        (True, "-"),
        (1.5, "-"),
        ("7", "-"),
        (None, "1"),  # null never takes the place of a value: that of the message's start
        ([1], "-"),
        (10**18, "-"),
        (10**400, "-"),
    ],
    ids=lambda value: repr(value)[:10],
)
def test_a_count_of_tokens_that_is_none(caplog: pytest.LogCaptureFixture, tokens: object, shown: str) -> None:
    """Whatever a provider counts, its turn ends as every other does."""
    world = World(max_turns=1)
    reader = world.ask()
    ending = [block_stop(), message_delta(output_tokens=tokens), {"type": "message_stop"}]
    world.provider.answer(*BEGINNING, text("x"), *ending)
    assert line(caplog)["tokens"] == shown
    assert not reader.open
    assert world.health() == {"running": 0, "finished": 1}
    assert world.ask().open


def test_a_turn_ends_though_its_line_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in a log line costs a line, never a place among ``max_turns``."""

    def mistaken(*_: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr("sse_relay.log_lines.turn_line", mistaken)
    world = World(max_turns=1)
    reader = world.ask()
    with pytest.raises(ZeroDivisionError):
        world.provider.answer(*WHOLE)
    assert world.provider.close().want == "nothing"
    assert not reader.open
    assert world.health() == {"running": 0, "finished": 1}


@pytest.mark.parametrize(
    ("setting", "value", "flag"),
    [
        ("peers.hosts", "relay.example", ' flag="--allow-host relay.example"'),
        ("peers.origins", "https://a.example", ' flag="--allow-origin https://a.example"'),
        ("peers.hosts", 'x" y\n' + "z" * 1000, ' flag="--allow-host \'x\\" y\\nzzz'),
        ("peers.origins", "http://a; rm -rf $x", " flag=\"--allow-origin 'http://a; rm -rf $x'\""),
        ("peers.origins", "null", ' setting=peers.origins value="null"'),
        ("peers.hosts", "", " setting=peers.hosts"),
        ("max_body_bytes", "", "max_body_bytes"),
        ("", "", '"Why."'),
    ],
)
def test_a_refusal_names_the_flag_that_would_let_it_in(setting: str, value: str, flag: str) -> None:
    line = refusal_line(Refusal(421, "Why.", "192.0.2.1", "GET /", setting, value))
    assert line.startswith('refused status=421 client="192.0.2.1" request="GET /" reason="Why."')
    assert flag in line
    assert line.endswith(flag) or len(value) > 200
    assert line.isprintable()
    assert len(line) < 700
