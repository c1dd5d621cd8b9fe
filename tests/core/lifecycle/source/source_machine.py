"""An event source and a server that keeps its events, driven at random: none is lost, none comes twice.

Connections break anywhere, also within a character; heads say all sorts of things; words of an old
transport come late.  The server goes on after the ID that it is sent.  Other servers stand before it, and
redirect here and there; a secret that is sent with the request must not come to them.
"""

from __future__ import annotations

from collections import Counter, deque
from urllib.parse import urljoin

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sse_core import LocalProtocolError, ServerSentEvent, encode_event
from sse_core.headers import Headers
from sse_core.lifecycle import EventSource, HTTPRequest, Reconnect, RetryPolicy, SourceState, Want
from sse_core.urls import parse_url

STREAM = Headers({"content-type": "text/event-stream"})
HOME = "http://server.test/"
MAX_REDIRECTS = 3
HEADS = st.sampled_from(
    [
        *[(200, STREAM)] * 20,
        (200, Headers({"content-type": "text/html"})),
        (204, Headers()),
        (302, Headers()),
        (302, Headers({"location": "http://other.test/"})),
        (302, Headers({"location": "ftp://other.test/"})),
        (404, Headers()),
        (429, Headers({"retry-after": "2"})),
        (503, Headers({"retry-after": "3600"})),
        *[(503, Headers())] * 4,
    ]
)

#: Where a connection leads before it comes to a head of ``HEADS``.
HOPS = st.lists(st.sampled_from(["/elsewhere", "http://other.test/", HOME]), max_size=MAX_REDIRECTS + 1)

DEEDS = ["a word from the transport", "a head", "late bytes", "time", "the deadline", "close"]
MOSTLY = st.sampled_from([True] * 7 + [False])


def text(number: int) -> str:
    return f"{number}: é\U0001f600\nsecond line"


