"""An event that is the one before with another text says the same as if it were read in full."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import ServerSentEvent, SSEError, dialects
from sse_core.blocks import ArgumentsDelta, BlockEvent, TextDelta, ThinkingDelta, strict_json
from sse_core.dialects import Dialect
from sse_core.testing import strategies
from tests.acceptance.recorded import framed, stream

TEXTS = strategies.texts()

ANTHROPIC, CHAT = dialects.get("anthropic"), dialects.get("openai-chat")
FIXTURES = Path(__file__).parents[5] / "shared/fixtures"
RECORDED = [
    *((ANTHROPIC, path) for path in sorted((FIXTURES / "anthropic").glob("*.sse"))),
    *((CHAT, path) for path in sorted((FIXTURES / "openai-chat").glob("*.sse"))),
    *((CHAT, path) for path in sorted((FIXTURES / "openai-compat").glob("*.sse"))),
]

# Events with a place for a string, T, and perhaps one for padding, P.  Some are as providers send them; in
# the others the string stands twice, is not what counts, or means something else.
_A = '{"type":"content_block_delta","index":0,"delta":'
_C = '{"id":"c","choices":[{"index":0,"delta":'
FORMS: dict[str, tuple[Dialect, str]] = {
    "text": (ANTHROPIC, _A + '{"type":"text_delta","text":T}}'),
    "text, padded": (ANTHROPIC, _A + '{"type":"text_delta","text":T} }   '),
    "thinking": (ANTHROPIC, _A + '{"type":"thinking_delta","thinking":T}}'),
    "arguments": (ANTHROPIC, _A + '{"type":"input_json_delta","partial_json":T}}'),
    "signature": (ANTHROPIC, _A + '{"type":"signature_delta","signature":T}}'),
    "unknown": (ANTHROPIC, _A + '{"type":"new_delta","text":T}}'),
    "text beside": (ANTHROPIC, _A + '{"x":T,"type":"text_delta","text":"\\u0061"}}'),
    "text twice": (ANTHROPIC, _A + '{"type":"text_delta","text":T,"text":"a"}}'),
    "text twice, the last": (ANTHROPIC, _A + '{"type":"text_delta","text":"a","text":T}}'),
    "text and more": (ANTHROPIC, _A + '{"type":"text_delta","text":T,"x":"a"}} '),
    "content": (CHAT, _C + '{"content":T}}]}'),
    "content, OpenAI": (CHAT, _C + '{"content":T},"logprobs":null}],"usage":null,"obfuscation":P}'),
    "content, Mistral": (CHAT, '{"p":P,' + _C[1:] + '{"content":T}}],"p":P}'),
    "content, padding first": (CHAT, '{"obfuscation":P,' + _C[1:] + '{"content":T}}]}'),
    "content, second choice": (CHAT, '{"id":"c","choices":[{"index":1,"delta":{"content":T}}]}'),
    "content in a list": (CHAT, _C + '{"content":[{"type":"text","text":T}]}}]}'),
    "message": (CHAT, '{"id":"c","choices":[{"index":0,"message":{"content":T}}]}'),
    "refusal": (CHAT, _C + '{"refusal":T}}]}'),
    "reasoning": (CHAT, _C + '{"reasoning":T}}]}'),
    "reasoning, of two": (CHAT, _C + '{"reasoning":T,"reasoning_content":"a"}}]}'),
    "reasoning, both": (CHAT, _C + '{"reasoning_content":T,"reasoning":T}}]}'),
    "details": (CHAT, _C + '{"reasoning_details":[{"type":"reasoning.text","text":T}]}}]}'),
    "call": (CHAT, _C + '{"tool_calls":[{"index":0,"id":"i","function":{"name":"f","arguments":T}}]}}]}'),
    "arguments of a call": (CHAT, _C + '{"tool_calls":[{"index":0,"function":{"arguments":T}}]}}]}'),
    "name of a call": (CHAT, _C + '{"tool_calls":[{"index":1,"function":{"name":T,"arguments":"{"}}]}}]}'),
    "a field": (CHAT, _C + '{"content":"a","new":T}}]}'),
    "a field of the chunk": (CHAT, '{"system_fingerprint":T,' + _C[1:] + '{"content":"a"}}]}'),
    "usage": (CHAT, _C + '{"content":T}}],"usage":{"total_tokens":1}}'),
    "finish": (CHAT, _C + '{"content":T},"finish_reason":"stop"}]}'),
    "finish reason": (CHAT, _C + '{"content":"a"},"finish_reason":T}]}'),
    "error": (CHAT, '{"error":T}'),
    "done": (CHAT, "[DONE]"),
    "half a chunk": (CHAT, _C + '{"content":T}'),
}
#: What a string may be: also what is in the events anyway, what breaks them, and no string.
_LITERALS = st.one_of(
    TEXTS.map(json.dumps),
    TEXTS.map(strict_json.dumps),
    st.sampled_from(
        [*map(json.dumps, ("", "a", "?", "a?", ",", "text", "content", ":", '","')), '"\\u0061"']
    ),
    st.sampled_from(
        ["null", "1", "[]", '"a', 'a"', '"\n"', '"a","text":"b"', '"a"}', '"\\ud83d"', '"\\ude00"']
    ),
)


def filled(form: str, text: str, padding: str = '"x"') -> str:
    return form.replace("P", padding).replace("T", text)


def decoded(dialect: Dialect, events: Iterable[ServerSentEvent]) -> list[BlockEvent | type[SSEError]]:
    """What a decoder makes of events, and of each that it refuses the kind of error."""
    decoder = dialect.Decoder()
    made: list[BlockEvent | type[SSEError]] = []
    for sse in events:
        try:
            made += decoder.receive_event(sse)
        except SSEError as error:
            made.append(type(error))
    return made + decoder.receive_eof()


def all_different(events: Iterable[ServerSentEvent]) -> list[ServerSentEvent]:
    """The events, each with another number of spaces before its data: so none begins as one before."""
    return [ServerSentEvent(sse.type, " " * place + sse.data) for place, sse in enumerate(events)]


def check(dialect: Dialect, events: list[ServerSentEvent]) -> None:
    made = decoded(dialect, events)
    in_full = decoded(dialect, all_different(events))
    assert made == in_full
    sources = [
        [e.source and e.source.data.strip() for e in each if isinstance(e, BlockEvent)]
        for each in (made, in_full)
    ]
    assert sources[0] == sources[1]


@st.composite
def streams(draw: st.DrawFn) -> tuple[Dialect, list[ServerSentEvent]]:
    """A stream of a few forms, most of them several times in a row."""
    dialect = draw(st.sampled_from([ANTHROPIC, CHAT]))
    forms = st.sampled_from([form for owner, form in FORMS.values() if owner is dialect])
    types = st.sampled_from(["content_block_delta", "message", "error"])
    events = []
    for form in draw(st.lists(forms, min_size=1, max_size=4)):
        type_ = draw(types)
        for text in draw(st.lists(_LITERALS, min_size=1, max_size=5)):
            padding = draw(st.sampled_from(['"x"', '"yz"', '"x","id":"d"', "null", '"']))
            spaces = " " * draw(st.integers(0, 2))
            events.append(ServerSentEvent(type_, filled(form, text, padding) + spaces))
    return dialect, events


@given(streams())
def test_a_repeated_event_says_the_same(example: tuple[Dialect, list[ServerSentEvent]]) -> None:
    check(*example)


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("text", ["a", "?", "text", "content", ",", "é", "\ud83d", '"'])
def test_each_form_says_the_same_with_each_text(name: str, text: str) -> None:
    dialect, form = FORMS[name]
    texts = [text, "b", text, "", "c", text]
    paddings = ['"x"', '"yz"', '"x"', '"z"', "null", '"x']
    for write in (json.dumps, strict_json.dumps):
        data = [filled(form, write(each), padding) for each, padding in zip(texts, paddings, strict=True)]
        check(dialect, [ServerSentEvent("content_block_delta", each) for each in data])


@pytest.mark.skipif(not RECORDED, reason="needs the recorded streams in ../shared/fixtures")
def test_recorded_streams_say_the_same() -> None:
    for dialect, path in RECORDED:
        check(dialect, framed([stream(path)]))


@pytest.fixture
def read_in_full(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The JSON texts that are read in full from here on."""
    texts: list[str] = []
    loads: Callable[[str], object] = strict_json.loads

    def noting(text: str) -> object:
        texts.append(text)
        return loads(text)

    monkeypatch.setattr(strict_json, "loads", noting)
    return texts


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("text", TextDelta),
        ("text, padded", TextDelta),
        ("thinking", ThinkingDelta),
        ("arguments", ArgumentsDelta),
        ("content", TextDelta),
        ("content, OpenAI", TextDelta),
        ("content, padding first", TextDelta),
        ("reasoning", ThinkingDelta),
        ("arguments of a call", ArgumentsDelta),
    ],
)
def test_a_repeated_event_is_not_read_again(
    name: str, kind: type[BlockEvent], read_in_full: list[str]
) -> None:
    dialect, form = FORMS[name]
    decoder = dialect.Decoder()
    # What opens a block is more than a delta, so the first event of a choice is never learned.
    begin = FORMS["call"][1] if name == "arguments of a call" else form
    for text in ('"{"', '"a"'):
        decoder.receive_event(ServerSentEvent("content_block_delta", filled(begin, text)))
        begin = form
    read_in_full.clear()
    padding = '"x"' if name == "content, padding first" else '"longer"'
    for text in ('"b"', '"\\n\\"é"', '"\\ud83d\\ude00"'):
        sse = ServerSentEvent("content_block_delta", filled(form, text, padding) + "  ")
        (event,) = decoder.receive_event(sse)
        assert type(event) is kind
        assert event.source is sse
        assert json.loads(text) == event.text  # type: ignore[attr-defined]
    assert read_in_full == []


