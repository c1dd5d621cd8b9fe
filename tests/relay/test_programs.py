"""The programs as processes: how they end, TLS on both sides, recorded streams, keys that stay secret."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import trustme

from sse_core import EventStreamDecoder
from sse_relay.cli.flags import Binding
from tests.bindings.proxy_peer import ProxyPeer, RunningProxy
from tests.relay.e2e.support import QUESTION, Answer, Program, wait_for
from tests.relay.support import WHOLE, encoded


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The address of a provider that answers for a long time."""
    with Program("provider", "--port", "0", "--ttft", "0", "--tokens", "100000", "--rate", "50") as program:
        yield program.address()


def ask(base: str, **headers: str) -> Answer:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer("POST", base, "/v1/messages", fields, json.dumps(QUESTION).encode())


# How they end


@pytest.mark.parametrize("binding", Binding)
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("wishes", [(), ("cancel", "detach=60", "drain=60")], ids=["idle", "busy"])
def test_a_signal_ends_the_relay_and_every_turn(
    provider: str, sent: signal.Signals, wishes: tuple[str, ...], binding: Binding
) -> None:
    with Program("serve", "--port", "0", "--upstream", provider, "--binding", binding) as relay:
        base = relay.address()
        answers = [ask(base, Turn_On_Disconnect=wish) for wish in wishes]
        for answer in answers:
            list(islice(answer.visible(), 3))
        for answer in answers[1:]:
            # Its turn goes on without it.
            answer.close()
        relay.process.send_signal(sent)
        assert relay.process.wait(60) in {0, 130}
        for answer in answers:
            line = relay.wait_for_log(f"turn={answer.headers['turn-id']} ")
            assert "outcome=stopped" in line
        assert wait_for(lambda: sum("turn=" in line for line in relay.log) == len(answers))
        assert not [line for line in relay.log if "Traceback" in line or "ERROR" in line]
        for answer in answers:
            answer.close()


@pytest.mark.parametrize("binding", Binding)
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", ["demo", "provider"])
def test_a_signal_ends_the_others_too(command: str, sent: signal.Signals, binding: Binding) -> None:
    with Program(command, "--port", "0", "--binding", binding) as program:
        program.address()
        program.process.send_signal(sent)
        assert program.process.wait(60) in {0, 130}
        assert not [line for line in program.log if "Traceback" in line]


def test_a_relay_that_gets_the_signal_stops_its_provider(provider: str) -> None:
    with Program("serve", "--port", "0", "--upstream", provider) as relay:
        answer = ask(relay.address(), Turn_On_Disconnect="detach=60")
        list(islice(answer.visible(), 3))
        answer.close()
        relay.process.terminate()
        relay.process.wait(5)
    with closing(Answer("GET", provider, "/sim/generations")) as listed:
        assert listed.json()[-1]["state"] == "aborted"


@pytest.mark.parametrize("binding", Binding)
def test_turns_go_on_while_the_relay_drains(binding: Binding) -> None:
    brief = ("--tokens", "40", "--rate", "40", "--ttft", "0")
    with Program("provider", "--port", "0", *brief) as provider:
        flags = ("--upstream", provider.address(), "--drain", "60", "--binding", binding)
        with Program("serve", "--port", "0", *flags) as relay:
            answer = ask(relay.address())
            list(islice(answer.visible(), 3))
            relay.process.terminate()
            assert relay.process.wait(20) == 0, "it is over with the last turn"
            line = relay.wait_for_log(f"turn={answer.headers['turn-id']} ")
            assert "outcome=completed" in line
            answer.close()


@pytest.mark.parametrize("binding", Binding)
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(provider: str, sent: signal.Signals, binding: Binding) -> None:
    flags = ("--upstream", provider, "--drain", "600", "--binding", binding)
    with Program("serve", "--port", "0", *flags) as relay:
        base = relay.address()
        answer = ask(base)
        list(islice(answer.visible(), 3))
        relay.process.send_signal(sent)
        assert wait_for(lambda: not _accepts(base))
        assert relay.process.poll() is None, "it drains"
        relay.process.send_signal(sent)
        relay.process.wait(5)
        answer.close()


