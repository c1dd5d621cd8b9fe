"""The laws of a dialect as plain functions, for whatever finds inputs: any JSON in any order.

Each takes the dialect that it judges, and what makes accumulators, as arguments, so that tests can show
that a wrong one is found.
"""

from __future__ import annotations

import contextlib
import inspect
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from sse_core import (
    LimitExceeded,
    Message,
    MessageAccumulator,
    RemoteProtocolError,
    ServerSentEvent,
    dialects,
    encode_event,
)
from sse_core.blocks import (
    BlockEvent,
    MessageCut,
    MessageStop,
    StreamError,
    TextDelta,
    TextReplaced,
    ToolUseBlock,
    is_visible,
    strict_json,
)
from sse_core.blocks.strict_json import JSON
from sse_core.dialects import Dialect, EventDecoder

from .block_model import BlockModel
from .events import Step
from .laws import held_bytes

#: Makes the accumulator to judge, with these bounds.
MakeAccumulator = Callable[..., MessageAccumulator]

#: All that a decoder or an accumulator may raise for what a peer sent.
DOCUMENTED = (RemoteProtocolError, LimitExceeded)
ENDS = (MessageStop, MessageCut, StreamError)

#: Without one of these words in it, no stream of the protocol says that its message is whole.
END_WORDS = {
    "anthropic": ("message_stop",),
    "openai-chat": ("[DONE]", "finish_reason"),
    "openai-responses": ("response.completed", "response.incomplete"),
    "gemini": ("finishReason", "blockReason"),
    "ui-messages": ("finish", "[DONE]"),
}

#: Bounds for a decoder that has them, so small that an input can meet them; and what it may hold, in bytes:
#: when it is empty, and how many times its bound and its longest event.
SMALL = {"max_held_bytes": 400, "max_choices": 2}
BASE_BYTES = 8_000
BOUND_FACTOR = 12
#: The same for an accumulator.
SMALL_MESSAGE = {"max_message_bytes": 400, "max_blocks": 4, "max_choices": 2}

#: So many places where a stream is cut are tried.
CUTS = 6


def registered() -> list[Dialect]:
    """The dialects that there are."""
    return [dialects.get(name) for name in dialects.names()]


def bounded_decoder(dialect: Dialect) -> EventDecoder:
    """A decoder with small bounds, as far as it has any."""
    known = inspect.signature(dialect.Decoder).parameters
    make: Callable[..., EventDecoder] = dialect.Decoder
    return make(**{name: bound for name, bound in SMALL.items() if name in known})


def _given(decoder: EventDecoder, step: Step) -> list[BlockEvent]:
    return decoder.receive_eof() if step is None else decoder.receive_event(step)


def decoded(dialect: Dialect, steps: Iterable[Step]) -> list[list[BlockEvent]]:
    """The block events of each step and of the stream's end, by a decoder that obeys its contract.

    It raises documented errors only; after one, and after the end, it gives nothing more but that the
    message is cut, once; and after the message's end, nothing at all.
    """
    decoder = dialect.Decoder()
    by_step: list[list[BlockEvent]] = []
    has_failed = has_ended = False
    for step in [*steps, None, None]:
        try:
            events = _given(decoder, step)
        except DOCUMENTED:
            assert not has_failed, "an error is raised twice"
            assert not has_ended, "an error is raised after the end"
            assert step is not None, "an error is raised at the stream's end"
            has_failed, events = True, []
        assert type(events) is list
        assert not has_ended or events == [], f"{events} after the end"
        assert not has_failed or step is None or events == [], f"{events} after an error"
        assert not has_failed or all(type(event) is not MessageStop for event in events)
        ends = [isinstance(event, ENDS) for event in events]
        assert not any(ends[:-1]), f"{events} go on after an end"
        has_ended = has_ended or any(ends)
        assert has_ended or step is not None, "the stream has ended and the message has not"
        by_step.append(events)
    return by_step


def accumulated(
    events: Iterable[BlockEvent], make: MakeAccumulator, **bounds: int
) -> tuple[Message, list[BlockEvent]]:
    """The message of these events up to the first that is refused, which is as a simple model has it.

    And those events; where one is refused, the message is cut there.
    """
    accumulator = make(**bounds)
    model = BlockModel()
    taken: list[BlockEvent] = []
    for event in events:
        is_visible(event)
        try:
            accumulator.receive(event)
        except DOCUMENTED:
            taken.append(MessageCut("failed"))
            accumulator.receive(taken[-1])
            break
        taken.append(event)
        model.receive(event)
        _nothing_unfinished_runs(accumulator.message)
    message = accumulator.message
    model.agrees_with(message)
    _nothing_unfinished_runs(message)
    return message, taken


def _nothing_unfinished_runs(message: Message) -> None:
    for answer in (message, *message.alternatives.values()):
        for tool in answer.executable_tools:
            assert answer.completeness == "complete", f"{tool} may run, the message is {answer.completeness}"
            assert tool.state == "complete", f"{tool} may run"


