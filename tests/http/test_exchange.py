"""One request and its answer, framed by nobody: what any version of HTTP puts around many of them."""

from __future__ import annotations

import ast
from pathlib import Path

import sse_http.exchange
from sse_http import Reply, Request, StreamState, no_waker
from sse_http.exchange import ServerExchange
from tests.http.support import EVENTS, OK, Mistake, Pieces, Scripted


def begun(answer: Reply | Pieces, method: str = "GET") -> ServerExchange:
    """An exchange whose head has been sent."""
    request = Request(method, "/")
    exchange = ServerExchange(Scripted(answer), request, on_error=lambda _: None)
    exchange.ask(request, 0.0, no_waker)
    head = exchange.find_head(0.0)
    assert head is not None
    exchange.begin(head.status, 0.0)
    return exchange


def test_many_at_once_each_at_its_own_pace() -> None:
    streams = [Pieces(b"%d" % number, b"end", end=StreamState.FINISHED) for number in range(3)]
    exchanges = [begun(stream) for stream in streams]
    first = [exchange.data_to_send(0.0) for exchange in exchanges]
    assert first == [b"0", b"1", b"2"]
    exchanges[1].close(1.0)
    assert [len(stream.closed) for stream in streams] == [0, 1, 0]
    for exchange in (exchanges[0], exchanges[2]):
        assert exchange.has_more
        assert exchange.data_to_send(0.0) == b"end"
        assert exchange.data_to_send(0.0) == b""
        assert exchange.state is StreamState.FINISHED
    assert [len(stream.closed) for stream in streams] == [1, 1, 1]


def test_a_whole_reply_ends_with_its_body() -> None:
    exchange = begun(OK)
    assert exchange.reply is OK
    assert (exchange.data_to_send(0.0), exchange.state) == (b"ok", StreamState.FINISHED)


def test_the_answer_to_head_ends_with_its_head() -> None:
    stream = Pieces(b"x", head=EVENTS)
    exchange = begun(stream, "HEAD")
    assert (exchange.data_to_send(0.0), exchange.state) == (b"", StreamState.FINISHED)
    assert stream.closed == [0.0]


def test_a_mistake_is_a_reply_before_the_head_and_a_cut_after_it() -> None:
    request = Request("GET", "/")
    exchange = ServerExchange(Scripted(), request, on_error=lambda _: None)
    exchange.fail(Mistake(), 0.0)
    head = exchange.find_head(0.0)
    assert head is not None
    assert head.status == 500
    exchange = begun(Pieces(b"x"))
    exchange.fail(Mistake(), 0.0)
    assert exchange.state is StreamState.ABORTED


def test_it_knows_no_framing() -> None:
    tree = ast.parse(Path(sse_http.exchange.__file__).read_text())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not {name for name in modules | names if name and "h11" in name}
