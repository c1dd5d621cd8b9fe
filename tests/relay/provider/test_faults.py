"""Everything that a provider can be set to do wrong."""

from __future__ import annotations

import json

import pytest

from sse_core import EventStreamDecoder
from sse_http.application import Reply, StreamState
from tests.relay.provider.support import Event, Sim, deltas, events, question, read, timed_events, whole

OVERLOADED = {"details": None, "type": "overloaded_error", "message": "Overloaded"}


def content(received: list[Event]) -> int:
    """How many content events there are."""
    return len(deltas(received, "text")) + len(deltas(received, "thinking"))


class TestStatus:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, "invalid_request_error"),
            (401, "authentication_error"),
            (402, "billing_error"),
            (403, "permission_error"),
            (404, "not_found_error"),
            (413, "request_too_large"),
            (418, "invalid_request_error"),
            (429, "rate_limit_error"),
            (500, "api_error"),
            (503, "api_error"),
            (504, "timeout_error"),
            (529, "overloaded_error"),
        ],
    )
    def test_the_body_is_that_of_the_status(self, status: int, kind: str) -> None:
        sim = Sim()
        answer = sim.ask(f"Fault: status={status}")
        assert isinstance(answer, Reply)
        assert answer.status == status
        body = json.loads(answer.body)
        assert body["type"] == "error"
        assert body["error"]["type"] == kind
        assert body["error"]["message"]
        assert body["request_id"] == answer.headers.get("request-id")
        assert answer.headers.get("retry-after") is None
        (record,) = sim.records()
        assert (record["state"], record["tokens"], record["ended"]) == ("faulted", 0, 1_000_000.0)

    @pytest.mark.parametrize("seconds", ["1", "0", "0.25", "3600"])
    def test_retry_after(self, seconds: str) -> None:
        answer = Sim().ask(f"Fault: status=429, retry-after={seconds}")
        assert isinstance(answer, Reply)
        assert answer.headers.get("retry-after") == seconds

    def test_without_times_it_befalls_every_request(self) -> None:
        sim = Sim()
        assert {sim.refused("Fault: status=500")[0] for _ in range(20)} == {500}

    def test_requests_without_streaming_too(self) -> None:
        assert Sim().refused("Fault: status=503", stream=False)[0] == 503


class TestTimes:
    def test_the_request_after_the_last_is_served_and_then_it_begins_anew(self) -> None:
        sim = Sim()
        served = [not isinstance(sim.ask("Fault: status=429,retry-after=1,times=2"), Reply) for _ in range(6)]
        assert served == [False, False, True, False, False, True]
        states = [record["state"] for record in sim.records()]
        assert states == ["faulted", "faulted", "running"] * 2

    def test_other_requests_and_other_faults_have_their_own_count(self) -> None:
        sim = Sim()
        sim.refused("Fault: status=429,times=1")
        sim.refused("Fault: status=429,times=1", model="other")
        sim.refused("Fault: status=500,times=1")
        sim.stream("Fault: status=429,times=1")
        sim.stream("Fault: status=429,times=1", model="other")
        sim.stream("Fault: status=500,times=1")

    @pytest.mark.parametrize(
        "fault",
        ["error-before", "error-after=2", "cut-after=2", "stall-after=2", "garbage-after=2", "split=1"],
    )
    def test_it_goes_with_every_fault(self, fault: str) -> None:
        sim = Sim()
        befallen, served = (read(sim.stream(f"Tokens: 5; Fault: {fault},times=1")) for _ in range(2))
        plain = read(sim.stream("Tokens: 5"))
        assert served.replace(b"00000002", b"00000003") == plain
        if fault != "split=1":
            assert befallen.replace(b"00000001", b"00000003") != plain

    def test_counts_of_requests_that_never_come_again_are_bounded(self) -> None:
        sim = Sim()
        sim.refused("Fault: status=429,times=1", model="first")
        for number in range(10_000):
            sim.refused("Fault: status=429,times=1", model=f"m{number}")
        sim.stream("Fault: status=429,times=1", model="m9999")
        sim.refused("Fault: status=429,times=1", model="first")  # its count was the oldest