def _is_shown(message: Message, by: Iterable[Dialect]) -> None:
    """These dialects can write it as JSON, and whatever it offers can be read."""
    for dialect in by:
        json.dumps(dialect.to_response(message), allow_nan=False)
    for answer in (message, *message.alternatives.values()):
        repr(answer)
        _ = (answer.stop_meaning, answer.token_counts.total, answer.tool_seen, answer.server_tool_seen)


def dialect_obeys(
    steps: Sequence[Step], dialect: Dialect, make: MakeAccumulator = MessageAccumulator
) -> None:
    """All laws but that of memory."""
    by_step = decoded(dialect, steps)
    _plain_text_is_decoded(dialect, steps, by_step)
    events = [event for of_step in by_step for event in of_step]
    message, taken = accumulated(events, make)
    _is_shown(message, [dialect, *registered()])
    accumulated(events, make, **SMALL_MESSAGE)
    _cut_is_not_complete(dialect, steps, make)
    _space_around_json_is_nothing(dialect, steps, by_step)
    _sent_on_verbatim_is_the_same(dialect, steps, make)
    said = " ".join(step.data for step in steps if step)
    others = [other for other in registered() if other.name != dialect.name]
    # Which other one is chosen by the input: all of them at each would take too long.
    for other in [dialect, *others[len(said) % max(len(others), 1) :][:1]]:
        _survives(message, taken, said, other, make)


def events_obey(events: list[BlockEvent], make: MakeAccumulator = MessageAccumulator) -> None:
    """Block events from no decoder: the message, within bounds too; every encoder and every response."""
    for bounds in ({}, SMALL_MESSAGE):
        message, taken = accumulated(events, make, **bounds)
        _is_shown(message, registered())
        for dialect in registered():
            decoded(dialect, _sent(taken, dialect))
    accumulator_holds_little(events, make)


