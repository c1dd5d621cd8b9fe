r"""The laws of the encoder, and bytes as what is to be encoded.

A script of fields: the byte 0xFE is a mark, the byte after it says which field the text up to the next mark
is (``d`` data, ``e`` event, ``i`` id, ``r`` retry, ``c`` a comment, ``;`` another event follows); text
before the first mark is data.  Bytes that are no UTF-8 become surrogates, halves that belong to no
character, for such text reaches encoders too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sse_core import EventStreamDecoder, ServerSentEvent, encode_comment, encode_event, encode_events
from tests.core.framing.reference import interpret

from .laws import values_of

#: Writes one event, one comment, many events: what the laws judge.
EncodeEvent = Callable[..., bytes]
EncodeComment = Callable[[str], bytes]
EncodeEvents = Callable[[list[ServerSentEvent]], bytes]

LONGEST_RETRY = 2**31 - 1
_PART = re.compile(rb"\xfe(.?)", re.DOTALL)
_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")
_ALLOWED_LINE = re.compile(rb"(data|event|id|retry): [^\r\n]*")


@dataclass
class Fields:
    """The arguments of one call of an encoder; ``comment`` is written before the event, unless ``None``."""

    data: str = ""
    event: str | None = None
    id: str | None = None
    retry: object = None
    comment: str | None = None


def text_of(data: bytes) -> str:
    """Any bytes as text, with lone surrogates where they are no UTF-8."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape")


def fields_of(script: bytes) -> Iterator[Fields]:
    """The events that ``script`` asks for."""
    first, *rest = _PART.split(script)
    fields = Fields(text_of(first))
    for letter, value in zip(rest[::2], rest[1::2], strict=True):
        text = text_of(value)
        if letter == b";":
            yield fields
            fields = Fields(text)
        elif letter == b"e":
            fields.event = text
        elif letter == b"i":
            fields.id = text
        elif letter == b"r":
            fields.retry = _retry(text)
        elif letter == b"c":
            fields.comment = text
        else:
            fields.data += text
    yield fields


def _retry(text: str) -> object:
    """A number, or what is none: a truth value, which Python takes for one, or the text itself."""
    if text == "true":
        return True
    return int(text) if _INTEGER.fullmatch(text) else text


def as_written(text: str) -> str:
    """What of ``text`` UTF-8 can say: halves that meet are one character, a half alone is U+FFFD."""
    characters: list[str] = []
    for character in text:
        before = characters[-1] if characters else ""
        if "\udc00" <= character <= "\udfff" and "\ud800" <= before <= "\udbff":
            high, low = ord(before) - 0xD800, ord(character) - 0xDC00
            characters[-1] = chr(0x10000 + 0x400 * high + low)
        else:
            characters.append(character)
    return "".join("\ufffd" if "\ud800" <= one <= "\udfff" else one for one in characters)


def lines_as_read(text: str) -> str:
    """What a decoder gives for these lines: the same, ended by LF."""
    return as_written(text).replace("\r\n", "\n").replace("\r", "\n")


def refused_field(fields: Fields) -> str | None:
    """The first field that cannot hold what is requested."""
    if fields.event and set(fields.event) & set("\r\n"):
        return "event"
    if fields.id and set(fields.id) & set("\r\n\0"):
        return "id"
    retry = fields.retry
    if retry is not None and (type(retry) is not int or not 0 <= retry <= LONGEST_RETRY):
        return "retry"
    return None


def written(fields: Fields, encode: EncodeEvent = encode_event) -> bytes | None:
    """The event's bytes; ``None`` where it is rightly refused, by a ``ValueError`` that names the field."""
    refused = refused_field(fields)
    said: str | None = None
    stream: bytes | None = None
    try:
        stream = encode(fields.data, event=fields.event, id=fields.id, retry=fields.retry)
    except UnicodeError:
        raise  # a ValueError too, but of no field
    except ValueError as error:
        said = str(error).partition(" ")[0]
    assert said == refused, f"{fields}: refused for its {said}, but it should be for {refused}"
    return stream


def event_is_one_block(stream: bytes) -> None:
    """Nothing but known fields, one of each but data, and one empty line, the last."""
    *lines, empty, end = stream.split(b"\n")
    assert (empty, end) == (b"", b""), f"{stream!r} does not end in one empty line"
    matches = [_ALLOWED_LINE.fullmatch(line) for line in lines]
    names = [match[1] for match in matches if match]
    assert len(names) == len(lines), f"{stream!r} has a line that is no field"
    assert all(names.count(name) <= 1 for name in (b"event", b"id", b"retry")), f"{stream!r} repeats a field"
    stream.decode()


def comment_is_only_comment(text: str, encode: EncodeComment = encode_comment) -> bytes:
    """Each line is a comment, and a block that is being written is not touched by it."""
    stream = encode(text)
    heard: list[str] = []
    decoder = EventStreamDecoder(on_comment=heard.append)
    assert decoder.receive_data(b"id: 1\ndata: a\n" + stream) == []
    assert "\n".join(heard) == lines_as_read(text), f"{text!r} is heard as {heard!r}"
    assert [values_of(event) for event in decoder.receive_data(b"data: b\n\n")] == [("message", "a\nb", "1")]
    return stream


def encoded_is_read_back(
    script: bytes,
    encode: EncodeEvent = encode_event,
    comment: EncodeComment = encode_comment,
    encode_all: EncodeEvents = encode_events,
) -> None:
    """Each event of ``script`` is refused by name, or read back as that one event, by two decoders.

    What was read is written in one call, too, and read as the same once more.
    """
    stream, expected = b"", []
    last_event_id, retry = "", None
    for fields in fields_of(script):
        if fields.comment is not None:
            stream += comment_is_only_comment(fields.comment, comment)
        block = written(fields, encode)
        if block is None:
            continue
        event_is_one_block(block)
        stream += block
        last_event_id = last_event_id if fields.id is None else as_written(fields.id)
        retry = retry if fields.retry is None else fields.retry
        expected.append((as_written(fields.event or "message"), lines_as_read(fields.data), last_event_id))
    meaning = interpret(stream)
    assert [values_of(event) for event in meaning.events] == expected, f"{stream!r} is not {expected!r}"
    decoder = EventStreamDecoder()
    events = [
        event for start in range(len(stream)) for event in decoder.receive_data(stream[start : start + 1])
    ]
    assert events == meaning.events
    assert (decoder.last_event_id, decoder.reconnection_time) == (last_event_id, retry)
    assert interpret(encode_all(events)).events == events
