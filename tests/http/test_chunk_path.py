"""Chunks that go past h11: the same answer, and nothing of h11's work where nothing is to be decided."""

from __future__ import annotations

import gzip
from collections.abc import Iterable

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzz.chunk_laws import HEAD, is_read_as_by_h11
from sse_core.lifecycle.machine import Want
from sse_http.chunk_path import ChunkPath
from sse_http.http1_connection import chunk
from tests.http.support import Recorder, Upstream

EVENT = b"event: ping\r\ndata: {}\r\n\r\n"
CHUNKS = chunk(EVENT) + chunk(b"\r\n0\r\n\r\n") + chunk(b"x")
CONTENT = EVENT + b"\r\n0\r\n\r\nx"
LAST = b"0\r\n\r\n"

BODIES = {
    "plain": CHUNKS + LAST,
    "trailers": CHUNKS + b"0\r\nx-sum: 1\r\ny: 2\r\n\r\n",
    "more behind the end": CHUNKS + LAST + CHUNKS,
    "cut": CHUNKS,
    "cut in a chunk": CHUNKS + b"5\r\nab",
    "extensions": chunk(b"a") + b"1;x=y\r\nb\r\n" + chunk(b"c") + b"0;z\r\n\r\n",
    "an extension after blanks": chunk(b"a") + b"1 ;x\r\nb\r\n" + chunk(b"c") + LAST,
    "upper case and zeros": b"A\r\n0123456789\r\n" + b"00a\r\n0123456789\r\n" + b"000" + LAST,
    "fifteen digits": b"%015x\r\na\r\n" % 1 + LAST,
    "sixteen digits": b"%016x\r\na\r\n" % 1 + chunk(b"b") + LAST,
    "twenty digits": b"%020x\r\na\r\n" % 1 + chunk(b"b") + LAST,
    "twenty-one digits": b"%021x\r\na\r\n" % 1 + LAST,
    "a huge chunk": b"f" * 15 + b"\r\n" + EVENT,
    "a trailer that is none": CHUNKS + b"0\r\nno field\r\n\r\n",
    "a line without end": chunk(b"a") + b"5;" + b"x" * 1100,
}
WRONG_LINES = (
    b"",
    b" 1",
    b"+1",
    b"-1",
    b"1_0",
    b"0x1",
    b"1.",
    b"g",
    b"\xd9\xa1",
    b"1\t1",
    b"1\0",
    b"1\r",
    b"\r",
)
BODIES |= {f"line {line!r}": chunk(b"a") + line + b"\r\nb\r\n" + LAST for line in WRONG_LINES}
WRONG_ENDS = (b"", b"\n", b"\r", b"\rx", b"\n\r", b"xx", b"x\r\n", b" \r\n", b"\r\r\n")
BODIES |= {f"end {end!r}": chunk(b"a") + b"1\r\nb" + end + chunk(b"c") + LAST for end in WRONG_ENDS}
BODIES |= {f"only LF, {line!r}": chunk(b"a") + line + LAST for line in (b"1\nb\r\n", b"1\nb\n")}