def _accepts(base: str) -> bool:
    parts = urlsplit(base)
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize("binding", Binding)
def test_a_new_relay_takes_over_from_one_that_drains(provider: str, binding: Binding) -> None:
    shared = ("--upstream", provider, "--reuse-port", "--drain", "600", "--binding", binding)
    with Program("serve", "--port", "0", *shared) as old:
        base = old.address()
        answer = ask(base)
        with Program("serve", "--port", base.rpartition(":")[2], *shared) as new:
            assert new.address() == base
            events = answer.visible()
            list(islice(events, 3))
            old.process.terminate()
            old_is_out = wait_for(lambda: all(_served_by(new, base) for _ in range(5)))
            assert old_is_out
            list(islice(events, 3))  # what the old one has begun goes on
            answer.close()
            assert old.process.wait(20) == 0


def _served_by(relay: Program, base: str) -> bool:
    """Whether a turn that begins now is this relay's."""
    try:
        answer = ask(base)
    except ConnectionError:  # in the very moment in which the old one leaves: the kernel resets it
        return False
    list(islice(answer.visible(), 1))
    answer.close()
    turn = answer.headers["turn-id"]
    return bool(wait_for(lambda: any(f"turn={turn} " in line for line in relay.log), 1.0))


@pytest.mark.parametrize("binding", Binding)
def test_the_relay_at_a_unix_socket(provider: str, tmp_path: Path, binding: Binding) -> None:
    path = tmp_path / "relay.sock"
    flags = ("--upstream", provider, "--uds", str(path), "--uds-mode", "660", "--binding", binding)
    with Program("serve", *flags) as relay:
        assert relay.address(r"(http\+unix://\S+?)/?$") == "http+unix://" + quote(str(path), safe="")
        assert path.stat().st_mode & 0o777 == 0o660
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(path))
            client.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert not path.exists()


def test_a_unix_socket_that_is_in_use(tmp_path: Path) -> None:
    path = tmp_path / "relay.sock"
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(str(path))
        taken.listen()
        with Program("serve", "--uds", str(path)) as relay:
            assert relay.process.wait(20) == 1
            relay.wait_for_log(f"can't listen at {path}: Address already in use")


# TLS


class Certificates:
    """An authority, and the files of one certificate for localhost."""

    def __init__(self, folder: Path) -> None:
        self.authority = folder / "ca.pem"
        self.certificate = folder / "cert.pem"
        self.key = folder / "key.pem"
        authority = trustme.CA()
        issued = authority.issue_cert("localhost", "127.0.0.1")
        authority.cert_pem.write_to_path(self.authority)
        issued.private_key_pem.write_to_path(self.key)
        for blob in issued.cert_chain_pems:
            blob.write_to_path(self.certificate, append=True)


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


def serve_tls(certificates: Certificates, upstream: str, *more: str) -> Program:
    files = ("--tls-cert", str(certificates.certificate), "--tls-key", str(certificates.key))
    return Program("serve", "--port", "0", "--upstream", upstream, *files, *more)


def test_https_on_both_sides(provider: str, certificates: Certificates) -> None:
    """A relay before a relay: the one behind has the certificate that the one before has to trust."""
    trust = ("--upstream-ca", str(certificates.authority))
    with serve_tls(certificates, provider) as behind:
        address = behind.address(r"(https://\S+?)/?$")
        with serve_tls(certificates, address, *trust) as before:
            port = int(before.address(r"(https://\S+?)/?$").rpartition(":")[2])
            context = ssl.create_default_context(cafile=str(certificates.authority))
            connection = http.client.HTTPSConnection("localhost", port, timeout=10, context=context)
            with closing(connection):
                connection.request("POST", "/v1/messages", json.dumps(QUESTION))
                response = connection.getresponse()
                assert response.status == 200
                decoder = EventStreamDecoder()
                kinds: list[str] = []
                while kinds.count("content_block_delta") < 5:
                    kinds += [event.type for event in decoder.receive_data(response.read1())]
                response.close()
            assert kinds[0] == "message_start"
            # Who leaves by TLS has left.
            assert "outcome=stopped" in before.wait_for_log("turn=")
            assert "outcome=stopped" in behind.wait_for_log("turn=")


def test_a_certificate_that_is_not_trusted_is_reported(provider: str, certificates: Certificates) -> None:
    with serve_tls(certificates, provider) as behind:
        address = behind.address(r"(https://\S+?)/?$")
        with Program("serve", "--port", "0", "--upstream", address) as before:
            body = json.dumps({**QUESTION, "stream": False}).encode()
            with closing(Answer("POST", before.address(), "/v1/messages", {}, body)) as answer:
                assert answer.status == 502
                assert "certificate" in answer.json()["error"]["message"]


