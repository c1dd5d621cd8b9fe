r"""Bytes as a stream of events with JSON in them, and changes that know what JSON is made of.

The events' data stand as they are.  The byte 0xFE, which no UTF-8 has, is a mark, and the byte after it
says what happens there:

    | an event ends here, another follows      N what stands before is the event's name, its data follow
    0 to 9  the event that ends here is given 2, 4, 8 ... 1024 times      E it ends, and so does the stream
    #  the number of the repetition, in decimal digits

Any other byte after a mark is taken for ``|``.  So every input is a stream, and after its end more may come.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sse_core import EventStreamDecoder, ServerSentEvent

from .encoding import text_of

#: An event, or the stream's end.
Step = ServerSentEvent | None

MARK = b"\xfe"
CUT = b"\xfe|"
END = b"\xfeE"
#: Stands for the number of the repetition.
COUNT = b"\xfe#"
_PART = re.compile(rb"\xfe(?!#)(.?)", re.DOTALL)


def steps_of(script: bytes) -> Iterator[Step]:
    """The events that ``script`` has, and ``None`` where the stream ends."""
    name = b""
    data, *rest = _PART.split(script)
    for operation, following in zip(rest[::2], rest[1::2], strict=True):
        if operation == b"N":
            name, data = data, following
            continue
        times = 2 ** (1 + int(operation)) if operation.isdigit() else 1
        if data or operation != b"E":
            yield from _events(name, data, times)
        if operation == b"E":
            yield None
        name, data = b"", following
    if data:
        yield from _events(name, data, 1)


def _events(name: bytes, data: bytes, times: int) -> Iterator[ServerSentEvent]:
    kind = re.sub("[\r\n]", "", text_of(name)) or "message"  # no decoder gives others
    for number in range(times):
        yield ServerSentEvent(kind, text_of(data.replace(COUNT, b"%d" % number)))


def some_of(script: bytes, max_steps: int, max_bytes: int) -> list[Step]:
    """The first of these events: no more of them, and no more text, than a law can take in no time."""
    steps: list[Step] = []
    for step in islice(steps_of(script), max_steps):
        steps.append(step)
        max_bytes -= len(step.data) if step else 0
        if max_bytes < 0:
            break
    return steps


def script_of(events: Iterable[ServerSentEvent]) -> bytes:
    """A script of these events."""
    parts = []
    for event in events:
        name = b"" if event.type == "message" else event.type.encode() + b"\xfeN"
        parts.append(name + event.data.encode())
    return b"\xfe|".join(parts)


def streams_of(text: bytes) -> list[list[ServerSentEvent]]:
    """The streams of a file of them: each begins with a comment that says what it is."""
    streams: list[list[ServerSentEvent]] = []
    decoder = EventStreamDecoder(on_comment=lambda _: streams.append([]))
    for line in text.splitlines(keepends=True):
        events = decoder.receive_data(line)
        if events:
            streams[-1] += events
    return streams


def words_of(streams: Iterable[Sequence[ServerSentEvent]]) -> list[str]:
    """The protocol's words: the names of fields, and short texts that look like one."""
    words: set[str] = set()
    for stream in streams:
        for event in stream:
            words |= {event.type, *_words(_loads(event.data))}
    return sorted(word for word in words if re.fullmatch(r"[\w.:/\[\]-]{1,50}", word))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner)


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


# Changes.

#: Values that a reader may not expect, as JSON or not quite.
ODD = (
    *("null", "true", "false", "0", "-1", "1", "2", "1.5", "-0.0", "1e999", "1e400", "NaN", "-Infinity"),
    *(
        '""',
        '"x"',
        '"0"',
        '" "',
        '"{"',
        '"}"',
        '"{}"',
        r'"{\"a\":1}"',
        r'"\ud83d"',
        r'"\ude00"',
        '"😀"',
        r'"\u0000"',
        r'"a\nb"',
    ),
    *("[]", "{}", "[null]", "[{}]", '{"a":1}', "[[[]]]", str(2**63), str(10**30), '"\xfe#"', "\xfe#"),
    *("[" * 150 + "]" * 150, '{"a":' * 30 + "0" + "}" * 30, "[" * 300),
)
_NUMBER = "\xfe#"


def change(
    data: bytes,
    max_size: int,
    seed: int,
    *,
    pieces: Sequence[bytes],
    words: Sequence[str],
    mutate_bytes: Callable[[bytes, int], bytes],
) -> bytes:
    """Change the bytes of ``data``, its row of events, or the JSON in one; the same way for the same seed.

    ``pieces`` are events to insert, ``words`` what fields and their values are called.
    """
    dice = random.Random(seed)
    if dice.random() < 0.2:
        return mutate_bytes(data, max_size)
    events = re.split(rb"(?<=\xfe[|0-9E])", data)
    for _ in range(dice.choice((1, 1, 2, 4))):
        if dice.random() < 0.4:
            dice.choice(_OF_ROWS)(events, dice, pieces)
        elif events:
            place = dice.randrange(len(events))
            events[place] = _changed_event(events[place], dice, words)
    return b"".join(events)[:max_size]


