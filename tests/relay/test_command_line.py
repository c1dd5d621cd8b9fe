"""The command line: what it says, what it refuses, and that it never shows a stack trace or a key."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from typer.testing import CliRunner, Result

from sse_relay import cli
from sse_relay.config import RelayConfig
from sse_relay.run import Listen

SECRET = "sk-a-secret-of-the-test"


def invoke(*arguments: str, **environment: str) -> Result:
    """The command with these arguments, its output in one line, without frames and colours."""
    # Wide, so that no word is broken over two lines.
    return CliRunner().invoke(cli.app, list(arguments), env={"COLUMNS": "500", **environment})


def output(result: Result) -> str:
    return re.sub(r"[\s│╭╮╰╯─]+", " ", result.output)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[RelayConfig, Listen, Path | None]]:
    """What the relay would have been started with."""
    calls: list[tuple[RelayConfig, Listen, Path | None]] = []

    async def run_relay(config: RelayConfig, listen: Listen, upstream_ca: Path | None) -> None:
        calls.append((config, listen, upstream_ca))

    monkeypatch.setattr(cli, "run_relay", run_relay)
    return calls


# What it says


@pytest.mark.parametrize("command", [(), ("demo",), ("serve",), ("provider",)])
def test_help_has_an_example(command: tuple[str, ...]) -> None:
    result = invoke(*command, "--help")
    assert result.exit_code == 0
    assert "Example: " in result.output
    assert "[bold]" not in result.output
    assert "sse-relay " + " ".join(command or ("demo",)) in output(result)


def test_nothing_at_all_is_answered_with_help() -> None:
    assert "Usage" in invoke().output


def test_help_never_shows_what_the_environment_holds() -> None:
    keys = {"SSE_RELAY_API_KEY": SECRET, "SSE_RELAY_CLIENT_KEYS": SECRET, "SSE_PROVIDER_API_KEY": SECRET}
    for command in ("serve", "provider"):
        result = invoke(command, "--help", **keys)
        assert SECRET not in result.output
        assert "_API_KEY" in result.output


# What it takes


def test_flags(started: list[tuple[RelayConfig, Listen, Path | None]]) -> None:
    arguments = (
        "--upstream https://provider.test --api-key a --client-key b --client-key c --port 1234 --model m"
    )
    more = "--pass-header X-* --pass-header Y --allow-host example.org --allow-origin https://example.org"
    assert invoke("serve", *arguments.split(), *more.split()).exit_code == 0
    ((config, listen, _),) = started
    assert (config.upstream, config.api_key, config.model) == ("https://provider.test", "a", "m")
    assert config.client_keys == {"b", "c"}
    assert config.pass_headers == ("X-*", "Y")
    assert listen == Listen(
        "127.0.0.1", 1234, frozenset({"example.org"}), frozenset({"https://example.org"}), None, None
    )


def test_the_environment(started: list[tuple[RelayConfig, Listen, Path | None]]) -> None:
    environment = {
        "SSE_RELAY_UPSTREAM": "https://provider.test",
        "SSE_RELAY_API_KEY": "a",
        "SSE_RELAY_CLIENT_KEYS": "b c\td\n",
    }
    assert invoke("serve", **environment).exit_code == 0
    ((config, _, _),) = started
    assert (config.upstream, config.api_key) == ("https://provider.test", "a")
    assert config.client_keys == {"b", "c", "d"}


def test_flags_go_before_the_environment(started: list[tuple[RelayConfig, Listen, Path | None]]) -> None:
    environment = {"SSE_RELAY_UPSTREAM": "https://one.test", "SSE_RELAY_CLIENT_KEYS": "b"}
    invoke("serve", "--upstream", "https://two.test", "--client-key", "c", **environment)
    ((config, _, _),) = started
    assert config.upstream == "https://two.test"
    assert config.client_keys == {"c"}


def test_an_empty_environment_is_none(started: list[tuple[RelayConfig, Listen, Path | None]]) -> None:
    environment = {"SSE_RELAY_UPSTREAM": "", "SSE_RELAY_API_KEY": "", "SSE_RELAY_CLIENT_KEYS": ""}
    assert invoke("serve", **environment).exit_code == 0
    ((config, _, _),) = started
    assert config == RelayConfig("https://api.anthropic.com")


# What it refuses


def refused(*arguments: str, **environment: str) -> str:
    """The words of a refusal before anything has begun."""
    result = invoke(*arguments, **environment)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert "Usage: " in result.output
    return output(result)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("serve --port 99999", "--port"),
        ("serve --port -1", "--port"),
        ("serve --port x", "--port"),
        ("serve --no-such-flag", "--no-such-flag"),
        ("serve --tls-cert /no/such/file", "'/no/such/file' does not exist"),
        ("serve --tls-key /no/such/file", "'/no/such/file' does not exist"),
        ("serve --upstream-ca /no/such/file", "'/no/such/file' does not exist"),
        ("serve --tls-cert /", "is a directory"),
        ("serve --upstream provider.test", "upstream: the URL"),
        ("serve --upstream http://provider.test:99999", "upstream: the URL"),
        ("serve --upstream http://provider.test?x=1", "upstream: a base URL"),
        ("provider --fault nonsense", "nonsense"),
        ("provider --tokens many", "Tokens"),
        ("provider --rate -1", "Rate"),
        ("provider --replay /no/such/file", "'/no/such/file' does not exist"),
        ("demo --port x", "--port"),
        ("no-such-command", "no-such-command"),
    ],
)
def test_what_cannot_work_is_refused_in_words(arguments: str, words: str) -> None:
    assert words in refused(*arguments.split())


def test_an_upstream_of_the_environment_is_checked_too() -> None:
    assert "upstream: the URL" in refused("serve", SSE_RELAY_UPSTREAM="provider.test")


@pytest.mark.parametrize("key", ["", " ", f"{SECRET}\n", f"two {SECRET}", f"{SECRET}\u00e9"])
@pytest.mark.parametrize("flag", ["--api-key", "--client-key"])
def test_a_key_that_no_header_can_carry(flag: str, key: str) -> None:
    words = refused("serve", flag, key)
    assert flag.strip("-").replace("-", "_") in words
    assert SECRET not in words


def test_a_key_without_its_certificate(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("")
    assert "--tls-cert" in refused("serve", "--tls-key", str(key))


PUBLIC = [
    ("--host", "0.0.0.0"),
    ("--host", "::"),
    ("--host", "192.0.2.1"),
    ("--host", "example.org"),
    ("--allow-host", "example.org"),
    ("--allow-host", "*"),
]


@pytest.mark.parametrize("where", PUBLIC)
def test_an_open_relay_is_refused(where: tuple[str, str]) -> None:
    """Whoever reaches it would spend its owner's money."""
    words = refused("serve", *where, SSE_RELAY_API_KEY=SECRET)
    assert "--client-key" in words
    assert "--open" in words
    assert SECRET not in words


