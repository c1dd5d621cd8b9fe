"""Other projects' test vectors for event streams, and the specification's examples.

The projects: web-platform-tests, eventsource-parser, httpx-sse, LaunchDarkly's, fetch-event-source and
undici.  Their vectors lie in a folder beside the checkout on some machines only; its README explains the
format.  Where a suite asks for something else than the specification, the specification is followed.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sse_core import EventStreamDecoder, LimitExceeded, LocalProtocolError, ServerSentEvent
from sse_core.testing import pieces_of_size

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"

if not VECTORS.is_dir():
    pytest.skip("shared folder missing: the vectors lie beside the checkout", allow_module_level=True)

Vector = dict[str, Any]


def vectors(*names: str) -> list[Any]:
    """The vectors of these files, as parameters with readable ids."""
    found = [
        (name, vector) for name in names for vector in json.loads((VECTORS / f"{name}.json").read_bytes())
    ]
    return [pytest.param(vector, id=f"{name}:{vector['name']}") for name, vector in found]


def pick(files: list[Any], name: str) -> Vector:
    """The one vector with that name."""
    (vector,) = (parameter.values[0] for parameter in files if parameter.values[0]["name"] == name)
    assert isinstance(vector, dict)
    return vector


def repeated(parts: list[Vector]) -> bytes:
    return b"".join(base64.b64decode(part["b64"]) * part["repeat"] for part in parts)


def stream_of(vector: Vector) -> bytes:
    if vector["input_b64"] is None:
        return repeated(vector["input_parts"])
    return base64.b64decode(vector["input_b64"])


def cut(stream: bytes, offsets: list[int]) -> list[bytes]:
    edges = [0, *(offset for offset in offsets if offset < len(stream)), len(stream)]
    return [stream[start:end] for start, end in itertools.pairwise(edges)]


def splits(vector: Vector) -> Iterator[list[bytes]]:
    """Whole, byte by byte, as the suite does, in two at each byte, and at random."""
    stream = stream_of(vector)
    yield [stream]
    if "chunks" in vector:
        yield cut(stream, vector["chunks"])
    if len(stream) > 100_000:
        yield pieces_of_size(stream, 4096)
        return
    yield pieces_of_size(stream, 1)
    if len(stream) < 2_000:
        yield from ([stream[:i], stream[i:]] for i in range(1, len(stream)))
    dice = random.Random(vector["name"])
    for _ in range(20):
        pieces = dice.randint(1, min(40, len(stream) + 1))
        yield cut(stream, sorted(dice.randint(0, len(stream)) for _ in range(pieces)))


class Seen:
    """What one way to feed a vector gave."""

    def __init__(self, vector: Vector, chunks: list[bytes]) -> None:
        self.comments: list[str] = []
        self.events: list[ServerSentEvent] = []
        self.committed_ids: list[str] = []
        decoder = EventStreamDecoder(
            vector.get("initial_last_event_id") or "", on_comment=self.comments.append
        )
        for chunk in chunks:
            before = decoder.last_event_id
            self.events += decoder.receive_data(chunk)
            if decoder.last_event_id != before:
                self.committed_ids.append(decoder.last_event_id)
        decoder.receive_eof()
        self.reconnection_time = decoder.reconnection_time
        self.last_event_id = decoder.last_event_id


def as_vector(event: ServerSentEvent) -> Vector:
    digest = hashlib.sha256(event.data.encode())
    return {
        "type": event.type,
        "data": event.data,
        "lastEventId": event.last_event_id,
        "data_len": len(event.data.encode()),
        "data_sha256": digest.hexdigest(),
    }


def assert_expected_by_suite(vector: Vector, seen: Seen) -> None:
    """What the suite asserts, and nothing that it doesn't."""
    expected = vector["expected"]
    assert len(seen.events) >= len(expected)
    assert len(seen.events) == len(expected) or not vector["expected_exact_count"]
    for event, wanted in zip(seen.events, expected, strict=False):
        ours = as_vector(event)
        # "id" is that block's own id, which a browser doesn't show; where there is one it is the last.
        ours["id"] = wanted["id"] and event.last_event_id if "id" in wanted else None
        assert {key: ours[key] for key in wanted if key != "data_json"} == {
            key: wanted[key] for key in wanted if key != "data_json"
        }
        if "data_json" in wanted:
            assert json.loads(event.data) == wanted["data_json"]
    if vector["expected_retry"] is not None:
        assert seen.reconnection_time == vector["expected_retry"]
    if vector["expected_comments"] is not None:
        assert seen.comments == vector["expected_comments"]


