"""The examples of docs/framing.md, run in order as one program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "framing.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def program(page: str) -> str:
    """The page's examples at the lines where they stand, so that an error points into the page."""
    lines = [""] * page.count("\n")
    for block in BLOCK.finditer(page):
        first = page[: block.start(1)].count("\n")
        code = block[1].splitlines()
        lines[first : first + len(code)] = code
    return "\n".join(lines)


def test_the_examples_run() -> None:
    source = program(PAGE.read_text(encoding="utf-8"))
    assert source.count("assert ") >= 10
    exec(compile(source, str(PAGE), "exec"), {"__name__": "framing_examples"})  # noqa: S102  (it is ours)


def test_an_example_that_is_wrong_would_fail() -> None:
    with pytest.raises(AssertionError):
        exec(program("text\n```python\nassert 1 == 2\n```\n"), {})  # noqa: S102  (as above)