def test_a_stream_that_never_repeats_itself_is_not_tried_for_ever(read_in_full: list[str]) -> None:
    decoder = ANTHROPIC.Decoder()
    events = all_different([ServerSentEvent("content_block_delta", filled(FORMS["text"][1], '"a"'))] * 100)
    for sse in events:
        decoder.receive_event(sse)
    assert 100 < len(read_in_full) < 120
    # A pattern that fits makes up for those that did not.
    decoder = ANTHROPIC.Decoder()
    read_in_full.clear()
    for sse in events[:50]:
        decoder.receive_event(sse)
        decoder.receive_event(sse)
    assert len(read_in_full) == 50 + 2 * 50


def test_what_follows_the_text_counts() -> None:
    form = FORMS["content, OpenAI"][1]
    data = [filled(form, text) for text in ('"a"', '"b"', '"c"')]
    data.append(filled(form.replace('"logprobs":null', '"finish_reason":"stop"'), '"d"'))
    check(CHAT, [ServerSentEvent("message", each) for each in data])


@pytest.mark.parametrize("broken", ['"d', '"\n"', "null", '"\\x"'])
def test_what_is_no_string_is_read_in_full(broken: str) -> None:
    for dialect, form in (FORMS["text"], FORMS["content, OpenAI"]):
        data = [filled(form, text) for text in ('"a"', '"b"', '"c"', broken)]
        check(dialect, [ServerSentEvent("content_block_delta", each) for each in data])


