"""What other projects' suites, the web platform tests first, expect of an event source.

The servers' scripts are played to the machine itself: bytes, and a made-up clock.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from sse_core.headers import Headers
from sse_core.lifecycle import EventSource, HTTPRequest, RetryPolicy, SourceState, Want

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "client_behaviour.json"

if not VECTORS.exists():
    pytest.skip("shared folder missing: the vectors lie beside the checkout", allow_module_level=True)

#: What is not the machine's business, or not what it does; by the beginning of the vector's name.
NOT_HERE = {
    "status 503 fails": "beyond the rules: 500 and above are tried again, as every LLM client does",
    "follows 30": "redirects are not followed: a status of 300 to 399 is final",
    "301 to a 204": "redirects are not followed",
    "origin of messages": "redirects are not followed",
    "reconnect after a redirect": "redirects are not followed",
    "unsupported URL schemes": "URLs are the bindings' business",
    "invalid URL": "URLs are the bindings' business",
}

CASES = [
    vector
    for vector in json.loads(VECTORS.read_text())
    if vector["status"] == "spec" and not vector["name"].startswith(tuple(NOT_HERE))
]

#: WHATWG has no state between connections.
READY_STATES = {
    SourceState.CONNECTING: "CONNECTING",
    SourceState.OPEN: "OPEN",
    SourceState.RECONNECTING: "CONNECTING",
    SourceState.CLOSED: "CLOSED",
}


class Client:
    """Drives an event source through a script, and notes what its user would see."""

    def __init__(self, close_on: str | None) -> None:
        # The specification knows no last attempt.
        self.source = EventSource(HTTPRequest("http://server.test/"), retry=RetryPolicy(max_attempts=10**6))
        self.close_on = close_on
        self.now = 0.0
        self.requests = 0
        self.opens = 0
        self.opened_at: list[float] = []
        self.events: list[dict[str, str]] = []
        self.states: list[str] = []
        self.error_states: list[str] = []
        self.delays: list[float] = []
        self.source.start(self.now)
        self.note()

    def note(self) -> None:
        state = READY_STATES[self.source.state]
        if not self.states or state != self.states[-1]:
            self.states.append(state)
            if self.states[-2:-1] == ["OPEN"] or state == "CLOSED":
                self.error_states.append(state)
                self.user_sees("error")

    def user_sees(self, what: str) -> None:
        if self.close_on == what and self.source.state is not SourceState.CLOSED:
            self.source.close(self.now)
            self.states.append("CLOSED")

    def until_it_connects(self) -> bool:
        begun = self.now
        while self.source.want is not Want.CONNECT:
            if self.source.want is Want.CLOSE:
                self.source.closed(self.now)
            elif self.source.deadline is not None:
                self.now = self.source.deadline
                self.source.handle_timeout(self.now)
            else:
                return False
        if self.requests:
            self.delays.append(self.now - begun)
        self.requests += 1
        return True

    def play(self, step: dict[str, Any]) -> None:
        for _ in range(step.get("times", 1)):
            if not self.until_it_connects():
                return
            self.check_request(step.get("expect_request", {}))
            if step.get("connection_refused"):
                self.source.connection_lost("refused", self.now)
            else:
                self.answer(step)
            self.note()

    def check_request(self, expected: dict[str, Any]) -> None:
        headers = self.source.request.headers
        for name, value in expected.get("headers", {}).items():
            found = (headers.get(name) or "").encode("latin-1")
            assert found == (bytes.fromhex(value[6:]) if value.startswith("bytes:") else value.encode())
        for name in expected.get("absent_headers", []):
            assert name not in headers

    def answer(self, step: dict[str, Any]) -> None:
        self.source.connected(self.now)
        head = step["respond"]
        self.now += head.get("delay_ms", 0) / 1000
        self.source.response_started(head["status"], Headers(head["headers"]), self.now)
        self.note()
        if self.source.state is SourceState.OPEN:
            self.opens += 1
            self.opened_at.append(self.now)
            self.user_sees("open")
        for part in step.get("body", []):
            self.receive(part)
        if step["end"] == "close":
            self.source.receive_eof(self.now)

    def receive(self, part: dict[str, Any]) -> None:
        self.now += part.get("sleep_ms", 0) / 1000
        data = base64.b64decode(part["send_b64"]) if "send_b64" in part else part.get("send", "").encode()
        self.source.receive_data(data, self.now)
        while (event := self.source.next_event()) is not None:
            self.events.append({"type": event.type, "data": event.data, "lastEventId": event.last_event_id})
            self.user_sees("message")


@pytest.mark.parametrize("vector", CASES, ids=[vector["name"] for vector in CASES])
def test_an_event_source_does_what_others_expect(vector: dict[str, Any]) -> None:
    client = Client(vector.get("client", {}).get("close_on"))
    for step in vector["server_script"]:
        client.play(step)
    expected = vector["expected"]
    if "events" in expected:
        asserted = [set(event) for event in expected["events"]]
        assert len(client.events) == len(asserted)
        seen = [
            {key: event[key] for key in keys} for event, keys in zip(client.events, asserted, strict=True)
        ]
        assert seen == expected["events"]
    for name in ("opens", "requests", "states", "error_states"):
        if name in expected:
            assert getattr(client, name) == expected[name], name
    if "final_state" in expected:
        assert READY_STATES[client.source.state] == expected["final_state"]
    if isinstance(expected.get("reconnect_delay_ms"), list):
        lowest, highest = expected["reconnect_delay_ms"]
        assert lowest <= client.delays[0] * 1000 <= highest
    if "open_to_open_ms" in expected:
        lowest, highest = expected["open_to_open_ms"]
        assert lowest <= (client.opened_at[1] - client.opened_at[0]) * 1000 <= highest
    if "attempts_min" in expected:
        client.until_it_connects()
        assert client.requests >= expected["attempts_min"]


def test_what_is_left_out_is_left_out_for_a_reason_that_still_holds() -> None:
    names = [vector["name"] for vector in json.loads(VECTORS.read_text())]
    for beginning in NOT_HERE:
        assert any(name.startswith(beginning) for name in names)
