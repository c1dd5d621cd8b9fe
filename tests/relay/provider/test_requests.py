"""Routes, settings, whole answers and replays: the provider's face."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sse_relay.provider
from sse_core.headers import Headers
from sse_http import Problem, Request
from sse_http.application import Application, Reply, StreamState
from sse_relay.provider import Fault, Provider, Settings, SettingsError
from tests.relay.provider.support import (
    Sim,
    add_up,
    deltas,
    events,
    question,
    read,
    read_timed,
    timed_events,
    whole,
)

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures"

RECORDING = (
    b'event: message_start\ndata: {"type":"message_start"}\n\n'
    b'event: content_block_delta\r\ndata: {"n":1}\r\n\r\n'
    b": a comment\r\r"
    b'event: content_block_delta\ndata: {"n":2}\n\n'
    b"event: message_stop\ndata: {}"
)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["role", "content", "name", "x"]), inner),
    max_leaves=10,
)


class TestRoutes:
    def test_it_is_an_application_that_calls_nobody_and_waits_for_nothing(self) -> None:
        provider: Application = Sim().provider
        assert provider.upstreams() == []
        assert provider.deadline is None
        provider.handle_timeout(5.0)

    def test_health(self) -> None:
        answer = Sim().reply("GET", "/healthz")
        assert (answer.status, json.loads(answer.body)) == (200, {"status": "ok"})

    @pytest.mark.parametrize("path", ["/", "/v1", "/v1/messages/", "/sim", "/../healthz"])
    def test_an_unknown_path_is_404(self, path: str) -> None:
        answer = Sim().reply("GET", path)
        assert answer.status == 404
        assert json.loads(answer.body)["error"]["type"] == "not_found_error"
        assert "/v1/messages" in json.loads(answer.body)["error"]["message"]

    @pytest.mark.parametrize(
        ("method", "path", "allow"),
        [
            ("GET", "/v1/messages", "POST"),
            ("POST", "/sim/generations", "GET, DELETE"),
            ("PUT", "/healthz", "GET"),
        ],
    )
    def test_a_wrong_method_is_405_and_says_which_are_right(self, method: str, path: str, allow: str) -> None:
        answer = Sim().reply(method, path)
        assert (answer.status, answer.headers.get("allow")) == (405, allow)
        assert json.loads(answer.body)["type"] == "error"

    @pytest.mark.parametrize("given_key", [None, "", "wrong", "sëcret"])
    def test_a_wrong_key_is_401(self, given_key: str | None) -> None:
        sim = Sim(api_key="sk-right")
        headers = {} if given_key is None else {"x-api-key": given_key}
        answer = sim.reply("POST", "/v1/messages", headers=headers, body=question())
        assert answer.status == 401
        assert json.loads(answer.body)["error"]["type"] == "authentication_error"
        assert sim.records() == []

    def test_the_right_key_is_let_in(self) -> None:
        sim = Sim(api_key="sk-right")
        answer = sim.send("POST", "/v1/messages", headers={"X-Api-Key": "sk-right"}, body=question())
        assert not isinstance(answer, Reply)


class TestBodies:
    @pytest.mark.parametrize(
        ("body", "why"),
        [
            (b"", "not valid JSON"),
            (b"{", "not valid JSON"),
            (b"\xff", "not valid JSON"),
            (b"[" * 100_000, "not valid JSON"),
            (b"[]", "not a JSON object"),
            (b"null", "not a JSON object"),
        ],
    )
    def test_a_body_that_is_no_json_object_is_400(self, body: bytes, why: str) -> None:
        sim = Sim()
        answer = sim.reply("POST", "/v1/messages", body=body)
        error = json.loads(answer.body)["error"]
        assert (answer.status, error["type"]) == (400, "invalid_request_error")
        assert why in error["message"]
        assert sim.records() == []

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"model": None}, "model: Field required"),
            ({"model": 3}, "model: Input should be a string"),
            ({"model": ""}, "model: Input should be a string"),
            ({"max_tokens": None}, "max_tokens: Field required"),
            ({"max_tokens": 0}, "max_tokens: Input should be an integer greater"),
            ({"max_tokens": True}, "max_tokens: Input should be an integer"),
            ({"max_tokens": "5"}, "max_tokens: Input should be an integer"),
            ({"stream": "yes"}, "stream: Input should be a boolean"),
            ({"messages": None}, "messages: Field required"),
            ({"messages": {}}, "messages: Input should be an array"),
            ({"messages": []}, "messages: at least one message"),
            ({"messages": ["hi"]}, "messages.0.role"),
            ({"messages": [{"role": "system", "content": "x"}]}, "messages.0.role"),
            ({"messages": [{"role": "user", "content": 3}]}, "messages.0.content"),
            ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ],
    )
    def test_a_wrong_field_is_400_and_named(self, fields: dict[str, Any], message: str) -> None:
        status, error = Sim().refused(**fields)
        assert (status, error["type"]) == (400, "invalid_request_error")
        assert error["message"].startswith(message)

    @given(JSON)
    def test_any_json_is_answered(self, value: Any) -> None:
        """Law: whatever the fields hold, the answer is a stream or a 400, never an exception."""
        for name in ("model", "max_tokens", "stream", "messages", "tools"):
            answer = Sim().ask(**{name: value})
            if isinstance(answer, Reply):
                assert answer.status == 400


class TestSettings:
    @pytest.mark.parametrize(
        ("header", "value", "why"),
        [
            ("Sim-Tokens", "many", "a whole number from 0 to 10000000"),
            ("Sim-Tokens", "10000001", "a whole number from 0 to 10000000"),
            ("Sim-Tokens", "1.5", "a whole number"),
            ("Sim-Tokens", "-1", "a whole number"),
            ("Sim-Rate", "nan", "a number from 0 to 1000000"),
            ("Sim-Rate", "inf", "a number from 0 to 1000000"),
            ("Sim-Rate", "1e3", "a number from 0 to 1000000"),
            ("Sim-Rate", "0.001", "below 0.01 tokens a second"),
            ("Sim-TTFT", "-0.5", "a number from 0 to 3600"),
            ("Sim-TTFT", "", "a number from 0 to 3600"),
            ("Sim-Thinking", "3601", "a number from 0 to 3600"),
            ("Sim-Tool", "yes", "neither 0 nor 1"),
            ("Sim-Speed", "5", "is not a setting; the settings are Sim-Tokens, Sim-Rate"),
        ],
    )
    def test_what_cannot_be_used_is_400_and_names_the_field(self, header: str, value: str, why: str) -> None:
        sim = Sim()
        answer = sim.reply("POST", "/v1/messages", headers={header: value}, body=question())
        error = json.loads(answer.body)["error"]
        assert (answer.status, error["type"]) == (400, "invalid_request_error")
        assert header.lower() in error["message"].lower()
        assert why in error["message"]
        assert sim.records() == []

    def test_a_field_may_come_once(self) -> None:
        with pytest.raises(SettingsError, match="Sim-Tokens is given twice"):
            Settings().with_headers([("Sim-Tokens", "1"), ("sim-tokens", "2")])

    def test_fields_stand_in_place_of_the_defaults(self) -> None:
        defaults = Settings(tokens=7, ttft=1.0, tool=True, fault=Fault.parse("cut-after=3"))
        texts = {"Sim-Tokens": "9", "Sim-Tool": "0", "Sim-Fault": "none", "Accept": "*/*"}
        assert defaults.with_headers(texts) == Settings(tokens=9, ttft=1.0)

    def test_the_defaults_of_a_provider_are_its_constructors(self) -> None:
        sim = Sim(Settings().with_headers({"Sim-Tokens": "3", "Sim-TTFT": "2", "Sim-Rate": "1"}))
        timed = timed_events(sim.stream())
        assert [at for at, event in timed if "delta" in event][:3] == [2.0, 3.0, 4.0]
        assert len(deltas(events(sim.stream("Tokens: 5")), "text")) == 5

    def test_a_fault_of_the_constructor_befalls_every_request(self) -> None:
        sim = Sim(Settings(fault=Fault.parse("status=503")))
        assert sim.refused()[0] == 503
        sim.stream("Fault: none")


class TestWholeAnswers:
    @pytest.mark.parametrize(
        "sim",
        [
            "Tokens: 50",
            "Tokens: 50; Rate: 0; TTFT: 0",
            "Tokens: 0",
            "Tokens: 30; Thinking: 1; Tool: 1",
            "Tokens: 30; Thinking: 2; Tool: 1; Rate: 0",
        ],
    )
    def test_it_is_what_the_stream_adds_up_to(self, sim: str) -> None:
        answer = whole(Sim().stream(sim, stream=False))
        assert answer
        assert (answer.status, answer.headers.get("content-type")) == (200, "application/json")
        message = json.loads(answer.body)
        streamed = add_up(events(Sim().stream(sim)))
        for differs in (message["usage"], streamed["usage"]):  # with the length of the request
            del differs["input_tokens"]
        assert message == streamed

    def test_it_takes_the_same_time_and_counts_along(self) -> None:
        sim = Sim()
        stream = sim.stream("Tokens: 11; TTFT: 1; Rate: 10", stream=False)
        counts = []
        woken = []
        stream.waker = lambda: woken.append(stream.state)
        now = 0.0
        while stream.state is StreamState.OPEN:
            assert stream.head is None
            assert stream.deadline is not None
            now = stream.deadline
            stream.handle_timeout(now)
            counts.append(sim.records()[0]["tokens"])
        assert now == pytest.approx(2.0)
        assert sorted(set(counts)) == list(range(12))
        assert woken[-1] is StreamState.FINISHED  # or the server would not know that there is a reply
        assert sim.records()[0]["state"] == "completed"
        assert stream.deadline is None

    def test_one_call_does_a_bounded_part_of_a_large_one(self) -> None:
        sim = Sim()
        stream = sim.stream("Tokens: 10000; TTFT: 0; Rate: 0", stream=False)
        stream.handle_timeout(0.0)
        assert 0 < sim.records()[0]["tokens"] <= 2000
        assert stream.deadline == 0.0
        answer = whole(stream)
        assert answer
        assert json.loads(answer.body)["usage"]["output_tokens"] == 10_000

    def test_streaming_is_what_is_requested_and_not_the_default(self) -> None:
        assert Sim().stream(stream=None).head is None


class TestReplay:
    def test_every_byte_comes_back_as_fast_as_it_can(self) -> None:
        sim = Sim(replay=RECORDING)
        timed = read_timed(sim.stream())
        assert timed == [(0.0, RECORDING)]
        (record,) = sim.records()
        assert (record["state"], record["tokens"]) == ("completed", 2)

    def test_at_a_rate_it_comes_event_by_event(self) -> None:
        timed = read_timed(Sim(replay=RECORDING).stream("Rate: 10"))
        assert [at for at, _ in timed] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])
        assert [data for _, data in timed] == [
            b'event: message_start\ndata: {"type":"message_start"}\n\n',
            b'event: content_block_delta\r\ndata: {"n":1}\r\n\r\n',
            b": a comment\r\r",
            b'event: content_block_delta\ndata: {"n":2}\n\n',
            b"event: message_stop\ndata: {}",
        ]

    def test_every_recorded_stream_survives(self) -> None:
        if not FIXTURES.is_dir():
            pytest.skip("shared folder missing: the recordings lie beside the checkout")
        recordings = sorted(FIXTURES.rglob("*.sse"))
        assert len(recordings) > 200
        for path in recordings:
            recording = path.read_bytes()
            for sim in ("", "Rate: 50"):
                assert read(Sim(replay=recording).stream(sim)) == recording, path.name

    @given(st.lists(st.sampled_from([b"\r", b"\n", b"a", b"data: x"])).map(b"".join))
    def test_any_bytes_survive(self, recording: bytes) -> None:
        stream = Sim(replay=recording).stream("Rate: 50")
        assert read(stream) == recording
        assert stream.state is StreamState.FINISHED

    @pytest.mark.parametrize(
        ("fault", "state", "ends"),
        [
            ("cut-after=2", StreamState.ABORTED, b"\r\n\r\n"),
            ("cut-after=5", StreamState.ABORTED, b"{}"),
            ("stall-after=3", StreamState.OPEN, b"\r\r"),
        ],
    )
    def test_faults_count_its_events(self, fault: str, state: StreamState, ends: bytes) -> None:
        stream = Sim(replay=RECORDING).stream(f"Fault: {fault}")
        got = read(stream)
        assert RECORDING.startswith(got)
        assert got.endswith(ends)
        assert stream.state is state

    def test_it_can_be_split(self) -> None:
        stream = Sim(replay=RECORDING).stream("Fault: split=1")
        pieces = [stream.data_to_send(0.0) for _ in RECORDING]
        assert b"".join(pieces) == RECORDING
        assert {len(piece) for piece in pieces} == {1}
        assert stream.state is StreamState.FINISHED

    def test_it_needs_streaming(self) -> None:
        sim = Sim(replay=RECORDING)
        status, error = sim.refused(stream=False)
        assert status == 400
        assert '"stream": true' in error["message"]
        assert sim.records() == []


def test_it_shares_nothing_with_what_it_tests() -> None:
    """The provider writes its protocol by hand: it imports neither dialects nor blocks nor framing."""
    folder = Path(sse_relay.provider.__file__).parent
    imported = {
        node.module if isinstance(node, ast.ImportFrom) else alias.name
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    house = {name for name in imported if name and name.split(".")[0] in ("sse_core", "sse_http")}
    assert house == {"sse_core.errors", "sse_core.headers", "sse_http.application", "sse_http.problem"}


def test_the_servers_own_refusals_have_the_apis_shape() -> None:
    provider = Provider(clock=lambda: 0.0)
    full = Problem(503, "overloaded", "Come back later.", Headers({"retry-after": "1"}))
    reply = provider.problem_reply(Request("POST", "/v1/messages"), full)
    assert (reply.status, reply.headers.get("retry-after")) == (503, "1")
    error = json.loads(reply.body)
    assert (error["type"], error["error"]["message"]) == ("error", "Come back later.")
    assert error["request_id"] == reply.headers.get("request-id") == "req_sim00000001"
