"""The examples of docs/testing.md, run in order as one program."""

from __future__ import annotations

from pathlib import Path

import sse_core.testing
from sse_core.testing import strategies
from tests.core.framing.test_docs import program

PAGE = Path(__file__).resolve().parents[3] / "docs" / "testing.md"


def test_the_examples_run() -> None:
    source = program(PAGE.read_text(encoding="utf-8"))
    assert source.count("assert ") >= 8
    exec(compile(source, str(PAGE), "exec"), {"__name__": "testing_examples"})  # noqa: S102  (it is ours)


def test_each_public_name_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    names = {*sse_core.testing.__all__, *strategies.__all__} - {"End", "Fault"}
    assert [name for name in sorted(names) if name not in text] == []
