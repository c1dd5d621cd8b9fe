"""A stream of one protocol, sent on in another: what it said is still said, and a cut stays a cut.

Every recorded stream of every protocol that can be read goes through every protocol that can be
written, and is read again.  What a protocol can't say is listed here, and in
``docs/dialects/README.md``.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from sse_core import Message, ServerSentEvent, dialects
from sse_core.blocks import (
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageDelta,
    MessageStart,
    MessageStop,
    ThinkingBlock,
    ToolUseBlock,
    strict_json,
)
from sse_core.blocks.stop_reasons import meaning_of
from sse_core.dialects import Dialect
from sse_core.testing import events_of
from tests.acceptance.recorded import accumulated, decoded, differences, framed, stream

FIXTURES = Path(__file__).parents[3] / "shared/fixtures"
if not FIXTURES.is_dir():
    pytest.skip("shared folder missing: the recordings lie beside the checkout", allow_module_level=True)

#: Where the recordings of each protocol are.
RECORDINGS = {
    "anthropic": ["anthropic/*.sse", "synthetic/anthropic-*.sse", "vercel-chunks/anthropic/*.chunks.txt"],
    "openai-chat": [
        "openai-chat/*.sse",
        "openai-compat/*/*.sse",
        "synthetic/chat-*.sse",
        "vercel-chunks/openai-chat/*.chunks.txt",
    ],
    "openai-responses": ["openai-responses/*.sse", "responses-compat/**/*.sse"],
    "gemini": ["gemini/*.sse"],
}
#: The protocols that are written here, and what they have no word for: what it becomes.
STOP_MEANINGS: dict[str, dict[str | None, str]] = {
    "anthropic": {},
    "openai-chat": {"stop_sequence": "end_turn", "pause_turn": "max_tokens"},
    "openai-responses": {"stop_sequence": "end_turn", None: "end_turn"},
    "gemini": {"stop_sequence": "end_turn", "pause_turn": "other", "error": "other", None: "other"},
}
#: The protocols in which a message has the one model that it began with, and the field that names it.
ONE_MODEL = {"anthropic": "model", "openai-chat": "model", "gemini": "modelVersion"}
#: Those that have no place for the word that came.
WORD_IS_LOST = ("gemini",)
#: Those in which arguments are an object, not its text: a call without one is not sent.
ARGUMENTS_ARE_OBJECTS = ("gemini",)
#: Those that have no figure for what was written to a cache.
NO_CACHE_WRITTEN = ("gemini",)
#: Figures of Anthropic's that survive the way there and back.
FIGURES = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


READ = [dialects.get(name) for name in RECORDINGS]
WRITTEN = [dialects.get(name) for name in STOP_MEANINGS]
STREAMS = [
    (dialect, path)
    for dialect in READ
    for pattern in RECORDINGS[dialect.name]
    for path in sorted(FIXTURES.glob(pattern))
]
across = pytest.mark.parametrize(
    ("source", "path", "target"),
    [
        pytest.param(source, path, target, id=f"{source.name}-{target.name}-{path.stem}")
        for source, path in STREAMS
        for target in WRITTEN
        if target is not source
    ],
)


def sent(dialect: Dialect, events: list[BlockEvent]) -> list[ServerSentEvent]:
    return events_of(dialect, events)


def through(target: Dialect, events: list[BlockEvent]) -> list[BlockEvent]:
    """The events as they are read after they were written in another protocol."""
    return list(decoded(target, sent(target, events)))


def read(source: Dialect, path: Path) -> list[BlockEvent]:
    return list(decoded(source, framed([stream(path)])))


def text_of(raw: str, arguments: Any) -> str:
    """The text of a call's arguments; where none came, chat completions still have to say what they are."""
    return raw if raw.strip() or arguments is None else strict_json.dumps(arguments)


