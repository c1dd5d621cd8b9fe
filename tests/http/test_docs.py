"""The page docs/http.md: its examples run, in order, as one program, and its table is the settings'."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from sse_http import ServerSettings
from sse_http.h11_feed import MAX_BLANK_RUN, MAX_CHUNK_LINE_BYTES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "http.md").read_text("utf-8")


def test_the_examples_run() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 5
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, "docs/http.md", "exec"), names)  # noqa: S102  (the page is ours)
    refusal = names["Guarded"]().check_head(names["Request"]("GET", "/"), 0.0)
    assert refusal.status == 401
    assert names["settings"].peers.origins == {"https://app.example.org"}


@pytest.mark.parametrize(
    "field",
    [field for field in dataclasses.fields(ServerSettings) if field.name != "peers"],
    ids=lambda field: field.name,
)
def test_every_limit_is_documented(field: dataclasses.Field[Any]) -> None:
    assert f"| `{field.name}` | {field.default} |" in PAGE


def test_the_fixed_limits_are_documented() -> None:
    assert f"| `max_blank_run` (fixed) | {MAX_BLANK_RUN} |" in PAGE
    assert f"| `max_chunk_line_bytes` (fixed) | {MAX_CHUNK_LINE_BYTES} |" in PAGE