@pytest.mark.parametrize("where", PUBLIC)
@pytest.mark.parametrize(
    "how", [("--api-key", SECRET, "--client-key", "c"), ("--api-key", SECRET, "--open"), ()]
)
def test_but_not_when_clients_show_keys_or_its_owner_says_so(
    started: list[tuple[RelayConfig, Listen, Path | None]], where: tuple[str, str], how: tuple[str, ...]
) -> None:
    assert invoke("serve", *where, *how).exit_code == 0
    assert len(started) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost", "LOCALHOST"])
def test_nor_on_loopback(started: list[tuple[RelayConfig, Listen, Path | None]], host: str) -> None:
    assert invoke("serve", "--host", host, "--allow-host", "localhost", "--api-key", SECRET).exit_code == 0
    assert started


# What can't start


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


def failed(*arguments: str) -> str:
    """The one line of a program that could not start."""
    result = invoke(*arguments)
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert line.startswith("sse-relay: ")
    return line


@pytest.mark.parametrize("command", ["demo", "serve", "provider"])
def test_a_port_in_use(command: str, taken_port: int) -> None:
    line = failed(command, "--port", str(taken_port))
    assert line == (
        f"sse-relay: can't listen on 127.0.0.1 port {taken_port}: Address already in use. "
        "Choose another with --port."
    )


def test_an_address_that_is_not_ours() -> None:
    assert "can't listen on 192.0.2.1 port 0: " in failed("serve", "--host", "192.0.2.1", "--port", "0")


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    nonsense = tmp_path / "cert.pem"
    nonsense.write_text("nonsense")
    for flag in ("--tls-cert", "--upstream-ca"):
        assert str(nonsense) in failed("serve", "--port", "0", flag, str(nonsense))


def test_a_key_of_another_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    for name in ("one", "other"):
        issued = authority.issue_cert("localhost")
        issued.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.pem")
        issued.private_key_pem.write_to_path(tmp_path / f"{name}-key.pem")
    files = ["--tls-cert", str(tmp_path / "one.pem"), "--tls-key", str(tmp_path / "other-key.pem")]
    assert "can't be used" in failed("serve", "--port", "0", *files)


def test_an_interrupt_before_it_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "run_demo", interrupted)
    assert invoke("demo").exit_code == 130


def test_a_mistake_of_ours_shows_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack trace has its use, but the values in its frames are nobody's business."""

    async def mistaken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "run_relay", mistaken)
    assert cli.app.pretty_exceptions_enable is False
    assert isinstance(invoke("serve", "--api-key", SECRET).exception, ZeroDivisionError)
