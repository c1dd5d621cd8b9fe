"""What is wrong, in no protocol's shape: whoever routes a request gives it one.

A server has refusals of its own, whatever it serves.  An application that speaks a protocol says how they
look in it (:class:`ShapesProblems`); where nobody does, they are RFC 9457's problem details.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from sse_core.headers import Headers

from .application import Reply, Request
from .reason_phrase import reason_phrase

#: What the head of a problem details document says: RFC 9457 section 3.
_HEADERS = (("content-type", "application/problem+json"), ("cache-control", "no-store"))


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request has no other answer.

    - ``status``: of the answer.
    - ``kind``: one word for programs, as ``StreamError.kind`` has them: ``invalid_request``, ``too_large``,
      ``overloaded`` ...; ``misdirected`` is the one that no provider has.
    - ``message``: tells a person what to do next, and repeats nothing of the request.
    - ``headers``: what else the answer's head has to say.
    """

    status: int
    kind: str
    message: str
    headers: Headers = field(default_factory=Headers)

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", Headers(self.headers))


@runtime_checkable
class ShapesProblems(Protocol):
    """An application that says how the server's own refusals look."""

    def problem_reply(self, request: Request, problem: Problem) -> Reply:
        """``problem`` as an answer to ``request``, whose path is empty where it has not been read."""


def problem_reply(problem: Problem) -> Reply:
    """``problem`` as an answer that favours no protocol: ``application/problem+json``.

    RFC 9457 section 4.2.1, https://www.rfc-editor.org/rfc/rfc9457#section-4.2.1: with ``about:blank``, "the
    title SHOULD be the same as the recommended HTTP status phrase for that code".  ``kind`` is an extension.
    """
    details = {
        "type": "about:blank",
        "title": reason_phrase(problem.status),
        "status": problem.status,
        "detail": problem.message,
        "kind": problem.kind,
    }
    body = json.dumps(details, separators=(",", ":")).encode() + b"\n"
    return Reply(problem.status, Headers([*_HEADERS, *problem.headers]), body, problem.message)


INTERNAL_ERROR = Problem(500, "server", "The server failed to answer this request; its log says why.")
_RETRY_SOON = Headers({"retry-after": "1"})
#: For who has no answer yet when the server goes down.
GOING_DOWN = Problem(503, "overloaded", "The server is going down; ask again.", _RETRY_SOON)
TOO_LATE = Problem(
    408,
    "timeout",
    "The request did not come in time (limits: request_timeout, min_upload_rate, upload_timeout).",
)

_KINDS = {413: "too_large", 503: "overloaded"}


def refused_request(status: int, message: str) -> Problem:
    """The problem of a request that is not read, or not read further."""
    headers = _RETRY_SOON if status == 503 else Headers()
    return Problem(status, _KINDS.get(status, "invalid_request"), message, headers)
