"""The browser's side of a UI message stream: the npm package ``ai``, under node."""

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
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is missing; install nodejs 20 or newer")
    if not (HERE / "node_modules" / "ai").is_dir():
        pytest.skip("the npm package ai is missing; run make setup where there is npm")
    sent = json.dumps([stream.decode() for stream in streams])
    program = [node, str(HERE / "read-ui-streams.mjs")]
    run = subprocess.run(program, check=False, input=sent, capture_output=True, text=True, timeout=50)
    assert run.returncode == 0, run.stderr
    results: list[dict[str, Any]] = json.loads(run.stdout)
    return results
