"""Dialects by name."""

from __future__ import annotations

import pytest

from sse_core import dialects


def test_these_there_are() -> None:
    assert {"anthropic", "gemini", "openai-chat", "openai-responses"} <= set(dialects.names())


@pytest.mark.parametrize("name", dialects.names())
def test_a_dialect_is_found_by_its_name(name: str) -> None:
    assert dialects.get(name).name == name
    assert dialects.get(name) is dialects.get(name)


@pytest.mark.parametrize("name", ["", "Anthropic", "no'such\n"])
def test_any_other_name_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(ValueError, match="there is " + ", ".join(dialects.names())) as caught:
        dialects.get(name)
    assert repr(name) in str(caught.value)