class SourceMachine(RuleBasedStateMachine):
    """One source, one server."""

    @initialize(
        max_attempts=st.sampled_from([2, 3, 50]),
        method=st.sampled_from(["GET", "POST"]),
        jitter=st.floats(0, 1, exclude_max=True),
        after=st.sampled_from([0, 5]),
        started=MOSTLY,
    )
    def begin(self, max_attempts: int, method: str, jitter: float, after: int, *, started: bool) -> None:
        self.now = 100.0
        self.max_attempts = max_attempts
        self.source = EventSource(
            HTTPRequest(HOME, method, Headers({"x-secret": "1"})),
            last_event_id=str(after) if after else "",
            retry=RetryPolicy(max_attempts=max_attempts),
            jitter=lambda: jitter,
            max_redirects=MAX_REDIRECTS,
            on_reconnect=self.saw_reconnect,
        )
        self.reconnects = 0  # that were reported
        self.redirects: Counter[int] = Counter()  # of each attempt
        self.seen = after  # by the reader
        self.unread = 0  # events that have come, and that the reader has not taken
        self.is_open = False  # the transport
        self.attempts = 0  # in a row that brought no event
        self.was_closed = False
        self.unsent = b""
        self.written = 0  # bytes of this connection
        self.ends: deque[int] = deque()  # where its events end that have not come yet
        self.sent = after  # the last event that was sent on this connection, as far as it came
        if started:
            self.source.start(self.now)

    # What a good binding and a good server do.  It is one rule, since those that Hypothesis switches
    # off in a run must not be the way to all others.

    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        if self.source.state is SourceState.IDLE:
            self.source.start(self.now)
        elif self.source.want is Want.CONNECT:
            self.connect(data)
        elif self.source.state is SourceState.OPEN:
            self.source.resume(self.now)
            self.body(data)
        elif self.source.want is Want.READ:
            self.say("lost")
        elif self.source.want is Want.CLOSE:
            self.say("closed")
        else:
            self.reach_the_deadline()

    def connect(self, data: st.DataObject) -> None:
        self.attempts += not self.redirects[self.source.reconnects]
        assert self.attempts <= self.max_attempts
        url = self.source.request.url
        for location in data.draw(HOPS):
            self.send(url)
            self.source.response_started(302, Headers({"location": location}), self.now)
            if self.source.state is SourceState.CLOSED:
                return  # these were too many
            assert self.source.want is Want.CLOSE
            self.say("closed")
            url = urljoin(url, location)
        self.send(url)
        self.source.response_started(*data.draw(HEADS), self.now)

    def send(self, url: str) -> None:
        request = self.source.request
        assert request.url == url
        position = request.headers.get("last-event-id")
        assert "x-secret" not in request.headers or parse_url(request.url).origin == "http://server.test"
        assert position in {None, str(self.seen + self.unread)}
        self.sent = int(position or 0)
        self.unsent = b""
        self.written = 0
        self.ends.clear()
        self.connected()

    def saw_reconnect(self, reconnect: Reconnect) -> None:
        """Each is reported once, behind the events that came before it."""
        self.reconnects += 1
        assert self.reconnects <= self.source.reconnects + 1
        assert reconnect.last_event_id in {"", str(self.seen)}, "behind all that came before it"
        assert 1 <= reconnect.attempt <= self.max_attempts
        assert reconnect.delay >= 0

    def connected(self) -> None:
        self.is_open = True
        self.source.connected(self.now)

    def body(self, data: st.DataObject) -> None:
        """Some events; the last of them perhaps only in part, and then the rest later, or a cut."""
        for _ in range(data.draw(st.integers(0, 5))):
            self.sent += 1
            retry = 1000 if self.sent % 5 == 0 else None
            self.unsent += encode_event(text(self.sent), id=str(self.sent), retry=retry)
            self.ends.append(self.written + len(self.unsent))
        self.unsent += data.draw(st.sampled_from([b"", b": ping\n"]))
        middle = data.draw(st.just(len(self.unsent)) | st.integers(0, len(self.unsent)))
        chunk, self.unsent = self.unsent[:middle], self.unsent[middle:]
        self.source.receive_data(chunk, self.now)
        self.written += len(chunk)
        while self.ends and self.ends[0] <= self.written:
            self.ends.popleft()
            self.unread += 1
            self.attempts = 0
        self.read(data.draw(st.integers(0, 5)))

    def read(self, count: int) -> None:
        """The reader takes so many; the others wait."""
        while count and (event := self.source.next_event()) is not None:
            count -= 1
            self.seen += 1
            self.unread -= 1
            assert event == ServerSentEvent("message", text(self.seen), str(self.seen))

    @precondition(lambda self: self.source.state is SourceState.OPEN)
    @rule(how=st.sampled_from(["eof", "lost"]))
    def cut(self, how: str) -> None:
        """Connections break; that is what an event source is for."""
        self.say(how)

    def reach_the_deadline(self) -> None:
        if self.source.deadline is not None:
            self.now = max(self.now, self.source.deadline)
            self.source.handle_timeout(self.now)

    @rule(paused=st.booleans(), seconds=st.sampled_from([0.0, 0.3, 1.0]))
    def pause_or_resume(self, seconds: float, *, paused: bool) -> None:
        (self.source.pause if paused else self.source.resume)(self.now)
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        """Early a timeout changes nothing; late it is late, and no more."""
        self.now += seconds
        deadline, state, want = self.source.deadline, self.source.state, self.source.want
        self.source.handle_timeout(self.now)
        if deadline is None or self.now < deadline:
            assert (self.source.deadline, self.source.state, self.source.want) == (deadline, state, want)
        else:
            assert self.source.deadline is None or self.source.deadline > self.now

    # What others do, and whatever comes at a wrong moment

    @rule(data=st.data(), deed=st.sampled_from(DEEDS))
    def do(self, data: st.DataObject, deed: str) -> None:
        if deed == "a word from the transport":
            self.say(data.draw(st.sampled_from(["connected", "eof", "lost", "closed"])))
        elif deed == "a head":
            self.source.response_started(*data.draw(HEADS), self.now)
        elif deed == "late bytes" and self.source.state is not SourceState.OPEN:
            self.source.receive_data(encode_event("?", id="?"), self.now)
        elif deed == "time":
            self.pass_time(data.draw(st.sampled_from([9.0, 61.0, 1e4])))
        elif deed == "the deadline":
            self.reach_the_deadline()
        elif deed == "close":
            self.was_closed = self.was_closed or self.source.state is not SourceState.CLOSED
            self.source.close(self.now)

    def say(self, word: str) -> None:
        if word == "connected" and self.source.state is SourceState.IDLE:
            with pytest.raises(LocalProtocolError):
                self.source.connected(self.now)
        elif word == "connected":
            self.connected()
        elif word == "eof":
            self.source.receive_eof(self.now)
        else:
            self.is_open = False
            attempt = self.source.reconnects
            self.redirects[attempt] += self.source.state is SourceState.REDIRECTING
            assert self.redirects[attempt] <= MAX_REDIRECTS
            self.source.connection_lost(word, self.now) if word == "lost" else self.source.closed(self.now)

    @precondition(lambda self: self.source.state is not SourceState.IDLE)
    @rule()
    def start_again(self) -> None:
        with pytest.raises(LocalProtocolError):
            self.source.start(self.now)

    @invariant()
    def closed_is_closed(self) -> None:
        if self.source.state is SourceState.CLOSED:
            assert self.source.want is (Want.CLOSE if self.is_open else Want.NOTHING)
            assert self.source.deadline is None
            self.read(-1)
            # One that was reported may have been cut short by the end.
            assert self.reconnects - self.source.reconnects in {0, 1}
        assert self.source.error is None or self.source.state is SourceState.CLOSED
        assert not self.was_closed or self.source.state is SourceState.CLOSED

    @invariant()
    def the_wish_knows_of_the_transport(self) -> None:
        """Close before sleep, and never two transports."""
        assert (self.source.want in {Want.READ, Want.PAUSE, Want.CLOSE}) is self.is_open

    @invariant()
    def every_attempt_begins_where_the_first_did(self) -> None:
        if self.source.state in {SourceState.IDLE, SourceState.OPEN, SourceState.RECONNECTING}:
            request = self.source.request
            assert (request.url, "x-secret" in request.headers) == (HOME, True)

    @invariant()
    def every_wait_has_a_deadline(self) -> None:
        """But for a pause: that is the consumer's, who may take his time."""
        if self.source.want in {Want.CONNECT, Want.READ, Want.WAIT}:
            assert self.source.deadline is not None

    @invariant()
    def another_source_goes_on_where_the_reader_is(self) -> None:
        assert self.source.last_event_id in {"", str(self.seen)}
