"""Gemini's parts in a UI message stream: code, tools of Google's, files, signatures, sources."""

from __future__ import annotations

from typing import Any

from sse_core.blocks import (
    ItemsDelta,
    MessageStop,
    ResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    UnknownBlock,
)
from sse_core.testing import message_of
from tests.core.dialects.ui_events import UI, after_start, encode, start, text, whole


def gemini(*blocks: Any) -> list[Any]:
    events = [event for index, block in enumerate(blocks) for event in whole(index, block)]
    return after_start(*events, dialect="gemini")


def test_code_that_gemini_runs_is_a_call_and_its_output() -> None:
    code = ResultBlock({"type": "executableCode", "executableCode": {"code": "1"}})
    output = ResultBlock({"type": "codeExecutionResult", "codeExecutionResult": {"output": "1"}})
    chunks = gemini(code, output, output, code, output)
    assert [(chunk["type"], chunk["toolCallId"]) for chunk in chunks] == [
        ("tool-input-available", "code_execution-1"),
        ("tool-output-available", "code_execution-1"),
        ("tool-output-available", "code_execution-1"),
        ("tool-input-available", "code_execution-2"),
        ("tool-output-available", "code_execution-2"),
    ]
    assert chunks[0]["input"] == {"code": "1"}
    assert chunks[1]["output"] == {"output": "1"}
    silent = ResultBlock({"type": "codeExecutionResult", "codeExecutionResult": {"outcome": "OUTCOME_OK"}})
    assert gemini(code, silent)[1]["output"] == {"outcome": "OUTCOME_OK", "output": ""}
    assert gemini(output, ResultBlock({"type": "toolCall", "toolCall": 1})) == []


def server(kind: str, content: Any, signature: Any = None) -> ResultBlock:
    part = {"type": kind, kind: {"toolType": "URL_CONTEXT", **content}}
    return ResultBlock(part if signature is None else {**part, "thoughtSignature": signature})


def test_a_tool_that_google_runs_is_a_call_and_its_output_with_their_signatures() -> None:
    made, answer = gemini(
        server("toolCall", {"args": {"a": 1}, "id": "t"}, "c"),
        server("toolResponse", {"response": {"b": 1}}, "r"),
    )
    metadata = {"serverToolCallId": "t", "serverToolType": "URL_CONTEXT"}
    assert made == {
        "type": "tool-input-available",
        "toolCallId": "t",
        "toolName": "server:URL_CONTEXT",
        "input": {"a": 1},
        "providerExecuted": True,
        "dynamic": True,
        "providerMetadata": {"google": {"thoughtSignature": "c", **metadata}},
    }
    assert answer == {
        "type": "tool-output-available",
        "toolCallId": "t",
        "output": {"b": 1},
        "providerExecuted": True,
        "providerMetadata": {"google": {"thoughtSignature": "r", **metadata}},
    }


def test_a_tool_of_googles_without_an_id_gets_one() -> None:
    made, answer = gemini(server("toolCall", {}), server("toolResponse", {}))
    assert made["toolCallId"] == answer["toolCallId"] == "server-1"
    assert (made["input"], answer["output"]) == ({}, {})
    late = gemini(
        server("toolCall", {"id": "t"}), server("toolResponse", {}), server("toolResponse", {"id": "t"})
    )
    assert [chunk["toolCallId"] for chunk in late] == ["t", "t", "t"]


def test_a_file_within_a_part_is_a_file() -> None:
    image = {"type": "inlineData", "inlineData": {"mimeType": "image/png", "data": "AA=="}}
    blocks = [UnknownBlock(image), UnknownBlock({**image, "thought": True}), UnknownBlock({"type": "part"})]
    url = "data:image/png;base64,AA=="
    assert gemini(*blocks) == [
        {"type": "file", "mediaType": "image/png", "url": url},
        {"type": "reasoning-file", "mediaType": "image/png", "url": url},
    ]


def test_a_file_has_its_signature() -> None:
    image = {"type": "inlineData", "inlineData": {"data": "AA=="}, "thoughtSignature": "s"}
    (file,) = gemini(UnknownBlock(image))
    assert file["mediaType"] == "application/octet-stream"
    assert file["providerMetadata"] == {"google": {"thoughtSignature": "s"}}


def test_gemini_gets_its_signatures_back() -> None:
    signed = {"thoughtSignature": "s"}
    chunks = gemini(TextBlock(extra=signed), ToolUseBlock("c", "f", "server_tool_use", extra=signed))
    assert [(chunk["type"], chunk.get("providerMetadata")) for chunk in chunks] == [
        ("text-start", {"google": signed}),
        ("text-end", {"google": signed}),
        ("tool-input-start", None),
        ("tool-input-available", {"google": signed}),
    ]


def test_texts_that_follow_each_other_are_one_with_the_last_signature() -> None:
    """Gemini often signs a text at its end, with a part that has none."""
    signed = {"thoughtSignature": "s"}
    texts = TextBlock("a"), TextBlock("b", extra=signed), TextBlock("", extra={"thoughtSignature": "t"})
    chunks = gemini(*texts, ThinkingBlock("x"), ThinkingBlock("y", "u"), TextBlock("c"))
    ends = [chunk for chunk in chunks if chunk["type"].endswith("-end")]
    assert [
        "".join(c["delta"] for c in chunks if c["type"].endswith("-delta") and c["id"] == end["id"])
        for end in ends
    ] == ["ab", "xy"]
    assert [end["providerMetadata"]["google"]["thoughtSignature"] for end in ends] == ["t", "u"]
    assert chunks[-1]["delta"] == "c"


def grounding(*chunks: Any) -> list[Any]:
    """The sources of a message that is grounded in these."""
    name = "candidate.groundingMetadata.groundingChunks"
    events = [
        start("gemini"),
        *text(0, "a"),
        ItemsDelta(name, list(chunks)),
        ItemsDelta("other", [1]),
        MessageStop(),
    ]
    sent = encode(*events)[5:-3]
    made = UI.to_response(message_of(events))["parts"][2:]
    assert made == sent
    return sent


def test_what_an_answer_is_grounded_in_are_sources_at_its_end() -> None:
    found = grounding(
        {"web": {"uri": "https://a.example", "title": "A"}},
        {"web": {"uri": "https://a.example"}},
        {"maps": {"uri": "https://m.example"}},
        {"image": {"sourceUri": "https://i.example"}},
        {"retrievedContext": {"uri": "https://r.example"}},
        {"retrievedContext": {"uri": "gs://b/c.pdf", "title": "C"}},
        {"retrievedContext": {"fileSearchStore": "stores/s"}},
        {"web": {}},
        {"new": {}},
        "x",
    )
    assert [source["sourceId"] for source in found] == [
        "https://a.example",
        "https://m.example",
        "https://i.example",
        "https://r.example",
        "gs://b/c.pdf",
        "stores/s",
    ]
    assert found[0] == {
        "type": "source-url",
        "sourceId": "https://a.example",
        "url": "https://a.example",
        "title": "A",
    }
    unknown = {"mediaType": "application/octet-stream", "title": "Unknown Document", "filename": "s"}
    known = {"mediaType": "application/pdf", "title": "C", "filename": "c.pdf"}
    assert found[4] == {"type": "source-document", "sourceId": "gs://b/c.pdf", **known}
    assert found[5] == {"type": "source-document", "sourceId": "stores/s", **unknown}
