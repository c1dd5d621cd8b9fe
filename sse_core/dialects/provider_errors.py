"""What the errors of all providers have in common: their bounds, what headers say, and our own for cuts.

This side tells of a message that was cut in the provider's own form of an error.  ``outcome``
(``truncated``, ``stopped``, ``failed``) is our own field: what became of the message.
"""

from __future__ import annotations

from ..blocks.events import ErrorKind, StreamError
from ..blocks.strict_json import JSONObject
from ..headers import Headers

MAX_TYPE = 100  #: characters of an error's type that are kept
MAX_MESSAGE = 2000  #: characters of an error's message that are kept

#: The statuses below 500 that the providers' own clients ask again after.
RETRYABLE_STATUSES = frozenset({408, 409, 429})
#: Our error types: the HTTP status code, and whether the same request may succeed later.  410 for a
#: stopped turn: after 408, 409, 429 and 5xx the providers' clients ask again on their own, and would
#: undo the stop.
TYPES_OF_CUTS = {
    "stream_truncated": (502, True),
    "turn_stopped": (410, False),
    "turn_failed": (502, False),
}
#: completeness -> the type and message of the error that tells of the cut
CUTS = {
    "truncated": ("stream_truncated", "The stream ended before the message was complete."),
    "stopped": ("turn_stopped", "The turn was stopped before the message was complete."),
    "failed": ("turn_failed", "The turn failed before the message was complete."),
}
#: The types and codes of all providers, by what they mean.
KINDS: dict[ErrorKind, tuple[str, ...]] = {
    "invalid_request": (
        "invalid_request_error",
        "tool_use_failed",
        "context_length_exceeded",
        "invalid_prompt",
        "INVALID_ARGUMENT",
        "FAILED_PRECONDITION",
        "OUT_OF_RANGE",
        "ALREADY_EXISTS",
        "UNIMPLEMENTED",
    ),
    "authentication": ("authentication_error", "invalid_api_key", "UNAUTHENTICATED"),
    "permission": ("permission_error", "PERMISSION_DENIED"),
    "billing": ("billing_error", "insufficient_quota", "credit_balance_exhausted"),
    "not_found": ("not_found_error", "model_not_found", "NOT_FOUND"),
    "too_large": ("request_too_large",),
    "rate_limit": (
        "rate_limit_error",
        "rate_limit_exceeded",
        "requests",
        "tokens",
        "too_many_requests",
        "RESOURCE_EXHAUSTED",
    ),
    "overloaded": ("overloaded_error", "service_unavailable", "slow_down", "UNAVAILABLE"),
    "timeout": ("timeout", "timeout_error", "DEADLINE_EXCEEDED"),
    "server": ("api_error", "server_error", "internal_error", "INTERNAL", "UNKNOWN", "ABORTED", "DATA_LOSS"),
    "refusal": ("content_filter", "content_policy_violation", "PROHIBITED_CONTENT"),
    "cut": tuple(TYPES_OF_CUTS),
}
_KIND_OF = {word: kind for kind, words in KINDS.items() for word in words}
_KIND_OF_STATUS: dict[int, ErrorKind] = {
    400: "invalid_request",
    401: "authentication",
    402: "billing",
    403: "permission",
    404: "not_found",
    408: "timeout",
    409: "overloaded",  # a lock that another request holds
    413: "too_large",
    422: "invalid_request",
    429: "rate_limit",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
#: The kinds after which the same request may succeed.
PASSING_KINDS: frozenset[ErrorKind] = frozenset({"rate_limit", "overloaded", "timeout", "server"})
#: Fields that stand beside the error object, not in it.
BESIDE = frozenset({"request_id", "outcome"})


def beside(fields: JSONObject) -> JSONObject:
    """Those of ``fields`` that stand beside the error object."""
    return {name: fields[name] for name in sorted(BESIDE) if name in fields}


def error_without_object(status: int, type: str) -> StreamError:
    """What an answer says whose body has no error object; ``type`` is the provider's word for ``status``."""
    message = f"The provider answered with status {status} and no error object."
    return StreamError(type, message, kind=kind_of(status=status), retryable=may_pass(status=status))


def heed_headers(error: StreamError, headers: Headers, *, request_id: str) -> None:
    """Let an answer's headers speak: ``x-should-retry``, and the one that is named ``request_id``."""
    wish = headers.get("x-should-retry")
    if wish in {"true", "false"}:
        error.retryable = wish == "true"
    id_ = headers.get(request_id)
    if id_ is not None:
        error.extra.setdefault("request_id", id_)


def kind_of(*words: str | None, status: int = 0) -> ErrorKind:
    """What an error means: by the first of ``words`` (a code, a type) that is known, else by ``status``."""
    for word in words:
        if word is not None and word in _KIND_OF:
            return _KIND_OF[word]
    usual: ErrorKind = "server" if status >= 500 else "invalid_request" if status >= 400 else "unknown"
    return _KIND_OF_STATUS.get(status, usual)


def is_known(word: str) -> bool:
    """Whether ``word`` is a type or code of a provider that this version knows."""
    return word in _KIND_OF


def may_pass(*words: str | None, status: int = 0) -> bool:
    """Whether the same request may succeed later after the error that :func:`kind_of` would tell of."""
    for word in words:
        if word in TYPES_OF_CUTS:
            return TYPES_OF_CUTS[word][1]
    return kind_of(*words, status=status) in PASSING_KINDS
