"""``stream_turn`` against the simulated provider, on a real socket."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from sse_core import LocalProtocolError, TurnError, dialects, encode_comment
from sse_core.blocks import TextBlock, TextDelta, ThinkingBlock, ToolUseBlock
from sse_core.headers import Headers
from sse_core.lifecycle import NO_RETRY, Deadlines, Outcome, RetryPolicy

from ..applications import Served, provider
from ..client_scenario import BODY, ClientScenario, Request, Turn, text_of
from ..client_steps import Peers, Stage, ToEnd
from ..peers import Act, Drip, Head, Nobody, PeerLike, Send, Silence, answer, scripted
from .failing import QUICK

FAST = Served(provider)
STREAMED = json.dumps({**BODY, "stream": True}).encode()
SLOW = Deadlines(output_gap=0.1)


def with_fault(fault: str, **options: Any) -> dict[str, Any]:
    """An upstream that is to fail in this way."""
    return {"headers": Headers([("sim-fault", fault)]), "retry": QUICK, **options}


def turn(
    name: str, peer: PeerLike = FAST, *, check: Any = None, check_turn: Any = None, **call: Any
) -> ClientScenario:
    """One turn."""
    calls = [Turn(**call, check=check_turn)]
    return ClientScenario(name=name, peers={"server": peer}, calls=calls, check=check)


def is_text(stage: Stage) -> None:
    message = stage.stream.message
    assert message.completeness == "complete"
    [block] = message.blocks
    assert isinstance(block, TextBlock)
    assert block.text == text_of(stage.events) != ""


def has_thinking_and_a_tool(stage: Stage) -> None:
    thinking, text, tool = stage.stream.message.blocks
    assert isinstance(thinking, ThinkingBlock)
    assert thinking.thinking
    assert isinstance(text, TextBlock)
    assert isinstance(tool, ToolUseBlock)
    assert isinstance(tool.arguments, dict)
    assert tool.arguments["location"].startswith("München")


def is_a_response(stage: Stage) -> None:
    response = dialects.get("anthropic").to_response(stage.stream.message)
    assert [block["type"] for block in response["content"]] == ["text", "tool_use"]


def came_as_it_was_made(stage: Stage) -> None:
    arrived = [
        when for when, event in zip(stage.arrived, stage.events, strict=True) if isinstance(event, TextDelta)
    ]
    assert arrived[0] - stage.began == pytest.approx(0.05, abs=0.05)
    assert arrived[-1] - arrived[0] == pytest.approx(0.19, abs=0.08)
    timing = stage.stream.timing
    assert timing.time_to_first_token == pytest.approx(0.05, abs=0.05)
    assert timing.time_per_output_token(20) == pytest.approx(0.01, abs=0.005)
    assert timing.outputs >= 20


def the_same_messages(_: Peers, stages: Any) -> None:
    whole, split = stages
    assert whole.stream.message.blocks == split.stream.message.blocks


class ReadSlowly:
    """Pause at the first outputs for longer than the provider may."""

    async def play(self, stage: Stage) -> None:
        for _ in range(2):
            await stage.read()
            while not isinstance(stage.events[-1], TextDelta):
                await stage.read()
            await stage.runner.sleep(0.15)
        await ToEnd().play(stage)


def states(peers: Peers, _: object) -> None:
    assert [record["state"] for record in peers["server"].records] == ["faulted", "completed"]


def has_failed(stage: Stage) -> None:
    assert len(stage.events) == 1
    assert stage.stream.message.completeness == "failed"


def after_text(fault: str, outcome: Outcome | None, completeness: str | None) -> ClientScenario:
    """Nothing is tried again once text was seen."""

    def looks_incomplete(stage: Stage) -> None:
        assert stage.stream.message.completeness != "complete"
        if completeness is not None:
            assert stage.stream.message.completeness == completeness
        if outcome is None:
            assert stage.stream.outcome is not Outcome.COMPLETED

    return turn(
        f"{fault} after visible text",
        upstream=with_fault(fault, deadlines=SLOW),
        outcome=outcome,
        text=True,
        stream={"attempts": 1},
        seconds=(0, 2),
        check_turn=looks_incomplete,
    )


# ---------------------------------------------------------------- text, exceptions, heads and comments


class ReadText:
    """Read ``text_stream`` to its end, after so many pieces with ``async for`` of the turn itself."""

    def __init__(self, pieces: int | None = None) -> None:
        self.pieces = pieces

    async def play(self, stage: Stage) -> None:
        pieces: list[str] = []
        async for text in stage.stream.text_stream:
            pieces.append(text)
            if len(pieces) == self.pieces:
                break
        assert all(pieces)
        if self.pieces is not None:
            await ToEnd().play(stage)
            assert len(stage.events) > 5
            assert stage.stream.message.text.startswith("".join(pieces))
        else:
            assert "".join(pieces) == stage.stream.message.text != ""


class Raises:
    """``raise_for_outcome`` raises this; nothing if ``None``."""

    def __init__(self, error: type[Exception] | None, words: str = "", **attributes: Any) -> None:
        self.error = error
        self.words = words
        self.attributes = attributes

    async def play(self, stage: Stage) -> None:
        if self.error is None:
            stage.stream.raise_for_outcome()
            return
        with pytest.raises(self.error, match=self.words) as caught:
            stage.stream.raise_for_outcome()
        for name, value in self.attributes.items():
            assert getattr(caught.value, name) == value


class NoText:
    """Text that may be taken back is not given out."""

    async def play(self, stage: Stage) -> None:
        with pytest.raises(LocalProtocolError, match="after_output"):
            stage.stream.text_stream  # noqa: B018  (reading it is enough)


def has_request_id(stage: Stage) -> None:
    assert stage.stream.response_headers.get("request-id")


class WithTokens(Turn):
    """An upstream whose headers are another token each time."""

    def opened(self, stage: Stage) -> Any:
        tokens = iter(["old", "new", "newest"])
        self.upstream["headers"] = lambda: {"authorization": next(tokens)}  # type: ignore[index]
        return super().opened(stage)


def log_in_again() -> dict[str, str]:
    raise PermissionError("log in again")


class NotOpened(Turn):
    """``async with`` itself raises what the caller's function raises."""

    async def play(self, stage: Stage) -> None:
        with pytest.raises(PermissionError):
            await super().play(stage)
        stage.stream = None

    def look(self, stage: Stage) -> None:
        assert stage.stream is None


