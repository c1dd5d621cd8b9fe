"""What Hypothesis tries on code that reads and writes streams of models.

This module needs Hypothesis (``pip install hypothesis``), and nothing else in ``sse_core`` does.

    from hypothesis import given
    from sse_core.testing import strategies

    @given(strategies.streams("anthropic"))
    def test_any_answer(stream): ...
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise ImportError("sse_core.testing.strategies needs Hypothesis: pip install hypothesis") from error

from ..blocks import (
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
    strict_json,
)
from ..blocks.strict_json import JSON, JSONObject
from ..dialects import Dialect, names
from ..framing import ServerSentEvent
from .cuts import pieces
from .exchange import Exchange
from .faults import (
    ConnectionCut,
    EarlyEnd,
    ErrorEvent,
    Fault,
    Garbage,
    Refusal,
    Silence,
    Unreachable,
)
from .stream_parts import STREAM_PARTS
from .streams import stream_of

__all__ = [
    "block_events",
    "blocks",
    "dialects",
    "events",
    "exchanges",
    "faults",
    "field_names",
    "hostile_streams",
    "indexes",
    "json_objects",
    "json_values",
    "messages",
    "numbers",
    "splits",
    "stream_errors",
    "streams",
    "texts",
]


@cache
def texts() -> st.SearchStrategy[str]:
    """Texts of every character that a Python string can hold, lone halves of surrogate pairs among them.

    Two halves that meet are one character in JSON, so a pair in two pieces is no value to come back as it
    was: there is none.
    """
    return st.text(st.characters(codec=None), max_size=8).map(
        lambda text: text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    )


@cache
def field_names() -> st.SearchStrategy[str]:
    """Names that no protocol gives a meaning to."""
    return st.text(alphabet="xyz_", min_size=1, max_size=4).map(lambda name: f"x_{name}")


@cache
def numbers() -> st.SearchStrategy[int | float]:
    """Numbers that JSON has."""
    return st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@cache
def json_values() -> st.SearchStrategy[JSON]:
    """Values of JSON."""
    leaves: st.SearchStrategy[JSON] = st.none() | st.booleans() | numbers() | texts()
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3),
        max_leaves=6,
    )


@cache
def json_objects() -> st.SearchStrategy[JSONObject]:
    """Objects of JSON, whose fields no protocol gives a meaning to."""
    return st.dictionaries(field_names(), json_values(), max_size=3)


@cache
def indexes() -> st.SearchStrategy[int]:
    """Indexes of blocks, most of them small."""
    return st.integers(0, 3) | st.integers(0, 2**70)


@cache
def _typed(suffix: str = "") -> st.SearchStrategy[JSONObject]:
    """Objects of a type that is not known."""
    return st.builds(lambda fields, kind: {**fields, "type": kind + suffix}, json_objects(), field_names())


@cache
def blocks() -> st.SearchStrategy[Block]:
    """Content blocks as they start."""
    tool_types = st.sampled_from(["tool_use", "server_tool_use", "mcp_tool_use"])
    cited = st.none() | st.lists(json_objects(), max_size=2)
    return st.one_of(
        st.builds(TextBlock, texts(), cited, json_objects()),
        st.builds(ThinkingBlock, texts(), st.none() | texts(), json_objects()),
        st.builds(RedactedThinkingBlock, texts(), json_objects()),
        st.builds(
            ToolUseBlock, texts(), texts(), tool_types, start_input=json_objects(), extra=json_objects()
        ),
        st.builds(ResultBlock, _typed("_tool_result")),
        st.builds(UnknownBlock, _typed()),
    )


@st.composite
def stream_errors(draw: st.DrawFn) -> StreamError:
    """Errors of known and unknown types, as Anthropic's decoder gives them: with their outcome."""
    beside = {"outcome": draw(texts()), **draw(st.fixed_dictionaries({}, optional={"request_id": texts()}))}
    known = st.sampled_from(["overloaded_error", "api_error", "invalid_request_error", "turn_stopped"])
    return StreamError(
        draw(known | texts()),
        draw(texts()),
        code=draw(st.none() | texts()),
        retryable=draw(st.booleans()),
        retry_after=draw(st.none() | st.floats(0, 1e6)),
        extra={**draw(json_objects()), **beside},
    )


@st.composite
def _block_starts(draw: st.DrawFn) -> BlockStart:
    """Block starts; that of a fallback names the model that goes on."""
    if draw(st.booleans()):
        return BlockStart(draw(indexes()), draw(blocks()))
    model = draw(texts())
    block = UnknownBlock({"type": "fallback", "from": {"model": "a"}, "to": {"model": model}})
    return BlockStart(draw(indexes()), block, model)


