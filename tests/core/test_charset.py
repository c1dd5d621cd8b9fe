"""Bodies that are not UTF-8 keep their words where their sender says how they are encoded."""

from __future__ import annotations

import pytest

from sse_core import dialects
from sse_core.charset import text_of
from sse_core.headers import Headers
from sse_core.lifecycle import RetryPolicy
from tests.core.lifecycle.source.source_support import connected, refuse

WORDS = "Zugriff verweigert für Müller"


def fields(content_type: str) -> Headers:
    return Headers({"content-type": content_type})


@pytest.mark.parametrize(
    ("charset", "codec", "words"),
    [
        ("iso-8859-1", "latin-1", WORDS),
        ('"ISO-8859-1"', "latin-1", WORDS),
        ("windows-1252", "cp1252", "“zu viele”"),
        ("utf-8", "utf-8", WORDS),
        ("utf-16", "utf-16", WORDS),
        ("gbk", "gbk", "余额不足"),
        ("shift_jis", "shift_jis", "残高不足"),
        ("euc-kr", "euc-kr", "잔액 부족"),
        ("big5", "big5", "餘額不足"),
    ],
)
def test_a_charset_that_is_known(charset: str, codec: str, words: str) -> None:
    assert text_of(words.encode(codec), fields(f"text/plain; charset={charset}; x=y")) == words


@pytest.mark.parametrize("charset", ["zlib", "idna", "rot13", "unicode_escape", "utf-7", "no-such", ""])
def test_no_codec_is_called_by_a_peers_word(charset: str) -> None:
    assert text_of(b"+AGE- \\u0041 \xff", fields(f"text/plain; charset={charset}")) == "+AGE- \\u0041 \ufffd"


def test_without_a_type_it_is_utf8() -> None:
    assert text_of("für".encode(), Headers()) == "für"


def test_a_refusal_of_a_turn_and_of_a_source_has_the_words() -> None:
    headers, body = fields("text/plain; charset=iso-8859-1"), WORDS.encode("latin-1")
    assert dialects.get("anthropic").parse_error(400, body, headers).message == WORDS
    source = connected(retry=RetryPolicy(max_attempts=1))
    refuse(source, 400, headers, body)
    assert getattr(source.error, "excerpt", None) == WORDS