class TestErrorEvent:
    def test_before_anything_visible(self) -> None:
        sim = Sim()
        stream = sim.stream("Fault: error-before")
        timed = timed_events(stream)
        assert [(at, event["type"]) for at, event in timed] == [(0.0, "message_start"), (0.0, "error")]
        assert timed[1][1]["error"] == OVERLOADED
        assert timed[1][1]["request_id"].startswith("req_")
        assert stream.state is StreamState.FINISHED
        assert (sim.records()[0]["state"], sim.records()[0]["tokens"]) == ("faulted", 0)

    @pytest.mark.parametrize("count", [1, 10, 200])
    def test_amid_text(self, count: int) -> None:
        sim = Sim()
        stream = sim.stream(f"Fault: error-after={count}")
        received = events(stream)
        assert content(received) == count
        assert received[-1]["type"] == "error"
        assert stream.state is StreamState.FINISHED
        assert (sim.records()[0]["state"], sim.records()[0]["tokens"]) == ("faulted", count)

    def test_after_none_it_is_the_very_first_event(self) -> None:
        assert [event["type"] for event in events(Sim().stream("Fault: error-after=0"))] == ["error"]

    def test_thoughts_are_content_too(self) -> None:
        received = events(Sim().stream("Thinking: 1; Fault: error-after=10"))
        assert len(deltas(received, "thinking")) == 10

    def test_in_an_answer_that_is_shorter_it_never_comes(self) -> None:
        sim = Sim()
        assert events(sim.stream("Tokens: 9; Fault: error-after=10"))[-1]["type"] == "message_stop"
        assert sim.records()[0]["state"] == "completed"


class TestCut:
    @pytest.mark.parametrize("count", [0, 1, 10, 200])
    @pytest.mark.parametrize("rate", ["0", "50"])
    def test_the_connection_is_cut_after_so_many(self, count: int, rate: str) -> None:
        sim = Sim()
        stream = sim.stream(f"Rate: {rate}; Fault: cut-after={count}")
        received = events(stream)
        assert content(received) == count
        assert "message_stop" not in [event["type"] for event in received]
        assert stream.state is StreamState.ABORTED
        assert stream.deadline is None
        assert (sim.records()[0]["state"], sim.records()[0]["tokens"]) == ("faulted", count)
        stream.close(100.0)
        assert sim.records()[0]["state"] == "faulted"

    def test_what_waits_is_sent_before_the_cut(self) -> None:
        stream = Sim().stream("Rate: 0; TTFT: 0; Fault: cut-after=3")
        states = []
        stream.handle_timeout(0.0)
        states.append(stream.state)
        assert stream.data_to_send(0.0).count(b"text_delta") == 3
        states.append(stream.state)
        assert states == [StreamState.OPEN, StreamState.ABORTED]


class TestStall:
    @pytest.mark.parametrize("count", [0, 10])
    def test_nothing_more_comes_until_the_reader_goes(self, count: int) -> None:
        sim = Sim()
        stream = sim.stream(f"Fault: stall-after={count}")
        received = events(stream)
        assert content(received) == count
        stream.handle_timeout(10_000.0)
        assert stream.data_to_send(10_000.0) == b""
        assert stream.deadline is None
        assert stream.state is StreamState.OPEN
        assert (sim.records()[0]["state"], sim.records()[0]["tokens"]) == ("running", count)
        stream.close(10_000.0)
        assert sim.records()[0]["state"] == "aborted"


class TestGarbage:
    def test_an_event_that_is_neither_json_nor_utf_8_and_then_it_goes_on(self) -> None:
        sim = Sim()
        data = read(sim.stream("Tokens: 20; Fault: garbage-after=10"))
        with pytest.raises(UnicodeDecodeError):
            data.decode()
        received = EventStreamDecoder().receive_data(data)
        bad = [number for number, event in enumerate(received) if not is_json(event.data)]
        assert len(bad) == 1
        before = [event for event in received[: bad[0]] if event.type == "content_block_delta"]
        after = [event for event in received[bad[0] + 1 :] if event.type == "content_block_delta"]
        assert (len(before), len(after)) == (10, 10)
        assert received[-1].type == "message_stop"
        assert (sim.records()[0]["state"], sim.records()[0]["tokens"]) == ("completed", 20)


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