def said(message: Message) -> dict[str, Any]:
    """What has to be the same in every protocol."""
    counts = message.token_counts
    tools = [tool for tool in message.tools if tool.type == "tool_use"]
    return {
        "id": message.id,
        "model": message.model,
        "text": message.text,
        "thinking": "".join(b.thinking for b in message.blocks if isinstance(b, ThinkingBlock)),
        "calls": [(tool.id, tool.name, text_of(tool.raw_arguments, tool.arguments)) for tool in tools],
        "executable": [(tool.id, tool.arguments) for tool in message.executable_tools],
        # A figure that is missing and one that is 0 are the same to a protocol that demands it.
        "tokens": [
            count or 0
            for count in (
                counts.input,
                counts.output,
                counts.cache_read,
                counts.cache_written,
                counts.reasoning,
            )
        ],
        "stop": message.stop_meaning,
        "ending": ending(message),
    }


def ending(message: Message) -> Any:
    """How the message ended; a cut is an error that says so."""
    if message.error is None:
        return message.completeness
    kind = message.error.kind, message.error.message, message.error.retryable
    return message.error.extra.get("outcome") if message.error.kind == "cut" else kind


def expected(events: list[BlockEvent], target: Dialect) -> dict[str, Any]:
    """What of a message the target can say."""
    message = accumulated(events)
    expected = said(message)
    words = STOP_MEANINGS[target.name]
    # An end that is none has no reason.
    expected["stop"] = (
        words.get(expected["stop"], expected["stop"]) if message.completeness == "complete" else None
    )
    if target.name == "anthropic":
        # There the cache's tokens stand beside the others: they can't be more than all of them.
        expected["tokens"][2] = min(expected["tokens"][2], expected["tokens"][0])
    if target.name in NO_CACHE_WRITTEN:
        expected["tokens"][3] = 0
    if target.name == "gemini":
        # There reasoning stands beside the other tokens of the answer: it can't be more than all of them.
        expected["tokens"][1] = max(expected["tokens"][1], expected["tokens"][4])
    if target.name in ARGUMENTS_ARE_OBJECTS:
        expected.update(calls_as_objects(message, expected["stop"]))
    elif is_broken(message) and expected["stop"] in ("tool_use", "end_turn"):
        expected["stop"] = "max_tokens"
    # Where another model takes over (Anthropic's fallback), the message keeps the name of the first.
    expected["model"] = next((event.model for event in events if isinstance(event, MessageStart)), "")
    return expected


def calls_as_objects(message: Message, stop: Any) -> dict[str, Any]:
    """What is said of calls where their arguments are objects.  If one is missing, the others may not run."""
    calls = [tool for tool in message.tools if tool.type == "tool_use"]
    sent = [tool for tool in calls if isinstance(arguments_of(tool), dict)]
    expected: dict[str, Any] = {
        "calls": [(tool.id, tool.name, strict_json.dumps(arguments_of(tool))) for tool in sent],
        "executable": [(tool.id, arguments_of(tool)) for tool in message.executable_tools],
    }
    if len(sent) < len(calls) and stop in ("tool_use", "end_turn"):
        expected |= {"stop": "error", "executable": []}
    return expected


def is_broken(message: Message) -> bool:
    """Whether the arguments of a call are no JSON: such a call is written as one that is not whole."""
    return any(tool.state == "invalid" for tool in message.tools)


def arguments_of(tool: ToolUseBlock) -> Any:
    return {"input": tool.arguments} if tool.input_encoding == "text" else tool.arguments


@across
def test_what_was_said_is_said_in_the_other_protocol(source: Dialect, path: Path, target: Dialect) -> None:
    events = read(source, path)
    assert said(accumulated(through(target, events))) == expected(events, target)


@across
def test_there_and_back_it_is_the_same_message(source: Dialect, path: Path, target: Dialect) -> None:
    """Of Anthropic's, even the stop reasons that the other has no word for."""
    events = read(source, path)
    before, back = accumulated(events), accumulated(through(source, through(target, events)))
    wanted = expected(events, target)
    if source.name == "anthropic":
        given = {name: count for name, count in before.usage.items() if name in FIGURES and count is not None}
        if target.name in NO_CACHE_WRITTEN and "input_tokens" in given:
            given["input_tokens"] += given.pop("cache_creation_input_tokens", 0)
        assert {name: back.usage[name] for name in given} == given
        if before.completeness == "complete" and target.name not in WORD_IS_LOST and not is_broken(before):
            wanted["stop"] = before.stop_meaning
            assert back.stop_reason == before.stop_reason
    assert said(back) == wanted


