"""The command line: what it says, what it refuses, and that it never shows a stack trace or a key."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme
from typer.testing import CliRunner, Result

from sse_core.blocks.json_structure import JSONBounds
from sse_core.lifecycle import Deadlines, RetryPolicy
from sse_http import ForwardProxy, Proxies
from sse_relay import cli
from sse_relay.cli.flags import Binding
from sse_relay.config import RelayConfig
from sse_relay.listen import Listen
from sse_relay.programs import Program

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

    def relay_program(config: RelayConfig, listen: Listen, upstream_ca: Path | None) -> Program:
        calls.append((config, listen, upstream_ca))
        yield from ()

    def launch(program: Program, **_: object) -> None:
        assert not list(program)

    monkeypatch.setattr(cli.serve, "relay_program", relay_program)
    monkeypatch.setattr(cli.serve, "launch", launch)
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


def test_a_proxy(started: list[tuple[RelayConfig, Listen, Path | None]]) -> None:
    assert invoke("serve", "--proxy", f"http://user:{SECRET}@proxy.test:3128").exit_code == 0
    ((config, _, _),) = started
    proxy = ForwardProxy.parse(f"http://user:{SECRET}@proxy.test:3128")
    assert config.proxies == Proxies(proxy, proxy)
    assert SECRET not in repr(config)
    assert str(proxy.authorization) not in repr(config)


def test_how_to_listen(started: list[tuple[RelayConfig, Listen, Path | None]], tmp_path: Path) -> None:
    path = tmp_path / "relay.sock"
    flags = ("--uds", str(path), "--uds-mode", "660", "--drain", "2.5", "--max-connections", "7")
    assert invoke("serve", *flags, "--max-total-body-bytes", "400000000").exit_code == 0
    assert invoke("serve", "--reuse-port").exit_code == 0
    (_, listen, _), (_, shared, _) = started
    arguments = listen.arguments()
    assert (arguments["uds"], arguments["uds_mode"], arguments["port"]) == (str(path), 0o660, 0)
    assert (arguments["drain"], arguments["max_connections"]) == (2.5, 7)
    assert arguments["settings"].max_total_body_bytes == 400_000_000
    assert listen.url(0) == "http+unix://" + quote(str(path), safe="")
    arguments = shared.arguments()
    assert (arguments["reuse_port"], arguments["port"], arguments["drain"]) == (True, 8080, 0.0)


def test_who_can_open_a_unix_socket_is_no_stranger(
    started: list[tuple[RelayConfig, Listen, Path | None]],
) -> None:
    assert invoke("serve", "--api-key", "x", "--host", "0.0.0.0", "--uds", "/run/x.sock").exit_code == 0
    assert len(started) == 1


# What it refuses


def test_a_password_of_a_proxy_that_is_none_is_not_shown() -> None:
    assert SECRET not in refused("serve", "--proxy", f"ftp://user:{SECRET}@proxy.test")


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
        ("serve --upstream provider.test", "--upstream: the URL"),
        ("serve --upstream http://provider.test:99999", "--upstream: the URL"),
        ("serve --upstream http://provider.test?x=1", "--upstream: a base URL"),
        ("provider --fault nonsense", "nonsense"),
        ("serve --upstream http://provider.test/v1", "leave out /v1"),
        ("serve --upstream http://provider.test/api/v1/", "leave out /v1"),
        ("serve --upstream http://provider.test/v1/messages", "leave out /v1"),
        ("serve --host http://localhost", "'--host': 'http://localhost' is neither"),
        ("serve --host a..b", "--host"),
        ("serve --allow-host http://x", "'--allow-host': 'http://x' is neither"),
        ("serve --allow-host example.org:8080", "the port"),
        ("serve --allow-host example.org/path", "the path"),
        ("serve --allow-origin x", "'--allow-origin': 'x' is not an origin"),
        ("serve --allow-origin https://example.org/", "write https://example.org"),
        ("serve --allow-origin HTTPS://Example.org:443", "write https://example.org"),
        ("serve --allow-origin ftp://example.org", "is not an origin"),
        ("serve --allow-origin https://user@example.org", "is not an origin"),
        ("serve --pass-header X-Trace:", "'--pass-header': 'X-Trace:' is not"),
        ("serve --proxy socks5://127.0.0.1", "'--proxy': a proxy's URL has to begin with http"),
        ("serve --uds /run/x.sock --reuse-port", "--reuse-port is for ports"),
        ("serve --uds-mode 888", "'--uds-mode': '888' is no file's mode"),
        ("serve --uds-mode 0x180", "is no file's mode"),
        ("serve --drain -1", "'--drain': '-1' is not a number of seconds"),
        ("serve --drain inf", "'--drain': 'inf' is not a number of seconds"),
        ("serve --max-connections 0", "--max-connections"),
        ("serve --max-total-body-bytes 1000", "--max-total-body-bytes"),
        ("serve --connect never", "'--connect': 'never' is not a number"),
        ("serve --first-byte 0", "'--first-byte': '0' is not"),
        ("serve --first-output -5", "'--first-output': '-5' is not"),
        ("serve --output-gap nan", "'--output-gap': 'nan' is not"),
        ("serve --whole inf", "'--whole': 'inf' is not"),
        ("serve --max-attempts 0", "--max-attempts"),
        ("serve --max-turns x", "--max-turns"),
        ("serve --max-client-turns 0", "--max-client-turns"),
        ("serve --max-json-depth 513", "max_json_depth must be 512 or less"),
        ("provider --tokens many", "Invalid value for --tokens: "),
        ("provider --tokens abc", "'abc' is not a whole number"),
        ("provider --rate -1", "--rate"),
        ("provider --ttft x", "--ttft"),
        ("provider --thinking x", "--thinking"),
        ("provider --fault x", "--fault"),
        ("provider --replay /no/such/file", "'/no/such/file' does not exist"),
        ("demo --port x", "--port"),
        ("no-such-command", "no-such-command"),
    ],
)
def test_what_cannot_work_is_refused_in_words(arguments: str, words: str) -> None:
    assert words in refused(*arguments.split())


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x01\xff garbage", b'{"not": "a stream"}', b"event: only\n\n", b"data: cut", b"\n" * 99],
)
def test_a_recording_that_is_none(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "recorded"
    file.write_bytes(content)
    words = refused("provider", "--replay", str(file))
    assert "--replay" in words
    assert "is not an event stream" in words


Started = list[tuple[RelayConfig, Listen, Path | None]]


def test_every_deadline_and_bound_can_be_set(started: Started) -> None:
    waits = "--connect 1 --first-byte 2.5 --refusal 3 --first-output 4 --output-gap 5 --whole 6"
    bounds = "--max-attempts 7 --max-retry-after 8 --max-turns 9 --max-client-turns 10 --max-unread-turns 11"
    json = "--max-json-items 12 --max-json-depth 13 --max-json-escapes 14"
    assert invoke("serve", *waits.split(), *bounds.split(), *json.split()).exit_code == 0
    ((config, _, _),) = started
    assert config.deadlines == Deadlines(1, 2.5, 3, 4, 5, 6)
    assert config.retry == RetryPolicy(max_attempts=7, max_retry_after=8)
    assert (config.max_turns, config.max_client_turns, config.max_unread_turns) == (9, 10, 11)
    assert config.json_bounds == JSONBounds(12, 13, 14)


def test_a_longer_wait_is_not_cut_short_by_a_default(started: Started) -> None:
    assert invoke("serve", "--first-byte", "7200").exit_code == 0
    assert invoke("serve", "--first-byte", "60").exit_code == 0
    first, second = (config.deadlines for config, _, _ in started)
    assert (first.first_byte, first.first_output, first.whole) == (7200, 7200, 7200)
    assert second == Deadlines(first_byte=60)


@pytest.mark.parametrize(
    ("flag", "value", "kept"),
    [
        ("--allow-host", "*", "*"),
        ("--allow-host", "[::1]", "::1"),
        ("--allow-host", "my_host.example.", "my_host.example."),
        ("--allow-origin", "*", "*"),
        ("--allow-origin", "http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_hosts_and_origins(started: Started, flag: str, value: str, kept: str) -> None:
    assert invoke("serve", flag, value).exit_code == 0
    ((_, listen, _),) = started
    assert kept in listen.hosts | listen.origins


WITHOUT = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocked())
sys.argv = ["sse-relay", "provider", "--host", "192.0.2.1"]
from sse_relay.__main__ import main
main()
"""


