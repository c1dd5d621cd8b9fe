"""What the errors of all providers have in common: their bounds, what headers say, and our own for cuts.

A message that was cut is reported in the provider's own form of an error.  ``outcome``
(``truncated``, ``stopped``, ``failed``) is our own field: what became of the message.
"""

from __future__ import annotations

import re

from ..blocks.events import ErrorKind, StreamError
from ..blocks.strict_json import JSONObject
from ..headers import Headers
from .cuts import TYPES_OF_CUTS
from .fields import text

MAX_TYPE = 100  #: characters of an error's type that are kept
MAX_MESSAGE = 2000  #: characters of an error's message that are kept
UNKNOWN_TYPE = "error"  #: the type of an error that has neither a type nor a code nor a status

#: The statuses below 500 that the providers' own clients ask again after.
RETRYABLE_STATUSES = frozenset({408, 409, 429})
#: The types and codes of all providers, by what they mean.  Those that don't say whose they are in their
#: documentation: ``server_is_overloaded`` and ``usage_limit_reached`` are OpenAI's (Codex),
#: ``engine_overloaded_error`` and ``exceeded_current_quota_error`` Moonshot's, ``BadRequestError`` vLLM's,
#: ``Throttling`` and its like Alibaba's; numbers of four digits are Z.ai's,
#: https://docs.z.ai/api-reference/api-code.
KINDS: dict[ErrorKind, tuple[str, ...]] = {
    "invalid_request": (
        "invalid_request_error",
        "tool_use_failed",
        "context_length_exceeded",
        "invalid_prompt",
        "string_above_max_length",
        "BadRequestError",
        "INVALID_ARGUMENT",
        "FAILED_PRECONDITION",
        "OUT_OF_RANGE",
        "ALREADY_EXISTS",
        "UNIMPLEMENTED",
    ),
    "authentication": (
        "authentication_error",
        "invalid_authentication_error",
        "invalid_api_key",
        "UNAUTHENTICATED",
        *("1000", "1001", "1002", "1003", "1004"),
    ),
    "permission": ("permission_error", "PERMISSION_DENIED"),
    "billing": (
        "billing_error",
        "insufficient_quota",
        "credit_balance_exhausted",
        "exceeded_current_quota_error",
        "insufficient_balance",
        "billing_hard_limit_reached",
        "usage_not_included",
        *("1113", "1304", "1308", "1309", "1310"),  # no balance; a limit of a day, a week, a plan
    ),
    "not_found": ("not_found_error", "model_not_found", "NOT_FOUND"),
    "too_large": ("request_too_large",),
    "rate_limit": (
        "rate_limit_error",
        "rate_limit_exceeded",
        "requests",
        "tokens",
        "too_many_requests",
        "rate_limit_reached_error",
        "usage_limit_reached",
        "RESOURCE_EXHAUSTED",
        *("Throttling", "Throttling.RateQuota", "Throttling.AllocationQuota"),
        *("1302", "1303"),
    ),
    "overloaded": (
        "overloaded_error",
        "server_is_overloaded",
        "service_unavailable",
        "service_unavailable_error",
        "engine_overloaded_error",
        "slow_down",
        "UNAVAILABLE",
        *("1305", "1312"),
    ),
    "timeout": ("timeout", "timeout_error", "DEADLINE_EXCEEDED"),
    "server": (
        "api_error",
        "server_error",
        "internal_error",
        "internal_server_error",
        "INTERNAL",
        "UNKNOWN",
        "ABORTED",
        "DATA_LOSS",
    ),
    "refusal": ("content_filter", "content_policy_violation", "PROHIBITED_CONTENT", "1301"),
    "cut": tuple(TYPES_OF_CUTS),
}
_STATUS_TEXT = re.compile("[45][0-9]{2}")
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
#: What is over for hours, and passes only where the error says when.
_SPENT = "usage_limit_reached"
#: Fields of an error that may be an HTTP status code.
_STATUS_FIELDS = ("code", "status_code", "status")
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


def status_in(error: JSONObject) -> int:
    """The HTTP status code that an error object gives, as a number or as text; 0 where it gives none."""
    for name in _STATUS_FIELDS:
        value = error.get(name)
        if type(value) is int and 400 <= value <= 599:
            return value
        if isinstance(value, str) and _STATUS_TEXT.fullmatch(value):
            return int(value)
    return 0


def type_in(error: JSONObject, name: str = "type") -> str | None:
    """The type of an error object, which is in the field ``name``, or the word that it has in its place.

    ``None`` where it has none: a number of three digits is a status and no word.
    """
    own = error.get(name)
    if isinstance(own, str):
        return own[:MAX_TYPE]
    word = text(error, "status", "") or text(error, "code", "")
    return None if not word or _STATUS_TEXT.fullmatch(word) else word[:MAX_TYPE]


def kind_of(*words: str | None, status: int = 0) -> ErrorKind:
    """What an error means: by the first of ``words`` (a code, a type) that is known, else by ``status``.

    Codes in upper case are those of OpenAI as some hosts write them.
    """
    for word in words:
        if word is not None:
            kind = _KIND_OF.get(word) or _KIND_OF.get(word.lower())
            if kind is not None:
                return kind
    usual: ErrorKind = "server" if status >= 500 else "invalid_request" if status >= 400 else "unknown"
    return _KIND_OF_STATUS.get(status, usual)


def is_known(word: str) -> bool:
    """Whether ``word`` is a type or code of a provider that this version knows."""
    return word in _KIND_OF


def may_pass(*words: str | None, status: int = 0, delay: float | None = None) -> bool:
    """Whether the same request may succeed later after the error that :func:`kind_of` would name.

    ``delay`` is how long the error asks to wait, in seconds.
    """
    for word in words:
        if word in TYPES_OF_CUTS:
            return TYPES_OF_CUTS[word][1]
        if word == _SPENT:
            return delay is not None
    return kind_of(*words, status=status) in PASSING_KINDS
