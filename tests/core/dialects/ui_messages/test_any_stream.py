"""What holds for any events, and for any chunks."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sse_core import MessageAccumulator, RemoteProtocolError
from sse_core.blocks import (
    BlockEvent,
    BlockStart,
    ItemsDelta,
    MessageCut,
    MessageDelta,
    MessageReset,
    MessageStart,
    MessageStop,
    ResultBlock,
    TextBlock,
    TextReplaced,
    ToolUseBlock,
    UnknownBlock,
)
from sse_core.dialects.ui_messages import Encoder
from sse_core.testing import strategies
from tests.core.dialects.ui_events import DONE, UI, Judge, decode, encode, sse, whole

EVENTS = strategies.block_events()
FIELDS = strategies.json_objects()
INDEXES = strategies.indexes()
TEXTS = strategies.texts()
VALUES = strategies.json_values()

IDS = st.sampled_from(["a", "b", ""])
#: Types of chunks, and fields that they may have, of the right type or not.
TYPES = st.sampled_from(
    [
        "start",
        "start-step",
        "finish-step",
        "reset-step",
        "finish",
        "abort",
        "message-metadata",
        "error",
        "text-start",
        "text-delta",
        "text-end",
        "reasoning-start",
        "reasoning-delta",
        "reasoning-end",
        "tool-input-start",
        "tool-input-delta",
        "tool-input-available",
        "tool-input-error",
        "tool-output-available",
        "tool-output-error",
        "tool-output-denied",
        "tool-approval-request",
        "tool-approval-response",
        "custom",
        "source-url",
        "source-document",
        "file",
        "reasoning-file",
        "data-x",
        "steering-message",
        "new",
    ]
)
METADATA = st.dictionaries(st.sampled_from(["anthropic", "x"]), FIELDS, max_size=1)
RIGHT = st.fixed_dictionaries(
    {
        "type": TYPES,
        "id": IDS,
        "delta": TEXTS,
        "toolCallId": IDS,
        "toolName": TEXTS,
        "inputTextDelta": st.sampled_from(['{"x":', "1}", "", "{}"]),
        "errorText": TEXTS,
        "url": TEXTS,
        "sourceId": TEXTS,
        "mediaType": TEXTS,
        "title": TEXTS,
        "kind": TEXTS,
        "approvalId": IDS,
        "approved": st.booleans(),
    },
    optional={
        "input": VALUES,
        "output": VALUES,
        "data": VALUES,
        "providerExecuted": st.booleans(),
        "providerMetadata": METADATA,
        "inputEncoding": st.sampled_from(["json", "text"]),
        "messageMetadata": VALUES,
        "finishReason": st.sampled_from(["stop", "tool-calls", "interrupted"]),
        "dynamic": st.booleans(),
        "preliminary": st.booleans(),
        "citations": st.lists(FIELDS, max_size=2),
    },
)
NAMES = st.sampled_from(
    [
        "id",
        "delta",
        "toolCallId",
        "input",
        "citations",
        "finishReason",
        "messageId",
        "providerMetadata",
        "title",
    ]
)
WRONG = st.builds(lambda chunk, other: {**chunk, **other}, RIGHT, st.dictionaries(NAMES, VALUES, max_size=2))
STREAMS = st.lists(st.one_of(RIGHT, WRONG, st.just(DONE), VALUES), max_size=20)

OWN_BLOCKS = st.one_of(
    RIGHT.map(UnknownBlock),
    RIGHT.map(lambda chunk: ResultBlock({**chunk, "tool_use_id": chunk["toolCallId"]})),
    st.builds(
        ToolUseBlock, IDS, TEXTS, extra=METADATA.map(lambda value: {"providerMetadata": value, "title": 1})
    ),
)
ITEMS = st.dictionaries(
    st.sampled_from(["output.0", "output.1", "output.9999999999999", "output.x"]),
    st.one_of(
        VALUES, st.fixed_dictionaries({"type": st.just("reasoning")}, optional={"id": TEXTS, "output": TEXTS})
    ),
    max_size=2,
)
MORE_EVENTS: st.SearchStrategy[BlockEvent] = st.one_of(
    st.builds(BlockStart, INDEXES, OWN_BLOCKS),
    st.builds(TextReplaced, INDEXES, TEXTS),
    st.builds(
        ItemsDelta, st.sampled_from(["messageMetadata", "droppedBlocks", "x"]), st.lists(VALUES, max_size=2)
    ),
    st.builds(MessageDelta, st.sampled_from(["tool_use", "end_turn", "max_tokens", None]), extra=ITEMS),
    st.builds(MessageStart, TEXTS, TEXTS, extra=ITEMS, dialect=st.sampled_from(["", "ui-messages"])),
)
#: Fields of the items that providers run, of the right type or not.
_SHAPES = st.recursive(
    st.none() | st.sampled_from(["a", "search", "completed", "server", "https://a.example", "{}"]) | VALUES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "url",
                    "uri",
                    "title",
                    "file_id",
                    "filename",
                    "query",
                    "sources",
                    "outcome",
                    "toolType",
                    "args",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
ITEM_TYPES = st.sampled_from(
    [
        "web_search_call",
        "x_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "program",
        "program_output",
        "tool_search_call",
        "tool_search_output",
        "local_shell_call",
        "shell_call",
        "shell_call_output",
        "apply_patch_call",
        "computer_call",
        "mcp_approval_request",
        "compaction",
        "fallback",
        "web_search_tool_result",
        "web_fetch_tool_result",
        "tool_search_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "mcp_tool_result",
        "executableCode",
        "codeExecutionResult",
        "toolCall",
        "toolResponse",
        "inlineData",
    ]
)
_OF_ITEMS = st.sampled_from(
    [
        "action",
        "actions",
        "arguments",
        "content",
        "environment",
        "execution",
        "from",
        "is_error",
        "name",
        "operation",
        "output",
        "pending_safety_checks",
        "queries",
        "results",
        "status",
        "tools",
        "call_id",
        "executableCode",
        "codeExecutionResult",
        "toolCall",
        "toolResponse",
        "inlineData",
        "thoughtSignature",
        "caller",
    ]
)
PROVIDER_ITEMS = st.builds(
    lambda type, id, fields: {"type": type, "id": id, "tool_use_id": id, **fields},
    ITEM_TYPES,
    IDS,
    st.dictionaries(_OF_ITEMS, _SHAPES, max_size=5),
)
CITED = st.builds(
    TextBlock,
    TEXTS,
    st.lists(
        st.dictionaries(
            st.sampled_from(["type", "url", "file_id", "filename", "index", "source"]),
            st.sampled_from(
                ["file_citation", "file_path", "container_file_citation", "search_result_location"]
            )
            | _SHAPES,
        ),
        max_size=3,
    ),
)
GROUNDING = st.builds(
    ItemsDelta,
    st.just("candidate.groundingMetadata.groundingChunks"),
    st.lists(st.dictionaries(st.sampled_from(["web", "maps", "retrievedContext"]), _SHAPES), max_size=2),
)
PROVIDER_BLOCKS = st.one_of(
    PROVIDER_ITEMS.map(ResultBlock),
    PROVIDER_ITEMS.map(UnknownBlock),
    CITED,
    st.builds(
        ToolUseBlock,
        IDS,
        st.sampled_from(["f", "bash_code_execution"]),
        st.sampled_from(["tool_use", "server_tool_use", "mcp_tool_use"]),
        extra=st.dictionaries(st.sampled_from(["caller", "toolset_name", "server_name"]), _SHAPES),
    ),
)


@st.composite
def provider_events(draw: st.DrawFn) -> list[BlockEvent]:
    """A message with whatever providers ran."""
    blocks = draw(st.lists(PROVIDER_BLOCKS, max_size=8))
    events = [event for index, block in enumerate(blocks) for event in whole(index, block)]
    return [MessageStart("m", "", dialect=draw(DIALECTS)), *events, draw(GROUNDING), draw(ENDS)]


DIALECTS = st.sampled_from(
    ["", "anthropic", "openai-chat", "openai-responses", "gemini", "ui-messages", "new"]
)
ENDS: st.SearchStrategy[BlockEvent] = st.one_of(
    st.builds(MessageStop), st.builds(MessageCut, st.sampled_from(["truncated", "stopped", "failed"]))
)
ANYTHING = st.lists(st.one_of(EVENTS, MORE_EVENTS), max_size=15)


@given(DIALECTS, ANYTHING, ENDS)
def test_any_events_make_a_stream_that_a_browser_takes(
    dialect: str, events: list[BlockEvent], end: BlockEvent
) -> None:
    judge = Judge()
    for chunk in encode(MessageStart("m", "", dialect=dialect), *events, end):
        judge.take(chunk)
    assert judge.ended


@given(provider_events())
def test_whatever_a_provider_ran_is_sent_as_a_browser_takes_it(events: list[BlockEvent]) -> None:
    judge, accumulator = Judge(), MessageAccumulator()
    for chunk in encode(*events):
        judge.take(chunk)
    assert judge.ended
    for event in events:
        accumulator.receive(event)
    response = UI.to_response(accumulator.message)
    assert json.loads(json.dumps(response)) == response


@given(ANYTHING, ANYTHING, ENDS)
def test_a_step_can_be_taken_back_at_any_time(
    before: list[BlockEvent], after: list[BlockEvent], end: BlockEvent
) -> None:
    judge, encoder = Judge(), Encoder()
    chunks = encode(*before, encoder=encoder)
    chunks += [json.loads(event.data) for event in encoder.send(MessageReset())]
    for chunk in chunks + encode(*after, end, encoder=encoder):
        judge.take(chunk)
    assert judge.ended


@given(DIALECTS, ANYTHING, ENDS)
def test_our_decoder_reads_whatever_our_encoder_writes(
    dialect: str, events: list[BlockEvent], end: BlockEvent
) -> None:
    chunks = encode(MessageStart("m", "", dialect=dialect), *events, end)
    accumulator = MessageAccumulator()
    for event in decode(*chunks):
        accumulator.receive(event)
    assert accumulator.message.completeness != "streaming"


@given(STREAMS)
def test_anything_is_read_or_refused_as_documented(stream: list[Any]) -> None:
    decoder, accumulator = UI.Decoder(), MessageAccumulator()
    events: list[BlockEvent] = []
    refused = False
    for chunk in stream:
        try:
            decoded = decoder.receive_event(sse(chunk))
        except RemoteProtocolError:
            refused = True
        else:
            assert not (decoded and refused)
            events += decoded
    events += decoder.receive_eof()
    for event in events:  # what is decoded always fits: no event is for a block that is not open
        accumulator.receive(event)
    assert refused or accumulator.message.completeness != "streaming"
    response = UI.to_response(accumulator.message)
    assert json.loads(json.dumps(response)) == response


@given(STREAMS)
def test_a_whole_message_says_the_same_when_it_is_written_anew(stream: list[Any]) -> None:
    try:
        events = decode(*stream, eof=True)
    except RemoteProtocolError:
        return
    first, second = MessageAccumulator(), MessageAccumulator()
    for event in events:
        first.receive(event)
    for event in decode(*encode(*events), eof=True):
        second.receive(event)
    assert second.message.text == first.message.text
    assert len(second.message.executable_tools) == len(first.message.executable_tools)