@pytest.mark.parametrize("name", ["trio", "typer", "h11"])
def test_without_the_extra_it_says_what_to_install(name: str) -> None:
    script = WITHOUT.format(blocked={name})
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"sse-relay: {name} is not installed.")
    assert "pip install '.[relay]' in a checkout" in line


def test_on_plain_sockets_nobody_needs_trio() -> None:
    script = WITHOUT.format(blocked={"trio"}).replace('192.0.2.1"', '192.0.2.1", "--binding", "socket"')
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.stderr.startswith("sse-relay: can't listen on 192.0.2.1 port 8081: ")


def test_a_mistake_of_ours_is_no_missing_extra() -> None:
    script = WITHOUT.format(blocked={"random"})
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "No module named 'random'" in result.stderr


def test_an_interrupt_while_it_is_being_loaded() -> None:
    script = re.sub(r"raise .*", "raise KeyboardInterrupt", WITHOUT.format(blocked={"trio"}))
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (130, "")


def test_an_upstream_of_the_environment_is_checked_too() -> None:
    assert "--upstream: the URL" in refused("serve", SSE_RELAY_UPSTREAM="provider.test")


@pytest.mark.parametrize("key", ["", " ", f"{SECRET}\n", f"two {SECRET}", f"{SECRET}\u00e9"])
@pytest.mark.parametrize("flag", ["--api-key", "--client-key"])
def test_a_key_that_no_header_can_carry(flag: str, key: str) -> None:
    words = refused("serve", flag, key)
    assert f"Invalid value for {flag}: a key is" in words
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


@pytest.mark.parametrize("binding", Binding)
@pytest.mark.parametrize("command", ["demo", "serve", "provider"])
def test_a_port_in_use(command: str, binding: Binding, taken_port: int) -> None:
    line = failed(command, "--port", str(taken_port), "--binding", binding)
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
    words = failed("serve", "--port", "0", *files)
    assert "can't be used" in words
    assert "--tls-key names its key" in words


def test_an_interrupt_before_it_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> Program:
        yield from ()
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.demo, "demo_program", interrupted)
    assert invoke("demo").exit_code == 130


def test_a_mistake_of_ours_shows_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack trace has its use, but the values in its frames are nobody's business."""

    def mistaken(*_: object) -> Program:
        yield from ()
        raise ZeroDivisionError

    monkeypatch.setattr(cli.serve, "relay_program", mistaken)
    assert cli.app.pretty_exceptions_enable is False
    raised = invoke("serve", "--api-key", SECRET).exception
    assert isinstance(raised, ExceptionGroup)
    assert raised.subgroup(ZeroDivisionError) is not None
