"""Requests as a server reads them: split anywhere, smuggled, malformed, too large."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core.headers import Headers
from sse_http import ConnectionPhase, Reply, Request, ServerSettings, StreamState
from tests.http.support import Peer, Pieces, each_byte, echo, request

SMALL = ServerSettings(max_head_bytes=256, max_body_bytes=64)
CHUNKED = {"transfer-encoding": "chunked"}

CONVERSATIONS = {
    "get": request(),
    "query": request(target="/a%20b?c=d&e=?#"),
    "post": request("POST", "/v1", body=b"0123456789"),
    "chunked": request("POST", fields=CHUNKED, body=b"4\r\nabcd\r\nA;x=y\r\n0123456789\r\n0\r\nT: v\r\n\r\n"),
    "head": request("HEAD", "/file"),
    "old": request(version="1.0"),
    "close": request(fields={"connection": "close"}) + request(target="/never"),
    "pipeline": request(target="/1") + request("POST", "/2", body=b"xyz") + request("HEAD", "/3") + request(),
    "streams": request(target="/stream") * 3
    + request()
    + request(target="/stream")
    + request(target="/open"),
    "a stream to the end": request(target="/stream", version="1.0") + request(),
    "patient behind a stream": request(target="/open") + request() * 5,
    "expect": request("POST", fields={"expect": "100-continue"}, body=b"body") + request(target="/next"),
    "upgrade": request(fields={"connection": "upgrade", "upgrade": "h2c"}) + request(target="/next"),
    "good, then bad": request() + b"rubbish \x00\r\n\r\n" + request(),
    "a good HEAD, then bad": request("HEAD") + b"rubbish\r\n\r\n",
    "a bad HEAD": request("HEAD", host="evil.example"),
    "wrong host": request(host="evil.example") + request(),
    "no host": request(host=None),
    "smuggled": request(
        "POST", fields={"content-length": "3", **CHUNKED}, body=b"0\r\n\r\nGET / HTTP/1.1\r\n\r\n"
    ),
    "head at its bound": request(fields={"x": "y" * (256 - len(request(fields={"x": ""})))}),
    "head beyond its bound": request(fields={"x": "y" * (258 - len(request(fields={"x": ""})))}) + request(),
    "second head beyond its bound": request() + request(fields={"x": "y" * 230}),
    "chunk head beyond its bound": request(
        "POST", fields=CHUNKED, body=b"1;" + b"e" * 300 + b"\r\nx\r\n0\r\n\r\n"
    ),
    "trailers beyond their bound": request(
        "POST", fields=CHUNKED, body=b"0\r\nT: " + b"v" * 300 + b"\r\n\r\n"
    ),
    "declared body beyond its bound": request("POST", body=b"x" * 65) + request(),
    "undeclared body beyond its bound": request(
        "POST", fields=CHUNKED, body=b"41\r\n" + b"x" * 65 + b"\r\n0\r\n\r\n"
    ),
    "body at its bound": request("POST", body=b"x" * 64) + request(),
    "early body": request("POST", fields={"expect": "100-continue"}, body=b"x" * 64) + request(),
    "bare lines": b"GET /bare HTTP/1.1\nHost: localhost\n\n" + request(),
    "folded": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
}


_HEAD = b"GET / HTTP/1.1\nHost: localhost\n"
COSTLY = {
    "blanks before a value": _HEAD + b"x:" + b" " * 64_000 + b"\x00\n\n",
    "tabs and blanks": _HEAD + b"x:" + b"\t " * 32_000 + b"a\x00\n\n",
    "folded lines of nothing": _HEAD + b"x:\n" + b" \n" * 31_000 + b" \x00\n\n",
    "blanks that stop short": _HEAD
    + b"x:"
    + b" " * 255
    + b"a\n"
    + (b"y:" + b" " * 250 + b"\x00\n") * 200
    + b"\n",
    "a chunk's extension": request("POST", fields=CHUNKED, body=b"1;" + b" " * 64_000 + b"\n\r\n"),
    "a trailer": request("POST", fields=CHUNKED, body=b"0\r\nx:" + b" " * 64_000 + b"\x00\r\n\r\n"),
    "words": _HEAD + b"x:" + b" a" * 32_000 + b"\x00\n\n",
}


def echo_or_stream(request: Request) -> Reply | Pieces:
    if request.path == "/stream":
        return Pieces(b"one", b"two", end=StreamState.FINISHED)
    return Pieces(b"open") if request.path == "/open" else echo(request)


def converse(data: bytes, cuts: object = ()) -> tuple[bytes, list[object], ConnectionPhase]:
    peer = Peer(echo_or_stream, settings=SMALL)
    assert isinstance(cuts, (range, set, tuple))
    peer.send(data, cuts)
    assert not peer.errors
    return bytes(peer.received), list(peer.requests), peer.phase()


class TestSplits:
    """A server can't tell how its peer's bytes were cut."""

    @pytest.mark.parametrize("name", CONVERSATIONS)
    def test_byte_by_byte(self, name: str) -> None:
        data = CONVERSATIONS[name]
        assert converse(data, each_byte(data)) == converse(data)

    @pytest.mark.parametrize("name", CONVERSATIONS)
    def test_cut_in_two_anywhere(self, name: str) -> None:
        data = CONVERSATIONS[name]
        whole = converse(data)
        assert all(converse(data, {cut}) == whole for cut in range(1, len(data)))

    @given(st.sampled_from(list(CONVERSATIONS.values())), st.sets(st.integers(1, 800), max_size=12))
    def test_cut_at_random(self, data: bytes, cuts: set[int]) -> None:
        assert converse(data, cuts) == converse(data)


class TestRequest:
    def test_it_reaches_the_application_whole(self) -> None:
        peer = Peer()
        peer.send(request("POST", "/a%20b?c=d?e", {"X-Name": "v\xe9"}, b"body"))
        (served,) = peer.requests
        assert (served.method, served.path, served.query) == ("POST", "/a%20b", "c=d?e")
        assert served.headers == Headers(
            [("host", "localhost"), ("x-name", "v\xe9"), ("content-length", "4")]
        )
        assert (served.body, served.client) == (b"body", "192.0.2.7")

    def test_its_repr_shows_no_secret(self) -> None:
        """A query may hold a key (Gemini's does), and a body is private."""
        peer = Peer()
        peer.send(request("POST", "/v1?key=hunter2", {"x-api-key": "hunter2"}, b"hunter2"))
        assert "hunter2" not in repr(peer.requests)
        assert "/v1" in repr(peer.requests)

    def test_chunks_are_joined_and_trailers_dropped(self) -> None:
        peer = Peer()
        peer.send(CONVERSATIONS["chunked"])
        assert peer.requests[0].body == b"abcd0123456789"
        assert "t" not in peer.requests[0].headers

    @pytest.mark.parametrize("method", ["PATCH", "BREW", "get", "DELETE", "M-SEARCH"])
    def test_any_method_is_the_applications_business(self, method: str) -> None:
        peer = Peer()
        peer.send(request(method))
        assert peer.requests[0].method == method

    def test_bytes_beyond_ascii_stay_as_they_are(self) -> None:
        """RFC 9110 section 5.5: obs-text is opaque; here it is ISO-8859-1."""
        peer = Peer()
        peer.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + bytes(range(0x80, 0x100)) + b"\r\n\r\n")
        assert (peer.requests[0].headers.get("x") or "").encode("latin-1") == bytes(range(0x80, 0x100))

    @pytest.mark.parametrize("name", ["!#$%&'*+-.^_`|~09az", "x" * 200])
    def test_any_token_is_a_fields_name(self, name: str) -> None:
        peer = Peer()
        peer.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + name.encode() + b": v\r\n\r\n")
        assert peer.requests[0].headers.get(name) == "v"

    def test_control_characters_in_a_value_are_passed_on(self) -> None:
        """h11 lets them through (cookies hold them); none of them can forge a field."""
        peer = Peer()
        allowed = bytes(set(range(1, 0x20)) - set(b"\t\n\v\f\r"))
        peer.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a" + allowed + b"\x7fb\r\n\r\n")
        assert peer.requests[0].headers.get("x") == f"a{allowed.decode()}\x7fb"

    def test_lines_may_end_in_lf_alone(self) -> None:
        """RFC 9112 section 2.2: "a recipient MAY recognize a single LF as a line terminator"."""
        peer = Peer()
        peer.send(CONVERSATIONS["bare lines"])
        assert [request.path for request in peer.requests] == ["/bare", "/"]

    def test_a_folded_line_becomes_one_value(self) -> None:
        """RFC 9112 section 5.2: "replace each received obs-fold with one or more SP octets"."""
        peer = Peer()
        peer.send(CONVERSATIONS["folded"])
        assert peer.requests[0].headers.get("x") == "a b"


