"""A provider with made-up clocks, and a reader that jumps from deadline to deadline."""

from __future__ import annotations

import json
from typing import Any

from sse_core import EventStreamDecoder
from sse_core.headers import Headers
from sse_http.application import Reply, Request, Stream, StreamHead, StreamState
from sse_relay.provider import Provider, Settings

Event = dict[str, Any]
Timed = list[tuple[float, Event]]

QUESTION = "Why does it rain?"


class Sim:
    """A provider, and requests to it.  ``wall`` is its wall clock."""

    def __init__(self, settings: Settings | None = None, **options: Any) -> None:
        self.wall = 1_000_000.0
        self.provider = Provider(settings, clock=lambda: self.wall, **options)

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        now: float = 0.0,
    ) -> Reply | Stream:
        """Any request."""
        return self.provider.handle(Request(method, path, headers=Headers(headers or {}), body=body), now)

    def reply(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Reply:
        """Any request that is answered at once."""
        answer = self.send(method, path, headers=headers, body=body)
        assert isinstance(answer, Reply)
        return answer

    def ask(self, sim: str = "", *, now: float = 0.0, **fields: Any) -> Reply | Stream:
        """A question.  ``sim`` is settings in short: ``"Tokens: 3; Rate: 0"``."""
        return self.send("POST", "/v1/messages", headers=sim_headers(sim), body=question(**fields), now=now)

    def stream(self, sim: str = "", *, now: float = 0.0, **fields: Any) -> Stream:
        """A question that is answered by a stream."""
        answer = self.ask(sim, now=now, **fields)
        assert not isinstance(answer, Reply), answer.body
        return answer

    def refused(self, sim: str = "", **fields: Any) -> tuple[int, Event]:
        """A question that is refused: the status and the error."""
        answer = self.ask(sim, **fields)
        assert isinstance(answer, Reply)
        return answer.status, json.loads(answer.body)["error"]

    def records(self) -> list[Event]:
        """What the provider's own page says."""
        records: list[Event] = json.loads(self.reply("GET", "/sim/generations").body)
        return records


def sim_headers(sim: str) -> dict[str, str]:
    """``"Tokens: 3; Rate: 0"`` as the fields of a request."""
    pairs = (part.split(":", 1) for part in sim.split(";") if part.strip())
    return {f"Sim-{name.strip()}": value.strip() for name, value in pairs}


def question(**fields: Any) -> bytes:
    """The body of a request; ``None`` takes a field away."""
    body = {
        "model": "claude-sim",
        "max_tokens": 10_000_000,
        "stream": True,
        "messages": [{"role": "user", "content": QUESTION}],
        **fields,
    }
    return json.dumps({name: value for name, value in body.items() if value is not None}).encode()


def pull(stream: Stream, now: float) -> bytes:
    """All that the stream has for a reader that is as fast as it."""
    pieces = []
    while piece := stream.data_to_send(now):
        pieces.append(piece)
    return b"".join(pieces)


def read_timed(stream: Stream, now: float = 0.0, until: float = float("inf")) -> list[tuple[float, bytes]]:
    """What a fast reader gets, and when, jumping from deadline to deadline."""
    got = []
    while True:
        if data := pull(stream, now):
            got.append((now, data))
        deadline = stream.deadline
        if stream.state is not StreamState.OPEN or deadline is None or deadline > until:
            return got
        now = max(now, deadline)
        stream.handle_timeout(now)


def read(stream: Stream, now: float = 0.0, until: float = float("inf")) -> bytes:
    """What a fast reader gets, all together."""
    return b"".join(data for _, data in read_timed(stream, now, until))


def timed_events(stream: Stream, now: float = 0.0, until: float = float("inf")) -> Timed:
    """The events that a fast reader gets, each with its time."""
    decoder = EventStreamDecoder()
    return [
        (at, json.loads(event.data))
        for at, data in read_timed(stream, now, until)
        for event in decoder.receive_data(data)
    ]


def events(stream: Stream, now: float = 0.0, until: float = float("inf")) -> list[Event]:
    """The events that a fast reader gets."""
    return [event for _, event in timed_events(stream, now, until)]


def deltas(received: list[Event], kind: str) -> list[str]:
    """The texts of the deltas of one kind: ``text``, ``thinking``, ``signature``, ``partial_json``."""
    found = (event["delta"] for event in received if event["type"] == "content_block_delta")
    return [delta[kind] for delta in found if kind in delta]


def whole(stream: Stream) -> Reply | None:
    """What a request without streaming is answered with in the end."""
    assert read(stream) == b""
    head = stream.head
    assert not isinstance(head, StreamHead)
    return head


def add_up(received: list[Event]) -> Event:
    """The message that the events make: a fold that shares no line with the one under test."""
    message: Event = {}
    for event in received:
        match event:
            case {"type": "message_start"}:
                message = json.loads(json.dumps(event["message"]))
            case {"type": "content_block_start"}:
                message["content"].append(json.loads(json.dumps(event["content_block"])))
                message["content"][-1]["_json"] = ""
            case {"type": "content_block_delta", "index": index, "delta": delta}:
                _add(message["content"][index], delta)
            case {"type": "content_block_stop", "index": index}:
                arguments = message["content"][index].pop("_json")
                if arguments:
                    message["content"][index]["input"] = json.loads(arguments)
            case {"type": "message_delta"}:
                message.update(event["delta"])
                message["usage"].update(event["usage"])
    return message


def _add(block: Event, delta: Event) -> None:
    for field in ("text", "thinking", "signature"):
        if field in delta:
            block[field] += delta[field]
    block["_json"] += delta.get("partial_json", "")
