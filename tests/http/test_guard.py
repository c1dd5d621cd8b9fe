"""Host and Origin: who may talk to a server, and how one tries who may not."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from sse_core.headers import Headers
from sse_http import (
    LOOPBACK_HOSTS,
    AllowedPeers,
    Guard,
    Refused,
    Reply,
    Request,
    ServerSettings,
    Stream,
    StreamHead,
    StreamState,
)
from sse_http.guard import refuse
from tests.http.support import EVENTS, OK, Doorkeeper, Peer, Pieces, Scripted, Shaped, request


def status(
    *, host: str | None = "localhost", origin: str | None = None, allowed: AllowedPeers | None = None
) -> int:
    """What a server answers to these fields, and that only what may be served reaches the application."""
    peer = Peer(settings=ServerSettings(peers=allowed or AllowedPeers()))
    fields = {} if origin is None else {"origin": origin}
    peer.send(request(fields=fields, host=host, version="1.0" if host is None else "1.1"))
    answer = peer.answer()
    assert len(peer.requests) == (answer.status == 200)
    return answer.status


class TestHost:
    @pytest.mark.parametrize(
        "host",
        [
            "localhost",
            "localhost:80",
            "localhost:65535",
            "LOCALHOST:8080",
            "127.0.0.1",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:8080",
            "localhost:",
        ],
    )
    def test_the_readers_own_machine(self, host: str) -> None:
        assert status(host=host) == 200

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",  # DNS rebinding: a name that was made to point here
            "evil.example:8080",
            "localhost.evil.example",
            "evil-localhost",
            "localhost.",  # another name to a browser, with cookies of its own
            "127.0.0.1.nip.io",
            "127.0.0.2",
            "127.1",
            "0.0.0.0",
            "2130706433",
            "0x7f000001",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[fe80::1]",
            "192.168.1.5",
            "xn--localhst-0bb",
            "_",
        ],
    )
    def test_any_other_is_misdirected(self, host: str) -> None:
        assert status(host=host) == 421

    @pytest.mark.parametrize(
        "host",
        [
            "user@localhost",
            "localhost@evil.example",
            "localhost:80@evil.example",
            "evil.example#localhost",
            "localhost/",
            "localhost/evil",
            "localhost?",
            "localhost#",
            "localhost\\",
            "localhost evil.example",
            "localhost\tevil",
            "localhost,evil.example",
            "localhost:port",
            "localhost:-1",
            "localhost:999999",
            "localhost:80:80",
            "localhost:\u00b2",
            ":80",
            "::1",
            "[::1",
            "::1]",
            "[]",
            "[localhost]x",
            "[::1%25eth0]",
            "l\xf6calhost",
            "localhost%00",
            "http://localhost",
        ],
    )
    def test_what_is_no_host_is_no_request(self, host: str) -> None:
        """RFC 9112 section 3.2: 400 for "a Host header field with an invalid field value"."""
        assert status(host=host) == 400
        assert status(host=host, allowed=AllowedPeers(frozenset({"*"}))) == 400

    def test_none_at_all(self) -> None:
        """HTTP/1.1 has one always; HTTP/1.0 need not: no browser leaves it out, a balancer's check does."""
        peer = Peer()
        peer.send(request(host=None))
        assert peer.answer().status == 400
        for hosts in ({"*"}, {"localhost"}, {"relay.example"}):
            assert status(host=None, allowed=AllowedPeers(frozenset(hosts))) == 200
        assert status(host="") == 421

    @pytest.mark.parametrize("version", ["1.0", "1.1"])
    def test_two(self, version: str) -> None:
        for second in ("localhost", "evil.example"):
            peer = Peer()
            peer.send(request(fields={"host": second}, version=version))
            assert peer.answer().status == 400
            assert not peer.requests

    def test_another_bindings_server_may_hand_on_two(self) -> None:
        """h11 never does."""
        two = Request("GET", "/", headers=Headers([("host", "localhost"), ("host", "localhost")]))
        refused = refuse(two, AllowedPeers())
        assert refused is not None
        assert refused.answer.status == 400

    def test_names_can_be_allowed(self) -> None:
        allowed = AllowedPeers(LOOPBACK_HOSTS | {"Relay.Example", "2001:db8::1"})
        for host in ("relay.example", "RELAY.example:443", "[2001:DB8::1]", "localhost"):
            assert status(host=host, allowed=allowed) == 200
        assert status(host="other.example", allowed=allowed) == 421

    def test_every_name_can_be_allowed(self) -> None:
        assert status(host="anything.example", allowed=AllowedPeers(frozenset({"*"}))) == 200

    def test_every_address_can_be_allowed(self) -> None:
        allowed = AllowedPeers(any_address=True)
        for host in ("192.168.1.5", "10.0.0.1:8080", "[fe80::1]", "localhost"):
            assert status(host=host, allowed=allowed) == 200
        for host in ("evil.example", "192.168.1", "1.2.3.4.nip.io"):
            assert status(host=host, allowed=allowed) == 421


