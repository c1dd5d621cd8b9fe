"""sse-starlette's name, for those who come from there."""

from __future__ import annotations

from .event_items import event_source_item
from .response import EventStreamResponse


class EventSourceResponse(EventStreamResponse):
    """An :class:`EventStreamResponse` that reads what an iterator gives as sse-starlette does.

    A mapping has the fields of an event (``data``, ``event``, ``id``, ``retry``, ``comment``) in place of
    being sent as JSON, bytes are sent as they are, and of anything else ``str()`` is the data.  Lines end in
    CRLF.
    """

    _separator = "\r\n"
    _item_of = staticmethod(event_source_item)
