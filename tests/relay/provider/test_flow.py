"""Readers that are slow, that go away, and what the record says of them."""

from __future__ import annotations

import pytest

from sse_http.application import StreamState
from tests.relay.provider.support import Sim, events, pull, read, timed_events

BOUND = 65_536
EVENT = 300  #: bytes that one event may be more


class TestBackpressure:
    @pytest.mark.parametrize("rate", ["0", "1000"])
    def test_a_reader_that_does_not_read_stops_the_generation(self, rate: str) -> None:
        sim = Sim()
        stream = sim.stream(f"Tokens: 100000; TTFT: 0; Rate: {rate}")
        for second in range(100):
            stream.handle_timeout(float(second))
        made = sim.records()[0]["tokens"]
        assert 400 < made < 1000
        assert stream.deadline is None  # nothing to do until somebody reads
        assert BOUND <= len(stream.data_to_send(99.0)) < BOUND + EVENT

    def test_a_pause_postpones_what_was_still_to_come(self) -> None:
        """After a pause of 1000 s the tokens come at the rate again, not in a heap."""
        sim = Sim()
        stream = sim.stream("Tokens: 100000; TTFT: 0; Rate: 100")
        for second in range(1, 1001):
            stream.handle_timeout(float(second))
        made = sim.records()[0]["tokens"]
        pull(stream, 1000.0)
        assert sim.records()[0]["tokens"] == pytest.approx(made, abs=100)
        before = sim.records()[0]["tokens"]
        read(stream, now=1000.0, until=1010.0)
        assert sim.records()[0]["tokens"] - before == pytest.approx(1000, abs=2)

    def test_a_piece_is_bounded_however_fast(self) -> None:
        stream = Sim().stream("Tokens: 5000; Rate: 0; TTFT: 0")
        sizes = []
        while stream.state is StreamState.OPEN:
            sizes.append(len(stream.data_to_send(0.0)))
        assert all(0 < size < BOUND + EVENT for size in sizes)
        assert len(sizes) > 5

    def test_at_rate_0_tokens_are_made_when_they_are_pulled(self) -> None:
        sim = Sim()
        stream = sim.stream("Tokens: 100000; Rate: 0; TTFT: 1")
        stream.data_to_send(0.0)
        assert sim.records()[0]["tokens"] == 0
        assert stream.data_to_send(1.0)
        first = sim.records()[0]["tokens"]
        assert stream.data_to_send(1.0)
        assert first < sim.records()[0]["tokens"] < first * 3

    def test_a_fast_rate_holds_for_a_fast_reader(self) -> None:
        stream = Sim().stream("Tokens: 100000; TTFT: 0; Rate: 20000")
        timed = timed_events(stream)
        assert timed[-1][0] == pytest.approx(5.0, rel=0.01)

    def test_a_reader_that_comes_in_time_loses_no_time(self) -> None:
        """Reading each second what came in it keeps the schedule, although it was full now and then."""
        sim = Sim()
        stream = sim.stream("Tokens: 100000; TTFT: 0; Rate: 100")
        for second in range(1, 61):
            stream.handle_timeout(float(second))
            pull(stream, float(second))
        assert sim.records()[0]["tokens"] == 6001


class TestRecords:
    def test_a_running_generation_counts(self) -> None:
        sim = Sim()
        stream = sim.stream("TTFT: 1; Rate: 10")
        assert sim.records() == [
            {
                "id": "msg_sim00000001",
                "path": "/v1/messages",
                "state": "running",
                "tokens": 0,
                "started": 1_000_000.0,
                "ended": None,
            }
        ]
        counts = []
        for now in (0.5, 1.0, 1.55, 2.05):
            stream.handle_timeout(now)
            counts.append(sim.records()[0]["tokens"])
        assert counts == [0, 1, 6, 11]

    def test_a_generation_that_was_read_is_completed(self) -> None:
        sim = Sim()
        stream = sim.stream("Tokens: 20; Tool: 1; Thinking: 1")
        sim.wall += 5.5
        received = events(stream)
        (record,) = sim.records()
        assert (record["state"], record["ended"]) == ("completed", 1_000_005.5)
        usage = next(event["usage"] for event in received if event["type"] == "message_delta")
        assert record["tokens"] == usage["output_tokens"]
        stream.close(9.0)
        assert sim.records() == [record]

    def test_it_is_not_completed_before_the_last_byte_is_taken(self) -> None:
        sim = Sim()
        stream = sim.stream("Tokens: 5; Rate: 0; TTFT: 0")
        stream.handle_timeout(0.0)
        assert (stream.state, sim.records()[0]["state"]) == (StreamState.OPEN, "running")
        assert stream.deadline is None
        assert stream.data_to_send(0.0).endswith(b"\n\n")
        assert (stream.state, sim.records()[0]["state"]) == (StreamState.FINISHED, "completed")
        assert stream.data_to_send(0.0) == b""

    @pytest.mark.parametrize("streaming", [True, False])
    @pytest.mark.parametrize(("now", "tokens"), [(0.2, 0), (1.0, 1), (3.05, 21)])
    def test_a_reader_that_vanishes_aborts(self, now: float, tokens: int, *, streaming: bool) -> None:
        sim = Sim()
        stream = sim.stream("TTFT: 1; Rate: 10", stream=streaming)
        stream.handle_timeout(now)
        sim.wall += now
        stream.close(now)
        (record,) = sim.records()
        assert (record["state"], record["tokens"], record["ended"]) == ("aborted", tokens, 1_000_000.0 + now)
        assert stream.state is StreamState.ABORTED
        stream.handle_timeout(50.0)
        assert stream.data_to_send(50.0) == b""
        assert stream.deadline is None
        assert sim.records() == [record]

    def test_the_newest_is_last_and_the_oldest_goes_first(self) -> None:
        sim = Sim(max_records=3)
        for _ in range(5):
            events(sim.stream("Tokens: 1"))
        ids = [record["id"] for record in sim.records()]
        assert ids == ["msg_sim00000003", "msg_sim00000004", "msg_sim00000005"]

    def test_ten_thousand_are_kept(self) -> None:
        sim = Sim()
        for _ in range(10_005):
            sim.stream()
        assert len(sim.records()) == 10_000

    def test_clearing_forgets_all_and_disturbs_none(self) -> None:
        sim = Sim()
        stream = sim.stream("Tokens: 3")
        assert sim.reply("DELETE", "/sim/generations").status == 204
        assert sim.records() == []
        assert events(stream)[-1]["type"] == "message_stop"
        assert sim.records() == []

    @pytest.mark.parametrize("streaming", [True, False])
    def test_a_provider_that_goes_down_aborts_what_runs(self, *, streaming: bool) -> None:
        sim = Sim()
        done, stream = sim.stream("Tokens: 1"), sim.stream("TTFT: 100", stream=streaming)
        events(done)
        woken = []
        stream.waker = lambda: woken.append(True)
        sim.provider.close(5.0)
        assert [record["state"] for record in sim.records()] == ["completed", "aborted"]
        assert (done.state, stream.state) == (StreamState.FINISHED, StreamState.ABORTED)
        assert woken
        stream.close(6.0)
