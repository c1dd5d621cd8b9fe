"""Whatever a host of Responses sends, only the named errors are raised, and nothing unfinished may run."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fuzz.laws import held_bytes
from sse_core import LimitExceeded, Message, MessageAccumulator, RemoteProtocolError, ServerSentEvent
from sse_core.blocks import BlockEvent, MessageCut, MessageStart, MessageStop, StreamError, strict_json
from sse_core.blocks.events import is_visible
from sse_core.dialects.openai_responses import Decoder
from sse_core.testing import message_of, strategies
from tests.core.dialects.responses_events import RESPONSES, numbered
from tests.examples import examples

FIELDS = strategies.json_objects()
TEXTS = strategies.texts()
VALUES = strategies.json_values()


def _mostly(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values as they should be, and one in thirty that may be anything."""
    return st.integers(0, 29).flatmap(lambda chance: VALUES if chance == 7 else right)


def _objects(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects with some of these fields, most of them as they should be, and unknown ones."""
    known = st.fixed_dictionaries({}, optional={name: _mostly(value) for name, value in fields.items()})
    return st.builds(lambda data, more: {**data, **more}, known, st.just({}) | FIELDS)


def _typed(kinds: list[str], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The same, and a type."""
    return st.builds(lambda data, kind: {**data, "type": kind}, _objects(**fields), st.sampled_from(kinds))


def _whole(kinds: list[str], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects with a type and all of these fields, most of them as they should be."""
    known = {name: _mostly(value) for name, value in fields.items()}
    return st.fixed_dictionaries({"type": st.sampled_from(kinds), **known})


STATUSES = st.sampled_from(["in_progress", "completed", "incomplete", "failed", "cancelled", "x"])
IDS = st.none() | st.sampled_from(["", "a", "b"])
FRAGMENTS = st.sampled_from(["", "a", "ab", '{"a"', ":1}", "\ud83d", "\ude00", "é"]) | TEXTS
WHOLES = st.sampled_from(["", "a", "aab", '{"a":1}', "😀", "{}"]) | TEXTS
PARTS = _whole(
    ["output_text", "refusal", "reasoning_text", "summary_text", "output_audio"],
    text=WHOLES,
    refusal=WHOLES,
    annotations=st.none() | st.lists(FIELDS, max_size=2),
    logprobs=st.lists(FIELDS, max_size=1),
)
ITEMS = _whole(
    [
        "message",
        "message",
        "reasoning",
        "function_call",
        "custom_tool_call",
        "mcp_call",
        "web_search_call",
        "shell_call",
    ],
    id=IDS,
    call_id=st.sampled_from(["c", "d", ""]),
    name=st.sampled_from(["f", "g", ""]),
    status=STATUSES,
    content=st.none() | st.lists(PARTS, max_size=2),
    summary=st.lists(PARTS, max_size=2),
    arguments=WHOLES,
    input=WHOLES,
    encrypted_content=TEXTS,
)
OBJECTS = _objects(
    id=st.sampled_from(["r", "r", "r", "s"]),
    model=st.sampled_from(["m", "n"]),
    status=STATUSES,
    output=st.none() | st.lists(ITEMS, max_size=3),
    usage=st.none() | FIELDS,
    background=st.booleans(),
    error=st.none() | FIELDS | st.fixed_dictionaries({"code": TEXTS, "message": TEXTS}),
    incomplete_details=st.none() | st.fixed_dictionaries({"reason": TEXTS}),
)
STATES = ["response.created", "response.queued", "response.in_progress"]
ENDS = ["response.completed", "response.incomplete", "response.failed", "response.cancelled"]
PARTS_EVENTS = [
    "response.content_part.added",
    "response.content_part.done",
    "response.reasoning_part.added",
    "response.reasoning_summary_part.added",
    "response.reasoning_summary_part.done",
]
GROWING = [
    f"response.{name}.{word}"
    for name in (
        "output_text",
        "refusal",
        "reasoning_text",
        "reasoning_summary_text",
        "function_call_arguments",
        "custom_tool_call_input",
        "mcp_call_arguments",
    )
    for word in ("delta", "delta", "done")
]
OTHERS = [
    "response.output_text.annotation.added",
    "response.web_search_call.searching",
    "response.image_generation_call.partial_image",
    "response.audio.delta",
    "keepalive",
    "x",
]
PLACED: dict[str, st.SearchStrategy[Any]] = {
    "output_index": st.sampled_from([0, 0, 0, 1, None]),
    "content_index": st.sampled_from([0, 0, 1, None]),
    "summary_index": st.sampled_from([0, 0, 1, None]),
    "item_id": IDS,
    "obfuscation": TEXTS,
}
INNER = st.one_of(
    _typed(STATES, response=OBJECTS),
    _typed(["response.output_item.added", "response.output_item.done"], item=ITEMS, **PLACED),
    _typed(["response.output_item.added", "response.output_item.done"], item=ITEMS, **PLACED),
    _typed(PARTS_EVENTS, part=PARTS, **PLACED),
    _whole(GROWING, delta=FRAGMENTS, text=WHOLES, refusal=WHOLES, arguments=WHOLES, input=WHOLES, **PLACED),
    _whole(GROWING, delta=FRAGMENTS, text=WHOLES, refusal=WHOLES, arguments=WHOLES, input=WHOLES, **PLACED),
    _typed(OTHERS, annotation=st.none() | FIELDS, partial_image_b64=TEXTS, **PLACED),
)
LAST = st.one_of(
    _typed(ENDS, response=OBJECTS),
    _typed(["error"], error=FIELDS, code=TEXTS, message=TEXTS),
    _objects(error=FIELDS),
)
NUMBERS = st.fixed_dictionaries({}, optional={"sequence_number": st.integers(-1, 12) | VALUES})
DATA = st.builds(lambda data, number: {**data, **number}, INNER | INNER | INNER | LAST, NUMBERS)
PAYLOADS = st.one_of(
    DATA.map(strict_json.dumps),
    DATA.map(strict_json.dumps),
    VALUES.map(strict_json.dumps),
    st.sampled_from(["[DONE]", "", " "]),
)
STREAMS = st.lists(
    st.builds(ServerSentEvent, st.sampled_from(["message", "error", "x"]), PAYLOADS), max_size=10
)
#: Streams without anything that can't be read, so that most come to their end.
ORDERLY = st.builds(
    lambda inner, last: [ServerSentEvent("message", strict_json.dumps(data)) for data in [*inner, last]],
    st.lists(INNER, max_size=10),
    _typed(ENDS, response=OBJECTS),
)


# Streams as they should be, of any output, with what a host may leave out.
LETTERS = st.text("ab\u00e9\U0001f600", max_size=6)
TEXT_PARTS = st.builds(
    lambda text, cited: {"type": "output_text", "text": text, "annotations": cited},
    LETTERS,
    st.lists(st.fixed_dictionaries({"type": st.just("url_citation"), "url": LETTERS}), max_size=2),
)
REFUSALS = st.fixed_dictionaries({"type": st.just("refusal"), "refusal": LETTERS})
OUTPUTS = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {
                "type": st.just("message"),
                "id": IDS,
                "status": st.just("completed"),
                "content": st.lists(TEXT_PARTS | REFUSALS, max_size=2),
            }
        ),
        st.fixed_dictionaries(
            {
                "type": st.just("reasoning"),
                "summary": st.lists(
                    st.fixed_dictionaries({"type": st.just("summary_text"), "text": LETTERS}), max_size=2
                ),
            },
            optional={
                "content": st.lists(
                    st.fixed_dictionaries({"type": st.just("reasoning_text"), "text": LETTERS}), max_size=2
                ),
                "encrypted_content": LETTERS,
            },
        ),
        st.fixed_dictionaries(
            {
                "type": st.sampled_from(["function_call", "mcp_call"]),
                "id": st.just("i"),
                "call_id": st.just("c"),
                "name": st.just("f"),
                "arguments": st.sampled_from(["{}", '{"a":"\U0001f600"}', "[1, 2]"]),
            }
        ),
        st.fixed_dictionaries({"type": st.just("web_search_call"), "id": IDS, "action": FIELDS}),
        st.fixed_dictionaries({"type": st.just("x"), "y": LETTERS}),
    ),
    max_size=3,
)
_EVENTS_OF = {
    "output_text": ("content_part", "output_text", "text", "content_index"),
    "refusal": ("content_part", "refusal", "refusal", "content_index"),
    "reasoning_text": ("reasoning_part", "reasoning_text", "text", "content_index"),
    "summary_text": ("reasoning_summary_part", "reasoning_summary_text", "text", "summary_index"),
}


def _event(kind: str, **fields: Any) -> ServerSentEvent:
    return ServerSentEvent("message", strict_json.dumps({"type": f"response.{kind}", **fields}))


def _deltas(draw: st.DrawFn, text: str) -> list[str]:
    """The text, or the beginning of it, in UTF-16 pieces: some hosts cut between surrogates."""
    data = text.encode("utf-16-le")
    cuts = sorted(2 * cut for cut in draw(st.lists(st.integers(0, len(data) // 2), max_size=3)))
    return [
        data[a:b].decode("utf-16-le", "surrogatepass")
        for a, b in zip([0, *cuts], cuts, strict=False)
        if a < b
    ]


def _part_events(draw: st.DrawFn, part: Any, **place: Any) -> list[ServerSentEvent]:
    part_event, text_event, field, name = _EVENTS_OF[part["type"]]
    place = {"output_index": place["output_index"], name: place["place"]}
    begun = {**part, field: "", **({"annotations": []} if "annotations" in part else {})}
    events = [_event(f"{part_event}.added", part=begun, **place)]
    events += [_event(f"{text_event}.delta", delta=delta, **place) for delta in _deltas(draw, part[field])]
    if draw(st.booleans()):
        events.append(_event(f"{text_event}.done", **{field: part[field]}, **place))
    if draw(st.booleans()):
        events.append(_event(f"{part_event}.done", part=part, **place))
    return events


@st.composite
def _item_events(draw: st.DrawFn, index: int, item: Any) -> list[ServerSentEvent]:
    """An item's events: the last has it whole; each of the others may be missing."""
    events = []
    if "arguments" in item:
        begun = {**item, "arguments": ""}
        grow = _deltas(draw, item["arguments"])
        events = [
            _event(f"{item['type']}_arguments.delta", delta=delta, output_index=index) for delta in grow
        ]
    else:
        begun = {**item, **{name: [] for name in ("content", "summary") if name in item}}
        for name in ("summary", "content"):
            for place, part in enumerate(item.get(name, [])):
                events += _part_events(draw, part, output_index=index, place=place)
    events = [event for event in events if draw(st.integers(0, 9))]
    if draw(st.integers(0, 9)):
        events.insert(0, _event("output_item.added", item=begun, output_index=index))
    return [*events, _event("output_item.done", item=item, output_index=index)]


def _have_letters_in_common(item: Any) -> bool:
    """Whether what is left of a part's deltas may be, with the parts before it, that part's whole text.

    So it is on hosts that count the place up with each delta.
    """
    for name in ("summary", "content"):
        letters = [{*part[_EVENTS_OF[part["type"]][2]]} for part in item.get(name, [])]
        if sum(map(len, letters)) > len(set().union(*letters)):
            return True
    return False


@given(OUTPUTS.filter(lambda items: not any(map(_have_letters_in_common, items))), st.booleans(), st.data())
@examples(2)
def test_whatever_a_host_leaves_out_the_output_is_what_the_items_said(
    output: list[Any],
    comes_again: bool,  # noqa: FBT001
    data: st.DataObject,
) -> None:
    # Where announcements are missing, an id of two items would be the first's.
    for number, item in enumerate(output):
        item |= {name: f"{item[name]}{number}" for name in ("id", "call_id") if item.get(name)}
    rows = [data.draw(_item_events(index, item)) for index, item in enumerate(output)]
    stream = [_event("created", response={"id": "r", "model": "m", "status": "in_progress"})]
    while any(rows):  # side by side, each in its own order
        stream.append(data.draw(st.sampled_from([row for row in rows if row])).pop(0))
    last = {"output": output} if comes_again else {}
    stream.append(_event("completed", response={"id": "r", "status": "completed", **last}))
    message = message_of(_decoded(stream))
    found = RESPONSES.to_response(message)["output"]
    assert found == output
    assert len(message.executable_tools) == sum(item["type"] == "function_call" for item in output)


def _decoded(stream: list[ServerSentEvent], decoder: Decoder | None = None) -> list[BlockEvent]:
    """What comes of a stream up to the first event that can't be read, and of its end."""
    decoder = decoder or Decoder()
    events: list[BlockEvent] = []
    with contextlib.suppress(RemoteProtocolError):
        for sse in stream:
            events += decoder.receive_event(sse)
    return events + decoder.receive_eof()


def _check(message: Message) -> None:
    response = RESPONSES.to_response(message)
    strict_json.dumps(response).encode()
    repr(message)
    assert message.completeness == "complete" or message.executable_tools == []
    assert message.stop_reason == "completed" or message.executable_tools == []
    assert all(tool.id and tool.name for tool in message.tools)
    for block in message.blocks:
        assert isinstance(block.type, str)


@given(STREAMS)
@examples(1.5)
def test_whatever_comes_only_the_named_errors_are_raised(stream: list[ServerSentEvent]) -> None:
    decoder = Decoder(max_held_bytes=3000)
    accumulator = MessageAccumulator(max_message_bytes=3000, max_blocks=3)
    with contextlib.suppress(RemoteProtocolError, LimitExceeded):
        for sse in stream:
            for event in decoder.receive_event(sse):
                is_visible(event)
                accumulator.receive(event)
    with contextlib.suppress(RemoteProtocolError, LimitExceeded):  # what was refused is missed now
        for event in decoder.receive_eof():
            accumulator.receive(event)
    accumulator.receive(MessageCut("failed"))
    _check(accumulator.message)


@given(STREAMS | ORDERLY)
@examples(1.5)
def test_the_order_of_block_events_is_one_that_the_accumulator_takes(stream: list[ServerSentEvent]) -> None:
    """A message begins and ends once; blocks are numbered as they begin."""
    events = _decoded(stream)
    message = message_of(events)
    _check(message)
    assert message.completeness != "streaming"
    assert list(message.indexed_blocks) == list(range(len(message.indexed_blocks)))
    assert sum(isinstance(event, MessageStart) for event in events) <= 1
    assert sum(isinstance(event, MessageStop | StreamError | MessageCut) for event in events) == 1


@given(STREAMS | ORDERLY)
def test_each_event_is_named_by_the_first_block_event_or_the_error(stream: list[ServerSentEvent]) -> None:
    decoder = Decoder()
    with contextlib.suppress(RemoteProtocolError):
        for sse in stream:
            sources = [event.source for event in decoder.receive_event(sse) if event.source is not None]
            assert sources in ([], [sse])


@given(STREAMS)
def test_without_an_end_nothing_is_complete(stream: list[ServerSentEvent]) -> None:
    if any("response.completed" in sse.data or "response.incomplete" in sse.data for sse in stream):
        return
    assert not any(isinstance(event, MessageStop) for event in _decoded(stream))


@given(ORDERLY, st.data())
def test_over_two_connections_a_stream_says_the_same(
    stream: list[ServerSentEvent], data: st.DataObject
) -> None:
    stream = numbered(*stream)
    cut = data.draw(st.integers(0, len(stream) - 1))
    back = data.draw(st.integers(0, cut))
    decoder = Decoder()
    events: list[BlockEvent] = []
    try:
        whole = [event for sse in stream for event in decoder.receive_event(sse)]
    except RemoteProtocolError:
        return
    decoder = Decoder()
    for sse in stream[:cut] + stream[back:]:
        events += decoder.receive_event(sse)
    assert events == whole


@given(STREAMS, st.integers(1, 30))
def test_what_a_decoder_keeps_is_bounded(stream: list[ServerSentEvent], times: int) -> None:
    """By what it counts, and what Python's objects cost beside it; by no text that came."""
    decoder = Decoder(max_held_bytes=3000)
    longest = max((len(sse.data) for sse in stream), default=0)
    with contextlib.suppress(RemoteProtocolError, LimitExceeded):
        for sse in stream * times:
            decoder.receive_event(sse)
            assert held_bytes(decoder) < 10 * (3000 + longest) + 50_000


@given(st.text(), st.sampled_from(["message", "error"]))
def test_whatever_text_comes_only_the_named_error_is_raised(data: str, name: str) -> None:
    with contextlib.suppress(RemoteProtocolError):
        Decoder().receive_event(ServerSentEvent(name, data))
