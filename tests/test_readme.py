"""What the README shows works when it is pasted."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.relay.e2e.support import House, Program

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_a_request_from_python() -> None:
    with Program("demo", "--port", "0") as demo:
        code = PYTHON[0].replace("http://127.0.0.1:8080", demo.address())
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
        )
    assert "Hello!" in done.stdout
    assert re.search(r"first token after \d\.\d\d s", done.stdout)


def test_a_request_that_nobody_answers_says_why() -> None:
    code = PYTHON[0].replace("127.0.0.1:8080", f"127.0.0.1:{free_port()}")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert "TypeError" not in done.stderr
    assert re.search(r"TurnError: .*127\.0\.0\.1:\d+ could not be made: Connection refused", done.stderr)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_embedding_the_core() -> None:
    with Program("provider", "--port", "0", "--ttft", "0", "--rate", "0") as provider:
        upstream = provider.address()
        with closing(House(upstream, upstream, provider).ask(Sim_Tool="1")) as answer:
            data = answer.response.read()
    namespace: dict[str, Any] = {}
    exec(PYTHON[1], namespace)  # noqa: S102  (the README's own code is what is tested)
    message = namespace["read_message"](data[start : start + 1] for start in range(len(data)))
    assert message.completeness == "complete"
    assert message.text.startswith("You asked")
    assert len(message.executable_tools) == 1
    cut = namespace["read_message"]([data[:-100]])
    assert cut.completeness == "truncated"
    assert not cut.executable_tools


@pytest.mark.parametrize("target", ["demo", "test", "check", "bench", "fuzz", "docs"])
def test_the_make_targets_it_names_exist(target: str) -> None:
    """`make -n` prints what a target would run, and fails for one that isn't there."""
    done = subprocess.run(
        ["make", "-n", target], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_file_it_points_to_exists() -> None:
    found = re.findall(r'\]\(([^)]+)\)|(?:src|srcset)="([^"]+)"', README)
    targets = [target for target in map("".join, found) if "://" not in target]
    missing = [target for target in targets if not (ROOT / target).exists()]
    assert len(targets) > 10
    assert not missing
