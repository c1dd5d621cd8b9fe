"""The law of calls: what a reader may run, of a stream or of a whole response, is what could be run before.

A message that has a call that is not whole, or whose arguments are no JSON, is all or nothing where a
protocol has one word for all of its calls: nothing may be run, then.  UI messages have a state for each call.

The reader here is one that makes something of every text, as Anthropic's official SDKs do: so no call whose
arguments are no JSON may look as if it were to be run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import strategies as st

from sse_core import Message, MessageAccumulator, dialects
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageDelta,
    MessageStart,
    MessageStop,
    TextBlock,
    TextDelta,
    ToolUseBlock,
)
from sse_core.dialects import Dialect
from sse_core.testing import block_events_of, events_of, message_of

#: Calls that may be run: id -> name and arguments.
Calls = dict[str, tuple[str, Any]]
NAMES = dialects.names()
REASONS = {  # of a message that wants its calls to be run, that has ended so, and that may not be run
    "anthropic": ("tool_use", "end_turn", "max_tokens"),
    "gemini": ("STOP", "STOP", "MAX_TOKENS"),
    "openai-chat": ("tool_calls", "stop", "length"),
    "openai-responses": ("completed", "completed", "max_output_tokens"),
    "ui-messages": ("tool-calls", "stop", "length"),
}
WHOLE = ["{}", '{"path": "/tmp", "recursive": true}', '{"a": {"b": ["\\ud83d\\ude00", 1.5]}}', "", " \n"]
#: Arguments that are no JSON, though something can be made of most of them.
HALF = [
    '{"path": "/tmp", "recursive": fal',
    '{"path": "/tmp", "recursive": true',
    '{"command": "rm -rf ./x',
    '{"a": 1} {"b": 2}',
    '{"a": NaN}',
    '{"a": 1,}',
    "{",
    "rm",
]


@st.composite
def messages(draw: st.DrawFn) -> list[BlockEvent]:
    """A message with calls, some of which are not whole, and text between them."""
    origin = draw(st.sampled_from([*NAMES, "", "a-future-one"]))
    events: list[BlockEvent] = []
    for index in range(draw(st.integers(1, 4))):
        if draw(st.integers(0, 3)) == 0:
            events += [BlockStart(index, TextBlock()), TextDelta(index, "Hello"), BlockStop(index)]
            continue
        text = draw(st.sampled_from(WHOLE) | st.sampled_from(HALF))
        cut = draw(st.integers(0, len(text)))
        events.append(BlockStart(index, ToolUseBlock(f"call_{index}", f"tool_{index}")))
        events += [ArgumentsDelta(index, part) for part in (text[:cut], text[cut:]) if part]
        events += [BlockStop(index)] if draw(st.integers(0, 7)) else []
    reason = draw(st.sampled_from(REASONS.get(origin, REASONS["anthropic"])))
    return [MessageStart("m", "c", dialect=origin), *events, MessageDelta(reason), MessageStop()]


def made_of(text: str) -> Any:
    """What a reader makes of arguments that makes something of everything."""
    try:
        return json.loads(text or "{}")
    except ValueError:
        return f"half: {text}"


def executable(message: Message) -> Calls:
    """The calls that may be run."""
    return {tool.id: (tool.name, tool.arguments) for tool in message.executable_tools}


def allowed(message: Message, name: str) -> Calls:
    """The calls of ``message`` that a reader of the dialect ``name`` may run: those, and no more."""
    calls = [tool for tool in message.tools if tool.type == "tool_use"]
    all_whole = all(tool.state == "complete" for tool in calls)
    return executable(message) if all_whole or name == "ui-messages" else {}


def crossed(dialect: Dialect, events: Iterable[BlockEvent]) -> list[BlockEvent]:
    """What a reader of ``dialect`` gets of these events."""
    return block_events_of(dialect, events_of(dialect, events))


def obeys(dialect: Dialect, events: list[BlockEvent]) -> None:
    """The law for one message."""
    message = message_of(events)
    response = _RESPONSES[dialect.name](dialect.to_response(message))
    if message.dialect == dialect.name:
        # In its own protocol a message is written as its provider has sent it.
        assert executable(message_of(crossed(dialect, events))).items() <= executable(message).items()
        assert all(response[id_] == call for id_, call in executable(message).items() if id_ in response)
        return
    assert response == allowed(message, dialect.name)
    after = message_of(crossed(dialect, events), accumulator=MessageAccumulator(parse_json=made_of))
    assert executable(after) == allowed(message, dialect.name)


def _anthropic(response: Any) -> Calls:
    calls = [block for block in response["content"] if block["type"] == "tool_use"]
    runs = response["stop_reason"] in ("tool_use", "end_turn")
    return {call["id"]: (call["name"], call["input"]) for call in calls if runs}


def _chat(response: Any) -> Calls:
    (choice,) = response["choices"]
    runs = choice["finish_reason"] in ("tool_calls", "stop")
    calls = choice["message"].get("tool_calls", []) if runs else []
    return {call["id"]: (call["function"]["name"], made_of(call["function"]["arguments"])) for call in calls}


def _responses(response: Any) -> Calls:
    items = response["output"] if response["status"] == "completed" else []
    calls = [item for item in items if item["type"] == "function_call" and item["status"] == "completed"]
    return {call["call_id"]: (call["name"], made_of(call["arguments"])) for call in calls}


def _gemini(response: Any) -> Calls:
    (candidate,) = response["candidates"]
    parts = candidate["content"]["parts"] if candidate["finishReason"] == "STOP" else []
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    return {call["id"]: (call["name"], call.get("args", {})) for call in calls}


def _ui_messages(response: Any) -> Calls:
    parts = [part for part in response["parts"] if part.get("state") == "input-available"]
    return {part["toolCallId"]: (part["type"].removeprefix("tool-"), part["input"]) for part in parts}


#: What a client would run of a whole response.
_RESPONSES: dict[str, Callable[[Any], Calls]] = {
    "anthropic": _anthropic,
    "openai-chat": _chat,
    "openai-responses": _responses,
    "gemini": _gemini,
    "ui-messages": _ui_messages,
}
