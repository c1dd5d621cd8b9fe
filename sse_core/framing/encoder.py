"""Events to the bytes of a text/event-stream."""

from __future__ import annotations

import re

_LINE_END = re.compile(r"\r\n|\r|\n")


def encode_event(
    data: str, *, event: str | None = None, id: str | None = None, retry: int | None = None
) -> bytes:
    """The bytes of one event."""
    lines = []
    if event is not None:
        _check("event", event, "\r\n")
        lines.append(f"event: {event}\n")
    for line in _LINE_END.split(data):
        lines.append(f"data: {line}\n")
    if id is not None:
        _check("id", id, "\r\n\0")
        lines.append(f"id: {id}\n")
    if retry is not None:
        if type(retry) is not int or retry < 0:
            raise ValueError("retry must be a number of milliseconds, 0 or more")
        lines.append(f"retry: {retry}\n")
    lines.append("\n")
    return _encode("".join(lines))


def encode_comment(text: str) -> bytes:
    """The bytes of a comment, with no blank line after it."""
    return _encode("".join(f": {line}\n" for line in _LINE_END.split(text)))


def _check(name: str, value: str, forbidden: str) -> None:
    for character in forbidden:
        if character in value:
            raise ValueError(f"{name} cannot hold the character {character!r}")


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