def assert_expected_by_specification(vector: Vector, seen: Seen) -> None:
    """What an independent interpreter of the specification gave for the same bytes."""
    expected = vector["spec_expected"]
    keys = ("type", "data", "lastEventId")
    assert [{key: as_vector(event)[key] for key in keys} for event in seen.events] == expected["events"]
    assert seen.reconnection_time == expected["retry"]
    assert seen.last_event_id == expected["last_event_id"]
    # There, comments are what follows the colon; here, without the space that follows it.
    assert seen.comments == [comment.removeprefix(" ") for comment in expected["comments"]]


STREAMS = vectors("whatwg_spec", "wpt_eventsource", "eventsource_parser")


@pytest.mark.parametrize("vector", STREAMS)
def test_stream(vector: Vector) -> None:
    for chunks in splits(vector):
        seen = Seen(vector, chunks)
        if not vector["conflicts_with_spec"]:
            assert_expected_by_suite(vector, seen)
        if "spec_expected" in vector:  # all but the one of ten megabytes
            assert_expected_by_specification(vector, seen)


def test_where_a_suite_conflicts_with_the_specification_we_follow_the_specification() -> None:
    """The two places, so that a new one does not slip in unseen."""
    conflicting = {
        parameter.values[0]["name"]: parameter.values[0]
        for parameter in STREAMS
        if parameter.values[0]["conflicts_with_spec"]
    }
    mangled = conflicting.pop("literal text U+00EF U+00BB U+00BF at stream start")
    assert [event.data for event in Seen(mangled, [stream_of(mangled)]).events] == ["bomless 2"]
    # Here the conflict is with the letter, which nobody follows: the last event ID of the connection
    # before starts the buffer of the next one.  spec_expected says so too.
    seeded = conflicting.pop("format-field-id (second connection)")
    seen = Seen(seeded, [stream_of(seeded)])
    assert [event.last_event_id for event in seen.events] == [seeded["initial_last_event_id"]]
    assert conflicting == {}


@pytest.mark.parametrize(
    "vector", [parameter for parameter in STREAMS if "expected_committed_ids" in parameter.values[0]]
)
def test_ids_are_committed_one_after_another(vector: Vector) -> None:
    stream = stream_of(vector)
    seen = Seen(vector, pieces_of_size(stream, 1))
    assert seen.committed_ids == vector["expected_committed_ids"]


# Line splitters' vectors: each line is made a field's value by what is put before it.

LINE_START = re.compile(rb"\A|\r\n|\r|\n")


def with_line_starts(chunks: list[bytes], start: bytes) -> list[bytes]:
    """``chunks`` with ``start`` before each line; a line end that was cut in two still is."""
    starts = {match.end() for match in LINE_START.finditer(b"".join(chunks))}
    offset = 0
    pieces = [start]
    for chunk in chunks:
        piece = b""
        for byte in chunk:
            offset += 1
            piece += bytes([byte]) + (start if offset in starts else b"")
        pieces.append(piece)
    return pieces


