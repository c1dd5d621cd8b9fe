"""Responses as Gemini and Vertex streamed them.

No official SDK makes one response of a stream, so what is expected is made here, of the raw responses: a
plain fold that knows nothing of the decoder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sse_core import Message, dialects
from sse_core.blocks import MessageCut, ResultBlock, TextBlock, ThinkingBlock, ToolUseBlock
from tests.acceptance.recorded import accumulated, decoded, framed, message_of, splits, stream

SHARED = Path(__file__).parents[3] / "shared"
if not SHARED.is_dir():
    pytest.skip("shared folder missing: the recordings lie beside the checkout", allow_module_level=True)

GEMINI = dialects.get("gemini")
FIXTURES = SHARED / "fixtures"
RECORDED = sorted(FIXTURES.glob("gemini/*.sse"))
PAYLOADS = sorted(
    path for path in FIXTURES.glob("vercel-chunks/*/*.chunks.txt") if b'"candidates":' in path.read_bytes()
)
PARTIAL = FIXTURES / "vercel-chunks/google/google-stream-no-args-tool-call.chunks.txt"
every_stream = pytest.mark.parametrize("path", RECORDED + PAYLOADS, ids=lambda path: path.stem)


def read(path: Path) -> Message:
    return message_of(GEMINI, stream(path))


def raw(path: Path) -> list[Any]:
    """The responses of a stream, read without this project's parser of events."""
    lines = path.read_bytes().replace(b"\r", b"").decode().split("\n")
    return [json.loads(line.removeprefix("data:")) for line in lines if line.strip()]


def raw_parts(path: Path) -> Iterator[Any]:
    for response in raw(path):
        for candidate in response["candidates"]:
            yield from candidate["content"].get("parts", [])


def folded_parts(path: Path) -> list[Any]:
    """The parts of the whole response: texts of one kind joined, signed ones alone, calls of pieces whole."""
    folded: list[Any] = []
    for part in raw_parts(path):
        call = part.get("functionCall")
        before = folded[-1] if folded else {}
        if part == {"text": ""} or call == {}:
            continue
        if call is not None and "name" not in call:
            for value in call["partialArgs"]:  # in the recordings, strings of the first level only
                known = before["functionCall"].setdefault("args", {})
                name = value["jsonPath"].removeprefix("$.")
                known[name] = known.get(name, "") + value["stringValue"]
        elif call is not None:
            folded.append(
                {**part, "functionCall": {key: call[key] for key in ("id", "name", "args") if key in call}}
            )
        elif "text" in part and part.keys() - {"text"} == before.keys() - {"text"} <= {"thought"} and before:
            folded[-1] = {**before, "text": before["text"] + part["text"]}
        else:
            folded.append(part)
    return folded


def test_all_recordings_are_there() -> None:
    assert (len(RECORDED), len(PAYLOADS)) == (18, 2)


@every_stream
def test_the_parts_of_the_whole_response_are_those_that_came(path: Path) -> None:
    (candidate,) = GEMINI.to_response(read(path))["candidates"]
    assert candidate["content"] == {"role": "model", "parts": folded_parts(path)}


@every_stream
def test_every_field_of_a_response_has_its_last_value(path: Path) -> None:
    whole = GEMINI.to_response(read(path))
    expected: Any = {}
    fields: Any = {}
    usage: Any = {}
    for response in raw(path):
        expected |= {key: value for key, value in response.items() if key != "candidates"}
        usage |= response["usageMetadata"]
        fields |= response["candidates"][0]
    (candidate,) = whole.pop("candidates")
    del candidate["content"], fields["content"]
    assert candidate == {"index": 0, **fields}
    assert whole == {**expected, "usageMetadata": usage}


@every_stream
def test_a_message_says_what_came(path: Path) -> None:
    message = read(path)
    parts = list(raw_parts(path))
    texts = [part for part in parts if "text" in part]
    thinking = "".join(block.thinking for block in message.blocks if isinstance(block, ThinkingBlock))
    assert message.completeness == "complete"
    assert message.text == "".join(part["text"] for part in texts if "thought" not in part)
    assert thinking == "".join(part["text"] for part in texts if "thought" in part)
    names = [part["functionCall"]["name"] for part in parts if "name" in part.get("functionCall", {})]
    assert [tool.name for tool in message.executable_tools] == names
    assert len({tool.id for tool in message.tools}) == len(names)
    assert message.stop_reason == "STOP"
    assert message.stop_meaning == ("tool_use" if names else "end_turn")
    last = raw(path)[-1]["usageMetadata"]
    assert message.token_counts.total == last["totalTokenCount"]


