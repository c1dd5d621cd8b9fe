"""The load's generator counts what comes, whichever it is; the scenarios hold, with few streams."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import load_scenarios
import pytest
from load import generator
from load.contenders import free_port
from load.generator import Readers, provider
from load.python_generator import FIRST, LAST, Tokens
from load.scripted_provider import Call, ScriptedProvider
from load.verdicts import Verdicts

ROOT = Path(__file__).parents[1]
linux = pytest.mark.skipif(sys.platform != "linux", reason="the generator and what is looked at are Linux's")
pytestmark = linux


@pytest.fixture(params=["C", "Python"] if generator.IN_C else ["Python"])
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The generator in this language."""
    language: str = request.param
    if language == "Python":
        monkeypatch.setattr(generator, "COMPILER", None)
    generator.program.cache_clear()
    yield language
    generator.program.cache_clear()


def answering(numbers: list[int], end: bytes = LAST) -> ScriptedProvider:
    """Somebody who sends tokens of these numbers."""

    def script(call: Call) -> None:
        call.take_request()
        call.sock.sendall(FIRST + b"".join(map(Tokens(pad=10).write, numbers)) + end)

    return ScriptedProvider(script)


def test_each_token_is_counted(language: str) -> None:
    with provider(200.0, events=5, pad=20) as (_, port), Readers(port) as readers:
        assert readers.churn(6, 4, 20.0).ended == 6
        report = readers.churn(20, 4, 20.0)
    assert (report.ended, report.tokens, report.open) == (20, 100, 0), language
    assert report.whole
    assert 0 < report.p50 <= report.p99 <= report.max


def test_streams_that_go_on(language: str) -> None:
    with provider(100.0) as (_, port), Readers(port) as readers:
        assert readers.add(10, 0.001).open == 10
        assert readers.wait().waiting == 0
        report = readers.run(0.5)
        assert report.whole
        assert 250 < report.tokens <= 510, language
        assert report.gap >= 10_000
        assert readers.leave().open == 0


@pytest.mark.parametrize(
    ("numbers", "lost", "disordered"),
    [([0, 1, 2], 0, 0), ([0, 2, 3, 6], 3, 0), ([0, 1, 1], 0, 1), ([1, 0], 1, 1)],
)
def test_what_is_lost_or_out_of_order(language: str, numbers: list[int], lost: int, disordered: int) -> None:
    with answering(numbers) as upstream, Readers(upstream.port) as readers:
        report = readers.churn(1, 1, 10.0)
    assert (report.tokens, report.lost, report.disordered) == (len(numbers), lost, disordered), language
    assert report.whole == (not lost and not disordered)


def test_a_stream_without_its_end(language: str) -> None:
    with answering([0, 1], b"") as upstream, Readers(upstream.port) as readers:
        report = readers.churn(1, 1, 10.0)
    assert (report.ended, report.cut) == (0, 1), language
    assert not report.whole


def test_who_is_refused(language: str) -> None:
    def refuse(call: Call) -> None:
        call.take_request()
        call.sock.sendall(b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n:no\r\n0\r\n\r\n")

    with ScriptedProvider(refuse) as upstream, Readers(upstream.port) as readers:
        report = readers.churn(1, 1, 10.0)
    assert (report.ended, report.refused) == (0, 1), language
    assert not report.whole


def test_nobody_is_there() -> None:
    readers = Readers(free_port())
    with readers, pytest.raises(EOFError, match="gone"):
        readers.add(1)


def test_a_scenario_holds() -> None:
    """As ``make load``, but one of them, with few streams, on the binding that needs nothing beside it."""
    command = [
        sys.executable,
        "bench/load_scenarios.py",
        "--quick",
        "--only",
        "sustained",
        "--binding",
        "socket",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=55, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^[1-9]\d* verdicts, 0 not met$", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(("seen", "code"), [(1.0, 0), (3.0, 1), (None, 1)])
def test_a_verdict_that_is_not_met(
    seen: float | None, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def play(binding: str, size: int, verdicts: Verdicts) -> None:
        if seen is None:
            raise EOFError(f"of {size} streams {binding} lost one")
        verdicts.at_most("what is seen", seen, 2.0, "MB")

    monkeypatch.setattr(load_scenarios, "SCENARIOS", {"made up": (play, 1000, 10)})
    monkeypatch.setattr(
        sys, "argv", ["load_scenarios.py", "--quick", "--only", "made up", "--binding", "trio"]
    )
    with pytest.raises(SystemExit) as ended:
        load_scenarios.main()
    assert ended.value.code == code
    out = capsys.readouterr().out
    assert ("FAIL made up on trio: " in out) is bool(code)
    assert ("lost one" in out) is (seen is None)