TOO_LONG = scripted(Head(), answer(encode_comment("PROCESSING") + b"data: " + b"x" * 200 + b"\n\n"))


def too_long(limit: str) -> ClientScenario:
    comments: list[str] = []
    return turn(
        f"a turn's comments and bounds: {limit}",
        TOO_LONG,
        upstream={"retry": NO_RETRY},
        options={limit: 100, "on_comment": comments.append},
        outcome=Outcome.FAILED,
        do=[ToEnd(), Raises(TurnError, limit)],
        check_turn=lambda _: one_comment(comments),
    )


def one_comment(comments: list[str]) -> None:
    assert comments == ["PROCESSING"]
    comments.clear()  # the scenario is played on other bindings, too


DONE = b'data: {"choices":[{"delta":{"content":"hello"}}]}\n\ndata: [DONE]\n\n'
AFTER_DONE: dict[str, list[Act]] = {
    "it ends": [Send(b"0\r\n\r\n"), Silence()],
    "it is cut": [],
    "nothing": [Silence()],
    "a trailer, slowly": [Send(b"0\r\nx-trailer: "), Drip(b"a", 0.04)],
}
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
TOO_LARGE = {"type": "error", "error": {"type": "request_too_large", "message": "too large"}}

SCENARIOS = [
    turn("text", text=True, stream={"attempts": 1}, check_turn=is_text),
    turn(
        "thinking and a tool",
        Served(partial(provider, thinking=0.05, tool=True)),
        check_turn=has_thinking_and_a_tool,
    ),
    turn(
        "bytes are sent as they are",
        Served(partial(provider, tool=True)),
        body=STREAMED,
        check_turn=is_a_response,
    ),
    turn(
        "events come as they are made",
        Served(partial(provider, rate=100, ttft=0.05)),
        check_turn=came_as_it_was_made,
    ),
    ClientScenario(
        name="bytes in ones",
        peers={"server": FAST},
        calls=[Turn(text=True), Turn(text=True, upstream=with_fault("split=1"))],
        check=the_same_messages,
    ),
    turn(
        "a slow reader is no stalled provider",
        Served(partial(provider, rate=100)),
        upstream={"deadlines": SLOW},
        do=[ReadSlowly()],
    ),
    *(
        turn(
            f"what nobody has seen is tried again: {fault}",
            upstream=with_fault(fault),
            text=True,
            stream={"attempts": 2},
            check=states,
            seconds=(0.2 if "0.2" in fault else 0.0, 1.0),
        )
        for fault in ("status=429,retry-after=0.2,times=1", "status=503,times=1", "error-before,times=1")
    ),
    turn(
        "it gives up and says why",
        upstream=with_fault("status=529"),
        outcome=Outcome.FAILED,
        failure="",
        stream={"attempts": 3},
        check_turn=has_failed,
    ),
    turn(
        "what is no use is not tried again",
        body={"model": "m"},
        outcome=Outcome.FAILED,
        failure="max_tokens",
        do=[
            Raises(LocalProtocolError, "has not ended"),
            ToEnd(),
            Raises(TurnError, "max_tokens", status=400, type="invalid_request_error", retryable=False),
        ],
        stream={"attempts": 1},
    ),
    after_text("error-after=5", Outcome.FAILED, "failed"),
    after_text("cut-after=5", Outcome.TRUNCATED, "truncated"),
    after_text("stall-after=5", Outcome.EXPIRED, None),
    after_text("garbage-after=5", None, None),
    turn(
        "a provider that is not there",
        Nobody(),
        upstream={"retry": QUICK},
        outcome=Outcome.FAILED,
        failure="Connection refused",
        stream={"attempts": 3},
    ),
    turn(
        "a large request that is refused early",
        scripted(Head(), answer(json.dumps(TOO_LARGE).encode(), "413 Content Too Large", "application/json")),
        body=b"x" * 32_000_000,
        outcome=Outcome.FAILED,
        failure="^too large$",
        failure_is={"type": "request_too_large"},
        stream={"attempts": 1},
        seconds=(0, 2),
    ),
    # Whatever the provider does behind [DONE], the connection is closed, and the next turn has its own.
    *(
        ClientScenario(
            name=f"nobody waits for what comes after [DONE]: {then}",
            peers={"server": scripted(Head(), Send(CHUNKED + b"%x\r\n%b\r\n" % (len(DONE), DONE)), *acts)},
            calls=[
                Turn(
                    url="{server}",
                    upstream={"dialect": "openai-chat", "retry": QUICK},
                    text="hello",
                    seconds=(0, 0.8),
                )
            ]
            * 2,
            connections=(2, 2),
            left_within=1.0 if acts else None,
        )
        for then, acts in AFTER_DONE.items()
    ),
    turn("the text is the message's", do=[ReadText(), Raises(None)]),
    turn("events and text may take turns", do=[ReadText(pieces=1)]),
    turn(
        "no failure shows in the text",
        upstream=with_fault("cut-after=5"),
        outcome=Outcome.TRUNCATED,
        do=[ReadText(), Raises(TurnError, "truncated: stream_truncated", outcome="truncated")],
    ),
    turn(
        "no text where it may be taken back",
        Nobody(),
        upstream={"retry": RetryPolicy(after_output="retract")},
        outcome=None,
        do=[NoText()],
    ),
    turn("the answer's status and fields", stream={"response_status": 200}, check_turn=has_request_id),
    ClientScenario(
        name="the function for headers is called at each attempt",
        peers={"server": scripted(Head(), answer(b"", "503 Busy", "text/plain"))},
        calls=[WithTokens(url="{server}", upstream={"retry": QUICK}, outcome=Outcome.FAILED)],
        requests=[Request(has=[b"authorization: %b\r\n" % token]) for token in (b"old", b"new", b"newest")],
    ),
    ClientScenario(
        name="what a function for headers raises is the caller's",
        peers={"server": Nobody()},
        calls=[NotOpened(url="{server}", upstream={"headers": log_in_again})],
    ),
    too_long("max_line_bytes"),
    too_long("max_event_bytes"),
]
