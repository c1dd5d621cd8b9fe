"""HTTP's laws: what no peer's bytes, no cut and no order of calls may break."""

from __future__ import annotations

import re
from collections.abc import Callable

import h11
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sse_core.lifecycle.machine import Want
from sse_http import (
    ConnectionPhase,
    Reply,
    Request,
    ServerSettings,
    StreamHead,
    StreamState,
    Target,
    parse_url,
)
from sse_http.http1_connection import chunk
from tests.http.support import EVENTS, Peer, Pieces, Recorder, Upstream, echo, read_answers, request

SMALL = ServerSettings(max_head_bytes=200, max_body_bytes=100)
CHUNKED = {"transfer-encoding": "chunked"}

REQUESTS = [
    request(),
    request("HEAD", "/x?y"),
    request("POST", body=b"0123456789"),
    request("POST", fields=CHUNKED, body=b"4\r\nabcd\r\n1;x=y\r\ne\r\n0\r\nT: v\r\n\r\n"),
    request("POST", fields={"expect": "100-continue"}, body=b"body"),
    request(target="/stream"),
    request(version="1.0"),
    request(fields={"connection": "close"}),
    request(fields={"origin": "http://localhost"}),
    request(target="http://localhost/abs"),
    request(fields={"upgrade": "h2c", "connection": "upgrade"}),
    request("OPTIONS", "*"),
    request("CONNECT", "localhost:1"),
    request("POST", fields={"content-length": "101"}),
    request(fields={"x": "y" * 200}),
    request(fields={"x": " ".join(["y"] * 90)}),
]
ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: v\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\nabc",
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
    b"HTTP/1.1 204 No\r\nX: \xff\r\n\r\n",
]
#: What parsers stumble over, put in anywhere.
SPICES = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\0",
    b" ",
    b"\t",
    b" " * 300,
    b"\xff",
    b":",
    b"0\r\n\r\n",
    b"-1",
    b"fffffffff",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: evil.example\r\n",
    b"HTTP/2.0",
    b"\x16\x03\x01",
]


