"""The bodies of requests while they are read: the bound of each, of all together, and their time."""

from __future__ import annotations

import json

import pytest

from sse_http import BodyBudget, ConnectionPhase, ServerSettings
from tests.http.support import OK, Peer, request

SETTINGS = ServerSettings(max_body_bytes=100, max_total_body_bytes=1000)
EXPECT = {"expect": "100-continue", "content-length": "100"}
FULL = {"content-length": "100"}
CHUNKED = {"transfer-encoding": "chunked"}


class Crowd:
    """Peers of one server."""

    def __init__(self, settings: ServerSettings = SETTINGS) -> None:
        self.settings = settings
        self.bodies = BodyBudget(settings.max_total_body_bytes)

    def peer(self, client: str = "192.0.2.1") -> Peer:
        return Peer(OK, settings=self.settings, client=client, bodies=self.bodies)

    def upload(self, size: int, client: str = "192.0.2.1", fields: dict[str, str] = FULL) -> Peer:
        """A peer that has sent so much of a body."""
        peer = self.peer(client)
        body = b"%x\r\n%b\r\n" % (size, b"x" * size) if fields is CHUNKED else b"x" * size
        peer.send(request("POST", fields=fields, body=body))
        return peer


class TestAllTogether:
    def test_one_address_has_a_quarter(self) -> None:
        crowd = Crowd()
        first = [crowd.upload(90) for _ in range(2)]
        assert [bytes(peer.received) for peer in first] == [b"", b""]
        assert crowd.bodies.total == 180
        refused = crowd.upload(0)
        assert refused.answer().status == 503
        assert refused.answer().headers.get("retry-after") == "1"
        assert [refusal.setting for refusal in refused.refusals] == ["max_total_body_bytes"]
        assert "max_total_body_bytes" in json.loads(refused.answer().body)["detail"]
        assert crowd.upload(90, "192.0.2.2").phase() is ConnectionPhase.READING

    def test_all_have_the_whole(self) -> None:
        crowd = Crowd()
        for number in range(10):
            crowd.upload(99, f"192.0.2.{number}")
        assert crowd.upload(0, "192.0.2.99").answer().status == 503
        assert crowd.upload(10, "192.0.2.99", CHUNKED).phase() is ConnectionPhase.READING
        assert crowd.upload(1, "192.0.2.98", CHUNKED).answer().status == 503

    def test_a_declared_body_is_refused_before_it_comes(self) -> None:
        crowd = Crowd()
        for _ in range(2):
            crowd.upload(90)
        peer = crowd.peer()
        peer.send(request("POST", fields=EXPECT))
        assert peer.answer().status == 503

    def test_to_declare_takes_nothing(self) -> None:
        """Or a few heads would lock all others out."""
        crowd = Crowd()
        for _ in range(100):
            assert crowd.upload(0).phase() is ConnectionPhase.READING
        assert crowd.bodies.total == 0

    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            ("2001:db8::1", "2001:db8::ffff:1", True),
            ("2001:db8::1", "2001:db8:0:1::1", False),
            ("fe80::1%eth0", "fe80::2%eth1", True),
            ("::ffff:192.0.2.1", "192.0.2.1", True),
            ("192.0.2.1", "192.0.2.2", False),
            ("", "", True),
            ("gone", "gone", True),
        ],
    )
    def test_whose_address(self, one: str, other: str, same: bool) -> None:  # noqa: FBT001  (a table's column)
        crowd = Crowd()
        for _ in range(2):
            crowd.upload(90, one)
        assert (crowd.upload(0, other).phase() is ConnectionPhase.LINGERING) == same

    @pytest.mark.parametrize("end", ["whole", "gone", "lost", "late", "too large", "not HTTP"])
    def test_what_is_over_is_given_back(self, end: str) -> None:
        crowd = Crowd()
        peer = crowd.upload(99, fields=CHUNKED if end in {"too large", "not HTTP", "whole"} else FULL)
        assert crowd.bodies.total == 99
        if end == "whole":
            peer.send(b"0\r\n\r\n")
            assert peer.answer().status == 200
        elif end == "gone":
            peer.leave()
        elif end == "lost":
            peer.connection.connection_lost(1.0)
            peer.connection.connection_lost(2.0)
        elif end == "late":
            peer.wait(31.0)
            assert peer.answer().status == 408
        elif end == "too large":
            peer.send(b"2\r\nxx\r\n")
            assert peer.answer().status == 413
        else:
            peer.send(b"rubbish\r\n")
            assert peer.answer().status == 400
        assert crowd.bodies.total == 0
        assert crowd.upload(90).phase() is ConnectionPhase.READING

    def test_bounds_that_contradict_each_other(self) -> None:
        ServerSettings(max_body_bytes=250, max_total_body_bytes=1000)
        with pytest.raises(ValueError, match="max_total_body_bytes must be at least 4 times max_body_bytes"):
            ServerSettings(max_body_bytes=251, max_total_body_bytes=1000)