@pytest.mark.parametrize("vector", vectors("lines"))
def test_lines(vector: Vector) -> None:
    chunks = [base64.b64decode(chunk) for chunk in vector["chunks_b64"]]
    expected = vector["expected_lines"]
    cut_short = b"".join(chunks)[-1:] not in (b"", b"\r", b"\n")
    end = [b"\n"] if cut_short and vector["unterminated_tail_emitted"] else []

    heard: list[str] = []
    decoder = EventStreamDecoder(on_comment=heard.append)
    for chunk in with_line_starts(chunks, b": ") + end:
        assert decoder.receive_data(chunk) == []
    assert heard == expected

    # The same lines as the data of one event.  After the last line end comes an empty line of data.
    decoder = EventStreamDecoder()
    for chunk in with_line_starts(chunks, b"data: ") + end:
        assert decoder.receive_data(chunk) == []
    (event,) = decoder.receive_data(b"data: end\n\n" if end else b"end\n\n")
    assert event.data == "\n".join([*expected, "end"])


# Bounds.  Other parsers have one bound; here it is set for a line and for an event alike.

LIMITS = vectors("limits")
#: Each of these has a test of its own, below.
OTHERWISE = {"limits accumulated event data", "event_larger_than_64_mib"}
#: The suite's bound of 8 is on bytes that wait for more; ours counts whole lines too, and after a reset
#: one of 11 bytes is to pass.
BOUNDS = {"feed throws after overflow, until reset": 16}


def chunks_of(vector: Vector) -> list[bytes]:
    if "chunk_parts" in vector:
        return [repeated(parts) for parts in vector["chunk_parts"]]
    return [base64.b64decode(chunk) for chunk in vector["chunks_b64"]]


def feed(decoder: EventStreamDecoder, chunks: list[bytes]) -> tuple[list[str], int | None]:
    """The data of the events, and the number of the chunk that exceeded a bound."""
    data: list[str] = []
    for number, chunk in enumerate(chunks, 1):
        try:
            data += [event.data for event in decoder.receive_data(chunk)]
        except LimitExceeded:
            return data, number
    return data, None


@pytest.mark.parametrize("vector", [vector for vector in LIMITS if vector.values[0]["name"] not in OTHERWISE])
def test_limit(vector: Vector) -> None:
    bound = BOUNDS.get(vector["name"], vector["limit"] or sys.maxsize)
    expected = vector["expected"]
    heard: list[str] = []
    on_comment = heard.append if "comments" in expected else None
    decoder = EventStreamDecoder(max_line_bytes=bound, max_event_bytes=bound, on_comment=on_comment)
    chunks = chunks_of(vector)
    data, failed_at = feed(decoder, chunks)
    assert (failed_at is None) == (expected.get("errors") == 0)
    assert data == expected.get("events", data)
    assert len(data) == expected.get("event_count", len(data))
    assert heard == expected.get("comments", [])
    if failed_at is None:
        return
    assert failed_at == expected.get("error_after_chunk", failed_at)
    with pytest.raises(LocalProtocolError):
        decoder.receive_data(chunks[-1])
    if "after_reset_feed" in expected:
        decoder.reset()
        after = expected["after_reset_feed"]
        assert feed(decoder, [after["chunk"].encode()]) == (after["events"], None)


def test_limit_on_the_data_of_an_event() -> None:
    """As in undici, only data counts for this bound."""
    vector = pick(LIMITS, "limits accumulated event data")
    decoder = EventStreamDecoder(max_event_bytes=vector["limit"])
    first, second = chunks_of(vector)
    assert decoder.receive_data(first) == []
    with pytest.raises(LimitExceeded) as caught:
        decoder.receive_data(second)
    assert (caught.value.limit, caught.value.bound) == ("max_event_bytes", 5)


def test_an_event_of_more_than_64_mib_passes_where_the_bounds_are_raised() -> None:
    """openai-python has it pass by default; we have a bound by default, and it has a name and a way out."""
    assert pick(LIMITS, "event_larger_than_64_mib")["limit"] is None
    size = 64 * 2**20 + 1
    stream = b"data: " + b"x" * size + b"\n\n"
    decoder = EventStreamDecoder(max_line_bytes=size + 6, max_event_bytes=size)
    (event,) = decoder.receive_data(stream)
    assert len(event.data) == size
    with pytest.raises(LimitExceeded, match="max_line_bytes"):
        EventStreamDecoder().receive_data(stream)