@across
def test_wherever_a_stream_is_cut_nothing_looks_complete(
    source: Dialect, path: Path, target: Dialect
) -> None:
    received = framed([stream(path)])
    dice = random.Random(path.stem)
    for count in dice.sample(range(len(received)), k=min(5, len(received))):
        events = [*decoded(source, received[:count])]
        if isinstance(events[-1], MessageStop):
            continue  # what is left says itself that it is whole
        again = accumulated(through(target, events))
        assert again.completeness == "failed"
        assert again.executable_tools == []
        assert again.text == accumulated(events).text


@across
def test_the_whole_response_is_that_of_the_stream(source: Dialect, path: Path, target: Dialect) -> None:
    events = read(source, path)
    before, after = accumulated(events), accumulated(through(target, events))
    if before.completeness != "complete":
        return
    ours, theirs = target.to_response(before), target.to_response(after)
    theirs.pop("created", None)
    if target.name in ONE_MODEL and before.model:
        ours[ONE_MODEL[target.name]] = expected(events, target)["model"]
    assert list(differences(ours, theirs)) == []


def test_there_are_streams_that_are_complete_cut_and_failed() -> None:
    endings = {accumulated(read(source, path)).completeness for source, path in STREAMS}
    assert endings == {"complete", "truncated", "failed"}
    # What a browser gets is no provider's protocol.
    providers = set(dialects.names()) - {"ui-messages"}
    assert {dialect.name for dialect, _ in STREAMS} == providers == set(STOP_MEANINGS)


#: The protocols as the page names them.
TITLES = {
    "anthropic": "Anthropic",
    "openai-chat": "OpenAI chat",
    "openai-responses": "OpenAI Responses",
    "gemini": "Gemini",
}
DOCS = Path(__file__).parents[2] / "docs/dialects/README.md"
#: Words of another protocol for a meaning that has none of its own there, and for one that nobody knows.
WORDS = {"other": "a_future_reason", "nothing was said": None}


def test_the_page_has_the_stop_reasons_that_are_said() -> None:
    """And those that a protocol has no word for are the ones in ``STOP_MEANINGS``."""
    head, _, *lines = DOCS.read_text().partition("| it means |")[2].partition("\n\n")[0].splitlines()
    assert [name.strip() for name in head.strip("|").split("|")] == list(TITLES.values())
    lossy: dict[str, dict[str | None, str]] = {name: {} for name in TITLES}
    for line in lines:
        meant, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        meaning, _, calls = meant.replace("`", "").partition(", ")
        word = WORDS.get(meaning, meaning)
        for name, cell in zip(TITLES, cells, strict=True):
            written = reason_written(name, word, calls=bool(calls))
            named = {"the word that came": word, "none": None, "`null`": None}
            assert written == named.get(cell, cell.strip("`")), line
            means = written and meaning_of(written)
            if not calls and means not in (None, meaning):
                lossy[name][word] = str(means)
    assert len(lines) == 12
    assert lossy == STOP_MEANINGS


def reason_written(name: str, word: str | None, *, calls: bool) -> Any:
    """What the whole response says of why it stopped, of a message that came in yet another protocol."""
    tool = [BlockStart(0, ToolUseBlock("t", "f")), BlockStop(0)] if calls else []
    message = accumulated(
        [MessageStart("m", "c", dialect="another"), *tool, MessageDelta(word), MessageStop()]
    )
    response = dialects.get(name).to_response(message)
    if name == "openai-responses":
        return (response["incomplete_details"] or {}).get("reason", response["status"])
    fields = {"anthropic": [response], "openai-chat": response.get("choices")}
    (answer,) = fields.get(name, response.get("candidates")) or []
    return next(
        answer[field] for field in ("stop_reason", "finish_reason", "finishReason") if field in answer
    )
