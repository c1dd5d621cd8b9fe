"""A call's arguments that come value by value, as fragments of one JSON text.

Vertex names each value by a path (``$.user.tags[0]``), and a string may come in pieces.  A model writes
its arguments from the first to the last, so the text can be given out as it grows: a path that leaves an
object or a list closes it, and nothing is kept but what is open and which names it has.  A string
is closed by the next path or by the end: until then more of it may come.

Paths are RFC 9535's, of names and indexes only: https://www.rfc-editor.org/rfc/rfc9535
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ...blocks import strict_json
from ...blocks.strict_json import JSON, JSONObject
from ..budget import Budget
from ..fields import required

Step = str | int
#: What a name and an open object cost beside their texts, in bytes.
_NAME_BYTES = 100
#: `.name`, `[0]`, `["name"]`, `['name']`.  RFC 9535 has letters, digits and `_` in a bare name; what else
#: may stand there can be distinguished as well.
_STEP = re.compile(
    r"""\.(?P<bare>[^.\[\]*]+)
    | \[(?P<index>0|[1-9][0-9]{0,8})\]
    | \[(?P<double>"(?:[^"\\]|\\.)*")\]
    | \['(?P<single>(?:[^'\\]|\\.)*)'\]""",
    re.VERBOSE | re.DOTALL,
)
#: In a name in single quotes: an escaped one, any other escape, a double quote.
_QUOTES = re.compile(r"""\\'|\\.|\"""", re.DOTALL)


class _Container:
    """An object or a list that is open: ``step`` is its place in the one around it."""

    __slots__ = ("bytes", "count", "is_list", "names", "step")

    def __init__(self, step: Step, *, is_list: bool) -> None:
        self.step = step
        self.is_list = is_list
        self.names: set[str] = set()
        self.count = 0
        self.bytes = _NAME_BYTES

    def enter(self, step: Step) -> str:
        """The text before the value at ``step``.

        Raises ``ValueError`` where the container is of the other kind, or where that place is not the next.
        """
        comma = "," if self.count else ""
        if self.is_list:
            if step != self.count:
                raise ValueError(f"index {step!r} is not the next")
            self.count += 1
            return comma
        if not isinstance(step, str) or step in self.names:
            raise ValueError(f"{step!r:.50} has been, or is no name")
        self.names.add(step)
        self.bytes += len(step.encode("utf-8", "surrogatepass")) + _NAME_BYTES
        self.count += 1
        return f"{comma}{strict_json.dumps(step)}:"


class PartialArgs:
    """Makes JSON text of a call's arguments.

    After a ``ValueError`` it can't be used any more: a part of the arguments could not be placed.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._open: list[_Container] = []
        self._string: list[Step] | None = None  # the path of the string that is open
        self._whole = False

    def whole(self, args: JSONObject) -> str:
        """The text of arguments that come at once.  Raises ``ValueError`` where some have come."""
        if self._whole or self._open:
            raise ValueError("args come twice")
        self._whole = True
        return strict_json.dumps(args)

    def add(self, arg: JSON) -> str:
        """The text that one item of ``partialArgs`` adds.

        Raises ``ValueError`` for one that can't be read or placed, ``LimitExceeded`` beyond
        ``max_held_bytes``.
        """
        if self._whole or not isinstance(arg, dict):
            raise ValueError("partialArgs after args, or an item that is no object")
        path = _steps(required(arg, "jsonPath", str))
        name = next((name for name in _VALUES if name in arg), None)
        if path == self._string and name in {None, "stringValue"}:
            return _inside(required(arg, "stringValue", str)) if name else ""
        if name is None:
            raise ValueError("it has no value")
        value = _VALUES[name](arg)
        return self._turn_to(path) + self._begin(path, value)

    def finish(self) -> str:
        """The text that closes all that is open."""
        return self._close(0)

    def _turn_to(self, path: list[Step]) -> str:
        """Leave what ``path`` is not in, and enter what it is in."""
        *around, last = path
        shared = 0
        inner = self._open[1:]
        while shared < min(len(inner), len(around)) and inner[shared].step == around[shared]:
            shared += 1
        text = [self._close(shared + 1)]
        if not self._open:
            text.append(self._enter("", is_list=False))
        for step, following in zip(around[shared:], path[shared + 1 :], strict=True):
            text += [self._name(step), self._enter(step, is_list=isinstance(following, int))]
        return "".join([*text, self._name(last)])

    def _name(self, step: Step) -> str:
        container = self._open[-1]
        before = container.bytes
        text = container.enter(step)
        self._budget.add(container.bytes - before)
        return text

    def _enter(self, step: Step, *, is_list: bool) -> str:
        container = _Container(step, is_list=is_list)
        self._open.append(container)
        self._budget.add(container.bytes)
        return "[" if is_list else "{"

    def _begin(self, path: list[Step], value: JSON) -> str:
        text = strict_json.dumps(value)
        if not isinstance(value, str):
            return text
        self._string = path
        return text[:-1]

    def _close(self, depth: int) -> str:
        """Close the open string, and containers until ``depth`` are left."""
        text = "" if self._string is None else '"'
        self._string = None
        while len(self._open) > depth:
            container = self._open.pop()
            self._budget.add(-container.bytes)
            text += "]" if container.is_list else "}"
        return text


def _inside(text: str) -> str:
    """A piece of a string as it stands between the quotes."""
    return strict_json.dumps(text)[1:-1]


def _number(arg: JSONObject) -> JSON:
    value = arg["numberValue"]
    if type(value) not in {int, float}:
        raise ValueError("numberValue is no number")
    return value


#: What holds a value, and how it is read.
_VALUES: dict[str, Callable[[JSONObject], JSON]] = {
    "stringValue": lambda arg: required(arg, "stringValue", str),
    "numberValue": _number,
    "boolValue": lambda arg: required(arg, "boolValue", bool),
    "nullValue": lambda _: None,  # protobuf writes null, and some of its clients "NULL_VALUE"
}


def _steps(path: str) -> list[Step]:
    """The steps of a path.  Raises ``ValueError`` for one that names no value within an object."""
    steps: list[Step] = []
    end = 1
    while end < len(path):
        match = _STEP.match(path, end)
        if match is None:
            break
        steps.append(_step(match))
        end = match.end()
    if not path.startswith("$") or end < len(path) or not steps or isinstance(steps[0], int):
        raise ValueError(f"{path!a:.50} is no path")
    if len(steps) > strict_json.MAX_DEPTH:
        raise ValueError("a path is too deep")
    return steps


def _step(match: re.Match[str]) -> Step:
    kind, text = match.lastgroup, match[match.lastgroup or 0]
    if kind == "bare":
        return text
    if kind == "index":
        return int(text)
    quoted = text if kind == "double" else '"' + _QUOTES.sub(_requoted, text) + '"'
    return str(strict_json.loads(quoted))


def _requoted(match: re.Match[str]) -> str:
    return {"\\'": "'", '"': '\\"'}.get(match[0], match[0])
