"""A server that goes down: every answer comes to its end, and no other is begun."""

from __future__ import annotations

import pytest

from sse_http import ConnectionPhase, StreamState
from tests.http.support import OK, Peer, Pieces, request


def shut_down(peer: Peer) -> None:
    peer.connection.shut_down(peer.now)
    peer.pull()


@pytest.mark.parametrize("before", [b"", request()])
def test_an_idle_connection_is_closed(before: bytes) -> None:
    peer = Peer(OK)
    peer.send(before)
    shut_down(peer)
    assert peer.phase() is ConnectionPhase.OVER
    assert len(peer.answers()) == bool(before)


@pytest.mark.parametrize("data", [b"GET", request("POST", fields={"content-length": "5"}, body=b"x")])
def test_a_request_that_is_not_whole_gets_a_status(data: bytes) -> None:
    peer = Peer()
    peer.send(data)
    shut_down(peer)
    answer = peer.answer()
    assert (answer.status, answer.headers.get("retry-after"), answer.closes) == (503, "1", True)
    assert not peer.requests
    peer.wait(2.0)
    assert peer.phase() is ConnectionPhase.OVER


def test_a_stream_comes_to_its_end() -> None:
    stream = Pieces(b"one")
    peer = Peer(stream)
    peer.send(request())
    shut_down(peer)
    assert peer.phase() is ConnectionPhase.ANSWERING
    stream.feed(b"last", end=StreamState.FINISHED)
    peer.pull()
    assert peer.answer().body == b"onelast"
    assert peer.phase() is ConnectionPhase.OVER


def test_a_head_that_goes_out_later_says_that_it_is_the_last() -> None:
    for head in (OK, Pieces().head):
        stream = Pieces(b"x", head=None, end=StreamState.FINISHED)
        peer = Peer(stream)
        peer.send(request())
        shut_down(peer)
        stream.head = head
        peer.pull()
        assert peer.answer().closes
        assert peer.phase() is ConnectionPhase.OVER


def test_what_was_pipelined_is_not_answered() -> None:
    stream = Pieces()
    peer = Peer(stream)
    peer.send(request() * 3)
    shut_down(peer)
    stream.feed(end=StreamState.FINISHED)
    peer.pull()
    assert len(peer.answers()) == len(peer.requests) == 1


def test_an_answer_that_waits_for_room_is_sent() -> None:
    peer = Peer(OK)
    peer.reads = False
    peer.send(request())
    shut_down(peer)
    assert peer.answer().body == b"ok"
    assert peer.phase() is ConnectionPhase.OVER


def test_a_connection_that_is_over() -> None:
    peer = Peer(OK)
    peer.leave()
    shut_down(peer)
    assert peer.phase() is ConnectionPhase.OVER