def test_another_event_between_may_change_what_an_event_means() -> None:
    texts = [filled(FORMS["content"][1], f'"{letter}"') for letter in "abcde"]
    call = filled(FORMS["call"][1], '"{"')
    made = [ServerSentEvent("message", data) for data in (*texts[:3], call, *texts[3:])]
    check(CHAT, made)
    indexes = {event.index for event in decoded(CHAT, made) if isinstance(event, TextDelta)}
    assert indexes == {0, 2}


def test_a_long_event_is_not_kept(read_in_full: list[str]) -> None:
    decoder = ANTHROPIC.Decoder()
    sse = ServerSentEvent("content_block_delta", filled(FORMS["text"][1], f'"{"a" * 5000}"'))
    for _ in range(3):
        assert len(decoder.receive_event(sse)) == 1
    assert len(read_in_full) == 3


def _calls(*fragments: str, beside: str = "") -> str:
    """A chunk with these fragments of calls."""
    return _C + "{" + beside + '"tool_calls":[' + ",".join(fragments) + "]}}]}"


#: Chunks that give one delta each, and change what the next chunk means: what begins, then what repeats.
_F, _G = '{"index":0,"id":"a","function":{"name":"f"}}', '{"index":1,"id":"b","function":{"name":"g"}}'
_NAMELESS = '{"index":2,"function":{"arguments":"1"}}'
CHANGING: dict[str, tuple[list[str], str]] = {
    "arguments that wait for a name": (
        [_calls(_F)],
        _calls('{"index":0,"function":{"arguments":T}}', _NAMELESS),
    ),
    "the same beside a text": ([_C + '{"content":"x"}}]}'], _calls(_NAMELESS, beside='"content":T,')),
    "the same in another choice": (
        [_C + '{"content":"x"}}]}', '{"choices":[{"index":1,"delta":{"content":"x"}}]}'],
        '{"choices":[{"delta":{"content":T}},{"index":1,"delta":{"tool_calls":[' + _NAMELESS + "]}}]}",
    ),
    "another call is the latest": (
        [_calls(_G), _calls(_F)],
        _calls('{"function":{"arguments":T}}', '{"id":"b","function":{"arguments":""}}'),
    ),
    "another call takes the index": (
        [_calls(_G), _calls(_F)],
        _calls('{"index":0,"function":{"arguments":T}}', '{"index":0,"id":"b"}'),
    ),
}


@pytest.mark.parametrize("name", CHANGING)
def test_an_event_that_changes_what_the_next_means_is_no_pattern(name: str) -> None:
    before, form = CHANGING[name]
    named = _calls('{"index":2,"id":"c","function":{"name":"h"}}')
    data = [*before, *(filled(form, f'"{text}"') for text in "1234"), named, "[DONE]"]
    check(CHAT, [ServerSentEvent("message", each) for each in data])