class TestPace:
    """A steady upload may take its time; a head may not, nor a body that trickles."""

    SETTINGS = ServerSettings(max_body_bytes=50_000_000)

    def upload(
        self, rate: float, seconds: float, *, every: float = 1.0, until: float = 0.0
    ) -> tuple[int, float]:
        """Send ``rate`` bytes a second, until ``until`` at full speed; the status (0: none), and when."""
        peer = Peer(OK, settings=self.SETTINGS)
        peer.send(request("POST", fields={"content-length": "50000000"}))
        while peer.now < seconds and not peer.received:
            peer.wait(every)
            if not peer.received:
                peer.send(b"x" * int(rate * every if peer.now > until else 100_000 * every))
        return (peer.answer().status if peer.received else 0), peer.now

    @pytest.mark.parametrize("rate", [16_384, 17_000, 60_000])
    @pytest.mark.parametrize("every", [0.1, 1.0, 5.0])
    def test_a_steady_upload_goes_on(self, rate: int, every: float) -> None:
        assert self.upload(rate, 500.0, every=every)[0] == 0

    def test_it_may_pause_as_long_as_its_average_is_kept(self) -> None:
        peer = Peer(OK, settings=self.SETTINGS)
        peer.send(request("POST", fields={"content-length": "50000000"}, body=b"x" * 1_000_000))
        peer.wait(31.0)
        peer.send(b"x" * 16_384 * 100)
        peer.wait(100.0)
        assert peer.phase() is ConnectionPhase.READING
        peer.wait(10.0)
        assert peer.answer().status == 408

    def test_for_ten_minutes_at_most(self) -> None:
        status, when = self.upload(60_000, 700.0)
        assert status == 408
        assert when == pytest.approx(600.0, abs=1.0)

    @pytest.mark.parametrize(("rate", "latest"), [(1, 31.0), (1000, 34.0), (8_000, 80.0), (15_000, 500.0)])
    def test_a_slow_one_is_cut(self, rate: int, latest: float) -> None:
        status, when = self.upload(rate, 700.0)
        assert status == 408
        assert 30.0 <= when <= latest

    def test_one_that_was_fast_and_stops_is_cut_soon(self) -> None:
        status, when = self.upload(0, 700.0, until=29.0)
        assert status == 408
        assert 30.0 <= when <= 41.0

    def test_a_chunked_one_is_no_other(self) -> None:
        peer = Peer(OK, settings=self.SETTINGS)
        peer.send(request("POST", fields=CHUNKED))
        for _ in range(60):
            peer.wait(1.0)
            peer.send(b"%x\r\n%b\r\n" % (20_000, b"x" * 20_000))
        peer.send(b"0\r\n\r\n")
        assert len(peer.requests[0].body) == 1_200_000
        assert peer.connection.deadline == 135.0
