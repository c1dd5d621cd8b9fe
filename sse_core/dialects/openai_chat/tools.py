"""Which call a fragment of ``tool_calls`` belongs to.

OpenAI numbers the calls of an answer with ``index`` and gives ``id`` and ``name`` with the first
fragment.  Hosts leave the index out, use it twice, count from 1, repeat ids and names as empty text
or null, send the name late, or whole calls at once.  So, in this order: a fragment with an id that was
seen belongs to that call, and with another id begins a call, even if the index repeats; else the
index counts; else it belongs to the latest call.  A name is set once.

A call of a tool that takes free text has ``custom`` with ``name`` and ``input`` in place of ``function``
with ``name`` and ``arguments``: https://github.com/openai/openai-openapi/issues/576.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...blocks import events as e
from ...blocks import strict_json
from ...blocks.events import BlockEvent
from ...blocks.model import InputEncoding, ToolUseBlock
from ...blocks.strict_json import JSON, JSONObject
from ..fields import optional, rest
from ..held import Held

#: What a call and an index cost beside their texts, in bytes.
_CALL_BYTES = 200
_INDEX_BYTES = 100
#: Where a call of a kind has the text of its arguments.
_ARGUMENTS = {"function": "arguments", "custom": "input"}


@dataclass(slots=True)
class Call:
    """A tool call; ``block`` is its block's index, once it has begun.  It begins with its name."""

    id: str = ""
    name: str = ""
    takes_text: bool = False
    block: int | None = None
    fragments: list[str] = field(default_factory=list)  #: those that came before the name
    extra: JSONObject = field(default_factory=dict)


class Calls:
    """The tool calls of one answer."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._calls: list[Call] = []
        self._by_id: dict[str, Call] = {}
        self._by_index: dict[int, Call] = {}
        self._latest: Call | None = None

    def receive(self, fragment: JSON, next_block: int) -> list[BlockEvent]:
        """The block events of one item of ``tool_calls``; a call that begins takes ``next_block``.

        Raises ``ValueError`` for an item that lacks the right types, ``LimitExceeded`` beyond
        ``max_held_bytes``.
        """
        if not isinstance(fragment, dict):
            raise ValueError("a tool call is no object")  # noqa: TRY004  (a peer's mistake)
        is_custom = fragment.get("function") is None and isinstance(fragment.get("custom"), dict)
        kind = "custom" if is_custom else "function"
        body = optional(fragment, kind, dict) or {}
        name = optional(body, "name", str) or ""
        arguments = _arguments(body.get(_ARGUMENTS[kind]))
        call = self._resolve(optional(fragment, "id", str) or "", optional(fragment, "index", int))
        call.takes_text = call.takes_text or is_custom
        extra = {**rest(fragment, "id", "index", kind), **rest(body, "name", _ARGUMENTS[kind])}
        # `type` says nothing where it repeats what the call has.
        extra = {key: value for key, value in extra.items() if key != "type" or value not in (None, "", kind)}
        if call.block is None:
            return self._wait(call, name, arguments, extra, next_block)
        events: list[BlockEvent] = [e.FieldsDelta(call.block, extra)] if extra else []
        return [*events, e.ArgumentsDelta(call.block, arguments)] if arguments else events

    def flush(self, next_block: int) -> list[BlockEvent]:
        """What is held of calls whose name never came, at the end."""
        nameless = [call for call in self._calls if call.block is None]
        starts = [_begin(call, next_block + place) for place, call in enumerate(nameless)]
        return [event for events in starts for event in events]

    def stop(self) -> list[BlockEvent]:
        """All calls are whole, but for those that have no name: they can't be."""
        return [e.BlockStop(call.block) for call in self._calls if call.block is not None and call.name]

    def _resolve(self, id: str, index: int | None) -> Call:
        indexed = None if index is None else self._by_index.get(index)
        if id:
            # An id may come late, but only to a call of which nothing was told yet.
            late = indexed if indexed is not None and not indexed.id and indexed.block is None else None
            call = self._by_id.get(id) or late or self._new()
            if call.id != id:
                call.id = id
                self._by_id[id] = call
                self._held.add(len(id.encode("utf-8", "surrogatepass")))
        elif index is not None:
            call = indexed or self._new()
        else:
            call = self._latest or self._new()
        if index is not None:
            self._held.add(0 if index in self._by_index else _INDEX_BYTES)
            self._by_index[index] = call
        self._latest = call
        return call

    def _new(self) -> Call:
        self._held.add(_CALL_BYTES)
        call = Call()
        self._calls.append(call)
        return call

    def _wait(self, call: Call, name: str, arguments: str, extra: JSONObject, block: int) -> list[BlockEvent]:
        """Keep what a call without a name has said; begin once it has one."""
        call.name = name
        call.extra.update(extra)
        if arguments:
            call.fragments.append(arguments)
        if name:
            return _begin(call, block)
        self._held.add(len(strict_json.dumps([arguments, extra])))
        return []


def _begin(call: Call, block: int) -> list[BlockEvent]:
    call.block = block
    encoding: InputEncoding = "text" if call.takes_text else "json"
    start = e.BlockStart(block, ToolUseBlock(call.id, call.name, input_encoding=encoding, extra=call.extra))
    fragments = "".join(call.fragments)
    call.fragments = []
    return [start, e.ArgumentsDelta(block, fragments)] if fragments else [start]


def _arguments(value: JSON) -> str:
    """Arguments are text, as the protocol has it; some hosts send the value itself."""
    if value is None or isinstance(value, str):
        return value or ""
    return strict_json.dumps(value)
