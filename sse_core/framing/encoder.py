"""Events and comments to the bytes of an event stream.

An encoder's one danger is text that ends its line: whoever can put a CR or LF into an event's name can
write events of his own.  So a field of one line refuses them, and data, which may have many lines,
is written as many fields.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

from collections.abc import Iterable

from ..arguments import check_type, wrong_type
from .event import ServerSentEvent
from .interpreter import MAX_RECONNECTION_TIME


def encode_event(
    data: str, *, event: str | None = None, id: str | None = None, retry: int | None = None
) -> bytes:
    """The bytes of one event, the empty line that dispatches it included.

    - ``data``: any number of lines, ended by CR, LF or CRLF; a decoder gives them back ended by LF.
    - ``event``: the event's type; ``None``, ``""`` and ``"message"`` all mean ``message`` and write no line:
      a decoder cannot distinguish them, and OpenAI's SDKs up to 1.90 read only what has no name.
    - ``id``: the last event ID, of this event and of those after it; ``""`` takes it away.
    - ``retry``: the reconnection time in milliseconds.

    There is no way to send ``id`` or ``retry`` without data: many clients take a block without data for
    an event, though the specification has it dispatch nothing.

    A surrogate without its other half has no UTF-8 and becomes U+FFFD.

    Raises ``ValueError``, naming the field, where ``event`` holds CR or LF, ``id`` holds CR, LF or NUL,
    or ``retry`` is no int from 0 to 2147483647 (the longest wait that a decoder takes); and
    ``TypeError``, naming the field, for what is not text.
    """
    try:
        return _utf8(_event(data, event, id, retry))
    except (TypeError, AttributeError):
        _check_types(data, event, id)
        raise


def encode_events(events: Iterable[ServerSentEvent], *, last_event_id: str = "") -> bytes:
    """The bytes of many events, one after another, in one piece.

    A decoder whose last event ID is ``last_event_id`` reads exactly these events: an id is written where
    ``last_event_id`` of an event isn't that of the one before, and a type where it isn't ``message``.  So
    what a decoder gave can be sent on as it is.  Data, types and ids are written as by
    :func:`encode_event`, and refused as there.

    Raises ``ValueError``, naming the field, if any of the events can't be written, and ``TypeError`` for
    what is no event; none is written, then.
    """
    texts = []
    for event in events:
        if not isinstance(event, ServerSentEvent):
            raise wrong_type("encode_events", event, ServerSentEvent, hint="each of them is one")
        id_ = None if event.last_event_id == last_event_id else event.last_event_id
        texts.append(_event(event.data, event.type, id_, None))
        last_event_id = event.last_event_id
    return _utf8("".join(texts))


def encode_comment(text: str, *, pad_to: int = 0) -> bytes:
    r"""The bytes of a comment; ``: ping\n`` is a heartbeat.

    - ``text``: one line of the comment for each of its lines.
    - ``pad_to``: how many bytes to send at the least: spaces fill the last line.  Some proxies and virus
      scanners hold small writes until 1 to 4 KB have come together, and a heartbeat of six bytes would never
      get through.

    No empty line follows.  It would dispatch nothing, says the specification, but several clients take
    a comment and an empty line for an event once they have seen an id.

    Raises ``ValueError`` if ``pad_to`` is no int of 0 or more, and ``TypeError`` for what is not text.
    """
    check_type("text", text, str)
    comment = _utf8(_lines(": ", text))
    return comment[:-1].ljust(_size(pad_to) - 1) + b"\n"


def _event(data: str, event: str | None, id_: str | None, retry: int | None) -> str:
    """The fields of one event, and the empty line."""
    # Joined and not formatted: the text of a member of an enumeration is its value, but its format its name.
    parts: list[str] = []
    if event and event != "message":
        if "\n" in event or "\r" in event:
            raise _no_line("event", event)
        parts += ("event: ", event, "\n")
    # Most data is one line, and to look for line ends takes a third of replacing none.
    if "\n" in data or "\r" in data:
        parts.append(_lines("data: ", data))
    else:
        parts += ("data: ", data, "\n")
    if id_ is not None:
        # 9.2.6: "If the field value does not contain U+0000 NULL [...].  Otherwise, ignore the field."
        if "\0" in id_:
            raise ValueError(f"id cannot hold NUL, a decoder would ignore it: {id_!r}")
        if "\n" in id_ or "\r" in id_:
            raise _no_line("id", id_)
        parts += ("id: ", id_, "\n")
    if retry is not None:
        parts += ("retry: ", str(_milliseconds(retry)), "\n")
    parts.append("\n")
    return "".join(parts)


def _check_types(data: object, event: object, id_: object) -> None:
    """Say in one sentence which of them is not text; called only where one of them made trouble."""
    check_type("data", data, str, hint="json.dumps gives some of a mapping")
    check_type("event", event, str, type(None))
    check_type("id", id_, str, type(None), hint="str gives some of a number")


def _lines(start: str, text: str) -> str:
    """Each line of ``text`` after ``start``, ended by LF."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", f"\n{start}")
    return f"{start}{lines}\n"


def _no_line(field: str, text: str) -> ValueError:
    return ValueError(f"{field} is one line and cannot hold CR or LF: {text!r}")


def _milliseconds(retry: object) -> int:
    if not isinstance(retry, int) or isinstance(retry, bool) or not 0 <= retry <= MAX_RECONNECTION_TIME:
        raise ValueError(f"retry is an int of milliseconds from 0 to {MAX_RECONNECTION_TIME}: {retry!r}")
    return int(retry)


def _size(pad_to: object) -> int:
    if not isinstance(pad_to, int) or isinstance(pad_to, bool) or pad_to < 0:
        raise ValueError(f"pad_to is an int of bytes, 0 or more: {pad_to!r}")
    return pad_to


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # As a browser turns a DOMString into a USVString: two halves that meet are one character, and
        # a half alone is U+FFFD.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