class TestOrigin:
    @pytest.mark.parametrize(
        ("origin", "host"),
        [
            ("http://localhost", "localhost"),
            ("http://localhost:8080", "localhost:8080"),
            ("https://localhost:8080", "localhost:8080"),  # behind a proxy that ends TLS
            ("http://LOCALHOST:8080", "localhost:8080"),
            ("http://[::1]:8080", "[::1]:8080"),
        ],
    )
    def test_a_page_of_the_same_host(self, origin: str, host: str) -> None:
        assert status(origin=origin, host=host) == 200

    def test_a_program_sends_none(self) -> None:
        assert status(origin=None) == 200

    @pytest.mark.parametrize(
        "origin",
        [
            "http://evil.example",
            "http://localhost",  # another port is another origin
            "http://localhost:8081",
            "http://127.0.0.1:8080",
            "http://localhost:8080.evil.example",
            "http://localhost:8080@evil.example",
            "http://evil.example@localhost:8080",
            "http://localhost:8080/",
            "localhost:8080",
            "//localhost:8080",
            "://localhost:8080",
            "null",  # a sandboxed frame, a file
            "",
            "*",
            "file://localhost:8080",
            "javascript://localhost:8080",
            "chrome-extension://localhost:8080",
            "http://localhost:8080, http://evil.example",
        ],
    )
    def test_a_page_of_another(self, origin: str) -> None:
        assert status(origin=origin, host="localhost:8080") == 403

    def test_several_fields_must_all_be_right(self) -> None:
        peer = Peer()
        peer.send(request(fields=[("origin", "http://localhost"), ("origin", "http://evil.example")]))
        assert peer.answer().status == 403

    @pytest.mark.parametrize(
        ("origin", "host"),
        [
            ("https://localhost", "localhost:443"),
            ("http://localhost", "localhost:80"),
            ("https://localhost:443", "localhost"),
            ("https://[::1]", "[::1]:443"),
        ],
    )
    def test_a_default_port_may_be_left_out(self, origin: str, host: str) -> None:
        assert status(origin=origin, host=host) == 200

    @pytest.mark.parametrize(
        ("origin", "host"),
        [
            ("http://localhost", "localhost:443"),
            ("https://localhost", "localhost:80"),
            ("https://localhost:80", "localhost"),
            ("https://localhost:443:443", "localhost"),
        ],
    )
    def test_another_schemes_port_may_not(self, origin: str, host: str) -> None:
        assert status(origin=origin, host=host) == 403

    def test_no_host_is_nobodys_own(self) -> None:
        for origin in ("http://", "https://"):
            assert status(origin=origin, host=None, allowed=AllowedPeers(frozenset({"*"}))) == 403

    def test_origins_can_be_allowed(self) -> None:
        allowed = AllowedPeers(origins=frozenset({"https://app.example"}))
        assert status(origin="https://app.example", allowed=allowed) == 200
        assert status(origin="http://app.example", allowed=allowed) == 403
        assert status(origin="https://app.example:444", allowed=allowed) == 403
        assert status(origin="null", allowed=AllowedPeers(origins=frozenset({"*"}))) == 200

    def test_an_allowed_origin_allows_no_host(self) -> None:
        allowed = AllowedPeers(origins=frozenset({"*"}))
        assert status(host="evil.example", origin="http://evil.example", allowed=allowed) == 421


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"host": "evil.example"}, "misdirected"),
        ({"host": "localhost", "origin": "null"}, "permission"),
        ({"host": "a b"}, "invalid_request"),
    ],
)
def test_a_refusal_says_what_to_do(fields: dict[str, str], kind: str) -> None:
    peer = Peer()
    peer.send(request(fields=fields, host=None))
    details = json.loads(peer.answer().body)
    assert (details["status"], details["kind"]) == (peer.answer().status, kind)
    assert details["detail"].endswith(".")


