"""sse-starlette's names: an application that was written for it changes its imports, and nothing else.

``from sse_asgi.sse_starlette import EventSourceResponse, ServerSentEvent``
"""

from __future__ import annotations

import json
from typing import Any

from .event_items import encoded_fields
from .event_source_response import EventSourceResponse

__all__ = ["EventSourceResponse", "JSONServerSentEvent", "ServerSentEvent"]


class ServerSentEvent:
    """An event by its fields, as sse-starlette's; ``sse_core.ServerSentEvent`` is what a reader gets.

    - ``data``: of any type; its text is sent.
    - ``event``, ``id``, ``retry``, ``comment``: where they are given.
    - ``sep``: ends each line; CRLF if ``None``.
    """

    def __init__(
        self,
        data: object = None,
        *,
        event: str | None = None,
        id: str | None = None,
        retry: int | None = None,
        comment: str | None = None,
        sep: str | None = None,
    ) -> None:
        self.data = data
        self.event = event
        self.id = id
        self.retry = retry
        self.comment = comment
        self._sep = "\r\n" if sep is None else sep

    def encode(self) -> bytes:
        """The event as it is sent.  Raises ``ValueError`` and ``TypeError`` for what no field can hold."""
        lines = encoded_fields(
            data=self.data, event=self.event, id=self.id, retry=self.retry, comment=self.comment
        )
        return lines.replace(b"\n", self._sep.encode())


class JSONServerSentEvent(ServerSentEvent):
    """The same, with its data sent as JSON."""

    def __init__(self, data: object = None, **fields: Any) -> None:
        super().__init__(
            json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")), **fields
        )
