"""Block events as Hypothesis makes them, in the form in which a decoder gives them."""

from __future__ import annotations

from hypothesis import strategies as st

from sse_core.blocks import (
    ArgumentsDelta,
    Block,
    BlockEvent,
    BlockStart,
    BlockStop,
    CitationDelta,
    FieldsDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    RedactedThinkingBlock,
    ResultBlock,
    SignatureDelta,
    StreamError,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
    UnknownDelta,
    UnknownEvent,
)

#: Every code point that a Python string can hold, halves of surrogate pairs among them.  Two halves
#: that meet are one character in JSON, so a pair in two pieces is no value to come back as it was.
TEXTS = st.text(st.characters(codec=None), max_size=8).map(
    lambda text: text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
)
#: Names that no protocol gives a meaning to.
NAMES = st.text(alphabet="xyz_", min_size=1, max_size=4).map(lambda name: f"x_{name}")
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(NAMES, VALUES, max_size=3)
INDEXES = st.integers(0, 3) | st.integers(0, 2**70)

TEXT_BLOCKS = st.builds(TextBlock, TEXTS, st.none() | st.lists(FIELDS, max_size=2), FIELDS)
THINKING_BLOCKS = st.builds(ThinkingBlock, TEXTS, st.none() | TEXTS, FIELDS)
TOOL_BLOCKS = st.builds(
    ToolUseBlock,
    TEXTS,
    TEXTS,
    st.sampled_from(["tool_use", "server_tool_use", "mcp_tool_use"]),
    start_input=FIELDS,
    extra=FIELDS,
)


def _typed(suffix: str = "") -> st.SearchStrategy[dict[str, object]]:
    """Objects of a type that is not known."""
    return st.builds(lambda fields, kind: {**fields, "type": kind + suffix}, FIELDS, NAMES)


BLOCKS: st.SearchStrategy[Block] = st.one_of(
    TEXT_BLOCKS,
    THINKING_BLOCKS,
    st.builds(RedactedThinkingBlock, TEXTS, FIELDS),
    TOOL_BLOCKS,
    st.builds(ResultBlock, _typed("_tool_result")),
    st.builds(UnknownBlock, _typed()),
)


@st.composite
def errors(draw: st.DrawFn) -> StreamError:
    """Errors of known and unknown types; ``outcome`` is always there once one was decoded."""
    beside = {"outcome": draw(TEXTS), **draw(st.fixed_dictionaries({}, optional={"request_id": TEXTS}))}
    known = st.sampled_from(["overloaded_error", "api_error", "invalid_request_error", "turn_stopped"])
    return StreamError(
        draw(known | TEXTS),
        draw(TEXTS),
        code=draw(st.none() | TEXTS),
        retryable=draw(st.booleans()),
        retry_after=draw(st.none() | st.floats(0, 1e6)),
        extra={**draw(FIELDS), **beside},
    )


@st.composite
def block_starts(draw: st.DrawFn) -> BlockStart:
    """Block starts; that of a fallback names the model that goes on."""
    if draw(st.booleans()):
        return BlockStart(draw(INDEXES), draw(BLOCKS))
    model = draw(TEXTS)
    block = UnknownBlock({"type": "fallback", "from": {"model": "a"}, "to": {"model": model}})
    return BlockStart(draw(INDEXES), block, model)


#: A stop sequence is kept unless it is null: null stands in almost every event and says nothing.
MESSAGE_FIELDS = st.builds(
    lambda fields, known: {**fields, **known},
    FIELDS,
    st.fixed_dictionaries({}, optional={"stop_sequence": TEXTS, "context_management": FIELDS}),
)

EVENTS: st.SearchStrategy[BlockEvent] = st.one_of(
    st.builds(
        MessageStart,
        TEXTS,
        TEXTS,
        TEXTS.filter(bool),
        FIELDS,
        st.lists(BLOCKS, max_size=2),
        st.none() | TEXTS,
        MESSAGE_FIELDS,
    ),
    block_starts(),
    st.builds(TextDelta, INDEXES, TEXTS),
    st.builds(ThinkingDelta, INDEXES, TEXTS),
    st.builds(SignatureDelta, INDEXES, TEXTS),
    st.builds(ArgumentsDelta, INDEXES, TEXTS),
    st.builds(CitationDelta, INDEXES, FIELDS),
    st.builds(FieldsDelta, INDEXES, FIELDS),
    st.builds(UnknownDelta, INDEXES, _typed()),
    st.builds(BlockStop, INDEXES),
    st.builds(MessageDelta, st.none() | TEXTS, FIELDS, MESSAGE_FIELDS),
    st.builds(MessageStop),
    st.builds(Ping),
    errors(),
    st.builds(UnknownEvent, _typed()),
)
