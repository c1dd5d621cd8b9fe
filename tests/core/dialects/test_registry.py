"""Dialects by name."""

from __future__ import annotations

import pytest

from sse_core import LocalProtocolError, dialects
from sse_core.blocks import MessageReset


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


@pytest.mark.parametrize("name", sorted(set(dialects.names()) - {"ui-messages"}))
@pytest.mark.parametrize("verbatim", [False, True])
def test_who_can_not_take_back_says_so(name: str, *, verbatim: bool) -> None:
    with pytest.raises(LocalProtocolError, match=f"{name} can't take back .*after_output='never'"):
        dialects.get(name).Encoder(verbatim=verbatim).send(MessageReset())
