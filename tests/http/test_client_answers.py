"""The client role: answers with an error, heads beyond a bound, peers of another protocol."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest

from sse_core.errors import TransportError
from sse_core.headers import Headers
from sse_core.lifecycle.machine import HTTPRequest, Want
from sse_http.answer_body import MAX_DECODED_BYTES, body_decoder
from tests.http.support import Recorder, Upstream

ERROR = b'{"error": {"message": "No credit."}}'
WHOLE = ["connected", "response_started", "data", "eof"]


def ask(machine: Recorder | None = None, **settings: int) -> Upstream:
    return Upstream(machine or Recorder(), **settings).connect()


def answer(
    body: bytes, *, status: int = 400, content_type: str = "application/json", coding: str = "gzip"
) -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Encoding: {coding}\r\nX: y\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class TestCodedBodies:
    @pytest.mark.parametrize("size", [1, 10_000])
    def test_an_errors_body_is_decoded(self, size: int) -> None:
        upstream = ask()
        whole = answer(gzip.compress(ERROR))
        for at in range(0, len(whole), size):
            upstream.answer(whole[at : at + size])
        machine = upstream.machine
        assert bytes(machine.received) == ERROR
        assert machine.calls[-1] == "lost"
        assert machine.calls[-2] == "eof"
        # What would describe it wrongly is left out; the rest is passed on.
        assert machine.headers == Headers([("content-type", "application/json"), ("x", "y")])

    def test_so_is_what_comes_with_200_and_is_no_stream(self) -> None:
        machine = ask().answer(answer(zlib.compress(ERROR), status=200, coding="deflate"))
        assert bytes(machine.received) == ERROR

    @pytest.mark.parametrize("coding", ["compress", "none", "gzip, gzip, gzip, gzip"])
    def test_what_can_not_be_undone_stays_as_it_is(self, coding: str) -> None:
        machine = ask().answer(answer(b"\x1f\x9d", coding=coding))
        assert bytes(machine.received) == b"\x1f\x9d"
        assert machine.headers is not None
        assert machine.headers.get("content-encoding") == coding

    def test_where_it_is_none_of_its_coding_the_status_speaks(self) -> None:
        upstream = ask()
        machine = upstream.answer(answer(b"not gzip at all"))
        assert (machine.status, bytes(machine.received)) == (400, b"")
        assert machine.calls == ["connected", "response_started", "eof", "lost"]

    def test_a_bomb_is_decoded_up_to_a_bound(self) -> None:
        machine = ask().answer(answer(gzip.compress(bytes(10 * MAX_DECODED_BYTES))))
        assert MAX_DECODED_BYTES - 2**16 <= len(machine.received) <= MAX_DECODED_BYTES
        assert "eof" in machine.calls

    def test_and_no_further_than_the_machine_reads(self) -> None:
        class Sated(Recorder):
            def receive_data(self, data: bytes, now: float) -> None:
                super().receive_data(data, now)
                self.want = Want.CLOSE

        machine = ask(Sated()).answer(answer(gzip.compress(bytes(MAX_DECODED_BYTES // 2))))
        assert len(machine.received) == 64 * 1024
        assert "eof" not in machine.calls


def flushed(coding: str, *pieces: bytes) -> list[bytes]:
    """``pieces`` in a coding, each flushed, so that it can be read as soon as it has come; then the end."""
    if coding == "br":
        brotli = pytest.importorskip("brotli").Compressor()
        parts = [brotli.process(piece) + brotli.flush() for piece in pieces]
        return [*parts, brotli.finish()]
    if coding == "zstd":
        zstandard = pytest.importorskip("zstandard")
        zstd = zstandard.ZstdCompressor().compressobj()
        block = zstandard.COMPRESSOBJ_FLUSH_BLOCK
        return [*(zstd.compress(piece) + zstd.flush(block) for piece in pieces), zstd.flush()]
    wbits = {"gzip": 31, "x-gzip": 31, "deflate": 15, "raw deflate": -15}[coding]
    deflate = zlib.compressobj(wbits=wbits)
    parts = [deflate.compress(piece) + deflate.flush(zlib.Z_SYNC_FLUSH) for piece in pieces]
    return [*parts, deflate.flush()]


def stream_head(coding: str, content_type: str = "Content-Type: text/event-stream\r\n") -> bytes:
    head = (
        f"HTTP/1.1 200 OK\r\n{content_type}Content-Encoding: {coding}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    return head.encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


EVENTS = [f"data: <{number}> zwölf\n\n".encode() for number in range(20)]


class TestCodedStreams:
    """They were asked not to compress; some do nevertheless."""

    @pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "raw deflate", "br", "zstd"])
    @pytest.mark.parametrize("size", [1, 10_000])
    def test_each_event_comes_with_its_bytes(self, coding: str, size: int) -> None:
        upstream = ask()
        machine = upstream.answer(stream_head(coding.removeprefix("raw ")))
        *parts, end = flushed(coding, *EVENTS)
        for number, part in enumerate(parts, 1):
            data = chunk(part)
            for at in range(0, len(data), size):
                upstream.answer(data[at : at + size])
            assert bytes(machine.received) == b"".join(EVENTS[:number])
        upstream.answer((chunk(end) if end else b"") + b"0\r\n\r\n")
        assert bytes(machine.received) == b"".join(EVENTS)
        assert machine.calls == [*WHOLE, "lost"]
        assert "content-encoding" not in machine.headers

    @pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
    @pytest.mark.parametrize("size", [40_000, 70_000, 1_000_000])
    def test_a_large_event_waits_for_nothing(self, coding: str, size: int) -> None:
        event = b"data: " + random.Random(1).randbytes(size // 2).hex().encode() + b"\n\n"
        machine = ask().answer(stream_head(coding) + chunk(flushed(coding, event)[0]))
        assert bytes(machine.received) == event

    def test_two_codings(self) -> None:
        inner = flushed("deflate", *EVENTS)
        machine = ask().answer(stream_head("deflate, gzip") + chunk(b"".join(flushed("gzip", *inner))))
        assert bytes(machine.received) == b"".join(EVENTS)

    def test_a_stream_may_have_no_type(self) -> None:
        part = flushed("gzip", *EVENTS)[0]
        machine = ask().answer(stream_head("gzip", "") + chunk(part))
        assert bytes(machine.received) == EVENTS[0]

    def test_it_may_be_longer_than_any_other_body(self) -> None:
        upstream = ask()
        machine = upstream.answer(stream_head("gzip"))
        for part in flushed("gzip", *(random.Random(1).randbytes(2**16) for _ in range(20))):
            upstream.answer(chunk(part))
        assert len(machine.received) == 20 * 2**16 > MAX_DECODED_BYTES
        assert machine.calls == ["connected", "response_started", "data"]

    @pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
    def test_a_bomb_ends_with_its_limit_named(self, coding: str) -> None:
        machine = ask().answer(stream_head(coding) + chunk(b"".join(flushed(coding, bytes(10_000_000)))))
        assert machine.reason == (
            "a compressed body stands for more than 256 bytes for each that came (limit: max_ratio)"
        )
        assert not machine.retryable
        assert len(machine.received) < 4_000_000

    def test_so_does_one_in_many_chunks(self) -> None:
        """What is read at once counts, however it is cut into chunks."""
        coded = b"".join(flushed("gzip", *[bytes(100_000)] * 100))
        chunks = b"".join(chunk(coded[at : at + 10]) for at in range(0, len(coded), 10))
        machine = ask().answer(stream_head("gzip") + chunks)
        assert "(limit: max_ratio)" in machine.reason
        assert len(machine.received) < 4_000_000

    @pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
    def test_a_state_that_is_sent_again_and_again_is_no_bomb(self, coding: str) -> None:
        """Some frameworks do that on purpose: what is new takes a thousandth of it."""
        state = b"data: " + random.Random(1).randbytes(20_000).hex().encode() + b"\n\n"
        upstream = ask()
        machine = upstream.answer(stream_head(coding))
        parts = flushed(coding, *[state] * 300)[:-1]
        for part in parts:
            upstream.answer(chunk(part))
        assert bytes(machine.received) == state * 300
        assert machine.calls == ["connected", "response_started", "data"]

    def test_what_is_none_of_its_coding_is_a_broken_connection(self) -> None:
        machine = ask().answer(stream_head("gzip") + chunk(b"data: plain\n\n"))
        assert machine.reason == "a body that claims to be gzip is not"

    def test_half_a_body_is_a_cut(self) -> None:
        """The message has come to its proper end, and what it holds has not."""
        part = flushed("gzip", *EVENTS)[0]
        machine = ask().answer(stream_head("gzip") + chunk(part) + b"0\r\n\r\n")
        assert bytes(machine.received) == EVENTS[0]
        assert machine.calls == ["connected", "response_started", "data", "lost"]
        assert machine.reason == "a body in gzip ends too early"

    @pytest.mark.parametrize("coding", ["compress", "gzip, compress", "br, dcb", "gzip, gzip, gzip, gzip"])
    def test_what_nobody_can_undo_is_for_the_machine_to_judge(self, coding: str) -> None:
        headers = Headers({"content-encoding": coding})
        assert body_decoder(headers, is_stream=True, decoded=frozenset({"gzip"})) is None

    @pytest.mark.parametrize(
        ("coding", "words"),
        [
            ("br", r"\(br\), .*: pip install brotli to read it$"),
            ("zstd", r"\(zstd\), .*: pip install zstandard to read it$"),
            ("gzip, br, zstd", r"\(br, zstd\), .*: pip install brotli zstandard to read it$"),
        ],
    )
    def test_a_missing_library_is_named(self, coding: str, words: str) -> None:
        headers = Headers({"content-encoding": coding})
        with pytest.raises(TransportError, match=words) as caught:
            body_decoder(headers, is_stream=True, decoded=frozenset({"gzip"}))
        assert not caught.value.retryable
        assert body_decoder(headers, is_stream=False, decoded=frozenset({"gzip"})) is None


class TestBoundsOfHeads:
    def test_informational_answers(self) -> None:
        hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        upstream = ask(max_informational=3)
        upstream.answer(hints * 3)
        assert upstream.exchange.want is Want.READ
        machine = upstream.answer(hints)
        assert "more than 3 informational answers" in machine.reason
        assert "(limit: max_informational)" in machine.reason
        assert not machine.retryable, "it would be so again"

    def test_each_attempt_has_its_own(self) -> None:
        hints = b"HTTP/1.1 103 Early Hints\r\n\r\n"
        upstream = ask(max_informational=1)
        upstream.answer(hints, end=True)
        upstream.machine.request = HTTPRequest("http://example.org/again")
        upstream.machine.want = Want.CONNECT
        upstream.connect()
        upstream.answer(hints)
        assert upstream.exchange.want is Want.READ

    def test_fields(self) -> None:
        head = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 256
        assert ask().answer(head + b"\r\n").status == 200
        machine = ask().answer(head + b"X: y\r\n\r\n")
        assert machine.status == 0
        assert "more than 256 fields (limit: max_head_fields)" in machine.reason
        assert not machine.retryable

    def test_bytes(self) -> None:
        machine = ask(max_head_bytes=100).answer(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100)
        assert "larger than 100 bytes (limit: max_head_bytes)" in machine.reason
        assert not machine.retryable


class TestOtherProtocols:
    @pytest.mark.parametrize(
        "said",
        [
            b"SSH-2.0-OpenSSH_9.6\r\n",
            b"\x15\x03\x01\x00\x02\x02\x28",
            b"HTTP/2 200\r\n",
            b"220 mail ESMTP\r\n",
        ],
    )
    @pytest.mark.parametrize("size", [1, 100])
    def test_they_are_reported_at_once(self, said: bytes, size: int) -> None:
        """Such a peer may wait for more, for as long as we wait for a head."""
        upstream = ask()
        for at in range(0, len(said), size):
            upstream.answer(said[at : at + size])
        machine = upstream.machine
        assert machine.calls == ["connected", "lost"]
        assert "is not valid HTTP/1.1" in machine.reason
        assert not machine.retryable

    def test_a_peer_that_says_nothing_may_speak_the_next_time(self) -> None:
        machine = ask().answer(b"HTTP", end=True)
        assert "closed the connection before it answered" in machine.reason
        assert machine.retryable

    def test_a_head_that_can_not_be_read_is_final(self) -> None:
        machine = ask().answer(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n")
        assert machine.reason == "the answer is not valid HTTP/1.1: bad Content-Length"
        assert not machine.retryable

    def test_a_body_that_breaks_off_is_a_cut(self) -> None:
        machine = ask().answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        assert "illegal chunk header" in machine.reason
        assert machine.retryable

    @pytest.mark.parametrize(
        "broken",
        [
            b"HTTP/1.1 200 OK\r\nx-api-key sk-secret\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nx'\": sk-secret\r\n : sk-secret\r\n\r\n",
            b"HTTP/1.1 sk-secret\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsk-secret\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxsk-secret\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: sk-secret\r\n\r\n",
        ],
    )
    def test_nothing_of_a_broken_line_is_quoted(self, broken: bytes) -> None:
        """A peer may echo a key there, and reasons end up in logs."""
        machine = ask().answer(broken)
        assert "is not valid HTTP/1.1" in machine.reason
        assert "secret" not in machine.reason


def test_a_request_that_has_become_unsendable_is_final() -> None:
    upstream = Upstream(Recorder())
    upstream.machine.request = HTTPRequest("http://example.org/", headers=Headers({"x": "\u20ac"}))
    upstream.connect()
    machine = upstream.answer(b"")
    assert "can't be sent" in machine.reason
    assert not machine.retryable