@cache
def block_events() -> st.SearchStrategy[BlockEvent]:
    """Single block events, as Anthropic's decoder gives them; a list of them is of no order."""
    index, text, fields = indexes(), texts(), json_objects()
    # A stop sequence is kept unless it is null: null stands in almost every event and says nothing.
    known = st.fixed_dictionaries({}, optional={"stop_sequence": text, "context_management": fields})
    of_message = st.builds(lambda fields, known: {**fields, **known}, fields, known)
    starting = st.lists(blocks(), max_size=2)
    return st.one_of(
        st.builds(
            MessageStart, text, text, text.filter(bool), fields, starting, st.none() | text, of_message
        ),
        _block_starts(),
        st.builds(TextDelta, index, text),
        st.builds(ThinkingDelta, index, text),
        st.builds(SignatureDelta, index, text),
        st.builds(ArgumentsDelta, index, text),
        st.builds(CitationDelta, index, fields),
        st.builds(FieldsDelta, index, fields),
        st.builds(UnknownDelta, index, _typed()),
        st.builds(BlockStop, index),
        st.builds(MessageDelta, st.none() | text, fields, of_message),
        st.builds(MessageStop),
        st.builds(Ping),
        stream_errors(),
        st.builds(UnknownEvent, _typed()),
    )


@st.composite
def messages(draw: st.DrawFn) -> list[BlockEvent]:
    """The block events of an answer that is complete: thinking, texts, calls with objects for arguments."""
    events: list[BlockEvent] = [MessageStart("msg_1", "a-model", dialect="anthropic")]
    kinds = draw(st.lists(st.sampled_from(["thinking", "text", "call"]), min_size=1, max_size=4))
    for index, kind in enumerate(kinds):
        text = strict_json.dumps(draw(json_objects())) if kind == "call" else draw(texts().filter(bool))
        cut = draw(st.integers(0, len(text)))
        block, delta = _BLOCKS[kind](index)
        events += [BlockStart(index, block)]
        events += [delta(index, part) for part in (text[:cut], text[cut:]) if part]
        events += [BlockStop(index)]
    return [*events, MessageDelta("tool_use" if "call" in kinds else "end_turn"), MessageStop()]


_BLOCKS: dict[str, Callable[[int], tuple[Block, Callable[[int, str], BlockEvent]]]] = {
    "thinking": lambda _: (ThinkingBlock(), ThinkingDelta),
    "text": lambda _: (TextBlock(), TextDelta),
    "call": lambda index: (ToolUseBlock(f"call_{index}", f"tool_{index}"), ArgumentsDelta),
}


def dialects() -> st.SearchStrategy[str]:
    """Names of the protocols."""
    return st.sampled_from(names())


def streams(dialect: str | Dialect) -> st.SearchStrategy[bytes]:
    """The bytes of a whole answer in ``dialect``."""
    return messages().map(lambda message: stream_of(dialect, message))


def hostile_streams() -> st.SearchStrategy[bytes]:
    """Bytes that look like an event stream, and may break every rule of one."""
    part = st.sampled_from(STREAM_PARTS) | st.binary(max_size=3)
    return st.lists(part, max_size=40).map(b"".join)


def events() -> st.SearchStrategy[ServerSentEvent]:
    """Events of an event stream, with all that their fields can hold."""
    line = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=8)
    data = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=20)
    id_ = line.map(lambda text: text.replace("\0", ""))
    return st.builds(ServerSentEvent, line.map(lambda text: text or "message"), data, id_)


def splits(data: bytes) -> st.SearchStrategy[list[bytes]]:
    """``data`` in pieces, cut anywhere."""
    return st.lists(st.integers(0, len(data)), max_size=12).map(lambda at: pieces(data, at))


@st.composite
def exchanges(draw: st.DrawFn, dialect: str | Dialect) -> Exchange:
    """A whole answer in ``dialect`` that nothing is wrong with, in any pieces and at any pace."""
    body = draw(splits(draw(streams(dialect))))
    return Exchange(body, delay=draw(st.floats(0, 5)), gap=draw(st.floats(0, 2)))


def faults(dialect: str | Dialect, exchange: Exchange) -> st.SearchStrategy[Fault]:
    """What may go wrong with ``exchange``, an answer in ``dialect``."""
    at = st.integers(0, sum(map(len, exchange.body)))
    after = st.integers(0, b"".join(exchange.body).count(b"\n\n"))
    return st.one_of(
        st.builds(ConnectionCut, at),
        st.builds(EarlyEnd, at),
        st.builds(Silence, at),
        st.builds(Garbage, after, st.binary(max_size=8).map(lambda data: data.translate(None, b"\r\n"))),
        st.builds(ErrorEvent, st.just(dialect), after),
        st.builds(Refusal, st.sampled_from([400, 404, 429, 500, 503])),
        st.builds(Unreachable, retryable=st.booleans()),
    )
