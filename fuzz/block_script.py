"""Block events written as JSON: ``["TextDelta", {"index": 0, "text": "a"}]``.

A block within an event is written alike, ``["TextBlock", {"text": "a"}]``.  What is no event, lacks an
argument or has one of another type than its class says is left out: the accumulator is promised as much.
"""

from __future__ import annotations

import inspect
import json
import types
import typing
from collections.abc import Iterable
from functools import cache
from typing import Any

from sse_core import ServerSentEvent, blocks
from sse_core.blocks import BlockEvent, VerbatimBlock, strict_json

from .events import Step, script_of

_EVENTS = {
    kind.__name__: kind
    for kind in vars(blocks).values()
    if inspect.isclass(kind) and issubclass(kind, BlockEvent)
}
_BLOCKS = {kind.__name__: kind for kind in typing.get_args(blocks.Block)}
#: What is the accumulator's to decide, and an event's origin.
_NOT_GIVEN = frozenset({"source", "raw_arguments", "arguments", "state"})


def events_of(steps: Iterable[Step]) -> list[BlockEvent]:
    """The block events that are written in these events' data."""
    events = []
    for step in steps:
        try:
            event = _made(strict_json.loads(step.data) if step else None, _EVENTS)
        except ValueError:
            continue
        events.append(event)
    return events


def _made(value: Any, kinds: dict[str, Any]) -> Any:
    match value:
        case [str(name), dict(arguments)] if name in kinds:
            kind = kinds[name]
        case _:
            raise ValueError("none of these")
    hints = _hints(kind)
    known = (hints.keys() & arguments.keys()) - _NOT_GIVEN
    given = {name: _fitting(arguments[name], hints[name]) for name in arguments if name in known}
    try:
        made = kind(**given)
    except TypeError:
        raise ValueError("an argument is missing") from None
    if kind is BlockEvent or getattr(made, "index", 0) < 0 or getattr(made, "choice", 0) < 0:
        raise ValueError("no decoder gives such")
    if isinstance(made, VerbatimBlock) and not isinstance(made.data.get("type"), str):
        raise ValueError("no block has no type")  # noqa: TRY004  (an input's mistake, not the caller's)
    return made


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind if issubclass(kind, BlockEvent) else kind.__init__)


def _fitting(value: Any, hint: Any) -> Any:
    """``value``, or what it stands for, if it is of this type."""
    origin = typing.get_origin(hint)
    if hint == blocks.Block:
        return _made(value, _BLOCKS)
    if origin in {typing.Union, types.UnionType}:
        return _first_fitting(value, typing.get_args(hint))
    if origin is list and isinstance(value, list):
        return [_fitting(item, typing.get_args(hint)[0]) for item in value]
    if hint is Any or (origin is typing.Literal and value in typing.get_args(hint)):
        return value
    if type(value) is (origin or hint):
        return value
    raise ValueError("of another type")


def _first_fitting(value: Any, hints: Iterable[Any]) -> Any:
    for hint in hints:
        if hint is type(None) and value is None:
            return None
        try:
            return _fitting(value, hint)
        except ValueError:
            continue
    raise ValueError("of another type")


def _stream(*events: tuple[str, dict[str, Any]]) -> list[ServerSentEvent]:
    return [ServerSentEvent("message", json.dumps(event, separators=(",", ":"))) for event in events]


_START = (
    "MessageStart",
    {"id": "m", "model": "c", "role": "assistant", "usage": {"input_tokens": 1}, "dialect": "anthropic"},
)
_TEXT = (
    "BlockStart",
    {"index": 0, "block": ["TextBlock", {"text": "a", "citations": [], "extra": {"field": "refusal"}}]},
)
_TOOL = {
    "id": "t",
    "name": "f",
    "type": "tool_use",
    "start_input": {"a": 1},
    "input_encoding": "json",
    "extra": {},
}
_STREAMS: tuple[tuple[tuple[str, dict[str, Any]], ...], ...] = (
    (
        _START,
        _TEXT,
        ("TextDelta", {"index": 0, "text": "b"}),
        ("TextDelta", {"index": 0, "text": " "}),
        ("CitationDelta", {"index": 0, "citation": {"url": "u"}}),
        ("TextReplaced", {"index": 0, "text": "c"}),
        ("TextDelta", {"index": 0, "text": "d"}),
        ("FieldsDelta", {"index": 0, "fields": {"x": 1}}),
        ("BlockStop", {"index": 0}),
        ("MessageDelta", {"stop_reason": "end_turn", "usage": {"output_tokens": 2}, "extra": {"x": [1]}}),
        ("ItemsDelta", {"name": "x", "items": [2]}),
        ("Ping", {"cursor": 1}),
        ("MessageStop", {}),
    ),
    (
        _START,
        ("BlockStart", {"index": 1, "block": ["ToolUseBlock", _TOOL]}),
        ("ArgumentsDelta", {"index": 1, "text": '{"a"'}),
        ("ArgumentsDelta", {"index": 1, "text": ":1}"}),
        ("BlockStop", {"index": 1}),
        (
            "BlockStart",
            {
                "index": 0,
                "block": ["ToolUseBlock", {**_TOOL, "id": "u", "input_encoding": "text"}],
                "model": "d",
            },
        ),
        ("ArgumentsDelta", {"index": 0, "text": "1"}),
        ("BlockStop", {"index": 0}),
        ("MessageDelta", {"stop_reason": "tool_use"}),
        ("MessageStop", {}),
    ),
    (
        (
            "MessageStart",
            {"id": "m", "model": "c", "blocks": [["ThinkingBlock", {"thinking": "a", "signature": "s"}]]},
        ),
        ("BlockStart", {"index": 1, "block": ["ThinkingBlock", {}]}),
        ("ThinkingDelta", {"index": 1, "text": "b"}),
        ("SignatureDelta", {"index": 1, "signature": "s"}),
        ("BlockStart", {"index": 2, "block": ["RedactedThinkingBlock", {"data": "r"}]}),
        ("BlockStart", {"index": 3, "block": ["UnknownBlock", {"data": {"type": "x"}}]}),
        ("BlockStart", {"index": 4, "block": ["ResultBlock", {"data": {"type": "x_tool_result"}}]}),
        ("UnknownDelta", {"index": 3, "delta": {"type": "y"}}),
        ("UnknownEvent", {"data": {"type": "z"}}),
        ("MessageCut", {"completeness": "stopped"}),
    ),
    (
        _START,
        ("MessageStart", {"id": "m", "model": "c", "choice": 1}),
        ("BlockStart", {"index": 0, "block": ["TextBlock", {}], "choice": 1}),
        ("TextDelta", {"index": 0, "text": "b", "choice": 1}),
        ("MessageDelta", {"stop_reason": "stop", "choice": 1}),
        (
            "StreamError",
            {
                "type": "overloaded_error",
                "message": "No",
                "code": "c",
                "retryable": True,
                "retry_after": 1.5,
                "kind": "overloaded",
            },
        ),
    ),
)
STREAMS = [_stream(*events) for events in _STREAMS]
_SCRIPTS = [script_of(stream) for stream in STREAMS]
_GROWING = b'["TextDelta",{"index":0,"text":"0123456789"}]\xfe7'
SEEDS = (
    *_SCRIPTS,
    _SCRIPTS[0][:330] + b"\xfe|" + _GROWING,
    *(script + b"\xfe|" + script for script in _SCRIPTS[:2]),
)
