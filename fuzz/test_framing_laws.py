"""Invariant: what a stream means depends on its bytes, never on its chunks, and is what WHATWG HTML says.

Three laws.  Any bytes, in any chunks, over any number of connections, give what a transcription of the
specification gives for each connection whole.  With small bounds, the events, the count of skipped ones
and the failure are the same for any chunks.  What the encoder writes is read as that one event.
"""

from __future__ import annotations

import itertools
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from sse_core import EventStreamDecoder, LimitExceeded, ServerSentEvent, encode_comment, encode_event
from tests.core.framing.reference import interpret

PIECES = [
    *(b"data", b"event", b"id", b"retry", b"foo", b":", b": ", b" ", b"\0", b"x", b"7"),
    *(b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n"),
    *(b"data: ", b"data:", b"event: x\ndata: ", b"event: y\r\ndata: ", b"id: 1\n", b"id\n", b"retry: 12\n"),
    *(b"data: a\n\n", b"event: x\ndata: b\n\n", b"event: y\ndata: c\nid: 2\n\n", b": ping\n"),
    *(
        b"\xef\xbb\xbf",
        b"\xef",
        b"\xbb\xbf",
        "世😀\u2028".encode(),
        b"\xf0\x9f",
        b"\x98",
        b"\xff",
        b"\xc0\x80",
    ),
]
CHUNKS = st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join) | st.binary(max_size=8)
STREAMS = st.lists(CHUNKS, max_size=12).map(b"".join)


class Connections(RuleBasedStateMachine):
    """One decoder over many connections; the model interprets each from its first byte, at each step."""

    def __init__(self) -> None:
        super().__init__()
        self.comments: list[str] = []
        self.decoder = EventStreamDecoder(on_comment=self.comments.append)
        self.reconnection_time: int | None = None
        self.last_event_id = ""
        self.begin()

    def begin(self) -> None:
        self.stream = b""
        self.events: list[ServerSentEvent] = []
        self.comments.clear()

    @rule(chunk=CHUNKS)
    def receive_data(self, chunk: bytes) -> None:
        self.stream += chunk
        self.events += self.decoder.receive_data(chunk)
        expected = interpret(self.stream, self.last_event_id)
        assert self.events == expected.events
        assert self.comments == expected.comments
        assert self.decoder.last_event_id == expected.last_event_id
        if expected.retry is not None:
            self.reconnection_time = expected.retry
        assert self.decoder.reconnection_time == self.reconnection_time

    @rule(how=st.sampled_from(["receive_eof", "reset"]))
    def end(self, how: str) -> None:
        self.last_event_id = interpret(self.stream, self.last_event_id).last_event_id
        getattr(self.decoder, how)()
        assert self.decoder.last_event_id == self.last_event_id
        assert self.decoder.reconnection_time == self.reconnection_time
        self.begin()


TestConnections = Connections.TestCase

Outcome = tuple[list[ServerSentEvent], str | None, int, str]


def outcome(chunks: list[bytes], line: int, event: int, on_oversize: Literal["fail", "skip"]) -> Outcome:
    """The events, the bound that failed, the events skipped, and the last event ID."""
    decoder = EventStreamDecoder(max_line_bytes=line, max_event_bytes=event, on_oversize=on_oversize)
    events: list[ServerSentEvent] = []
    failed = None
    try:
        for chunk in chunks:
            events += decoder.receive_data(chunk)
        decoder.receive_eof()
    except LimitExceeded as failure:
        failed = failure.limit
    return events, failed, decoder.skipped_events, decoder.last_event_id


@given(
    stream=STREAMS,
    cuts=st.lists(st.integers(0, 400)),
    line=st.integers(8, 24),
    event=st.integers(0, 24),
    on_oversize=st.sampled_from(["fail", "skip"]),
)
def test_bounds_do_not_depend_on_the_chunks(
    stream: bytes, cuts: list[int], line: int, event: int, on_oversize: Literal["fail", "skip"]
) -> None:
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    chunks = [stream[start:end] for start, end in itertools.pairwise(edges)]
    whole = outcome([stream], line, event, on_oversize)
    assert outcome(chunks, line, event, on_oversize) == whole
    assert outcome([stream[i : i + 1] for i in range(len(stream))], line, event, on_oversize) == whole
    for got in whole[0]:
        assert len(got.data) <= event


@given(stream=STREAMS, line=st.integers(8, 24), event=st.integers(0, 24))
def test_skipping_only_takes_events_away(stream: bytes, line: int, event: int) -> None:
    """What is left stands in the same order as without bounds; ids may lag, data and type may not differ."""
    events, _, skipped, _ = outcome([stream], line, event, "skip")
    left = iter((unbounded.type, unbounded.data) for unbounded in interpret(stream).events)
    assert all((got.type, got.data) in left for got in events)
    if not skipped:
        assert events == interpret(stream).events


@given(
    before=STREAMS,
    data=st.text(),
    event=st.none() | st.text(),
    id_=st.none() | st.text(),
    retry=st.none() | st.integers(-1, 2**31),
    comment=st.text(),
)
def test_an_encoded_event_is_one_event_or_an_error(  # noqa: PLR0917  (hypothesis calls it, by name)
    before: bytes, data: str, event: str | None, id_: str | None, retry: int | None, comment: str
) -> None:
    decoder = EventStreamDecoder()
    decoder.receive_data(b"\n" + before + b"\n\n")
    last_event_id = decoder.last_event_id
    try:
        stream = encode_event(data, event=event, id=id_, retry=retry)
    except ValueError:
        refused = set("\r\n") & set(event or "") or set("\r\n\0") & set(id_ or "")
        assert refused or retry in (-1, 2**31)
        return
    last_event_id = last_event_id if id_ is None else id_
    lines = data.replace("\r\n", "\n").replace("\r", "\n")
    expected = ServerSentEvent(event or "message", lines, last_event_id)
    assert decoder.receive_data(encode_comment(comment) + stream) == [expected]
    assert decoder.receive_data(encode_comment(comment)) == []
