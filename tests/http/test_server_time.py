"""Time, wakers, slow and greedy peers: what a server's connection does when nothing comes, or too much."""

from __future__ import annotations

import math
import tracemalloc

import pytest

from sse_http import ConnectionPhase, Reply, ServerSettings, StreamState
from tests.http.support import OK, Peer, Pieces, each_byte, request


class TestDeadlines:
    def test_the_defaults(self) -> None:
        defaults = ServerSettings()
        assert defaults == ServerSettings(
            max_head_bytes=65_536,
            max_head_fields=100,
            max_body_bytes=1_048_576,
            max_total_body_bytes=268_435_456,
            request_timeout=30.0,
            min_upload_rate=16_384,
            upload_timeout=600.0,
            keep_alive_timeout=75.0,
            write_timeout=60.0,
            linger=2.0,
        )

    @pytest.mark.parametrize("name", ["max_head_bytes", "max_head_fields", "min_upload_rate"])
    def test_a_number_that_is_no_bound(self, name: str) -> None:
        with pytest.raises(ValueError, match=f"^{name} must be 1 or more"):
            ServerSettings(**{name: 0})  # type: ignore[arg-type]

    def test_a_body_may_be_forbidden(self) -> None:
        assert ServerSettings(max_body_bytes=0).max_body_bytes == 0
        with pytest.raises(ValueError, match=r"^max_body_bytes must not be below zero"):
            ServerSettings(max_body_bytes=-1)

    @pytest.mark.parametrize("seconds", [-1.0, math.nan])
    @pytest.mark.parametrize(
        "name", ["request_timeout", "upload_timeout", "keep_alive_timeout", "write_timeout", "linger"]
    )
    def test_what_is_no_duration(self, name: str, seconds: float) -> None:
        with pytest.raises(ValueError, match=f"^{name} must be a number of seconds"):
            ServerSettings(**{name: seconds})  # type: ignore[arg-type]
        assert getattr(ServerSettings(**{name: math.inf}), name) == math.inf  # type: ignore[arg-type]

    def test_a_peer_that_says_nothing(self) -> None:
        peer = Peer()
        assert peer.connection.deadline == 75.0
        peer.wait(74.9)
        assert peer.phase() is ConnectionPhase.READING
        peer.wait(0.1)
        assert peer.phase() is ConnectionPhase.OVER
        assert not peer.received
        assert peer.connection.deadline is None

    def test_an_idle_connection_between_requests(self) -> None:
        peer = Peer(OK)
        peer.wait(70.0)
        peer.send(request())
        assert peer.connection.deadline == 145.0
        peer.wait(75.0)
        assert peer.phase() is ConnectionPhase.OVER

    @pytest.mark.parametrize(
        "data",
        [
            request("POST", body=b"x" * 100)[:-1],
            request(fields={"x": "y" * 100})[:-1],
            request("POST", fields={"transfer-encoding": "chunked"}, body=b"1\r\nx\r\n" * 20),
        ],
    )
    def test_a_request_must_be_whole_in_time_however_busy_its_sender(self, data: bytes) -> None:
        """Slowloris: a byte now and then keeps no connection open."""
        peer = Peer()
        for index in each_byte(data):
            peer.send(data[index : index + 1])
            peer.wait(29.9 / len(data))
        assert peer.phase() is ConnectionPhase.READING
        assert not peer.received
        peer.wait(0.2)
        assert peer.answer().status == 408
        assert peer.answer().closes
        assert not peer.requests

    def test_a_whole_request_has_all_the_time_for_its_answer(self) -> None:
        peer = Peer(Pieces())
        peer.send(request())
        assert peer.connection.deadline is None
        peer.wait(1e6)
        assert peer.phase() is ConnectionPhase.ANSWERING

    def test_a_peer_that_takes_nothing(self) -> None:
        stream = Pieces(b"x")
        peer = Peer(stream)
        peer.reads = False
        peer.wait(3.0)
        peer.send(request())
        assert peer.stall()
        assert peer.connection.deadline == 63.0
        peer.wait(20.0)
        peer.connection.blocked(peer.now)  # room for some of it is no room for all
        assert peer.connection.deadline == 63.0
        peer.wait(40.0)
        assert peer.phase() is ConnectionPhase.OVER
        assert stream.closed == [63.0]

    def test_what_goes_straight_out_has_no_deadline(self) -> None:
        peer = Peer(Pieces(b"x"))
        peer.reads = False
        peer.send(request())
        assert peer.connection.data_to_send(0.0)
        assert peer.connection.deadline is None

    def test_a_peer_that_takes_all_in_the_end(self) -> None:
        stream = Pieces(b"x")
        peer = Peer(stream)
        peer.reads = False
        peer.send(request())
        assert peer.stall()
        peer.wait(59.0)
        assert peer.pull() == b""
        assert peer.connection.deadline is None

    def test_a_peer_that_takes_all_is_in_no_hurry(self) -> None:
        stream = Pieces(b"x")
        peer = Peer(stream)
        peer.send(request())
        for _ in range(5):
            peer.wait(59.0)
            stream.feed(b"x")
            peer.pull()
        assert peer.connection.deadline is None

    def test_a_slow_reader_of_a_whole_reply(self) -> None:
        peer = Peer(OK)
        peer.reads = False
        peer.send(request())
        peer.stall()
        peer.wait(60.0)
        assert peer.phase() is ConnectionPhase.OVER

    def test_a_streams_own_deadline(self) -> None:
        stream = Pieces()
        stream.deadline = 15.0
        peer = Peer(stream)
        peer.send(request())
        assert peer.connection.deadline == 15.0
        peer.wait(15.0)
        assert bytes(peer.received).endswith(b": ping\n\r\n")

    def test_the_first_of_two_deadlines(self) -> None:
        stream = Pieces(b"x")
        peer = Peer(stream)
        peer.send(request())
        stream.feed(b"y")
        assert peer.stall()
        for deadline, first in [(30.0, 30.0), (90.0, 60.0)]:
            stream.deadline = deadline
            assert peer.connection.deadline == first

    def test_a_streams_deadline_pulls_nothing(self) -> None:
        """Whoever owns the socket pulls, when there is room."""
        stream = Pieces(b"one", b"two", b"three")
        stream.deadline = 15.0
        peer = Peer(stream)
        peer.reads = False
        peer.send(request())
        peer.connection.data_to_send(0.0)
        peer.wait(15.0)
        assert [*stream.pieces] == [b"two", b"three", b": ping\n"]

    def test_a_stream_that_gives_up_its_reader(self) -> None:
        """A reader that takes nothing is not pulled for: that it was evicted has to be seen at once."""

        class Evicting(Pieces):
            def handle_timeout(self, now: float) -> None:
                super().handle_timeout(now)
                self.pieces.clear()
                self.end = StreamState.ABORTED

        stream = Evicting(b"x")
        peer = Peer(stream)
        peer.reads = False
        peer.send(request())
        assert peer.connection.data_to_send(0.0)
        stream.deadline = 10.0
        peer.wait(10.0)
        assert peer.phase() is ConnectionPhase.OVER
        assert stream.closed == [10.0]

    def test_a_timeout_too_early_or_too_often_is_harmless(self) -> None:
        stream = Pieces()
        peer = Peer(stream)
        for _ in range(3):
            peer.connection.handle_timeout(10.0)
        peer.send(request())
        for _ in range(3):
            peer.connection.handle_timeout(10.0)
        assert peer.phase() is ConnectionPhase.ANSWERING
        assert stream.fired == [10.0] * 3

    def test_the_clock_of_a_pipelined_request_starts_when_it_is_read(self) -> None:
        stream = Pieces()
        peer = Peer(lambda request: stream if request.path == "/" else OK)
        peer.send(request() + request("POST", "/next", body=b"xy")[:-1])
        peer.wait(100.0)
        stream.feed(end=StreamState.FINISHED)
        peer.pull()
        assert peer.connection.deadline == 130.0
        peer.send(b"y")
        assert peer.requests[1].body == b"xy"
        assert peer.connection.deadline == 175.0


