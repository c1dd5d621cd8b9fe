"""What counts as no arguments: JSON's white space, and not Python's."""

from __future__ import annotations

import json

import pytest

from sse_core.blocks.strict_json import is_blank


@pytest.mark.parametrize("text", ["", " ", " \t\r\n"])
def test_white_space_of_json_is_nothing(text: str) -> None:
    assert is_blank(text)
    assert json.loads(f"{text}1") == 1


@pytest.mark.parametrize("text", ["\xa0", "\u2028", "\x0b", "\x0c", "\x85", "0"])
def test_anything_else_is_something(text: str) -> None:
    assert not is_blank(text)