class TestSplit:
    @pytest.mark.parametrize("size", [1, 3])
    def test_each_piece_has_so_many_bytes(self, size: int) -> None:
        sim = Sim()
        stream = sim.stream(f"Tokens: 20; Rate: 0; TTFT: 0; Fault: split={size}")
        pieces = []
        while stream.state is StreamState.OPEN:
            pieces.append(stream.data_to_send(0.0))
        assert {len(piece) for piece in pieces[:-1]} == {size}
        assert 1 <= len(pieces[-1]) <= size
        plain = read(Sim().stream("Tokens: 20; Rate: 0; TTFT: 0"))
        assert b"".join(pieces) == plain
        assert sim.records()[0]["state"] == "completed"


class TestWithoutStreaming:
    @pytest.mark.parametrize(
        ("fault", "at"), [("error-before", 0.0), ("error-after=10", 0.5 + 10 / 50), ("error-after=0", 0.0)]
    )
    def test_an_error_event_is_the_answer_of_its_status(self, fault: str, at: float) -> None:
        sim = Sim()
        stream = sim.stream(f"Fault: {fault}", stream=False)
        answer = whole(stream)
        assert answer
        assert answer.status == 529
        assert json.loads(answer.body)["error"] == OVERLOADED
        assert sim.records()[0]["state"] == "faulted"
        again = sim.stream(f"Fault: {fault}", stream=False)
        again.handle_timeout(at - 0.001)
        assert again.head is None
        again.handle_timeout(at + 0.001)
        assert again.head is not None

    def test_a_cut_is_a_connection_without_an_answer(self) -> None:
        sim = Sim()
        stream = sim.stream("Fault: cut-after=10", stream=False)
        assert whole(stream) is None
        assert stream.state is StreamState.ABORTED
        assert (sim.records()[0]["state"], sim.records()[0]["tokens"]) == ("faulted", 10)

    def test_a_stall_is_no_answer_ever(self) -> None:
        stream = Sim().stream("Fault: stall-after=10", stream=False)
        assert whole(stream) is None
        assert (stream.state, stream.deadline) == (StreamState.OPEN, None)

    def test_garbage_is_a_body_that_nobody_can_read(self) -> None:
        answer = whole(Sim().stream("Fault: garbage-after=10", stream=False))
        assert answer
        assert answer.status == 200
        with pytest.raises(ValueError, match="codec can't decode"):
            json.loads(answer.body)

    def test_a_split_changes_nothing(self) -> None:
        answer = whole(Sim().stream("Fault: split=1", stream=False))
        assert answer
        assert json.loads(answer.body)["stop_reason"] == "end_turn"


class TestRequested:
    @pytest.mark.parametrize(
        ("fault", "why"),
        [
            ("nonsense", "there is no such fault"),
            ("status", "status takes a whole number from 400 to 599"),
            ("status=200", "status takes a whole number from 400 to 599"),
            ("status=\u0664\u0662\u0669", "status takes a whole number from 400 to 599"),
            ("error-before=1", "error-before takes no number"),
            ("cut-after", "cut-after takes a whole number from 0 to 1000000"),
            ("cut-after=-1", "cut-after takes a whole number"),
            ("cut-after=1000001", "cut-after takes a whole number"),
            ("split=0", "split takes a whole number from 1 to 65536"),
            ("cut-after=1,retry-after=1", "cut-after has no such option"),
            ("status=429,times=0", "times takes a whole number from 1 to 9999"),
            ("status=429,times", "times takes a whole number from 1 to 9999"),
            ("status=429,retry-after=soon", "retry-after takes seconds"),
            ("status=429,times=1,times=2", "an option is given twice"),
        ],
    )
    def test_a_fault_that_does_not_exist_is_refused_with_those_that_do(self, fault: str, why: str) -> None:
        sim = Sim()
        # Text that is no Latin-1 cannot come over the wire, but a flag can hold it.
        status, error = sim.refused(f"Fault: {fault}")
        assert (status, error["type"]) == (400, "invalid_request_error")
        assert error["message"].startswith("Sim-Fault: ")
        assert why in error["message"]
        for known in ("status=", "error-before", "error-after", "cut-after", "stall-after", "garbage-after"):
            assert known in error["message"]
        assert sim.records() == []

    @pytest.mark.parametrize("fault", ["", "none"])
    def test_no_fault(self, fault: str) -> None:
        sim = Sim()
        body = question()
        answer = sim.send("POST", "/v1/messages", headers={"Sim-Fault": fault}, body=body)
        assert not isinstance(answer, Reply)