class TestAccess:
    """Fetch's CORS: a page of an allowed Origin can read what it gets."""

    PAGE = "https://app.example"
    NAMED = AllowedPeers(origins=frozenset({PAGE}))

    def fields(self, answer: Reply | Pieces, allowed: AllowedPeers, origin: str | None) -> dict[str, str]:
        peer = Peer(answer, settings=ServerSettings(peers=allowed))
        peer.send(request(fields={} if origin is None else {"origin": origin}))
        wanted = {"access-control-allow-origin", "vary"}
        return {name: value for name, value in peer.answer().headers if name in wanted}

    @pytest.mark.parametrize("make", [lambda: OK, lambda: Pieces(b"x", end=StreamState.FINISHED)])
    def test_an_origin_that_is_named(self, make: Callable[[], Reply | Pieces]) -> None:
        expected = {"access-control-allow-origin": self.PAGE, "vary": "origin"}
        assert self.fields(make(), self.NAMED, self.PAGE) == expected

    @pytest.mark.parametrize("origin", [None, "https://any.example"])
    def test_every_origin(self, origin: str | None) -> None:
        allowed = AllowedPeers(origins=frozenset({"*"}))
        assert self.fields(OK, allowed, origin) == {"access-control-allow-origin": "*"}

    @pytest.mark.parametrize("origin", [None, "http://localhost", "https://evil.example"])
    def test_nobody_else(self, origin: str | None) -> None:
        """And a cache must not give them, or give away, what was answered to a page of that Origin."""
        assert self.fields(OK, self.NAMED, origin) == {"vary": "origin"}

    @pytest.mark.parametrize("origin", [None, "http://localhost", "https://evil.example"])
    def test_where_no_origin_is_named(self, origin: str | None) -> None:
        assert self.fields(OK, AllowedPeers(), origin) == {}

    def test_what_the_application_says_stands(self) -> None:
        own = Reply(200, Headers({"access-control-allow-origin": "null"}))
        assert self.fields(own, self.NAMED, self.PAGE) == {"access-control-allow-origin": "null"}


class TestGuard:
    """Around any application, for a server that doesn't check by itself."""

    ALLOWED = AllowedPeers(origins=frozenset({"https://app.example"}))

    def ask(self, answer: Reply | Pieces, **fields: str) -> Reply | Stream:
        self.application = Scripted(answer)
        self.guard = Guard(self.application, self.ALLOWED)
        headers = Headers({"host": "localhost", **fields})
        return self.guard.handle(Request("GET", "/", headers=headers), 0.0)

    def test_who_may_not_call_does_not_reach_it(self) -> None:
        reply = self.ask(OK, host="evil.example")
        assert isinstance(reply, Reply)
        assert (reply.status, self.application.requests) == (421, [])
        request = Request(
            "GET", "/", headers=Headers({"host": "localhost", "origin": "https://evil.example"})
        )
        with pytest.raises(Refused) as refused:
            self.guard.check_head(request, 0.0)
        assert (refused.value.answer.status, refused.value.setting) == (403, "peers.origins")

    def test_an_application_gives_refusals_its_shape(self) -> None:
        guard = Guard(Shaped(OK), self.ALLOWED)
        reply = guard.handle(Request("GET", "/x", headers=Headers({"host": "evil.example"})), 0.0)
        assert reply == Reply(421, body=b"misdirected at /x", headers=Headers({"vary": "origin"}))

    def test_its_own_check_comes_after(self) -> None:
        guard = Guard(Doorkeeper(7), AllowedPeers())
        assert guard.check_head(Request("GET", "/", headers=Headers({"host": "localhost"})), 0.0) == 7
        assert Guard(Scripted(), AllowedPeers()).check_head(Request("GET", "/"), 0.0) is None

    def test_a_page_of_an_allowed_origin_can_read_a_reply(self) -> None:
        reply = self.ask(Reply(200, Headers({"x": "y"})), origin="https://app.example")
        assert isinstance(reply, Reply)
        assert reply.headers == Headers(
            [("x", "y"), ("access-control-allow-origin", "https://app.example"), ("vary", "origin")]
        )

    @pytest.mark.parametrize("head", [EVENTS, OK])
    def test_and_a_stream(self, head: StreamHead | Reply) -> None:
        pieces = Pieces(b"x", b"y", head=None, end=StreamState.FINISHED)
        stream = self.ask(pieces, origin="https://app.example")
        assert isinstance(stream, Stream)
        assert not stream.head
        pieces.head = head
        shown: StreamHead | Reply | None = stream.head
        assert shown
        assert shown.headers.get("access-control-allow-origin") == "https://app.example"
        woken: list[bool] = []
        stream.waker = lambda: woken.append(True)
        pieces.waker()
        stream.waker()
        assert woken == [True, True]
        assert stream.data_to_send(0.0) == b"x"
        assert (stream.state, stream.has_more) == (StreamState.OPEN, True)
        assert stream.data_to_send(0.0) == b"y"
        assert (stream.state, stream.has_more) == (StreamState.FINISHED, False)
        pieces.deadline = 3.0
        assert stream.deadline == 3.0
        stream.handle_timeout(2.0)
        stream.close(4.0)
        assert (pieces.fired, pieces.closed) == ([2.0], [4.0])

    def test_all_else_is_the_applications(self) -> None:
        self.ask(OK)
        woken: list[bool] = []
        self.guard.waker = lambda: woken.append(True)
        self.application.waker()
        self.guard.waker()
        assert woken == [True, True]
        self.application.deadline = 5.0
        assert self.guard.deadline == 5.0
        assert self.guard.upstreams() == []
        self.guard.handle_timeout(1.0)
        self.guard.close(2.0)
        assert self.application.calls == [("handle_timeout", 1.0), ("close", 2.0)]