@st.composite
def mutated(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A few good messages, with a few bytes taken away, put in or changed."""
    data = bytearray(b"".join(draw(st.lists(st.sampled_from(seeds), min_size=1, max_size=4))))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(data)))
        gone = draw(st.integers(0, 5))
        data[place : place + gone] = draw(st.sampled_from(SPICES) | st.binary(max_size=4))
    return bytes(data)


def any_bytes(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    return mutated(seeds) | st.binary(max_size=300)


CUTS = st.sets(st.integers(1, 1000), max_size=20) | st.just(set(range(1500)))


def echo_or_stream(request: Request) -> Reply | Pieces:
    return Pieces(b"a", b"bc", end=StreamState.FINISHED) if request.path == "/stream" else echo(request)


def serve(data: bytes, cuts: set[int]) -> Peer:
    peer = Peer(echo_or_stream, settings=SMALL)
    peer.send(data, cuts)
    return peer


@given(any_bytes(REQUESTS), CUTS)
def test_a_server_never_raises_and_answers_the_same_however_bytes_are_cut(
    data: bytes, cuts: set[int]
) -> None:
    """Invariant: bytes in, answers out; cuts change nothing; the application never fails."""
    whole, parts = serve(data, set()), serve(data, cuts)
    assert bytes(whole.received) == bytes(parts.received)
    assert whole.requests == parts.requests
    assert whole.phase() is parts.phase()
    assert not whole.errors
    whole.wait(1000.0)
    assert whole.phase() is ConnectionPhase.OVER
    assert whole.connection.deadline is None


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@given(any_bytes(REQUESTS))
@example(b"POST / HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\nbod")
def test_what_a_server_sends_another_implementation_reads(data: bytes) -> None:
    """Invariant: one answer for each request served and at most one refusal, with no byte between."""
    peer = serve(data, set())
    refused = peer.phase() is ConnectionPhase.LINGERING
    methods = [request.method for request in peer.requests]
    # RFC 9110, 10.1.1: who expects a 100 may have got it, and his content isn't all here yet.
    received = bytes(peer.received).removesuffix(CONTINUE)
    # A refusal of a HEAD has no body, and only the head that was refused knows that it was one.
    for last in ("GET", "HEAD"):
        try:
            answers = read_answers(received, *methods, last)
        except Exception:  # noqa: BLE001  (then it must be the other)
            assert refused
            assert last == "GET"
            continue
        assert len(answers) == len(methods) + refused
        assert all(answer.status == 200 for answer in answers[: len(methods)])
        assert not refused or answers[-1].status in {400, 403, 413, 421, 431, 501, 505}
        return
    raise AssertionError(bytes(peer.received))


@given(any_bytes(REQUESTS))
@example(b"\nGET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
def test_nobody_is_served_whom_h11_would_not_serve(data: bytes) -> None:
    """Invariant: every request that the application sees, h11 alone reads in the same way.

    But for empty lines before a request, which h11 takes for one: RFC 9112 section 2.2.
    """
    peer = serve(data, set())
    rest = data + b" "
    for served in peer.requests:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        connection.receive_data(re.sub(rb"\A(\r?\n)+", b"", rest))
        event = connection.next_event()
        assert isinstance(event, h11.Request)
        assert event.method.decode() == served.method
        body = bytearray()
        while not isinstance(event, h11.EndOfMessage):
            event = connection.next_event()
            assert isinstance(event, (h11.Data, h11.EndOfMessage))
            if isinstance(event, h11.Data):
                body += event.data
        assert bytes(body) == served.body
        rest, _ = connection.trailing_data


@given(any_bytes(ANSWERS), CUTS, st.booleans(), st.sampled_from([None, Want.PAUSE, Want.CLOSE]))
def test_a_client_never_raises_and_sees_the_same_however_bytes_are_cut(
    data: bytes,
    cuts: set[int],
    end: bool,  # noqa: FBT001
    wish: Want | None,
) -> None:
    """Invariant: bytes in, a machine's inputs out, in their order; cuts change nothing."""
    seen = []
    for places in (set(), cuts):
        # A machine that pauses or stops does so where it likes, which may hang on the cuts.
        stops: Callable[[str], Want | None] = lambda what: wish if what == "response_started" else None  # noqa: E731
        machine = Upstream(Recorder(wishes=stops), max_head_bytes=200).connect().answer(data, places, end=end)
        order = ["connected", "response_started", "data", "eof", "lost", "closed"]
        assert sorted(machine.calls, key=order.index) == machine.calls
        assert len(set(machine.calls)) == len(machine.calls)
        assert len(machine.reason) < 300
        assert machine.reason.isprintable()
        # Not the reason: h11 sees early that bytes are rubbish, and late what kind of rubbish.
        seen.append((machine.calls, machine.status, machine.headers, bytes(machine.received)))
    if wish is None:
        assert seen[0] == seen[1]


@given(st.binary(min_size=1, max_size=100_000))
def test_a_chunk_is_what_h11_makes(data: bytes) -> None:
    """Invariant: the fast path writes the bytes that h11 would."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(request())
    connection.next_event()
    connection.next_event()
    connection.send(h11.Response(status_code=200, headers=[]))
    assert chunk(data) == connection.send(h11.Data(data=data))


@given(
    st.text(max_size=60)
    | st.from_regex(r"https?://[a-z0-9.:@\[\]%\\-]{0,20}[/?#]?[ -~]{0,10}", fullmatch=True)
)
def test_any_text_is_a_target_or_a_value_error(url: str) -> None:
    """Invariant: what is taken for a URL can be written down again; the rest is refused in kind words."""
    try:
        target = parse_url(url)
    except ValueError as error:
        assert type(error) is ValueError  # noqa: PT017
        return
    assert isinstance(target, Target)
    assert 0 < target.port < 65536
    scheme = "https" if target.secure else "http"
    assert parse_url(f"{scheme}://{target.authority}{target.path}") == target


class Conversation(RuleBasedStateMachine):
    """Invariant: in any order of calls, every stream is closed once, and answers keep their order."""

    def __init__(self) -> None:
        super().__init__()
        self.streams: list[Pieces] = []
        self.peer = Peer(self.answer, settings=SMALL)
        self.peer.reads = False

    def answer(self, request: Request) -> Reply | Pieces:
        if request.path == "/reply":
            return echo(request)
        head: StreamHead | Reply | None = None if request.path == "/late" else EVENTS
        self.streams.append(Pieces(head=head))
        return self.streams[-1]

    @rule(
        path=st.sampled_from(["/reply", "/stream", "/late", "*"]),
        version=st.sampled_from(["1.1", "1.1", "1.1", "1.0"]),
        method=st.sampled_from(["GET", "HEAD", "POST"]),
        cuts=CUTS,
    )
    def ask(self, path: str, version: str, method: str, cuts: set[int]) -> None:
        self.peer.send(request(method, path, version=version), cuts)

    @rule(data=st.binary(min_size=1, max_size=60))
    def talk_rubbish(self, data: bytes) -> None:
        self.peer.send(data)

    @precondition(lambda self: self.streams)
    @rule(pieces=st.lists(st.binary(min_size=1, max_size=9), max_size=3), end=st.sampled_from(StreamState))
    def feed(self, pieces: list[bytes], end: StreamState) -> None:
        self.streams[-1].head = self.streams[-1].head or EVENTS
        self.streams[-1].feed(*pieces, end=end)

    @precondition(lambda self: self.streams)
    @rule(status=st.sampled_from([200, 204, 304, 404]), whole=st.booleans())
    def decide(self, status: int, whole: bool) -> None:  # noqa: FBT001
        stream = self.streams[-1]
        if stream.head is None:
            stream.head = Reply(status, body=b"late") if whole else StreamHead(status, EVENTS.headers)
            stream.waker()

    @rule()
    def pull_once(self) -> None:
        self.peer.received += self.peer.connection.data_to_send(self.peer.now)

    @rule()
    def pull_all(self) -> None:
        self.peer.pull()

    @rule(seconds=st.sampled_from([0.0, 0.5, 5.0, 31.0, 80.0]))
    def wait(self, seconds: float) -> None:
        self.peer.wait(seconds)

    @rule()
    def leave(self) -> None:
        self.peer.leave()

    @invariant()
    def closed_once_and_left_alone(self) -> None:
        for stream in self.streams[:-1]:
            assert len(stream.closed) == 1
        for stream in self.streams:
            assert len(stream.closed) <= 1
            assert stream.pulled_after_close == 0

    @invariant()
    def nothing_outlives_the_end(self) -> None:
        if self.peer.phase() is ConnectionPhase.OVER:
            assert all(stream.closed for stream in self.streams)
            assert self.peer.connection.deadline is None
            assert self.peer.connection.data_to_send(self.peer.now) == b""
        assert not self.peer.errors


TestConversation = Conversation.TestCase
TestConversation.settings = settings(stateful_step_count=30)