def _insert(events: list[bytes], dice: random.Random, pieces: Sequence[bytes]) -> None:
    place = dice.randint(0, len(events))
    if place == len(events) and events:
        events[-1] += b"" if _PART.search(events[-1][-2:]) else b"\xfe|"
    events.insert(place, dice.choice(pieces) + b"\xfe|")


def _remove(events: list[bytes], dice: random.Random, _: Sequence[bytes]) -> None:
    if events:
        first = dice.randrange(len(events))
        del events[first : first + dice.choice((1, 1, 2, 8))]


def _double(events: list[bytes], dice: random.Random, _: Sequence[bytes]) -> None:
    if events:
        first = dice.randrange(len(events))
        events[first:first] = events[first : first + dice.randint(1, 3)]


def _swap(events: list[bytes], dice: random.Random, _: Sequence[bytes]) -> None:
    if events:
        one, other = dice.randrange(len(events)), dice.randrange(len(events))
        events[one], events[other] = events[other], events[one]


def _end_otherwise(events: list[bytes], dice: random.Random, _: Sequence[bytes]) -> None:
    """Let an event be given often, or the stream end after it."""
    if events:
        place = dice.randrange(len(events))
        mark = dice.choice((b"\xfeE", b"\xfe|", b"\xfe1", b"\xfe4", b"\xfe6"))
        events[place] = re.sub(rb"\xfe[|0-9E]$", b"", events[place]) + mark


_OF_ROWS = (_insert, _insert, _remove, _double, _swap, _end_otherwise)


def _changed_event(event: bytes, dice: random.Random, words: Sequence[str]) -> bytes:
    """The event with one place in its JSON changed; or its name."""
    match = re.fullmatch(rb"(?:(.*?)\xfeN)?(.*?)(\xfe[|0-9E])?", event, re.DOTALL)
    if match is None:
        return event
    name, data, end = match[1], match[2], match[3] or b""
    if dice.random() < 0.05:
        name = dice.choice(words).encode()
    # A mark is no JSON: as a word it stands where a number of the repetition may stand.
    value = _loads(data.replace(COUNT, b"\xc3\xbe#").decode("utf-8", "replace"))
    holder = [value]
    try:
        _change_value(holder, dice, words)
        text = json.dumps(holder[0], ensure_ascii=dice.random() < 0.2)
    except RecursionError:
        return event
    for odd in _RAW.findall(text):
        text = text.replace(odd, json.loads(odd)[len(_RAW_WORD) :], 1)
    data = text.encode("utf-8", "surrogatepass").replace(b"\xc3\xbe#", COUNT)
    return (name + b"\xfeN" if name else b"") + data + end


#: What is no value of Python's stands in the value as a text with this in front until it is written.
_RAW_WORD = "raw:"
_RAW = re.compile(rf'"{_RAW_WORD}(?:[^"\\]|\\.)*"')


def _change_value(holder: list[Any], dice: random.Random, words: Sequence[str]) -> None:
    """Change one place somewhere in ``holder[0]``."""
    container, key = dice.choice(list(_places(holder)))
    value = container[key]
    roll = dice.randrange(8)
    if roll == 0 and container is not holder:
        del container[key]
    elif roll == 1 and isinstance(container, dict):
        container[dice.choice(words)] = container.pop(key)
    elif roll == 2 and isinstance(container, dict):
        container[dice.choice(words)] = value
    elif roll == 3 and isinstance(value, str):
        place = dice.randint(0, len(value))
        container[key] = (
            value[:place] if dice.random() < 0.5 else value[:place] + dice.choice(_BITS) + value[place:]
        )
    elif roll == 4 and isinstance(value, list):
        value.insert(dice.randint(0, len(value)), dice.choice(value) if value else {})
    elif roll == 5:
        container[key] = dice.choice(words)
    elif roll == 6 and isinstance(value, int):
        container[key] = value + dice.choice((-1, 1))
    else:
        container[key] = _RAW_WORD + dice.choice(ODD)


_BITS = ("a", " ", "{", "}", '"', "\\", "[", "1", ",", "😀", "\ud83d", "\ude00", "\n", "þ#", "\0")


def _places(container: Any) -> Iterator[tuple[Any, Any]]:
    """All places of values in a container, those in inner ones among them."""
    keys: Iterable[Any] = container if isinstance(container, dict) else range(len(container))
    for key in keys:
        yield container, key
        if isinstance(container[key], dict | list):
            yield from _places(container[key])
