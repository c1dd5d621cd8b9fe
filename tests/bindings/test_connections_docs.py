"""The page docs/connections.md: its calls are right in every binding, and its figures are the code's."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import sse_anyio
import sse_socket
import sse_trio
from sse_http import HandlerSettings
from sse_http.tunnel import _PASSING_STATUSES, MAX_PROXY_HEAD_BYTES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "connections.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


class Calls:
    """A binding whose ``serve`` does nothing but look at its arguments."""

    def __init__(self, binding: Any) -> None:
        self.served: list[dict[str, Any]] = []
        self._signature = inspect.signature(binding.serve)

    async def serve(self, *arguments: Any, **options: Any) -> None:
        self.served.append(self._signature.bind(*arguments, **options).arguments)


@pytest.mark.parametrize("binding", [sse_trio, sse_anyio, sse_socket])
async def test_the_calls_are_right(binding: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sse_io.CertificateFiles", lambda *paths: paths)
    calls = Calls(binding)
    names: dict[str, Any] = {
        "connect": binding.connect,  # which connects to nobody before it is entered
        "serve": calls.serve,
        "application": object(),
        "handler": object(),
        "HandlerSettings": HandlerSettings,
    }
    for block in BLOCKS:
        code = compile(block, "docs/connections.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        result = eval(code, names)  # noqa: S307  (the page is ours)
        if inspect.iscoroutine(result):
            await result
    assert [sorted(call.keys() - {"application"}) for call in calls.served] == [
        ["uds", "uds_mode"],
        ["tls"],
        ["drain", "handler_settings"],
    ]


def test_the_figures() -> None:
    statuses = sorted(_PASSING_STATUSES)
    assert f"tried again for {', '.join(map(str, statuses[:-1]))} and {statuses[-1]}" in PAGE
    assert f"bounded by {MAX_PROXY_HEAD_BYTES // 1024} KiB" in PAGE
    parameters = inspect.signature(sse_trio.serve).parameters
    assert (parameters["drain"].default, parameters["grace"].default) == (0.0, 2.0)
    assert "for `drain` seconds (0 unless you say otherwise)" in PAGE
    assert "has `grace` seconds (2) until" in PAGE
    assert f"`HandlerSettings.reconnect_after` ({HandlerSettings().reconnect_after:g} seconds)" in PAGE
    assert f"({parameters['uds_mode'].default:#o}, the server's own user" in PAGE
