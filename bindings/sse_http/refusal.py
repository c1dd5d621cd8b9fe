"""A request that is refused before, or in place of, an answer: what its sender and the operator get."""

from __future__ import annotations

import json
from dataclasses import dataclass

from .application import Reply, Request
from .problem import Problem

#: The peer asked for what isn't served, or isn't served now.  A mistake (500) is reported with its stack
#: trace; 502 and 504 speak of somebody else.
_REFUSALS = frozenset({*range(400, 500), 501, 503, 505})
#: Characters of a peer's text that a log line holds.
_EXCERPT = 200


class Refused(Exception):
    """The request is answered, and is read no further.

    - ``answer``: as it is, or a problem that whoever routes gives its shape.
    - ``setting``: the name of the setting that would have let the request in.
    - ``value``: what the peer sent that the setting does not allow.
    """

    def __init__(self, answer: Reply | Problem, *, setting: str = "", value: str = "") -> None:
        super().__init__(answer.reason if isinstance(answer, Reply) else answer.message)
        self.answer = answer
        self.setting = setting
        self.value = value


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an operator should know of a refusal.

    - ``status``: of the answer.
    - ``reason``: the message that the peer got.
    - ``client``: the peer's address.
    - ``request``: its method and path.
    - ``setting``, ``value``: as in ``Refused``.

    ``value`` and ``request`` are what the peer sent, so log the text of this object, in which they are
    escaped and shortened.
    """

    status: int
    reason: str
    client: str = ""
    request: str = ""
    setting: str = ""
    value: str = ""

    def __str__(self) -> str:
        """``name=value`` pairs for a log line; what a peer sent as JSON, which can't forge a line."""
        fields = {
            "status": str(self.status),
            "client": quoted(self.client),
            "request": self.request and quoted(self.request),
            "reason": quoted(self.reason),
            "setting": self.setting,
            "value": self.value and quoted(self.value),
        }
        return " ".join(f"{name}={value}" for name, value in fields.items() if value)


def refusal_of(
    answer: Reply | Problem, request: Request, client: str, *, setting: str = "", value: str = ""
) -> Refusal | None:
    """The record of ``answer``, if it is a refusal.

    - ``answer``: to ``request``, as far as that was read.
    - ``client``: the peer's address.
    - ``setting``, ``value``: as in ``Refused``.
    """
    if answer.status not in _REFUSALS:
        return None
    reason = answer.reason if isinstance(answer, Reply) else answer.message
    line = f"{request.method} {request.path}".strip()
    return Refusal(answer.status, reason, client, line, setting, value)


def quoted(text: str) -> str:
    """``text`` as JSON, and not too much of it."""
    return json.dumps(text[:_EXCERPT])