@every_stream
def test_no_signature_is_lost(path: Path) -> None:
    signatures = [part["thoughtSignature"] for part in raw_parts(path) if "thoughtSignature" in part]
    blocks = read(path).blocks
    kept = [
        block.extra["thoughtSignature"]
        for block in blocks
        if isinstance(block, TextBlock | ToolUseBlock) and "thoughtSignature" in block.extra
    ]
    assert kept == signatures


@every_stream
def test_a_message_is_the_same_however_its_bytes_are_cut(path: Path) -> None:
    data = stream(path)
    whole = message_of(GEMINI, data)
    for pieces in splits(data, path.stem):
        assert message_of(GEMINI, *pieces) == whole


@every_stream
def test_a_stream_sent_on_verbatim_is_the_same_events(path: Path) -> None:
    received = framed([stream(path)])
    encoder = GEMINI.Encoder(verbatim=True)
    assert [sse for event in decoded(GEMINI, received) for sse in encoder.send(event)] == received


@every_stream
def test_a_stream_written_anew_is_the_same_message(path: Path) -> None:
    whole = read(path)
    encoder = GEMINI.Encoder()
    events = decoded(GEMINI, framed([stream(path)]))
    assert accumulated(decoded(GEMINI, (sse for event in events for sse in encoder.send(event)))) == whole


@every_stream
def test_wherever_a_stream_is_cut_it_is_truncated_and_nothing_may_be_executed(path: Path) -> None:
    received = framed([stream(path)])
    ends = [place for place, response in enumerate(raw(path)) if "finishReason" in response["candidates"][0]]
    for count in range(len(received)):
        message = accumulated(decoded(GEMINI, received[:count]))
        if count > ends[0]:
            assert message.completeness == "complete"
        else:
            assert message.completeness == "truncated"
            assert message.executable_tools == []
            *_, cut = decoded(GEMINI, received[:count])
            assert cut == MessageCut("truncated")


def test_arguments_that_come_value_by_value() -> None:
    """Beside a call that has none, and says nothing of going on."""
    tools = read(PARTIAL).executable_tools
    assert [(tool.name, tool.arguments) for tool in tools] == [
        ("read_theme", {}),
        ("read_screen", {"id": "A"}),
        ("read_screen", {"id": "B"}),
        ("read_screen", {"id": "C"}),
    ]
    assert [tool.raw_arguments for tool in tools] == ["", '{"id":"A"}', '{"id":"B"}', '{"id":"C"}']


def test_every_call_that_is_cut_while_it_goes_on_is_incomplete() -> None:
    received = framed([stream(PARTIAL)])
    states = [accumulated(decoded(GEMINI, received[:count])).tools for count in range(len(received))]
    assert [tools[1].state for tools in states if len(tools) == 2] == ["incomplete"] * 3 + ["complete"]
    assert [tools[1].raw_arguments for tools in states[3:7]] == ["", '{"id":"A', '{"id":"A', '{"id":"A"}']


def test_an_id_is_made_up_where_there_is_none_and_only_there() -> None:
    (tool,) = read(FIXTURES / "gemini/pydantic-ai--test_google_model_iter_stream--0.sse").tools
    assert (tool.id, tool.extra) == ("call_1lpeaMTxIpW1nvgP-O3vwQY_0", {"functionCall.id": None})
    with_id = "gemini/pydantic-ai--test_native_output_with_function_tools_stream--0.sse"
    (tool,) = read(FIXTURES / with_id).tools
    assert (tool.id, list(tool.extra)) == ("96c1su3s", ["thoughtSignature"])


def test_code_that_the_provider_ran() -> None:
    message = read(FIXTURES / "gemini/pydantic-ai--test_google_model_file_search_tool_stream--3.sse")
    assert [type(block) for block in message.blocks] == [ResultBlock, TextBlock]
    assert message.server_tool_seen
    assert "groundingChunks" in message.extra["candidate.groundingMetadata"]


def test_a_speech_session_is_another_protocol() -> None:
    """Its events are objects that are no responses, but for the figures of usage."""
    message = read(FIXTURES / "vercel-chunks/google/google-live-speech-translation.chunks.txt")
    assert (message.completeness, message.blocks) == ("truncated", [])
