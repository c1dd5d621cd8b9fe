"""The browser's side of a UI message stream, and what it sends next: npm packages, under node."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent / "node"


def read_by_browser(streams: Iterable[bytes]) -> list[dict[str, Any]]:
    """What the package makes of each stream: ``message`` (a ``UIMessage`` or null) and ``errors``.

    Skips the test where node or the package is missing.
    """
    return _run("read-ui-streams.mjs", [stream.decode() for stream in streams])


def next_requests(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a page sends next, ``ours`` and ``theirs``, in each case; ``next-requests.mjs`` says what one is.

    Skips the test where node or a package is missing.
    """
    return _run("next-requests.mjs", cases)


def _run(program: str, given: Any) -> list[dict[str, Any]]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is missing; install nodejs 20 or newer")
    if not (HERE / "node_modules" / "@ai-sdk" / "openai").is_dir():
        pytest.skip("npm packages are missing; run make setup where there is npm")
    command = [node, str(HERE / program)]
    run = subprocess.run(
        command, check=False, input=json.dumps(given), capture_output=True, text=True, timeout=50
    )
    assert run.returncode == 0, run.stderr
    results: list[dict[str, Any]] = json.loads(run.stdout)
    return results
