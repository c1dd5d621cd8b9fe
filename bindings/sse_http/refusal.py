"""A request that is refused before, or in place of, an answer: what its sender and the operator are told."""

from __future__ import annotations

import json
from dataclasses import dataclass

from .application import Reply

#: Characters of a peer's text that a log line holds.
_EXCERPT = 200


class Refused(Exception):
    """The request is answered with ``reply``, and is read no further.

    ``setting`` is the name of the setting that would have let it in, ``value`` what the peer sent that the
    setting does not allow.
    """

    def __init__(self, reply: Reply, *, setting: str = "", value: str = "") -> None:
        super().__init__(reply.reason)
        self.reply = reply
        self.setting = setting
        self.value = value


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an operator should know of a refusal.

    ``reason`` is the message that the peer got.  ``setting`` and ``value`` are as in ``Refused``; ``value``
    and ``request`` (method and path) are the peer's own words, so log the text of this object, in which
    they are escaped and shortened.
    """

    status: int
    reason: str
    client: str = ""
    request: str = ""
    setting: str = ""
    value: str = ""

    def __str__(self) -> str:
        """``name=value`` pairs for a log line; a peer's words as JSON, which can't forge a line."""
        fields = {
            "status": str(self.status),
            "client": quoted(self.client),
            "request": self.request and quoted(self.request),
            "reason": quoted(self.reason),
            "setting": self.setting,
            "value": self.value and quoted(self.value),
        }
        return " ".join(f"{name}={value}" for name, value in fields.items() if value)


def quoted(text: str) -> str:
    """``text`` as JSON, and not too much of it."""
    return json.dumps(text[:_EXCERPT])
