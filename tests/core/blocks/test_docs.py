"""The page docs/partial-json.md: its examples run, its tables say what is so."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

from sse_core import JSONFragments

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "partial-json.md").read_text("utf-8")
#: The rows that show a text and what is known of it.
KNOWN = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| [^|]+ \|$", PAGE, re.MULTILINE)


def test_the_examples_run() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 5
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, "docs/partial-json.md", "exec"), names)  # noqa: S102  (the page is ours)


def test_the_table_of_what_is_known_was_found() -> None:
    assert len(KNOWN) == 7


@pytest.mark.parametrize(("text", "known"), KNOWN)
def test_what_the_page_says_is_known_is_known(text: str, known: str) -> None:
    reader = JSONFragments()
    reader.receive(text)
    assert reader.value == json.loads(known)


def test_every_bound_is_documented() -> None:
    parameters = inspect.signature(JSONFragments).parameters
    bounds = {name: parameter.default for name, parameter in parameters.items() if name.startswith("max_")}
    assert len(bounds) == 3
    for name, default in bounds.items():
        assert f"| `{name}` | {default} |" in PAGE
