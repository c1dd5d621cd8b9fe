"""A candidate's function calls.

A call comes whole, in one part: name and arguments.  Vertex can stream the arguments: a part with
the name, parts without one that belong to the call which is open, and ``willContinue`` in each that is
not the last.  The last one is often empty.

A call is whole with the part that doesn't say ``willContinue``.  If none comes, or if some of its
arguments could not be placed, the call has no end, and nobody may run it.
"""

from __future__ import annotations

import re

from ...blocks import ToolUseBlock
from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSONObject
from ..budget import Budget
from ..fields import optional, rest
from .partial_args import PartialArgs

#: What marks fields of the call itself among the extra fields of its block.  ``functionCall.id`` is the
#: id that the provider gave, null where it gave none: the block's own id is made up then.
CALL = "functionCall."
CALL_ID = f"{CALL}id"
_OF_CALL = ("name", "args", "id", "partialArgs", "willContinue")
#: What may stand in an id that is made up, wherever it is sent on to, and how much of the response's.
_NO_ID = re.compile(r"[^A-Za-z0-9_-]+")
_ID_LENGTH = 24


class Calls:
    """The calls of one candidate."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._open: int | None = None  # the block of the call that goes on
        self._id: str | None = None  # the id that the provider gave it
        self._args: PartialArgs | None = None  # its arguments, while all of them could be placed

    def begin(self, part: JSONObject, call: JSONObject, block: int, prefix: str) -> list[BlockEvent]:
        """A part with the name of a call, which takes the index ``block``.

        ``prefix`` begins its id if the provider gave none.
        """
        self._forget()
        name, id_ = optional(call, "name", str) or "", optional(call, "id", str) or None
        extra = _beside(part, call)
        if id_ is None:
            extra[CALL_ID] = None
        known = id_ or f"call_{_NO_ID.sub('', prefix)[:_ID_LENGTH]}_{block}"
        self._open, self._id, self._args = block, id_, PartialArgs(self._budget)
        start = e.BlockStart(block, ToolUseBlock(known, name, extra=extra))
        return [start, *self._arguments(block, part, call)]

    def go_on(self, part: JSONObject, call: JSONObject) -> list[BlockEvent] | None:
        """A part without a name, more of the call that is open; ``None`` if none is."""
        if self._open is None:
            return None
        extra, id_ = _beside(part, call), optional(call, "id", str)
        if id_ and id_ != self._id:
            self._id = extra[CALL_ID] = id_
        late: list[BlockEvent] = [e.FieldsDelta(self._open, extra)] if extra else []
        return late + self._arguments(self._open, part, call)

    def _arguments(self, block: int, part: JSONObject, call: JSONObject) -> list[BlockEvent]:
        args, partial = optional(call, "args", dict), optional(call, "partialArgs", list) or []
        ends = not optional(call, "willContinue", bool)
        if ends:
            self._open = None
        if self._args is None:
            return [e.UnknownDelta(block, part)] if args is not None or partial else []
        try:
            fragments = [self._args.whole(args)] if args is not None else []
            fragments += [self._args.add(arg) for arg in partial]
        except ValueError:
            # Arguments that lack one are not the model's: the call goes on to its end without them.
            self._forget()
            return [e.UnknownDelta(block, part)]
        text = "".join([*fragments, self._args.finish() if ends else ""])
        events: list[BlockEvent] = [e.ArgumentsDelta(block, text)] if text else []
        return [*events, e.BlockStop(block)] if ends else events

    def _forget(self) -> None:
        """Keep nothing of arguments that won't be whole."""
        if self._args is not None:
            self._args.finish()
        self._args = None


def _beside(part: JSONObject, call: JSONObject) -> JSONObject:
    """Fields of a part, and of its call, that have no name here: the signature above all."""
    inner = {CALL + name: value for name, value in rest(call, *_OF_CALL).items()}
    return {**rest(part, "functionCall"), **inner}