def splits(body: bytes) -> Iterable[list[bytes]]:
    """``body`` in two pieces, cut everywhere, or in many places of a long one."""
    return ([body[:cut], body[cut:]] for cut in range(0, len(body), 1 + len(body) // 200))


class TestTheSame:
    @pytest.mark.parametrize("name", BODIES)
    def test_at_every_split(self, name: str) -> None:
        """As h11 alone: the same bytes as early, the same end or the same failure."""
        for pieces in splits(BODIES[name]):
            is_read_as_by_h11(pieces)

    @given(
        st.lists(st.sampled_from([*BODIES.values(), *WRONG_LINES, *WRONG_ENDS, CHUNKS]), max_size=3).map(
            b"".join
        ),
        st.lists(st.integers(0, 200), max_size=5),
    )
    @example(CHUNKS + CHUNKS, [1, 2, 3])
    def test_in_any_pieces(self, body: bytes, cuts: list[int]) -> None:
        places = sorted({0, *cuts})
        is_read_as_by_h11([body[a:b] for a, b in zip(places, [*places[1:], len(body)], strict=True)])

    @pytest.mark.parametrize("method", ["HEAD", "GET"])
    def test_where_there_is_no_body(self, method: str) -> None:
        head = HEAD if method == "HEAD" else HEAD.replace(b"200 OK", b"204 No Content")
        machine = Upstream(Recorder(method=method)).connect().answer(head + CHUNKS)
        assert machine.calls == ["connected", "response_started", "eof", "lost"]


class Underscores(ChunkPath):
    """Reads a size as Python does, and looks at no end."""

    def split(self, data: bytes) -> tuple[bytes, bytes, bytes]:
        line, found, rest = data.partition(b"\r\n")
        if not found or not line.isalnum():
            return super().split(data)
        size = int(line, 16)
        return rest[:size], rest[size + 2 :], b""


class Late(ChunkPath):
    """Keeps half of a chunk until it is whole."""

    def __init__(self) -> None:
        super().__init__()
        self._kept = b""

    def split(self, data: bytes) -> tuple[bytes, bytes, bytes]:
        self._kept += data
        if not self._kept.endswith(b"\r\n"):
            return b"", b"", b""
        data, self._kept = self._kept, b""
        return super().split(data)


class Generous(ChunkPath):
    """Gives h11 more than its chunk, and goes on behind it."""

    def split(self, data: bytes) -> tuple[bytes, bytes, bytes]:
        content, piece, rest = super().split(data)
        return content, piece + rest[:1], rest[1:]


@pytest.mark.parametrize("wrong", [Underscores, Late, Generous])
def test_the_law_finds_what_is_wrong(wrong: type[ChunkPath]) -> None:
    def at_every_split() -> None:
        for body in BODIES.values():
            for pieces in splits(body):
                is_read_as_by_h11(pieces, wrong)

    with pytest.raises((AssertionError, ValueError)):
        at_every_split()


class TestPast:
    """h11 is given nothing of whole chunks, and no more than one chunk of others."""

    @pytest.fixture
    def upstream(self) -> Upstream:
        upstream = Upstream(Recorder()).connect()
        upstream.answer(HEAD)
        return upstream

    @pytest.fixture
    def seen(self, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
        """What h11 is given behind the head."""
        del upstream
        seen: list[bytes] = []
        receive = h11.Connection.receive_data

        def spy(http: h11.Connection, data: bytes) -> None:
            seen.append(data)
            receive(http, data)

        monkeypatch.setattr(h11.Connection, "receive_data", spy)
        return seen

    def test_one_in_each_read(self, upstream: Upstream, seen: list[bytes]) -> None:
        for number in range(100):
            upstream.answer(chunk(b"data: %d\n\n" % number))
        assert upstream.machine.received == b"".join(b"data: %d\n\n" % number for number in range(100))
        assert seen == []

    def test_many_in_one_read(self, upstream: Upstream, seen: list[bytes]) -> None:
        upstream.answer(CHUNKS * 100)
        upstream.answer(CHUNKS)
        assert upstream.machine.received == CONTENT * 101
        assert seen == []

    def test_half_of_a_size_waits(self, upstream: Upstream, seen: list[bytes]) -> None:
        for piece in (CHUNKS + b"1", b"\r", b"\na\r\n"):
            upstream.answer(piece)
        assert upstream.machine.received == CONTENT + b"a"
        assert seen == []

    @pytest.mark.usefixtures("upstream")
    def test_behind_the_head(self, seen: list[bytes]) -> None:
        upstream = Upstream(Recorder()).connect()
        upstream.answer(HEAD + CHUNKS)
        assert upstream.machine.received == CONTENT
        assert b"".join(seen) == HEAD

    @pytest.mark.parametrize("cut", range(1, len(chunk(EVENT))))
    def test_again_after_half_of_one(self, cut: int, upstream: Upstream, seen: list[bytes]) -> None:
        """h11 gets that chunk, if there is something of it to hand on, and not a byte more."""
        halved = chunk(EVENT)
        line = len(b"1a\r\n")
        upstream.answer(chunk(b"a") + halved[:cut])
        assert bytes(upstream.machine.received) == b"a" + halved[line:cut][: len(EVENT)], "at once"
        upstream.answer(halved[cut:] + chunk(b"b"))
        upstream.answer(chunk(b"c"))
        assert bytes(upstream.machine.received) == b"a" + EVENT + b"bc"
        assert b"".join(seen) == (halved if cut >= line else b"")


def test_a_machine_that_stops_amid_a_read_gets_no_more() -> None:
    machine = Recorder(wishes=lambda what: Want.CLOSE if what == "data" else None)
    upstream = Upstream(machine).connect()
    upstream.answer(HEAD)
    upstream.answer(b"5\r\n")
    upstream.answer(b"hello\r\n" + CHUNKS)
    assert machine.received == b"hello"
    assert machine.calls[-2:] == ["data", "closed"]


def test_a_coded_body_in_chunks() -> None:
    head = HEAD.replace(b"200 OK", b"400 Bad Request").replace(
        b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"
    )
    body = gzip.compress(b"No such model.")
    machine = Upstream(Recorder()).connect().answer(head + chunk(body[:9]) + chunk(body[9:]) + LAST)
    assert machine.received == b"No such model."
    assert machine.calls == ["connected", "response_started", "data", "eof", "lost"]