class TestLinger:
    """After a refusal what still comes is thrown away for a while, so that the peer gets to see why."""

    def refused(self) -> Peer:
        peer = Peer()
        peer.send(request("POST", fields={"content-length": "99999999"}))
        assert peer.answer().status == 413
        assert peer.phase() is ConnectionPhase.LINGERING
        return peer

    def test_it_ends_in_time(self) -> None:
        peer = self.refused()
        assert peer.connection.deadline == 2.0
        peer.wait(2.0)
        assert peer.phase() is ConnectionPhase.OVER

    def test_it_ends_with_the_peer(self) -> None:
        peer = self.refused()
        peer.send(b"x" * 1_000_000)
        assert peer.phase() is ConnectionPhase.LINGERING
        assert len(peer.answers()) == 1
        peer.leave()
        assert peer.phase() is ConnectionPhase.OVER

    def test_nobody_can_prolong_it(self) -> None:
        peer = self.refused()
        for _ in range(20):
            peer.wait(0.1)
            peer.send(b"x")
        assert peer.phase() is ConnectionPhase.OVER

    def test_no_other_deadline_holds_meanwhile(self) -> None:
        peer = Peer(settings=ServerSettings(linger=100.0))
        peer.send(b"rubbish\r\n\r\n")
        peer.wait(99.0)
        assert peer.phase() is ConnectionPhase.LINGERING
        assert len(peer.answers()) == 1
        peer.wait(1.0)
        assert peer.phase() is ConnectionPhase.OVER

    def test_not_even_by_not_reading(self) -> None:
        peer = Peer()
        peer.reads = False
        peer.send(b"rubbish\r\n\r\n")
        assert peer.connection.data_to_send(0.0)
        peer.wait(2.0)
        assert peer.phase() is ConnectionPhase.OVER