class TestTarget:
    """RFC 9112 section 3.2: the forms of a request's target."""

    @pytest.mark.parametrize(
        ("target", "path", "query"),
        [
            ("http://localhost/a?b", "/a", "b"),
            ("HTTP://LocalHost:80/a", "/a", ""),
            ("https://localhost", "/", ""),
            ("http://localhost?b", "/", "b"),
            ("http://localhost/a?http://evil.example/", "/a", "http://evil.example/"),
        ],
    )
    def test_absolute_form(self, target: str, path: str, query: str) -> None:
        peer = Peer()
        peer.send(request(target=target))
        assert [(request.path, request.query) for request in peer.requests] == [(path, query)]

    def test_the_targets_authority_stands_in_for_host(self) -> None:
        """Section 3.2.2: the server "MUST ignore the received Host header field (if any)"."""
        peer = Peer()
        peer.send(request(target="http://localhost:8080/", host="evil.example"))
        assert peer.requests[0].headers.get_all("host") == ["localhost:8080"]

    def test_no_other_host_is_smuggled_in_by_the_target(self) -> None:
        peer = Peer()
        peer.send(request(target="http://evil.example/"))
        assert peer.answer().status == 421

    @pytest.mark.parametrize(
        "target", ["http://", "http:///a", "http://?a", "http://user@localhost/", "http://[::1/"]
    )
    def test_an_authority_that_is_none(self, target: str) -> None:
        peer = Peer()
        peer.send(request(target=target))
        assert peer.answer().status == 400
        assert not peer.requests

    def test_asterisk_form_is_for_options(self) -> None:
        peer = Peer()
        peer.send(request("OPTIONS", "*"))
        assert peer.requests[0].path == "*"

    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
    @pytest.mark.parametrize(
        "target", ["*", "localhost:80", "a", "?", "ftp://localhost/", "http:/localhost/"]
    )
    def test_anything_else_is_no_target(self, method: str, target: str) -> None:
        peer = Peer()
        peer.send(request(method, target))
        assert peer.answer(method).status == 400
        assert not peer.requests

    def test_connect_asks_for_a_tunnel_and_gets_none(self) -> None:
        peer = Peer()
        peer.send(request("CONNECT", "localhost:22") + b"SSH-2.0-x\r\n")
        assert peer.answer("CONNECT").status == 501
        assert not peer.requests


