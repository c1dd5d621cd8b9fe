"""Invariant: what a stream means depends on its bytes, never on its chunks, and is what WHATWG HTML says.

Any bytes, in any chunks, over any number of connections, give what a transcription of the specification
gives for each connection whole, and raise what the bounds promise and nothing else.  What is kept stays
small.  With small bounds, the events, the count of skipped ones and the failure are the same for any
chunks.  What the encoder writes is read as that one event.
"""

from __future__ import annotations

import itertools
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fuzz.laws import (
    BASE_BYTES,
    BOUND_FACTOR,
    answer,
    any_cut_means_the_same,
    decoder_does_as_the_model,
    decoder_holds_little,
    held_bytes,
    ours,
)
from fuzz.model import Bounds, Model
from fuzz.script import Call
from fuzz.strategies import BOUNDS, CALLS, CHUNKS, CUT_STREAMS, STREAMS
from sse_core import EventStreamDecoder, LimitExceeded, ServerSentEvent, encode_comment, encode_event
from sse_core.testing import pieces_of_size
from tests.core.framing.reference import interpret


class Connections(RuleBasedStateMachine):
    """One decoder over many connections, with bounds or without; at each call it does as the model does."""

    def __init__(self) -> None:
        super().__init__()
        self.begin(Bounds(), "")

    def begin(self, bounds: Bounds, last_event_id: str) -> None:
        self.comments: list[str] = []
        self.model = Model(bounds, last_event_id)
        self.decoder = ours(bounds, last_event_id, self.comments.append)

    @initialize(bounds=BOUNDS, last_event_id=st.sampled_from(["", "7"]))
    def begin_with(self, bounds: Bounds, last_event_id: str) -> None:
        self.begin(bounds, last_event_id)

    @rule(chunk=CHUNKS)
    def receive_data(self, chunk: bytes) -> None:
        self.comments.clear()
        self.do("receive_data", chunk)
        assert self.comments == self.model.comments

    @rule()
    def receive_eof(self) -> None:
        self.do("receive_eof")

    @rule()
    def reset(self) -> None:
        self.do("reset")

    def do(self, name: str, chunk: bytes = b"") -> None:
        assert answer(self.decoder, (name, chunk)) == answer(self.model, (name, chunk))

    @invariant()
    def what_a_user_can_see_is_the_same(self) -> None:
        for name in ("last_event_id", "reconnection_time", "skipped_events"):
            assert getattr(self.decoder, name) == getattr(self.model, name)

    @invariant()
    def little_is_kept(self) -> None:
        bounds = self.model.bounds
        memory = held_bytes(self.decoder, but_not=self.comments)
        assert memory <= BASE_BYTES + BOUND_FACTOR * bounds.longest_line


SINGLE_CALLS = st.tuples(st.just("receive_data"), CHUNKS) | st.sampled_from(
    [("receive_eof", b""), ("reset", b"")]
)
TestConnections = Connections.TestCase
TestConnections.settings = settings(stateful_step_count=30)  # the model is slow, and slower with each step


@given(calls=CALLS, bounds=BOUNDS, last_event_id=st.sampled_from(["", "7"]))
def test_each_call_gives_or_raises_what_the_model_does(
    calls: list[Call], bounds: Bounds, last_event_id: str
) -> None:
    decoder_does_as_the_model(calls, bounds, last_event_id)


@given(chunks=CUT_STREAMS)
def test_any_cut_means_what_the_specification_says_of_the_whole(chunks: list[bytes]) -> None:
    any_cut_means_the_same(chunks)


@given(
    pieces=st.lists(st.tuples(SINGLE_CALLS, st.integers(1, 300), st.booleans()), max_size=6),
    line=st.integers(8, 300),
    event=st.integers(0, 300),
    on_oversize=st.sampled_from(["fail", "skip"]),
)
def test_little_is_kept_whatever_is_repeated(
    pieces: list[tuple[Call, int, bool]], line: int, event: int, on_oversize: Literal["fail", "skip"]
) -> None:
    calls: list[Call] = []
    for (name, data), times, at_once in pieces:
        calls += [(name, data * times)] if at_once else [(name, data)] * times
    decoder_holds_little(calls, Bounds(line, event, on_oversize))


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
    assert outcome(pieces_of_size(stream, 1), line, event, on_oversize) == whole
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