class TestFlood:
    def test_answers_do_not_pile_up(self) -> None:
        """However many requests come at once, one answer is made at a time, when there is room."""
        peer = Peer(Reply(200, body=b"x" * 10_000))
        peer.reads = False
        peer.send(request() * 1000)
        assert len(peer.requests) == 1
        for made in range(2, 50):
            assert len(peer.connection.data_to_send(0.0)) < 11_000
            assert peer.connection.data_to_send(0.0)
            peer.connection.data_to_send(0.0)
            assert made <= len(peer.requests) <= 3 * made
        peer.pull()
        assert len(peer.requests) == 1000

    @pytest.mark.parametrize("answer", [OK, Pieces()])
    def test_requests_do_not_pile_up(self, answer: Reply | Pieces) -> None:
        peer = Peer(answer)
        peer.reads = False
        peer.send(request())
        tracemalloc.start()
        try:
            for _ in range(100):
                peer.send(request() * 1000)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 1_000_000
        assert peer.phase() is ConnectionPhase.OVER
        assert len(peer.requests) == 1

    def test_early_bytes_cost_linear_time(self) -> None:
        """A byte at a time, and none is looked at twice."""
        stream = Pieces()
        peer = Peer(lambda request: stream if request.path == "/" else OK)
        early = request(target="/next", fields={"x": "y" * 60_000})
        peer.send(request())
        for index in each_byte(early):
            peer.send(early[index : index + 1])
        assert peer.phase() is ConnectionPhase.ANSWERING
        stream.feed(end=StreamState.FINISHED)
        peer.pull()
        assert [answer.status for answer in peer.answers()] == [200, 200]

    def test_the_bound_is_the_heads(self) -> None:
        for size, phase in ((1000, ConnectionPhase.ANSWERING), (1001, ConnectionPhase.OVER)):
            peer = Peer(Pieces(), settings=ServerSettings(max_head_bytes=1000))
            peer.send(request())
            peer.send(b"x" * (size - 500))
            peer.send(b"x" * 500)
            assert peer.phase() is phase

    def test_what_came_with_the_request_is_not_too_early(self) -> None:
        peer = Peer(Pieces(), settings=ServerSettings(max_head_bytes=100))
        peer.send(request() * 10)
        assert peer.phase() is ConnectionPhase.ANSWERING
        peer.send(b"G")
        assert peer.phase() is ConnectionPhase.OVER


class TestWaker:
    def test_a_request_wakes(self) -> None:
        peer = Peer(OK)
        peer.reads = False
        peer.send(request()[:-1])
        before = peer.wakes
        peer.send(b"\n")
        assert peer.wakes > before

    def test_a_stream_wakes(self) -> None:
        stream = Pieces()
        peer = Peer(stream)
        peer.send(request())
        before = peer.wakes
        stream.feed(b"x")
        assert peer.wakes == before + 1

    def test_a_timeout_wakes(self) -> None:
        peer = Peer()
        peer.reads = False
        peer.send(b"GET")
        before = peer.wakes
        peer.wait(30.0)
        assert peer.wakes > before
        assert peer.phase() is ConnectionPhase.LINGERING

    def test_a_flood_wakes(self) -> None:
        peer = Peer(Pieces())
        peer.send(request())
        before = peer.wakes
        peer.send(b"x" * 100_000)
        assert peer.wakes > before

    def test_a_binding_may_pull_within_the_waker(self) -> None:
        """Pulling wakes nobody, so a waker that pulls does not call itself for ever."""
        peer = Peer(OK)
        connection = peer.connection
        received = []

        def pull() -> None:
            while data := connection.data_to_send(0.0):
                received.append(data)

        connection.waker = pull
        peer.reads = False
        peer.send(request() + request()[:-2])
        assert len(received) == 1
        peer.send(b"\r\n")
        assert len(received) == 2


class TestOver:
    def over(self) -> Peer:
        peer = Peer(Pieces(b"x"))
        peer.send(request())
        peer.leave()
        assert peer.phase() is ConnectionPhase.OVER
        return peer

    def test_nothing_more_happens(self) -> None:
        peer = self.over()
        before = bytes(peer.received)
        peer.send(request())
        peer.connection.handle_timeout(1e9)
        peer.connection.connection_lost(1e9)
        peer.leave()
        peer.pull()
        assert bytes(peer.received) == before
        assert peer.connection.deadline is None
        assert len(peer.requests) == 1
        assert peer.phase() is ConnectionPhase.OVER

    @pytest.mark.parametrize(
        "data", [b"", b"GET /", request("POST", fields={"content-length": "5"}), request()]
    )
    def test_a_peer_may_leave_at_any_time(self, data: bytes) -> None:
        peer = Peer(OK)
        peer.reads = False
        peer.send(data)
        peer.leave()
        assert peer.phase() is ConnectionPhase.OVER
        assert peer.connection.deadline is None
        assert peer.pull() == b""