def test_who_speaks_http_to_https_does_no_harm(provider: str, certificates: Certificates) -> None:
    with serve_tls(certificates, provider) as relay:
        port = int(relay.address(r"(https://\S+?)/?$").rpartition(":")[2])
        with pytest.raises((OSError, http.client.HTTPException)):
            Answer("GET", f"http://127.0.0.1:{port}", "/healthz")
        context = ssl.create_default_context(cafile=str(certificates.authority))
        connection = http.client.HTTPSConnection("localhost", port, timeout=10, context=context)
        with closing(connection):
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
        assert not [line for line in relay.log if "Traceback" in line]


# Recorded streams


def test_a_recorded_stream_comes_through_event_by_event(tmp_path: Path) -> None:
    recorded = tmp_path / "recorded.txt"
    recorded.write_bytes(encoded(WHOLE))
    with (
        Program("provider", "--port", "0", "--replay", str(recorded), "--ttft", "0") as behind,
        Program("serve", "--port", "0", "--upstream", behind.address()) as relay,
        closing(ask(relay.address())) as answer,
    ):
        events = list(answer.events())
    assert [json.loads(event.data) for event in events] == WHOLE


# Keys


def test_keys_by_the_environment_and_no_key_in_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSE_PROVIDER_API_KEY", "sk-secret-of-the-provider")
    with Program("provider", "--port", "0", "--ttft", "0", "--tokens", "3", "--verbose") as behind:
        monkeypatch.setenv("SSE_RELAY_UPSTREAM", behind.address())
        monkeypatch.setenv("SSE_RELAY_API_KEY", "sk-secret-of-the-provider")
        monkeypatch.setenv("SSE_RELAY_CLIENT_KEYS", "ck-secret-one ck-secret-two")
        with Program("serve", "--port", "0", "--verbose") as relay:
            base = relay.address()
            for key, status in (("ck-secret-one", 200), ("ck-secret-two", 200), ("ck-secret-three", 401)):
                with closing(ask(base, X_Api_Key=key)) as answer:
                    assert answer.status == status
                    seen = answer.response.read()
                    assert b"secret" not in seen
            assert wait_for(lambda: sum("outcome=completed" in line for line in relay.log) == 2)
            assert not [line for line in (*relay.log, *behind.log) if "secret" in line]


def test_what_a_log_line_begins_with(provider: str) -> None:
    with Program("serve", "--port", "0", "--upstream", provider, "--verbose") as relay:
        base = relay.address()
        with closing(ask(base)) as answer:
            list(islice(answer.visible(), 1))
        line = wait_for(lambda: next((line for line in relay.log if "turn=" in line), ""))
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO sse_relay turn=", line)


# By a forward proxy


class _At:
    """Where the proxy passes everything on to."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url
        self.address = (str(parts.hostname), int(parts.port or 0))


@pytest.mark.parametrize("by", ["flag", "environment"])
def test_the_provider_is_reached_by_a_proxy(provider: str, by: str) -> None:
    """Its name is the proxy's to look up: nobody else knows ``localhost`` with that port."""
    proxy = RunningProxy(ProxyPeer(credentials="user:hunter2@"), {"server": _At(provider)})
    arguments = ["--proxy", proxy.url] if by == "flag" else []
    environment = {"http_proxy": proxy.url, "no_proxy": "direct.test"} if by == "environment" else {}
    upstream = "http://127.0.0.1:1" if by == "flag" else "http://192.0.2.1:1"
    with (
        closing(proxy),
        Program("serve", "--port", "0", "--upstream", upstream, *arguments, **environment) as relay,
    ):
        answer = ask(relay.address())
        if by == "flag":
            assert list(islice(answer.visible(), 3))
        answer.close()
    assert proxy.heads[0].startswith(f"POST {upstream}/v1/messages HTTP/1.1\r\n".encode())
    assert b"\r\nproxy-authorization: Basic dXNlcjpodW50ZXIy\r\n" in proxy.heads[0]
    assert not [line for line in relay.log if "hunter2" in line or "dXNlcjp" in line]


def test_a_proxy_of_the_environment_that_is_none() -> None:
    with Program("serve", "--port", "0", https_proxy="socks5://user:hunter2@127.0.0.1") as relay:
        assert relay.process.wait(20) == 1
        line = relay.wait_for_log("sse-relay: ")
    assert "https_proxy of the environment: a proxy's URL has to begin with http" in line
    assert "hunter2" not in line
