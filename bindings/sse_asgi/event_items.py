"""From what an iterator gives to what a ``HandlerAnswer`` takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sse_core import ServerSentEvent, encode_comment, encode_event
from sse_http import Comment, EncodedEvents, EventItem, Retry

_LINE_ENDS = re.compile(r"\r\n|\r|\n")

#: Makes an item of what an iterator gives.
ItemOf = Callable[[object], EventItem]


def event_item(given: object) -> EventItem:
    """Text, events, mappings (sent as JSON) as they are, and models of pydantic's as their JSON.

    Raises ``TypeError`` for anything else.
    """
    if isinstance(given, str | ServerSentEvent | Mapping | Comment | Retry | EncodedEvents):
        return given
    dump = getattr(given, "model_dump_json", None)
    if dump is not None:
        return str(dump())
    raise TypeError(
        "an event is str, ServerSentEvent, a mapping, a pydantic model, Comment or Retry, "
        f"not {type(given).__name__}"
    )


def event_source_item(given: object) -> EventItem:
    """As sse-starlette reads it: a mapping has an event's fields, bytes are sent as they are.

    What has ``encode()``, as its ``ServerSentEvent``, gives bytes; of anything else the text is the data.
    Raises ``TypeError`` for a mapping with other fields.
    """
    if isinstance(given, str | ServerSentEvent | Comment | Retry | EncodedEvents):
        return given
    if isinstance(given, bytes | bytearray | memoryview):
        return _as_encoded(bytes(given))
    if isinstance(given, Mapping):
        return _of_fields(**given)
    encode = getattr(given, "encode", None)
    if encode is not None:
        return _as_encoded(encode())
    return str(given)


def _as_encoded(events: bytes) -> EncodedEvents:
    """The response ends lines as it says, whatever those of ``events`` are."""
    return EncodedEvents(events.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))


def _of_fields(**fields: Any) -> EventItem:
    if [name for name, value in fields.items() if value is not None] == ["comment"]:
        return Comment(str(fields["comment"]))
    return EncodedEvents(encoded_fields(**fields))


def encoded_fields(
    *,
    data: object = None,
    event: str | None = None,
    id: object = None,
    retry: int | None = None,
    comment: object = None,
    sep: str | None = None,  # noqa: ARG001  (sse-starlette's: the response has one for all)
) -> bytes:
    """An event of these fields, as sse-starlette has them; lines end in LF.

    Raises ``ValueError`` and ``TypeError`` for what no field can hold.
    """
    comments = b"" if comment is None else encode_comment(str(comment))
    if comments and data is None and event is None and id is None and retry is None:
        return comments
    lines = encode_event(
        "" if data is None else str(data),
        event=None if event is None else _LINE_ENDS.sub("", event),
        id=None if id is None else _LINE_ENDS.sub("", str(id)),
        retry=retry,
    )
    if data is None:
        # Without data nobody dispatches it; the other fields are heeded all the same (WHATWG HTML 9.2.6).
        lines = b"".join(line for line in lines.splitlines(keepends=True) if not line.startswith(b"data:"))
    return comments + lines
