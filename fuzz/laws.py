"""The laws of framing as plain functions, for whatever finds inputs: Hypothesis, atheris or a file.

Each takes the decoder that it judges as an argument, so that tests can show that a wrong one is found.
"""

from __future__ import annotations

import gc
import sys
import types
from collections.abc import Callable, Iterable

from sse_core import EventStreamDecoder, LimitExceeded, LocalProtocolError, ServerSentEvent
from sse_core.testing import pieces_of_size
from tests.core.framing.reference import interpret

from .model import Bounds, Decoder, Model
from .script import Call

#: Makes the decoder to judge: bounds, a remembered last event ID, and who hears comments.
Make = Callable[[Bounds, str, Callable[[str], None]], Decoder]

#: What an empty decoder may hold, in bytes, and how many times its larger bound it may hold beside.
#: The factor: an ID that was committed and one that was not, each with one character that makes Python
#: store every other one in four bytes; the same for a remembered type; the block and the line as bytes.
BASE_BYTES = 4_000
BOUND_FACTOR = 20


def ours(bounds: Bounds, last_event_id: str, on_comment: Callable[[str], None]) -> Decoder:
    """Make this project's decoder."""
    return EventStreamDecoder(
        last_event_id,
        max_line_bytes=bounds.max_line_bytes,
        max_event_bytes=bounds.max_event_bytes,
        on_oversize=bounds.on_oversize,
        on_comment=on_comment,
    )


def answer(decoder: Decoder, call: Call) -> object:
    """What one call gives or raises, as values that can be compared.

    Any exception that is not documented goes on.
    """
    name, data = call
    try:
        if name != "receive_data":
            getattr(decoder, name)()
            return []
        return [values_of(event) for event in decoder.receive_data(data)]
    except LimitExceeded as failure:
        return (LimitExceeded, failure.limit, failure.bound)
    except LocalProtocolError:
        return LocalProtocolError


def values_of(event: ServerSentEvent) -> tuple[str, str, str]:
    """An event's values, which must be text that can be written down."""
    assert type(event) is ServerSentEvent
    for value in (event.type, event.data, event.last_event_id):
        assert type(value) is str
        value.encode()
    assert event.type
    return event.type, event.data, event.last_event_id


def any_cut_means_the_same(chunks: list[bytes], make: Make = ours) -> None:
    """As these chunks, whole, and byte by byte, a stream means what the specification says of it whole."""
    stream = b"".join(chunks)
    meaning = interpret(stream)
    expected = ([values_of(event) for event in meaning.events], meaning.comments)
    for cut in (chunks, [stream], pieces_of_size(stream, 1)):
        heard: list[str] = []
        decoder = make(Bounds(), "", heard.append)
        events = [values_of(event) for chunk in cut for event in decoder.receive_data(chunk)]
        assert (events, heard) == expected, f"{cut}: {(events, heard)!r} and not {expected!r}"
        assert decoder.last_event_id == meaning.last_event_id, cut
        assert decoder.reconnection_time == meaning.retry, cut
        decoder.receive_eof()
        assert decoder.last_event_id == meaning.last_event_id, f"{cut}, at its end"


def decoder_does_as_the_model(
    calls: Iterable[Call], bounds: Bounds | None = None, last_event_id: str = "", make: Make = ours
) -> None:
    """At each call: the same events or the same error, and the same state that a user can see."""
    bounds = bounds or Bounds()
    heard: list[str] = []
    model, decoder = Model(bounds, last_event_id), make(bounds, last_event_id, heard.append)
    for call in calls:
        heard.clear()
        expected, got = answer(model, call), answer(decoder, call)
        assert got == expected, f"{call}: {got!r} and not {expected!r}"
        state = (decoder.last_event_id, decoder.reconnection_time, decoder.skipped_events)
        expected_state = (model.last_event_id, model.reconnection_time, model.skipped_events)
        assert state == expected_state, f"{call}: {state!r} and not {expected_state!r}"
        if call[0] == "receive_data":
            assert heard == model.comments, f"{call}: {heard!r} and not {model.comments!r}"


def decoder_holds_little(calls: Iterable[Call], bounds: Bounds, make: Make = ours) -> None:
    """At any time the decoder holds no more than its bounds allow, whatever it was given.

    It is weighed after each call; among equal calls in a row, whenever an eighth more has been given.
    """
    decoder = make(bounds, "", _ignore)
    allowed = BASE_BYTES + BOUND_FACTOR * bounds.longest_line
    given = weighed_at = 0
    previous: Call | None = None
    for call in calls:
        answer(decoder, (call[0], bytes(bytearray(call[1]))))  # a copy, or what is kept twice weighs once
        given += len(call[1])
        if call == previous and 8 * given < 9 * weighed_at:
            continue
        memory = held_bytes(decoder)
        assert memory <= allowed, f"holds {memory} bytes of {given}, {allowed} are allowed"
        previous, weighed_at = call, given


def _ignore(comment: str) -> None:
    """Hear a comment and forget it."""


_SHARED = (type, types.ModuleType, types.CodeType)


def held_bytes(root: object, but_not: object = None) -> int:
    """The size of all that ``root`` keeps alive, whatever its fields are called.

    Classes and modules are left out, and ``but_not``, which belongs to somebody else.
    """
    seen: dict[int, object] = {}
    waiting: list[object] = [root]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or thing is but_not or isinstance(thing, _SHARED):
            continue
        seen[id(thing)] = thing
        if isinstance(thing, types.FunctionType):
            waiting += thing.__closure__ or ()  # and not its module's names, which are everybody's
        else:
            waiting += gc.get_referents(thing)
    return sum(map(sys.getsizeof, seen.values()))
