"""JSON that arrives in fragments: what is complete, and what is known so far.

Theory.  The document is a tree that grows at one place only, its end.  So the tree itself is kept,
together with the row of open arrays and objects that leads to that place.  A value enters the tree
when nothing can change it any more; an array, an object and a string enter it when they begin.  No
character is looked at again once it is understood.  What can't be understood before more comes
(half an escape, ``tru``) is a few characters, and waits; a number waits in pieces.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import LimitExceeded, LocalProtocolError, RemoteProtocolError, SSEError
from . import json_grammar as g
from . import strict_json
from .json_pieces import StringPieces, join_surrogates
from .strict_json import JSON

#: Where a value stands: the keys and indexes that lead to it; ``()`` is the document itself.
Path = tuple[str | int, ...]


class JSONFragmentError(RemoteProtocolError, ValueError):
    """The text is no JSON, or it is not all of it.

    ``offset`` says where, in characters from the beginning of the document; a surrogate pair is one
    character.  ``incomplete`` is whether more text could have made it right.
    """

    def __init__(self, message: str, *, offset: int, incomplete: bool = False) -> None:
        super().__init__(message, status=502)
        self.offset = offset
        self.incomplete = incomplete


class JSONFragments:
    """Reads one JSON document from the fragments of its text, in time linear in the text.

    The rules are RFC 8259's, and what is left open there is as ``json.loads`` has it: the last of
    several equal keys counts, half a surrogate pair stays as it is.  But a number beyond the range of a
    double is refused, as it is in a tool's arguments: ``json.loads`` reads it as infinite, which JSON
    can't hold.

    - ``max_chars``: of the whole document (RFC 8259 section 9 allows this bound and the next).
    - ``max_depth``: arrays and objects in one another.
    - ``max_path_keys``: keys in the paths of all values together: a deep document has long paths, and each
      of its values comes with one.
    - ``parse_float``: makes a number of the text of one with a fraction or an exponent, as it does for
      ``json.loads``; what it meets with ``ValueError`` or ``ArithmeticError`` is refused.
    """

    def __init__(
        self,
        *,
        max_chars: int = 16 * 2**20,
        max_depth: int = strict_json.MAX_DEPTH,
        max_path_keys: int = 16 * 2**20,
        parse_float: Callable[[str], JSON] = strict_json.finite,
    ) -> None:
        self._max_chars = max_chars
        self._max_depth = max_depth
        self._max_path_keys = max_path_keys
        self._parse_float = parse_float
        self._offset = 0  # of the text that is looked at
        self._deferred = ""  # the end of the last fragment, not understood yet
        self._half = ""  # of a surrogate pair: the last fragment's last character
        self._state: g.State = "document"
        self._root: list[JSON] = []
        self._container: Any = self._root  # the innermost array or object that is open,
        self._path: Path = ()  # its own path,
        self._after: g.State = "end"  # and the state after a value in it
        self._outer: list[tuple[Any, Path, g.State]] = []  # the same of those around it
        self._key: Any = 0  # of the last value in the container
        self._string = StringPieces()  # what is known of the open string or key, and not yet in the tree
        self._string_path: Path = ()
        self._number: list[str] = []
        self._number_state: g.NumberState = "start"
        self._path_keys = 0
        self._completed: list[tuple[Path, JSON]] = []
        self._failure: SSEError | None = None
        self._finished = False

    @property
    def value(self) -> JSON:
        """What is known of the document so far; ``None`` before anything is.

        Arrays and objects have the members that are complete, and the one that is still being
        received if that is an array, an object or a string.  A key appears with its value.  Arrays and
        objects are the same ones all along and grow with the document: change nothing in them, and copy
        what shall stay as it is.  Reading this costs what came since the last reading, as long as nobody
        keeps the unfinished string itself; else that string is copied.
        """
        if self._state == "string":
            self._show_string()
        return self._root[0] if self._root else None

    @property
    def complete(self) -> bool:
        """Whether the document's value is complete.  Only ``finish`` can say so of a number alone."""
        return self._state == "end"

    @property
    def unfinished_path(self) -> Path | None:
        """Where in ``value`` the string stands that is still being received; ``None`` if none is."""
        return self._string_path if self._state == "string" else None

    def receive(self, text: str) -> list[tuple[Path, JSON]]:
        """Take the next fragment, and give the values that it completes, each with its path.

        Values come in the order of their ends: those in an array or an object before it.

        Raises :class:`JSONFragmentError` as soon as no continuation could make JSON of the text, and
        ``LimitExceeded`` for what is beyond a bound; what was known before stays in ``value``.  Raises
        ``LocalProtocolError`` after that and after ``finish``.
        """
        if self._failure or self._finished:
            raise LocalProtocolError("the JSON has failed or was finished; begin another one")
        completed: list[tuple[Path, JSON]] = []
        self._completed = completed
        text, self._half = join_surrogates(f"{self._deferred}{self._half}{text}")
        self._deferred = ""
        try:
            self._read(text)
        except SSEError as failure:
            self._failure = failure
            raise
        self._offset += len(text) - len(self._deferred)
        return completed

    def finish(self) -> JSON:
        """Say that no more comes, and get the whole document's value.

        Raises :class:`JSONFragmentError` if the document is not complete, and what ``receive`` raised if
        it did.
        """
        if self._failure:
            raise self._failure
        try:
            if self._state == "number" and not self._outer and self._number_state in g.NUMBER_ENDS:
                self._end_number(0)
            if self._state != "end":
                raise self._incomplete()
        except JSONFragmentError as failure:
            self._failure = failure
            raise
        self._finished = True
        return self._root[0]

    def _read(self, text: str) -> None:
        if self._offset + len(text) > self._max_chars:
            raise _too_much("max_chars", self._max_chars)
        self._take(text)
        if self._half and self._state not in {"string", "key string"}:
            # Nothing else has room for it: let it be refused as the whole character would be.
            self._offset += len(text) - len(self._deferred)
            self._take(self._deferred + self._half)

    def _take(self, text: str) -> None:
        position, end = 0, len(text)
        while position < end:
            position = _STEPS[self._state](self, text, position)

    # Each step takes what it can of ``text`` at ``position``, and gives the position after that.

    def _read_value(self, text: str, position: int) -> int:
        match = g.VALUE.match(text, position)
        if match is None:
            return self._begin_value(text, position)
        end, kind = match.end(), match.lastindex
        if kind == g.STRING_GROUP:
            self._add(match[kind])
        elif kind == g.OPENING_GROUP:
            self._open(match[kind])
        elif kind == g.LITERAL_GROUP:
            self._add(g.LITERALS[match[kind]])
        else:
            number = text[match.start(g.INTEGER_GROUP) : end]
            self._add(self._number_value(number, end, is_integer=kind == g.INTEGER_GROUP))
        return end

    def _begin_value(self, text: str, position: int) -> int:
        """Begin a value that is not there in full."""
        position = g.end_of_space(text, position)
        if position == len(text):
            return position
        char = text[position]
        if char == '"':
            self._string_path = self._place("")
            self._state = "string"
            return position + 1
        if char in "-0123456789":
            self._state, self._number_state = "number", "start"
            return position
        if char == g.CLOSING.get(self._state):
            return self._close(position)
        if any(literal.startswith(text[position:]) for literal in g.LITERALS):
            return self._defer(text, position)
        raise self._unexpected(text, position)

    def _read_key(self, text: str, position: int) -> int:
        match = g.KEY.match(text, position)
        if match is None:
            return self._read_sign(text, position)
        self._key, self._state = match[1], "member"
        return match.end()

    def _read_next_key(self, text: str, position: int) -> int:
        match = g.NEXT_KEY.match(text, position)
        if match is None:
            return self._read_sign(text, position)
        self._key, self._state = match[1], "member"
        return match.end()

    def _read_sign(self, text: str, position: int) -> int:
        position = g.end_of_space(text, position)
        if position == len(text):
            return position
        char = text[position]
        if char == g.CLOSING.get(self._state):
            return self._close(position)
        following = g.NEXT.get((self._state, char))
        if following is None:
            raise self._unexpected(text, position)
        self._state = following
        return position + 1

    def _read_string(self, text: str, position: int) -> int:
        end = g.end_of_run(text, position)
        if end > position:
            self._string.append(g.unescaped(text[position:end]))
        if end == len(text):
            return end
        if text[end] == '"':
            self._end_string()
            return end + 1
        if g.CUT_ESCAPE.match(text, end):
            return self._defer(text, end)
        raise self._unexpected(text, end)

    def _read_number(self, text: str, position: int) -> int:
        self._number_state, end = g.skip_number(self._number_state, text, position)
        self._number.append(text[position:end])
        if end < len(text):
            if self._number_state not in g.NUMBER_ENDS:
                raise self._unexpected(text, end)
            self._end_number(end)
        return end

    # What becomes of the tree.

    def _place(self, value: JSON) -> Path:
        """Put ``value`` where the document grows; give its path."""
        if self._after == "after member":
            self._container[self._key] = value
        else:
            self._key = len(self._container)
            self._container.append(value)
        if not self._outer:
            return ()
        path = (*self._path, self._key)
        self._path_keys += len(path)
        if self._path_keys > self._max_path_keys:
            raise _too_much("max_path_keys", self._max_path_keys)
        return path

    def _add(self, value: JSON) -> None:
        self._completed.append((self._place(value), value))
        self._state = self._after

    def _open(self, bracket: str) -> None:
        outer = self._outer
        if len(outer) == self._max_depth:
            raise _too_much("max_depth", self._max_depth)
        value: JSON = {} if bracket == "{" else []
        path = self._place(value)
        outer.append((self._container, self._path, self._after))
        self._container, self._path = value, path
        self._state, self._after = g.OPENING[bracket]

    def _close(self, position: int) -> int:
        self._completed.append((self._path, self._container))
        self._container, self._path, self._after = self._outer.pop()
        self._state = self._after
        return position + 1

    def _show_string(self) -> None:
        """Bring the open string in the tree up to date."""
        new = self._string.take()
        if new:
            container, key = self._container, self._key
            text: str = container[key]
            # With the tree's own reference gone, CPython makes the string longer where it is.  Else a
            # view after each of many fragments would copy all of the string each time.
            container[key] = ""
            text += new
            container[key] = text

    def _end_string(self) -> None:
        if self._state == "key string":
            self._key, self._state = self._string.take(), "colon"
            return
        self._show_string()
        self._completed.append((self._string_path, self._container[self._key]))
        self._state = self._after

    def _end_number(self, end: int) -> None:
        number = "".join(self._number)
        self._number.clear()
        self._add(self._number_value(number, end, is_integer=self._number_state in g.INTEGER_ENDS))

    def _number_value(self, number: str, end: int, *, is_integer: bool) -> JSON:
        try:
            return int(number) if is_integer else self._parse_float(number)
        except (ValueError, ArithmeticError) as error:
            # Beyond a double; or an integer of some thousand digits (sys.set_int_max_str_digits).
            offset = self._offset + end - len(number)
            message = f"the number at offset {offset} can't be read"
            raise JSONFragmentError(message, offset=offset) from error

    # What is not understood, or not yet.

    def _defer(self, text: str, position: int) -> int:
        self._deferred = text[position:]
        return len(text)

    def _unexpected(self, text: str, position: int) -> JSONFragmentError:
        offset = self._offset + position
        # Of a surrogate pair the first half may be all that has come: no split changes what is said.
        half = text[position].encode("utf-16-le", "surrogatepass")[:2].decode("utf-16-le", "surrogatepass")
        message = f"not JSON at offset {offset}: {ascii(half)} where {g.EXPECTED[self._state]} should be"
        return JSONFragmentError(message, offset=offset)

    def _incomplete(self) -> JSONFragmentError:
        offset = self._offset + len(self._deferred) + len(self._half)
        message = f"the JSON ends at offset {offset}, where {g.EXPECTED[self._state]} should be"
        return JSONFragmentError(message, offset=offset, incomplete=True)


_STEPS: dict[g.State, Callable[[JSONFragments, str, int], int]] = {
    "document": JSONFragments._read_value,
    "first item": JSONFragments._read_value,
    "item": JSONFragments._read_value,
    "member": JSONFragments._read_value,
    "first key": JSONFragments._read_key,
    "key": JSONFragments._read_key,
    "colon": JSONFragments._read_sign,
    "after item": JSONFragments._read_sign,
    "after member": JSONFragments._read_next_key,
    "end": JSONFragments._read_sign,
    "string": JSONFragments._read_string,
    "key string": JSONFragments._read_string,
    "number": JSONFragments._read_number,
}


def _too_much(limit: str, bound: int) -> LimitExceeded:
    return LimitExceeded(f"the JSON is beyond {limit}={bound}", limit=limit, bound=bound, status=502)
