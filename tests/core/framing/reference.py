"""The specification's algorithm for a whole stream, transcribed step by step and without any care for speed.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

It shares no code with the decoder, and works on characters where the decoder works on bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sse_core import ServerSentEvent

LONGEST_RETRY = 2147483647


@dataclass
class Interpretation:
    """What a stream means."""

    last_event_id: str = ""
    events: list[ServerSentEvent] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    retry: int | None = None


def lines_of(text: str) -> list[str]:
    """The lines of ``text`` that have ended."""
    lines = []
    line = ""
    position = 0
    while position < len(text):
        character = text[position]
        position += 1
        if character not in "\r\n":
            line += character
            continue
        if character == "\r" and text[position : position + 1] == "\n":
            position += 1
        lines.append(line)
        line = ""
    return lines


def field_of(line: str) -> tuple[str, str]:
    """The name and value of a field."""
    if ":" not in line:
        return line, ""
    colon = line.index(":")
    return line[:colon], line[colon + 1 :].removeprefix(" ")


def interpret(stream: bytes, last_event_id: str = "") -> Interpretation:
    """What ``stream`` means to a client that remembers ``last_event_id``."""
    text = stream.decode("utf-8", "replace")
    text = text.removeprefix("\ufeff")
    result = Interpretation(last_event_id)
    data_buffer, event_type_buffer, last_event_id_buffer = "", "", last_event_id
    for line in lines_of(text):
        if line == "":
            result.last_event_id = last_event_id_buffer
            if data_buffer != "":
                data = data_buffer[:-1]
                result.events.append(
                    ServerSentEvent(event_type_buffer or "message", data, result.last_event_id)
                )
            data_buffer, event_type_buffer = "", ""
            continue
        if line.startswith(":"):
            result.comments.append(line[1:].removeprefix(" "))
            continue
        name, value = field_of(line)
        if name == "event":
            event_type_buffer = value
        elif name == "data":
            data_buffer += value + "\n"
        elif name == "id" and "\0" not in value:
            last_event_id_buffer = value
        elif name == "retry" and value and set(value) <= set("0123456789"):
            digits = value.lstrip("0") or "0"  # Python reads no number of more than some thousand digits
            if len(digits) <= len(str(LONGEST_RETRY)) and int(digits) <= LONGEST_RETRY:
                result.retry = int(digits)
    return result