class TestSmuggling:
    """What two implementations could read in two ways is read in none, and the connection ends."""

    @pytest.mark.parametrize(
        "fields",
        [
            [("content-length", "5"), ("transfer-encoding", "chunked")],
            [("transfer-encoding", "chunked"), ("content-length", "5")],
            [("content-length", "5"), ("content-length", "6")],
            [("content-length", "5, 6")],
            [("content-length", "+5")],
            [("content-length", "-5")],
            [("content-length", "0x5")],
            [("content-length", "5_0")],
            [("content-length", "")],
            [("content-length", "5 5")],
            [("content-length", "\xb2")],
            [("content-length", "9" * 30)],
            [("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
            [("transfer-encoding", "chunked"), ("transfer-encoding", "identity")],
            [("transfer-encoding", "identity")],
            [("transfer-encoding", "gzip, chunked")],
            [("transfer-encoding", "chunked, chunked")],
            [("transfer-encoding", "xchunked")],
            [("transfer-encoding", "chunked;q=1")],
        ],
    )
    def test_doubtful_framing(self, fields: list[tuple[str, str]]) -> None:
        peer = Peer()
        peer.send(request("POST", fields=fields, body=b"0\r\n\r\n" + request(target="/smuggled")))
        answer = peer.answer()
        assert answer.status in {400, 501}
        assert answer.closes
        assert not peer.requests

    @pytest.mark.parametrize(
        "line",
        [
            b"Transfer-Encoding : chunked",
            b"Transfer-Encoding\t: chunked",
            b" Transfer-Encoding: chunked",
            b"Transfer-Encoding: \x0bchunked",
            b"Transfer-Encoding: chunked\x00",
            b"Transfer\x00Encoding: chunked",
            b"Transfer-Encoding:\xa0chunked",
            b"Transfer-Encoding: chunked\rX: y",
            b"Transfer-Encoding\r\n : chunked",
            b"no colon",
            b": no name",
            b"n\xe4me: v",
        ],
    )
    def test_doubtful_lines(self, line: bytes) -> None:
        peer = Peer()
        peer.send(
            b"POST / HTTP/1.1\r\n"
            + line
            + b"\r\nHost: localhost\r\n\r\n0\r\n\r\n"
            + request(target="/smuggled")
        )
        assert peer.answer().status in {400, 501}
        assert not peer.requests

    def test_the_same_length_twice_is_one_length(self) -> None:
        """RFC 9110 section 8.6 lets a recipient take a list of the same value as that value."""
        peer = Peer()
        peer.send(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nab"
        )
        assert peer.requests[0].body == b"ab"
        assert peer.requests[0].headers.get_all("content-length") == ["2"]

    def test_a_folded_transfer_coding_is_read_as_what_it_says(self) -> None:
        peer = Peer()
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding:\r\n chunked\r\n\r\n"
        peer.send(head + b"2\r\nab\r\n0\r\n\r\n")
        assert peer.requests[0].body == b"ab"

    def test_http_1_0_knows_no_transfer_coding(self) -> None:
        """RFC 9112 section 6.1: such a message is to be treated "as if the framing is faulty"."""
        peer = Peer()
        peer.send(request("POST", fields=CHUNKED, body=b"0\r\n\r\n", version="1.0"))
        assert peer.answer().status == 400
        assert not peer.requests

    @pytest.mark.parametrize(
        "chunks",
        [
            b"2\r\nabcd0\r\n\r\n",  # CVE-2025-43859: anything was taken for the chunk's end
            b"2\r\nab\n\n0\r\n\r\n",
            b"2\r\nabXX0\r\n\r\n",
            b"2\nab\r\n0\r\n\r\n",
            b"2;\nab\r\n0\r\n\r\n",
            b"-2\r\nab\r\n0\r\n\r\n",
            b"+2\r\nab\r\n0\r\n\r\n",
            b"0x2\r\nab\r\n0\r\n\r\n",
            b" 2\r\nab\r\n0\r\n\r\n",
            b"\r\n2\r\nab\r\n0\r\n\r\n",
            b"2 x\r\nab\r\n0\r\n\r\n",
            b"g\r\nab\r\n0\r\n\r\n",
            b"\xb2\r\nab\r\n0\r\n\r\n",
            b"f" * 21 + b"\r\nab\r\n0\r\n\r\n",
            b"2\r\nab\r\n0\r\nbad trailer\r\n\r\n",
            b"2\r\nab\r\n0\r\n folded\r\n\r\n",
        ],
    )
    def test_malformed_chunks(self, chunks: bytes) -> None:
        peer = Peer()
        peer.send(request("POST", fields=CHUNKED, body=chunks + request(target="/smuggled")))
        answer = peer.answer()
        assert (answer.status, answer.closes) == (400, True)
        assert not peer.requests

    @pytest.mark.parametrize(
        "line",
        [
            b"GET  / HTTP/1.1",
            b"GET\t/ HTTP/1.1",
            b" GET / HTTP/1.1",
            b"GET / HTTP/1.1 ",
            b"GET / http/1.1",
            b"GET / HTTP/11",
            b"GET / HTTP/1.1.1",
            b"GET /\x7f HTTP/1.1",
            b"GET /\xff HTTP/1.1",
            b"GET /a b HTTP/1.1",
            b"GET /",
            b"GET",
            b"G(T / HTTP/1.1",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS, to a server that speaks none
            b"SSH-2.0-OpenSSH_9.9",
            b"",
        ],
    )
    def test_malformed_request_lines(self, line: bytes) -> None:
        peer = Peer()
        peer.send(line + b"\r\nHost: localhost\r\n\r\n" + request(target="/smuggled"))
        assert peer.answer().status == 400
        assert not peer.requests

    @pytest.mark.parametrize("version", ["2.0", "0.9", "3.0", "9.9"])
    def test_other_versions(self, version: str) -> None:
        peer = Peer(Pieces(b"x"))
        peer.send(request(version=version))
        assert peer.answer().status == 505
        assert not peer.requests

    def test_a_later_minor_version_is_answered_as_1_1(self) -> None:
        peer = Peer(Pieces(b"x"))
        peer.send(request(version="1.2"))
        assert b"transfer-encoding: chunked" in peer.received.lower()

    def test_a_refusal_of_a_head_has_no_body(self) -> None:
        peer = Peer()
        peer.send(request("HEAD", host="evil.example"))
        assert peer.received.endswith(b"\r\n\r\n")
        assert peer.answer("HEAD").status == 421

    def test_what_follows_a_head_is_none(self) -> None:
        peer = Peer()
        peer.send(request("HEAD") + b"rubbish\r\n\r\n")
        first, second = peer.answers("HEAD", "GET")
        assert (first.status, second.status) == (200, 400)
        assert b"not valid HTTP" in second.body

    def test_what_was_refused_is_not_read_on(self) -> None:
        """A body that looks like a request is none, whatever the refusal."""
        for fields in ({"content-length": "99999999"}, {"host": "evil.example"}, CHUNKED):
            peer = Peer(settings=SMALL)
            head = request("POST", fields=fields, host=None if "host" in fields else "localhost")
            peer.send(head + request(target="/smuggled") * 4)
            peer.send(request(target="/smuggled"))
            assert peer.phase() is ConnectionPhase.LINGERING
            assert len(peer.answers()) == 1
            assert not peer.requests


class TestBounds:
    def test_the_head(self) -> None:
        peer = Peer(settings=SMALL)
        peer.send(CONVERSATIONS["head at its bound"])
        assert len(peer.requests) == 1
        peer = Peer(settings=SMALL)
        peer.send(CONVERSATIONS["head beyond its bound"])
        answer = peer.answer()
        assert answer.status == 431
        assert b"limit: max_head_bytes" in answer.body
        assert answer.closes
        assert not peer.requests

    def test_a_head_that_never_ends_is_not_kept(self) -> None:
        peer = Peer()
        tracemalloc.start()
        try:
            for _ in range(200):
                peer.send(b"x" * 65_536)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peer.answer().status == 431
        assert peak < 1_000_000

    @pytest.mark.parametrize("piece", [b"1;" + b"e" * 100 + b"\r\nx\r\n", b"1\r\nx\r\n"])
    def test_an_undeclared_body(self, piece: bytes) -> None:
        peer = Peer(settings=SMALL)
        peer.send(request("POST", fields=CHUNKED) + piece * 64)
        assert not peer.received
        peer.send(piece)
        answer = peer.answer()
        assert answer.status == 413
        assert b"64 bytes (limit: max_body_bytes)" in answer.body
        assert answer.closes

    @pytest.mark.parametrize("length", ["65", "9" * 20])
    def test_a_declared_body_is_refused_before_it_comes(self, length: str) -> None:
        peer = Peer(settings=SMALL)
        peer.send(request("POST", fields={"content-length": length, "expect": "100-continue"}))
        answer = peer.answer()
        assert answer.status == 413
        assert b"limit: max_body_bytes" in answer.body
        assert b"100 Continue" not in peer.received

    @pytest.mark.parametrize("body", [b"1;" + b"e" * 300 + b"\r\nx", b"0\r\nT: " + b"v" * 300])
    def test_the_lines_around_chunks(self, body: bytes) -> None:
        peer = Peer(settings=SMALL)
        peer.send(request("POST", fields=CHUNKED, body=body))
        assert peer.answer().status == 431

    @pytest.mark.parametrize("line", [b"1;" + b"e" * 1020 + b"\r\n", b"1" + b" " * 1021 + b"\r\n"])
    def test_a_line_between_chunks_by_default(self, line: bytes) -> None:
        assert len(line) == 1024
        peer = Peer()
        peer.send(request("POST", fields=CHUNKED, body=line + b"x\r\n0\r\n\r\n"))
        assert peer.requests[0].body == b"x"
        for cuts in ((), range(2000)):
            peer = Peer()
            peer.send(request("POST", fields=CHUNKED, body=line[:2] + b"  " + line[2:]), cuts)
            answer = peer.answer()
            assert answer.status == 400
            assert b"limit: max_chunk_line_bytes" in answer.body

    @pytest.mark.parametrize("blanks", [b" ", b"\t", b" \t", b" \r\n", b" \n"])
    def test_blanks_in_a_row(self, blanks: bytes) -> None:
        """Some are harmless; many would cost h11 a time that is quadratic in their number."""
        for size, status in ((250, 200), (300, 400)):
            data = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a" + (blanks * 300)[:size].rstrip(b"\r\n")
            data += b"b\r\n\r\n"
            for cuts in ((), each_byte(data)):
                peer = Peer()
                peer.send(data, cuts)
                assert peer.answer().status == status
                assert (b"limit: max_blank_run" in peer.answer().body) == (status == 400)

    @pytest.mark.parametrize(("blanks", "status"), [(256, 200), (257, 400)])
    def test_the_bound_on_blanks_is_exact(self, blanks: int, status: int) -> None:
        for fields in ({"x": "a" + " " * blanks + "b"}, {"x": "a", "y": "b" + "\t" * blanks + "c"}):
            data = request(fields=fields)
            for cuts in ((), each_byte(data), {len(data) - 100}):
                peer = Peer()
                peer.send(data + request(), cuts)
                assert peer.answers()[0].status == status

    def test_blanks_in_a_body_are_nobodys_business(self) -> None:
        body = b" " * 5000 + b"\n" * 5000
        data = request("POST", body=body) + request("POST", body=body)
        for cuts in ((), range(0, len(data), 3)):
            peer = Peer()
            peer.send(data, cuts)
            assert [request.body for request in peer.requests] == [body, body]

    @pytest.mark.parametrize("name", COSTLY)
    @pytest.mark.untraced
    def test_hostile_lines_cost_linear_time(self, name: str) -> None:
        """Each took seconds before runs of blanks were bounded; all of these take milliseconds."""
        peer = Peer(settings=ServerSettings(max_head_fields=1000))
        start = time.process_time()
        peer.send(COSTLY[name])
        assert time.process_time() - start < 0.5
        assert peer.answer().status == 400

    @pytest.mark.untraced
    def test_a_body_of_tiny_chunks_takes_no_more_memory_than_its_bytes(self) -> None:
        """The lesson of CVE-2025-69229: a chunk of two bytes must not cost fifty."""
        peer = Peer()
        peer.send(request("POST", fields=CHUNKED))
        piece = b"2\r\nab\r\n" * 1000
        tracemalloc.start()
        try:
            for _ in range(50):
                peer.send(piece)
            size, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert size < 3 * 100_000
        peer.send(b"0\r\n\r\n")
        assert peer.requests[0].body == b"ab" * 50_000

    def test_a_body_is_not_kept_while_the_answer_runs(self) -> None:
        peer = Peer(Pieces(b"x"))
        tracemalloc.start()
        try:
            peer.send(request("POST", body=b"x" * 900_000), range(0, 900_000, 50_000))
            peer.requests.clear()
            size, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert size < 200_000


class TestContinue:
    def test_it_is_sent_before_the_body_comes(self) -> None:
        peer = Peer()
        peer.send(request("POST", fields={"expect": "100-Continue", "content-length": "4"}))
        assert bytes(peer.received).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert not peer.requests
        peer.send(b"body")
        assert peer.requests[0].body == b"body"
        assert peer.answer().body == b"POST / body"

    def test_a_body_that_does_not_wait_is_read_too(self) -> None:
        peer = Peer()
        peer.reads = False
        peer.send(request("POST", fields={"expect": "100-continue"}, body=b"body"))
        assert not peer.requests
        peer.pull()
        assert peer.answer().body == b"POST / body"

    def test_http_1_0_gets_no_100(self) -> None:
        """RFC 9110 section 10.1.1: in an HTTP/1.0 request it "MUST" be ignored."""
        peer = Peer()
        peer.send(request("POST", fields={"expect": "100-continue", "content-length": "1"}, version="1.0"))
        assert not peer.received

    def test_another_expectation_is_ignored(self) -> None:
        peer = Peer()
        peer.send(request(fields={"expect": "miracles"}))
        assert peer.answer().status == 200


@pytest.mark.parametrize("text", ["hunter2", "<script>"])
def test_a_refusal_repeats_nothing_of_the_request(text: str) -> None:
    raw = text.encode()
    for data in (
        request(host=f"{text}.example"),
        request(fields={"origin": f"https://{text}.example"}),
        request(target=text),
        raw + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + raw + b"\r\n\r\n",
        request("POST", fields=CHUNKED, body=raw + b"\r\n"),
        request("POST", fields={"content-length": text}),
        request("POST", fields={"transfer-encoding": text}),
    ):
        peer = Peer()
        peer.send(data)
        assert raw not in peer.received
        assert peer.answer().status >= 400


MANY_FIELDS = b"".join(b"x%d: y\r\n" % number for number in range(200))
WRONG_LINES = {
    "a byte that no head begins with": b"\x16\x03 / HTTP/1.1\r\n",
    "a blank": b" GET / HTTP/1.1\r\n",
    "no version": b"GET / \r\n",
    "a bare LF": b"GET / HTTP/1.1\n",
}


class TestManyThingsWrong:
    """Which of them the peer learns of does not hang on how the network cut its bytes."""

    @pytest.mark.parametrize("name", WRONG_LINES)
    @pytest.mark.parametrize(
        "fields", [b"", MANY_FIELDS, b"a: b" + b" " * 300 + b"\r\n", b"a: b\r\n" + b" c\r\n" * 50]
    )
    @pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\n\r\n"])
    def test_the_same_answer(self, name: str, fields: bytes, end: bytes) -> None:
        data = WRONG_LINES[name] + b"host: localhost\r\n" + fields + end + b"  \t  " * 100
        statuses = set()
        for cuts in ([], each_byte(data), [1], [len(data) // 2], [len(data) - len(end) - 1]):
            peer = Peer()
            peer.send(data, cuts)
            statuses.add(tuple((answer.status, answer.body) for answer in peer.answers()))
        assert len(statuses) == 1, statuses
