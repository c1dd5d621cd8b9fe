"""Dialects by name."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from sse_core import LocalProtocolError, dialects
from sse_core.blocks import MessageReset
from sse_core.blocks.stop_reasons import MEANINGS

FOLDER = Path(dialects.__file__).parent


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


@pytest.mark.parametrize(
    ("name", "path", "credential"),
    [
        ("anthropic", "/v1/messages", ("x-api-key", "k")),
        ("openai-chat", "/v1/chat/completions", ("authorization", "Bearer k")),
        ("openai-responses", "/v1/responses", ("authorization", "Bearer k")),
        ("gemini", "/v1beta/models/{model}:streamGenerateContent?alt=sse", ("x-goog-api-key", "k")),
        ("ui-messages", "/api/chat", None),
    ],
)
def test_a_dialect_says_where_a_request_goes_and_where_its_key_stands(
    name: str, path: str, credential: tuple[str, str] | None
) -> None:
    dialect = dialects.get(name)
    assert dialect.request_path == path
    assert (dialect.credential and dialect.credential.field("k")) == credential


def test_the_clients_of_one_dialect_cannot_take_comments() -> None:
    assert [name for name in dialects.names() if not dialects.get(name).comments_are_safe] == ["gemini"]


@pytest.mark.parametrize("name", dialects.names())
def test_no_dialect_knows_another_by_name(name: str) -> None:
    """UI messages have fields that are named after the providers: one module there maps them."""
    others = set(dialects.names()) - {name}
    own = FOLDER / name.replace("-", "_")
    modules = [path for path in own.glob("*.py") if path.name != "origins.py"]
    assert len(modules) > 5
    named = {
        f"{path.name}: {node.value}"
        for path in modules
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value in others
    }
    assert named <= {"anthropic_origin.py: anthropic"}  # the field's name, which the AI SDK chose


def test_no_stop_word_has_two_meanings() -> None:
    """Why one table is enough for all protocols."""
    words = [word for meaning in MEANINGS.values() for word in meaning]
    assert len(words) == len(set(words))
