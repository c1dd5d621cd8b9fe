"""The specification's prose, step by step, and slow: what an event stream means.

It exists to check the vectors, and shares no code with any decoder.  It takes the whole stream at once,
reads character by character, and even decodes UTF-8 by the Encoding Standard's own steps, so that no
library's opinion on invalid bytes gets in.

Sources: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
and https://encoding.spec.whatwg.org/#utf-8-decoder
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

ASCII_DIGITS = "0123456789"
REPLACEMENT = "\ufffd"


class Start(NamedTuple):
    """First bytes of characters that have more than one, from ``low`` to ``high``.

    The byte that comes next has bounds of its own; any others lie between 80 and BF.
    """

    low: int
    high: int
    needed: int
    lower: int
    upper: int


#: The Encoding Standard's UTF-8 decoder, steps 3 and 5, as a table.
STARTS = (
    Start(0xC2, 0xDF, 1, 0x80, 0xBF),
    Start(0xE0, 0xE0, 2, 0xA0, 0xBF),
    Start(0xE1, 0xEC, 2, 0x80, 0xBF),
    Start(0xED, 0xED, 2, 0x80, 0x9F),
    Start(0xEE, 0xEF, 2, 0x80, 0xBF),
    Start(0xF0, 0xF0, 3, 0x90, 0xBF),
    Start(0xF1, 0xF3, 3, 0x80, 0xBF),
    Start(0xF4, 0xF4, 3, 0x80, 0x8F),
)


@dataclass
class Event:
    """A dispatched event, and what its own block said of id and retry (``None``: nothing valid)."""

    type: str
    data: str
    last_event_id: str
    id: str | None
    retry: int | None


@dataclass
class Meaning:
    """What a stream means."""

    events: list[Event] = field(default_factory=list)
    last_event_id: str = ""
    reconnection_time: int | None = None


def utf_8_decode(stream: bytes) -> str:
    """The Encoding Standard's "UTF-8 decode": one leading mark is stripped, an error becomes U+FFFD."""
    if stream[:3] == b"\xef\xbb\xbf":
        stream = stream[3:]
    characters = []
    position = 0
    while position < len(stream):
        character, position = one_character(stream, position)
        characters.append(character)
    return "".join(characters)


def one_character(stream: bytes, position: int) -> tuple[str, int]:
    """The character at ``position``, and where the next one begins."""
    first = stream[position]
    if first <= 0x7F:
        return chr(first), position + 1
    for start in STARTS:
        if start.low <= first <= start.high:
            return longer_character(stream, position, start)
    return REPLACEMENT, position + 1


def longer_character(stream: bytes, position: int, start: Start) -> tuple[str, int]:
    """As above.  A byte out of bounds is an error, and is looked at again as a first byte."""
    code_point = stream[position] & (0x3F >> start.needed)
    lower, upper = start.lower, start.upper
    for _ in range(start.needed):
        position += 1
        if position == len(stream) or not lower <= stream[position] <= upper:
            return REPLACEMENT, position
        code_point = code_point << 6 | stream[position] & 0x3F
        lower, upper = 0x80, 0xBF
    return chr(code_point), position + 1


def lines_of(text: str) -> list[str]:
    """The lines that have ended.  What follows the last line end is pending, and discarded at the end."""
    lines = []
    start = 0
    position = 0
    while position < len(text):
        # The ways in which a line can end: "a U+000D CARRIAGE RETURN U+000A LINE FEED (CRLF) character pair",
        if text[position : position + 2] == "\r\n":
            lines.append(text[start:position])
            position += 2
            start = position
        # or a single LF or CR that is no part of such a pair.
        elif text[position] in "\r\n":
            lines.append(text[start:position])
            position += 1
            start = position
        else:
            position += 1
    return lines


class Interpreter:
    """The three buffers, and what the specification does to them."""

    def __init__(self, last_event_id: str) -> None:
        self.meaning = Meaning(last_event_id=last_event_id)
        self.data = ""
        self.event_type = ""
        # "They must be initialized to the empty string."  But the event source's last event ID string
        # outlives a connection, and "If an event doesn't have an "id" field, but an earlier event did
        # set the event source's last event ID string, then the event's lastEventId field will be set to
        # the value of whatever the last seen "id" field was."
        self.last_event_id = last_event_id
        self.own_id: str | None = None
        self.own_retry: int | None = None

    def process_line(self, line: str) -> None:
        """Do what "Lines must be processed, in the order they are received, as follows" says."""
        if line == "":
            self.dispatch()
        elif line[0] == ":":
            pass
        elif ":" in line:
            colon = line.index(":")
            name, value = line[:colon], line[colon + 1 :]
            if value[:1] == " ":
                value = value[1:]
            self.process_field(name, value)
        else:
            self.process_field(line, "")

    def process_field(self, name: str, value: str) -> None:
        """Do what "The steps to process the field given a field name and a field value" say."""
        if name == "event":
            self.event_type = value
        elif name == "data":
            self.data = self.data + value + "\n"
        elif name == "id":
            if "\0" not in value:
                self.last_event_id = self.own_id = value
        elif name == "retry" and consists_of_digits(value):
            self.meaning.reconnection_time = self.own_retry = integer(value)

    def dispatch(self) -> None:
        """Do what the steps to "dispatch the event" say."""
        self.meaning.last_event_id = self.last_event_id
        if self.data != "":
            data = self.data[:-1] if self.data[-1] == "\n" else self.data
            self.meaning.events.append(
                Event(self.event_type or "message", data, self.last_event_id, self.own_id, self.own_retry)
            )
        self.data = ""
        self.event_type = ""
        self.own_id = None
        self.own_retry = None


def consists_of_digits(value: str) -> bool:
    """Whether ``value`` is ASCII digits only.  The empty string is no integer, and counts as none."""
    return value != "" and all(character in ASCII_DIGITS for character in value)


def integer(digits: str) -> int:
    """Base ten, digit by digit: ``int`` refuses more than 4300 of them."""
    number = 0
    for digit in digits:
        number = number * 10 + ASCII_DIGITS.index(digit)
    return number


def interpret(stream: bytes, last_event_id: str = "") -> Meaning:
    """What ``stream`` means to a client that remembers ``last_event_id`` of an earlier connection."""
    interpreter = Interpreter(last_event_id)
    for line in lines_of(utf_8_decode(stream)):
        interpreter.process_line(line)
    return interpreter.meaning