def _cut_is_not_complete(dialect: Dialect, steps: Sequence[Step], make: MakeAccumulator) -> None:
    """Cut anywhere, a stream is complete only if its protocol has said so."""
    words = END_WORDS[dialect.name]
    for size in range(0, len(steps), len(steps) // CUTS + 1):
        part = steps[:size]
        message, _ = accumulated([e for of_step in decoded(dialect, part) for e in of_step], make)
        if message.completeness == "complete":
            said = " ".join(f"{step.type} {step.data}" for step in part if step)
            assert any(word in said for word in words) or "\\u" in said, f"{said} is complete"


def _plain_text_is_decoded(dialect: Dialect, steps: Sequence[Step], by_step: list[list[BlockEvent]]) -> None:
    """An event that is nothing but a plain delta of text is decoded as that delta, if at all."""
    reader = PLAIN.get(dialect.name)
    if reader is None:
        return
    for step, events in zip(steps, by_step, strict=False):
        text = reader(_loads(step.data)) if step else None
        if text and events:
            found = [event.text for event in events if isinstance(event, TextDelta)]
            assert found == [text], f"{step}: {found}"


def _space_around_json_is_nothing(
    dialect: Dialect, steps: Sequence[Step], by_step: list[list[BlockEvent]]
) -> None:
    """And no event is read otherwise because it looks like the one before it."""
    spaced = [
        step and ServerSentEvent(step.type, step.data + " " * (place % 2), step.last_event_id)
        for place, step in enumerate(steps)
    ]
    assert repr(decoded(dialect, spaced)) == repr(by_step)


def _plain_anthropic(data: JSON) -> str | None:
    match data:
        case {"type": "content_block_delta", "delta": {"type": "text_delta", "text": str(text)}}:
            return text
    return None


def _plain_chat(data: JSON) -> str | None:
    match data:
        case {"choices": [{"delta": {"content": str(text), **rest}}], **beside} if (
            not rest and "error" not in beside
        ):
            return text
    return None


#: dialect -> the text of an event that is a plain delta of text, written apart from the decoders.
PLAIN: dict[str, Callable[[JSON], str | None]] = {"anthropic": _plain_anthropic, "openai-chat": _plain_chat}


def _loads(text: str) -> JSON:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


# Encoding.


def _sent(events: Iterable[BlockEvent], dialect: Dialect, *, verbatim: bool = False) -> list[ServerSentEvent]:
    """The events as the dialect's encoder writes them, which can be framed."""
    encoder = dialect.Encoder(verbatim=verbatim)
    sent = [sse for event in events for sse in encoder.send(event)]
    for sse in sent:
        encode_event(sse.data, event=sse.type)
    return sent


def _again(sent: Sequence[ServerSentEvent], dialect: Dialect, make: MakeAccumulator) -> Message:
    return accumulated([event for of_step in decoded(dialect, sent) for event in of_step], make)[0]


def _sent_on_verbatim_is_the_same(dialect: Dialect, steps: Sequence[Step], make: MakeAccumulator) -> None:
    before = [event for of_step in decoded(dialect, steps) for event in of_step]
    message, taken = accumulated(before, make)
    sent = _sent(taken, dialect, verbatim=True)
    if message.completeness == "complete":
        assert _again(sent, dialect, make) == message


def _survives(
    message: Message, events: list[BlockEvent], said: str, other: Dialect, make: MakeAccumulator
) -> None:
    """Written in another dialect and read back, a message keeps its text and its calls.

    Those that may not run, because of why the message ended, need not keep their arguments.

    Whatever is lost on the way, nothing may run that could not before.  What was said and then replaced
    has gone out already, and not every protocol can take it back.
    """
    if any(isinstance(event, TextReplaced) for event in events):
        return
    again = _again(_sent(events, other), other, make)
    more = _executable(again) - _executable(message)
    assert not more, f"{sorted(more)} may run after {other.name}"
    if message.completeness != "complete":
        assert again.completeness != "complete", f"{message.completeness} is complete after {other.name}"
        return
    if not _is_orderly(message, events):
        return
    assert again.completeness == "complete", f"{again} after {other.name}"
    assert again.text == message.text, f"{again.text!r} and not {message.text!r} after {other.name}"
    may_run = bool(message.executable_tools)
    before, after = (_calls(each, said, with_arguments=may_run) for each in (message, again))
    assert after == before, f"{after} and not {before} after {other.name}"


def _executable(message: Message) -> Counter[tuple[str, str]]:
    """The calls that may run; where an id is missing some protocols need one made up."""
    return Counter((tool.name, _arguments(tool)) for tool in message.executable_tools)


def _calls(message: Message, said: str, *, with_arguments: bool) -> list[tuple[str, str, str]]:
    """The client's calls, whatever may become of them; an id that nobody ``said`` is made up.

    They have no order: some protocols announce a call as it begins, others once it is whole.
    """
    return sorted(
        (tool.id if tool.id in said else "", tool.name, _arguments(tool) if with_arguments else "")
        for tool in message.tools
        if tool.type == "tool_use"
    )


def _arguments(tool: ToolUseBlock) -> str:
    """The arguments' value: their text may have come with other space, or have been none.

    What is no JSON is its text.  Free text comes as an object of one field where a protocol has no such.
    """
    raw = tool.raw_arguments
    if tool.input_encoding == "text":
        return repr(raw)
    try:
        value = strict_json.loads(raw) if raw.strip(" \t\r\n") else tool.start_input
    except ValueError:
        value = raw
    return repr(value.get("input") if isinstance(value, dict) and [*value] == ["input"] else value)


def _is_orderly(message: Message, events: list[BlockEvent]) -> bool:
    """Whether the message is one that every protocol has a form for.

    Its texts follow each other in the order of their indexes, and each call is whole, with an object for
    arguments, and has an id and a name of its own.
    """
    places = [event.index for event in events if isinstance(event, TextDelta) and event.choice == 0]
    calls = [tool for tool in message.tools if tool.type == "tool_use"]
    ids = [tool.id for tool in calls]
    return (
        places == sorted(places)
        and all(tool.id and tool.name and tool.state == "complete" for tool in calls)
        and all(isinstance(tool.arguments, dict) or tool.input_encoding == "text" for tool in calls)
        and len(ids) == len(set(ids))
    )


# Memory.


def decoder_holds_little(steps: Iterable[Step], dialect: Dialect) -> None:
    """At any time a decoder holds no more than its bounds allow, whatever it was given."""
    decoder = bounded_decoder(dialect)
    given = weighed_at = longest = 0
    for step in [*steps, None]:
        with contextlib.suppress(*DOCUMENTED):
            _given(decoder, step)
        longest = max(longest, len(step.data) if step else 0)
        given += 1
        if step is not None and 4 * given < 5 * weighed_at:
            continue
        weighed_at = given
        memory, allowed = held_bytes(decoder), BASE_BYTES + BOUND_FACTOR * (SMALL["max_held_bytes"] + longest)
        assert memory <= allowed, f"holds {memory} bytes after {given} events, {allowed} are allowed"


def accumulator_holds_little(events: Iterable[BlockEvent], make: MakeAccumulator) -> None:
    """An accumulator holds no more than its bounds allow, even where what it raised is not heeded."""
    accumulator = make(**SMALL_MESSAGE)
    given, longest = 0, 0
    for event in events:
        with contextlib.suppress(*DOCUMENTED):
            accumulator.receive(event)
        given, longest = given + 1, max(longest, len(repr(event)))
    allowed = BASE_BYTES + BOUND_FACTOR * (SMALL_MESSAGE["max_message_bytes"] + longest)
    memory = held_bytes(accumulator)
    assert memory <= allowed, f"holds {memory} bytes after {given} events, {allowed} are allowed"
