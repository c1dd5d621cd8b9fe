"""An error of one protocol, sent in the words of another: it means the same."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from sse_core import dialects
from sse_core.blocks import MessageStart, StreamError
from sse_core.dialects import Dialect
from sse_core.dialects.provider_errors import KINDS, PASSING_KINDS
from sse_core.headers import Headers

_OPENAI: dict[str, tuple[str, str | None]] = {
    "invalid_request": ("invalid_request_error", None),
    "authentication": ("authentication_error", None),
    "permission": ("permission_error", None),
    "billing": ("insufficient_quota", "insufficient_quota"),
    "not_found": ("not_found_error", None),
    "too_large": ("invalid_request_error", "request_too_large"),
    "rate_limit": ("rate_limit_error", "rate_limit_exceeded"),
    "overloaded": ("service_unavailable", None),
    "timeout": ("timeout", None),
    "server": ("server_error", None),
    "refusal": ("invalid_request_error", "content_filter"),
}
#: Each protocol's type and code for each kind.
WORDS: dict[str, dict[str, tuple[str, str | None]]] = {
    "anthropic": {
        "invalid_request": ("invalid_request_error", None),
        "authentication": ("authentication_error", None),
        "permission": ("permission_error", None),
        "billing": ("billing_error", None),
        "not_found": ("not_found_error", None),
        "too_large": ("request_too_large", None),
        "rate_limit": ("rate_limit_error", None),
        "overloaded": ("overloaded_error", None),
        "timeout": ("timeout_error", None),
        "server": ("api_error", None),
        "refusal": ("invalid_request_error", None),
    },
    "openai-chat": _OPENAI,
    "openai-responses": _OPENAI,
    "gemini": {
        "invalid_request": ("INVALID_ARGUMENT", None),
        "authentication": ("UNAUTHENTICATED", None),
        "permission": ("PERMISSION_DENIED", None),
        "billing": ("FAILED_PRECONDITION", None),
        "not_found": ("NOT_FOUND", None),
        "too_large": ("INVALID_ARGUMENT", None),
        "rate_limit": ("RESOURCE_EXHAUSTED", None),
        "overloaded": ("UNAVAILABLE", None),
        "timeout": ("DEADLINE_EXCEEDED", None),
        "server": ("INTERNAL", None),
        "refusal": ("INVALID_ARGUMENT", None),
    },
}
#: Words of Anthropic's that OpenAI's hosts have as well: they stay.
OF_HOSTS = {"api_error", "billing_error", "overloaded_error", "timeout_error"}
#: The kinds that a protocol has no word of its own for are invalid requests there.
WORDLESS = {"anthropic": {"refusal"}, "gemini": {"refusal", "too_large", "billing"}}


def read(dialect: Dialect, events: list[Any]) -> StreamError:
    decoder = dialect.Decoder()
    (error,) = [e for sse in events for e in decoder.receive_event(sse) if isinstance(e, StreamError)]
    return error


def came(source: Dialect, kind: str) -> StreamError:
    """An error of this kind as it comes from a provider."""
    type_, code = WORDS[source.name][kind]
    retryable = kind in PASSING_KINDS
    error = StreamError(
        type_, "m", code, retryable=retryable, retry_after=3.5, extra={"x": 1, "request_id": "r"}
    )
    return read(source, source.Encoder().send(error))


def test_every_kind_and_every_protocol_is_here() -> None:
    assert WORDS.keys() == set(dialects.names()) - {"ui-messages"}
    for words in WORDS.values():
        assert words.keys() == KINDS.keys() - {"cut"}


def kinds(error: StreamError, target: str, *, keeps_code: bool) -> set[str]:
    """What the error may mean in the other protocol.

    ``keeps_code``: nobody knows whose it is, so a type that the other protocol has too stays with its code.
    """
    if error.kind not in WORDLESS.get(target, ()):
        return {error.kind}
    return {"invalid_request", error.kind} if keeps_code and error.code else {"invalid_request"}


@pytest.mark.parametrize("in_message", [True, False], ids=["in-message", "alone"])
@pytest.mark.parametrize("kind", WORDS["anthropic"])
@pytest.mark.parametrize(("source", "target"), [*permutations(WORDS, 2)])
def test_an_error_means_the_same_in_every_protocol(
    source: str,
    target: str,
    kind: str,
    in_message: bool,  # noqa: FBT001
) -> None:
    error, dialect = came(dialects.get(source), kind), dialects.get(target)
    encoder = dialect.Encoder()
    if in_message:
        encoder.send(MessageStart("m", "c", dialect=source))
    seen = read(dialect, encoder.send(error))
    assert seen.kind in kinds(error, target, keeps_code=not in_message)
    assert (seen.message, seen.retryable, seen.retry_after) == ("m", error.retryable, 3.5)
    assert seen.extra["request_id"] == "r"
    if in_message:
        assert "x" not in seen.extra
        both = source.startswith("openai") and target.startswith("openai")
        words = WORDS[source][kind] if both else WORDS[target][error.kind]
        if target.startswith("openai") and error.type in OF_HOSTS:
            words = error.type, None
        # Where the type alone says it, it needs no code.
        assert (seen.type, seen.code) in (words, (words[0], None))


@pytest.mark.parametrize("kind", WORDS["anthropic"])
@pytest.mark.parametrize(("source", "target"), [*permutations(WORDS, 2)])
def test_as_an_answer_it_means_the_same_too(source: str, target: str, kind: str) -> None:
    error, dialect = came(dialects.get(source), kind), dialects.get(target)
    body = json.dumps(dialect.error_response(error)).encode()
    seen = dialect.parse_error(dialect.error_status(error.type), body, Headers({}))
    assert seen.kind in kinds(error, target, keeps_code=True)
    assert seen.message == "m"
