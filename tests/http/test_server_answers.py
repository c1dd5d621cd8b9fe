"""Answers: replies, streams, those without a body, and the mistakes of applications."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core.headers import Headers
from sse_http import (
    ConnectionPhase,
    Problem,
    Reply,
    Request,
    ServerConnection,
    StreamHead,
    StreamState,
    no_waker,
    problem_reply,
)
from sse_http.http1_connection import chunk
from tests.http.support import EVENTS, OK, Broken, Mistake, Peer, Pieces, Scripted, request

FINISHED, ABORTED = StreamState.FINISHED, StreamState.ABORTED


def get(answer: Reply | Pieces | Callable[[Request], Reply], data: bytes | None = None) -> Peer:
    peer = Peer(answer)
    peer.send(request() if data is None else data)
    return peer


class TestReply:
    def test_it_is_sent_whole_with_its_length(self) -> None:
        answer = get(Reply(200, Headers({"content-type": "text/plain", "x-y": "z"}), b"hello")).answer()
        assert (answer.status, answer.body, answer.closes) == (200, b"hello", False)
        assert answer.headers == Headers({"content-type": "text/plain", "x-y": "z", "content-length": "5"})

    @pytest.mark.parametrize(
        ("status", "line"),
        [
            (200, b"200 OK"),
            (421, b"421 Misdirected Request"),
            (529, b"529 "),
            (999, b"999 "),
            # RFC 9110 gave these other names than RFC 7231; they don't hang on the version of Python.
            (413, b"413 Content Too Large"),
            (414, b"414 URI Too Long"),
            (416, b"416 Range Not Satisfiable"),
            (422, b"422 Unprocessable Content"),
        ],
    )
    def test_the_status_line(self, status: int, line: bytes) -> None:
        assert bytes(get(Reply(status)).received).startswith(b"HTTP/1.1 " + line + b"\r\n")

    def test_the_date_is_given_by_the_binding(self) -> None:
        date = "Sat, 21 Nov 2026 12:00:00 GMT"
        connection = ServerConnection(Scripted(OK), 0.0, date=lambda: date)
        connection.receive_data(request(), 0.0)
        assert f"date: {date}\r\n".encode() in connection.data_to_send(0.0)

    def test_an_applications_own_date_stands(self) -> None:
        own = Reply(200, Headers({"date": "Thu, 01 Jan 1970 00:00:00 GMT"}))
        connection = ServerConnection(Scripted(own), 0.0, date=lambda: "Sat, 21 Nov 2026 12:00:00 GMT")
        connection.receive_data(request(), 0.0)
        data = connection.data_to_send(0.0)
        assert data.count(b"date: ") == 1
        assert b"1970" in data

    @pytest.mark.parametrize("body", [b"", b"hello"])
    @pytest.mark.parametrize("version", ["1.0", "1.1"])
    def test_head_is_answered_by_the_head_alone(self, body: bytes, version: str) -> None:
        peer = get(Reply(200, body=body), request("HEAD", version=version))
        assert bytes(peer.received).endswith(b"\r\n\r\n")
        assert peer.answer("HEAD").headers.get("content-length") == str(len(body))

    @pytest.mark.parametrize("status", [204, 304])
    @pytest.mark.parametrize("body", [b"", b"forbidden"])
    def test_these_have_no_body_and_no_length(self, status: int, body: bytes) -> None:
        """RFC 9110 sections 8.6, 15.3.5 and 15.4.5."""
        peer = get(Reply(status, body=body), request() + request())
        assert [answer.status for answer in peer.answers()] == [status, status]
        assert not peer.errors
        assert b"content-length" not in peer.received.lower()
        assert b"transfer-encoding" not in peer.received.lower()
        assert b"forbidden" not in peer.received

    @pytest.mark.parametrize(
        "fields",
        [
            {"content-length": "3"},
            {"Content-Length": "999"},
            {"transfer-encoding": "chunked"},
            {"transfer-encoding": "gzip"},
            {"content-length": "0", "transfer-encoding": "chunked"},
        ],
    )
    def test_framing_is_the_servers(self, fields: dict[str, str]) -> None:
        for answer in (
            Reply(200, Headers(fields), b"hello"),
            Pieces(b"hello", head=StreamHead(200, Headers(fields)), end=FINISHED),
        ):
            peer = get(answer, request() + request(target="/next"))
            first = peer.answers()[0]
            assert first.body == b"hello"
            assert not peer.errors

    def test_bytes_beyond_ascii_go_out_as_they_are(self) -> None:
        assert b"x: \xe9\xff\r\n" in get(Reply(200, Headers({"x": "\xe9\xff"}))).received

    def test_a_value_beyond_iso_8859_1_is_a_mistake(self) -> None:
        peer = get(lambda _: Reply(200, Headers({"x": "\u20ac"})))
        assert peer.answer().status == 500
        assert all(isinstance(error, ValueError) for error in peer.errors)
        assert peer.errors

    @pytest.mark.parametrize(
        ("name", "value"), [("x", "a\r\nset-cookie: b"), ("x", "a\nb"), ("x\r\ny", "z"), ("", "z")]
    )
    def test_a_forged_field_is_refused_where_it_is_made(self, name: str, value: str) -> None:
        peer = get(lambda _: Reply(200, Headers([(name, value)])))
        assert peer.answer().status == 500
        assert b"cookie" not in peer.received
        assert [type(error) for error in peer.errors] == [ValueError]


class TestKeepAlive:
    def test_a_connection_serves_one_request_after_another(self) -> None:
        peer = Peer()
        for target in ("/a", "/b", "/c"):
            peer.send(request(target=target))
            assert peer.phase() is ConnectionPhase.READING
        assert [answer.body for answer in peer.answers()] == [b"GET /a ", b"GET /b ", b"GET /c "]

    @pytest.mark.parametrize("value", ["close", "Close", "keep-alive, close"])
    def test_a_peer_may_ask_for_the_end(self, value: str) -> None:
        peer = get(OK, request(fields={"connection": value}))
        assert peer.answer().closes
        assert peer.phase() is ConnectionPhase.OVER

    def test_so_may_the_application(self) -> None:
        peer = get(Reply(200, Headers({"connection": "close"}), b"x"))
        assert peer.answer().closes
        assert peer.phase() is ConnectionPhase.OVER

    def test_http_1_0_ends_with_its_answer(self) -> None:
        peer = get(OK, request(version="1.0", fields={"connection": "keep-alive"}))
        assert peer.answer().closes
        assert peer.phase() is ConnectionPhase.OVER

    def test_what_follows_the_last_request_is_not_read(self) -> None:
        peer = Peer()
        peer.reads = False
        peer.send(request(fields={"connection": "close"}) + request())
        assert peer.phase() is ConnectionPhase.CLOSING
        peer.send(request())
        peer.pull()
        assert len(peer.requests) == len(peer.answers()) == 1
        assert peer.phase() is ConnectionPhase.OVER

    def test_an_upgrade_that_is_not_taken_up_changes_nothing(self) -> None:
        peer = get(OK, request(fields={"connection": "upgrade", "upgrade": "websocket"}) + request())
        assert [answer.status for answer in peer.answers()] == [200, 200]


class TestStream:
    def test_each_piece_goes_out_at_once_as_a_chunk(self) -> None:
        stream = Pieces()
        peer = get(stream)
        assert peer.received.endswith(b"\r\n\r\n")
        for piece in (b"data: 1\n\n", b"data: 2\n\n"):
            stream.feed(piece)
            assert peer.pull() == b"9\r\n" + piece + b"\r\n"
        stream.feed(end=FINISHED)
        assert peer.pull() == b"0\r\n\r\n"
        answer = peer.answer()
        assert (answer.body, answer.closes) == (b"data: 1\n\ndata: 2\n\n", False)
        assert answer.headers.get("content-type") == "text/event-stream"
        assert peer.phase() is ConnectionPhase.READING

    def test_one_pull_takes_one_piece(self) -> None:
        """So a reader with no room costs no memory: what is not pulled is not made."""
        stream = Pieces(b"a", b"b", b"c")
        peer = Peer(stream)
        peer.reads = False
        peer.send(request())
        assert len(stream.pieces) == 3
        peer.connection.data_to_send(0.0)
        assert len(stream.pieces) == 2
        peer.connection.data_to_send(0.0)
        assert len(stream.pieces) == 1

    def test_the_head_may_come_late(self) -> None:
        stream = Pieces(head=None)
        peer = get(stream)
        assert not peer.received
        stream.head = EVENTS
        stream.feed(b"x", end=FINISHED)
        peer.pull()
        assert peer.answer().body == b"x"

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_it_may_turn_out_to_be_a_whole_reply(self, method: str) -> None:
        stream = Pieces(head=None)
        peer = get(stream, request(method))
        stream.head = problem_reply(Problem(529, "overloaded", "Later."))
        stream.waker()
        peer.pull()
        answer = peer.answer(method)
        assert answer.status == 529
        assert bool(answer.body) == (method == "GET")
        assert stream.closed == [0.0]
        assert peer.phase() is ConnectionPhase.READING

    def test_an_aborted_stream_is_cut_after_its_last_bytes(self) -> None:
        stream = Pieces(b"last", end=ABORTED)
        peer = get(stream)
        assert bytes(peer.received).endswith(b"4\r\nlast\r\n")
        assert peer.phase() is ConnectionPhase.OVER
        assert stream.closed == [0.0]

    @pytest.mark.parametrize("end", [FINISHED, ABORTED])
    def test_a_stream_that_ends_before_its_head_is_cut(self, end: StreamState) -> None:
        stream = Pieces(head=None, end=end)
        peer = get(stream)
        assert not peer.received
        assert peer.phase() is ConnectionPhase.OVER
        assert stream.closed == [0.0]

    def test_http_1_0_gets_no_chunks_and_the_end_at_once(self) -> None:
        """RFC 9112 section 6.1: no transfer coding; section 6.3: the body ends with the connection."""
        stream = Pieces(b"one", b"two")
        peer = get(stream, request(version="1.0"))
        assert bytes(peer.received).endswith(b"\r\n\r\nonetwo")
        stream.feed(end=FINISHED)
        assert peer.pull() == b""
        assert peer.phase() is ConnectionPhase.OVER
        answer = peer.answer()
        assert (answer.body, answer.closes) == (b"onetwo", True)
        assert "transfer-encoding" not in answer.headers
        assert stream.closed == [0.0]

    def test_connection_close_ends_a_chunked_stream_properly(self) -> None:
        peer = get(Pieces(b"one", end=FINISHED), request(fields={"connection": "close"}))
        assert bytes(peer.received).endswith(b"0\r\n\r\n")
        assert peer.phase() is ConnectionPhase.OVER

    @pytest.mark.parametrize(
        ("method", "status"), [("HEAD", 200), ("HEAD", 404), ("GET", 204), ("GET", 304), ("HEAD", 304)]
    )
    @pytest.mark.parametrize("fields", [{}, {"connection": "close"}])
    @pytest.mark.parametrize("version", ["1.0", "1.1"])
    def test_where_no_body_may_be_none_is_pulled(
        self, method: str, status: int, fields: dict[str, str], version: str
    ) -> None:
        stream = Pieces(b"forbidden", head=StreamHead(status, EVENTS.headers))
        peer = get(stream, request(method, fields=fields, version=version))
        assert bytes(peer.received).endswith(b"\r\n\r\n")
        assert b"forbidden" not in peer.received
        assert peer.answer(method).status == status
        assert (stream.closed, stream.pulled_after_close) == ([0.0], 0)
        keeps = version == "1.1" and not fields
        assert peer.phase() is (ConnectionPhase.READING if keeps else ConnectionPhase.OVER)

    @given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.binary(max_size=40))
    def test_a_peer_reads_what_was_fed(self, pieces: list[bytes], extra: bytes) -> None:
        stream = Pieces(*pieces, end=FINISHED)
        peer = get(stream)
        assert peer.answer().body == b"".join(pieces)
        assert stream.closed == [0.0]
        del extra


class TestCut:
    """What was cut must not look whole: what a binding sees when it closes the socket."""

    @pytest.mark.parametrize(
        ("version", "end", "cut", "reset"),
        [
            ("1.1", FINISHED, False, False),
            ("1.1", ABORTED, True, False),  # the last chunk is missing
            ("1.0", FINISHED, False, False),
            ("1.0", ABORTED, True, True),  # the end of the connection would be the body's
        ],
    )
    def test_a_stream(self, version: str, end: StreamState, cut: bool, reset: bool) -> None:  # noqa: FBT001
        peer = get(Pieces(b"x", end=end), request(version=version))
        assert (peer.connection.cut, peer.connection.reset) == (cut, reset)
        peer.leave()
        peer.leave()
        assert (peer.connection.cut, peer.connection.reset) == (cut, reset)

    @pytest.mark.parametrize("version", ["1.0", "1.1"])
    def test_a_stream_that_ends_before_its_head(self, version: str) -> None:
        peer = get(Pieces(head=None, end=ABORTED), request(version=version))
        assert (peer.connection.cut, peer.connection.reset) == (True, False)

    @pytest.mark.parametrize("data", [b"", b"GET", b"rubbish\r\n\r\n", request(), request(version="1.0")])
    def test_nothing_is_cut_between_answers(self, data: bytes) -> None:
        peer = get(OK, data) if data else Peer()
        peer.wait(1000.0)
        assert peer.phase() is ConnectionPhase.OVER
        assert (peer.connection.cut, peer.connection.reset) == (False, False)


class TestChunk:
    @given(st.binary(min_size=1, max_size=5000))
    def test_it_is_what_h11_makes(self, data: bytes) -> None:
        connection = h11.Connection(h11.SERVER)
        connection.receive_data(request())
        while connection.next_event() is not h11.PAUSED and connection.their_state is not h11.DONE:
            pass
        connection.send(h11.Response(status_code=200, headers=[]))
        assert chunk(data) == connection.send(h11.Data(data=data))

    @pytest.mark.parametrize("size", [1, 9, 10, 15, 16, 255, 256, 4095, 4096, 65_536, 1_000_000])
    def test_its_size_is_hexadecimal(self, size: int) -> None:
        head, _, rest = chunk(b"x" * size).partition(b"\r\n")
        assert int(head, 16) == size
        assert rest == b"x" * size + b"\r\n"


class TestClose:
    """A stream is closed exactly once, whoever ends the exchange."""

    def finish(self, peer: Peer, stream: Pieces) -> None:
        stream.feed(end=FINISHED)
        peer.pull()

    def abort(self, peer: Peer, stream: Pieces) -> None:
        stream.feed(end=ABORTED)
        peer.pull()

    def leave(self, peer: Peer, stream: Pieces) -> None:
        del stream
        peer.leave()

    def lose(self, peer: Peer, stream: Pieces) -> None:
        del stream
        peer.connection.connection_lost(peer.now)

    def stall(self, peer: Peer, stream: Pieces) -> None:
        stream.feed(b"x")
        peer.stall()
        peer.wait(1000.0)

    def flood(self, peer: Peer, stream: Pieces) -> None:
        del stream
        peer.send(b"x" * 100_000)

    @pytest.mark.parametrize("ending", [finish, abort, leave, lose, stall, flood])
    @pytest.mark.parametrize("head", [EVENTS, None])
    def test_once(self, ending: Callable[[TestClose, Peer, Pieces], None], head: StreamHead | None) -> None:
        stream = Pieces(head=head)
        peer = get(stream)
        assert stream.closed == []
        if head is None and ending is TestClose.stall:
            stream.head = EVENTS
        ending(self, peer, stream)
        peer.reads = True
        for _ in range(2):
            peer.connection.handle_timeout(peer.now + 1e6)
            peer.leave()
            peer.pull()
        assert len(stream.closed) == 1
        assert stream.pulled_after_close == 0
        assert peer.phase() is ConnectionPhase.OVER

    def test_a_waker_may_change_while_an_answer_runs(self) -> None:
        stream = Pieces(b"x")
        peer = get(stream)
        woken: list[bool] = []
        peer.connection.waker = lambda: woken.append(True)
        peer.connection.waker()
        stream.waker()
        assert woken == [True, True]

    def test_a_stream_that_is_closed_wakes_nobody(self) -> None:
        stream = Pieces(b"x", end=FINISHED)
        peer = get(stream)
        before = peer.wakes
        stream.waker()
        assert peer.wakes == before


class TestMistakes:
    """An application's exception goes to ``on_error``, and to nobody else."""

    def check_500(self, peer: Peer) -> None:
        answer = peer.answer()
        assert answer.status == 500
        assert b"hunter2" not in peer.received
        assert b"Mistake" not in peer.received
        assert peer.errors

    def test_handle_raises(self) -> None:
        def fail(_: Request) -> Reply:
            raise Mistake

        peer = get(fail)
        self.check_500(peer)
        assert peer.phase() is ConnectionPhase.READING

    def test_nobody_need_listen(self) -> None:
        def fail(_: Request) -> Reply:
            raise Mistake

        connection = ServerConnection(Scripted(fail), 0.0)
        connection.receive_data(request(), 0.0)
        assert connection.data_to_send(0.0).startswith(b"HTTP/1.1 500 ")

    @pytest.mark.parametrize("answer", [None, "text", b"bytes", 404, object()])
    def test_handle_returns_what_is_no_answer(self, answer: object) -> None:
        self.check_500(get(lambda _: cast("Reply", answer)))

    @pytest.mark.parametrize("status", [0, 99, 100, 101, 103, 199, 1000, -1])
    def test_a_status_that_is_none(self, status: int) -> None:
        self.check_500(get(Reply(status)))
        self.check_500(get(Pieces(head=StreamHead(status, Headers()))))

    @pytest.mark.parametrize("value", ["a\x0bb", "\x0c"])
    def test_a_value_that_h11_refuses(self, value: str) -> None:
        self.check_500(get(Reply(200, Headers({"x": value}))))
        self.check_500(get(Pieces(head=StreamHead(200, Headers({"x": value})))))

    def test_a_stream_raises_after_its_head(self) -> None:
        stream = Broken("data_to_send")
        peer = get(stream)
        assert not peer.received
        assert [type(error) for error in peer.errors] == [Mistake]
        assert stream.closed == [0.0]
        assert peer.phase() is ConnectionPhase.OVER

    def test_a_stream_raises_in_its_head(self) -> None:
        class NoHead(Pieces):
            def __getattribute__(self, name: str) -> Any:
                if name == "head":
                    raise Mistake
                return super().__getattribute__(name)

        stream = NoHead()
        self.check_500(get(stream))
        assert stream.closed == [0.0]

    def test_a_stream_raises_in_its_timer_before_its_head(self) -> None:
        stream = Broken("handle_timeout", head=None)
        stream.deadline = 5.0
        peer = get(stream)
        peer.wait(5.0)
        self.check_500(peer)
        assert stream.closed == [5.0]

    def test_a_mistake_waits_for_room(self) -> None:
        stream = Broken("handle_timeout", head=None)
        peer = get(stream)
        peer.reads = False
        for _ in range(2):
            peer.connection.handle_timeout(5.0)
        peer.connection.waker = no_waker
        peer.pull()
        self.check_500(peer)

    def test_a_stream_raises_in_its_timer_amid_its_body(self) -> None:
        stream = Broken("handle_timeout", b"x")
        stream.deadline = 5.0
        peer = get(stream)
        peer.wait(5.0)
        assert [type(error) for error in peer.errors] == [Mistake]
        assert stream.closed == [5.0]
        assert peer.phase() is ConnectionPhase.OVER

    def test_a_stream_raises_when_it_is_closed(self) -> None:
        stream = Broken("close", b"x")
        peer = get(stream)
        peer.leave()
        assert [type(error) for error in peer.errors] == [Mistake]
        assert peer.phase() is ConnectionPhase.OVER
