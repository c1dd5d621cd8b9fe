"""What JSON's text is made of, for a reader that meets it in pieces: patterns and tables.

Each pattern takes as much as can be taken at once and never looks back (``*+``), so that no text
costs more than the time to look at it.

Source: RFC 8259, https://www.rfc-editor.org/rfc/rfc8259
"""

from __future__ import annotations

import json
import re
from typing import Literal

from .strict_json import JSON

State = Literal[
    "document",
    "first item",
    "item",
    "first key",
    "key",
    "colon",
    "member",
    "after item",
    "after member",
    "end",
    "string",
    "key string",
    "number",
]

#: What may come in each state, as an error message says it.
EXPECTED: dict[State, str] = {
    "document": "a value",
    "first item": "a value or ']'",
    "item": "a value",
    "first key": "a key in double quotes or '}'",
    "key": "a key in double quotes",
    "colon": "':'",
    "member": "a value",
    "after item": "',' or ']'",
    "after member": "',' or '}'",
    "end": "nothing more",
    "string": "the rest of a string",
    "key string": "the rest of a key",
    "number": "the rest of a number",
}

#: The character that ends an array or an object, in the states in which it may come.
CLOSING: dict[State, str] = {"first item": "]", "after item": "]", "first key": "}", "after member": "}"}

#: The states after the bracket that opens an array or an object, and after each value in it.
OPENING: dict[str, tuple[State, State]] = {
    "[": ("first item", "after item"),
    "{": ("first key", "after member"),
}

#: The other characters that stand for themselves, and the state after each.
NEXT: dict[tuple[State, str], State] = {
    ("first key", '"'): "key string",
    ("key", '"'): "key string",
    ("colon", ":"): "member",
    ("after item", ","): "item",
    ("after member", ","): "key",
}

# Section 2: "Insignificant whitespace is allowed before or after any of the six structural
# characters."
_WS = r"[ \t\n\r]*+"
_SPACE = re.compile(r"[ \t\n\r]++")

# Section 7: "All Unicode characters may be placed within the quotation marks, except for the
# characters that MUST be escaped: quotation mark, reverse solidus, and the control characters
# (U+0000 through U+001F)."
_PLAIN = r'[^"\\\x00-\x1f]'

#: A key without escapes and its colon; the same after the comma that parts it from another member.
KEY = re.compile(rf'{_WS}"({_PLAIN}*+)"{_WS}:')
NEXT_KEY = re.compile(rf'{_WS},{_WS}"({_PLAIN}*+)"{_WS}:')

#: A value that is there in full, or the beginning of an array or an object.  ``Match.lastindex`` says
#: which.  A number is there in full only if something that is no part of it follows.
VALUE = re.compile(
    rf'{_WS}(?:"({_PLAIN}*+)"'
    r"|(-?(?:0|[1-9][0-9]*+))(\.[0-9]++)?([eE][+-]?[0-9]++)?(?=[^0-9.eE+-])"
    r"|(true|false|null)"
    r"|([\[{]))"
)
STRING_GROUP, INTEGER_GROUP, LITERAL_GROUP, OPENING_GROUP = 1, 2, 5, 6

LITERALS: dict[str, JSON] = {"true": True, "false": False, "null": None}

# Section 7: a character outside the Basic Multilingual Plane is escaped as "a 12-character sequence,
# encoding the UTF-16 surrogate pair".  The first half is known only by what follows.
_HEX = "[0-9a-fA-F]"
_HIGH = rf"\\u[dD][89abAB]{_HEX}{{2}}"
_CUT = rf"\\(?:u{_HEX}{{0,3}})?\Z"

#: As much of a string as is known for sure.
_RUN = re.compile(rf'(?:{_PLAIN}++|\\["\\/bfnrt]|\\u(?![dD][89abAB]){_HEX}{{4}}|{_HIGH}(?!\Z|{_CUT}))++')

#: What stands at the end of the text and may be an escape, or a surrogate pair of two, if more comes.
CUT_ESCAPE = re.compile(rf"{_CUT}|{_HIGH}(?:\Z|{_CUT})")

NumberState = Literal[
    "start", "minus", "zero", "integer", "point", "fraction", "e", "exponent sign", "exponent"
]

_DIGITS = re.compile("[0-9]++")
_POINT = re.compile(r"\.")
_E = re.compile("[eE]")

#: Section 6: ``number = [ minus ] int [ frac ] [ exp ]``, a state after each of its parts.
NUMBER: dict[NumberState, tuple[tuple[re.Pattern[str], NumberState], ...]] = {
    "start": ((re.compile("-"), "minus"), (re.compile("0"), "zero"), (_DIGITS, "integer")),
    "minus": ((re.compile("0"), "zero"), (_DIGITS, "integer")),
    "zero": ((_POINT, "point"), (_E, "e")),
    "integer": ((_DIGITS, "integer"), (_POINT, "point"), (_E, "e")),
    "point": ((_DIGITS, "fraction"),),
    "fraction": ((_DIGITS, "fraction"), (_E, "e")),
    "e": ((re.compile("[+-]"), "exponent sign"), (_DIGITS, "exponent")),
    "exponent sign": ((_DIGITS, "exponent"),),
    "exponent": ((_DIGITS, "exponent"),),
}

#: A number may end here, and is an integer in the first two.
NUMBER_ENDS = frozenset[NumberState]({"zero", "integer", "fraction", "exponent"})
INTEGER_ENDS = frozenset[NumberState]({"zero", "integer"})

_decoder = json.JSONDecoder()


def end_of_space(text: str, position: int) -> int:
    """Where the white space ends that begins at ``position``."""
    match = _SPACE.match(text, position)
    return match.end() if match else position


def end_of_run(text: str, position: int) -> int:
    """Where that part of a string's rest ends whose meaning nothing can change any more."""
    match = _RUN.match(text, position)
    return match.end() if match else position


def unescaped(run: str) -> str:
    """The text that ``run`` stands for: a part of a string, cut where ``end_of_run`` cuts."""
    if "\\" not in run:
        return run
    text: str = _decoder.raw_decode(f'"{run}"')[0]
    return text


def skip_number(state: NumberState, text: str, position: int) -> tuple[NumberState, int]:
    """Where in ``text`` the number ends whose rest is at ``position``, and its state there."""
    found = True
    while found:
        found = False
        for pattern, following in NUMBER[state]:
            match = pattern.match(text, position)
            if match:
                state, position, found = following, match.end(), True
                break
    return state, position
