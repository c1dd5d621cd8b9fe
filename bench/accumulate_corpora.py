"""What is accumulated: a text and two kinds of a tool's arguments, as fragments and as providers' streams."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sse_core import encode_event

#: Lengths of a text, in characters.
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
#: How a stream is cut: bytes a chunk; 0 is one event a chunk.
CHUNKINGS = {"an event": 0, "16 KB": 16 * 1024}

_PROSE = 'The quick brown fox jumps over "it", and\nsome — like the café — is not ASCII. '
_ASCII = 'The quick brown fox jumps over "it", and\nall of it is ASCII. '
_RECORD = {"name": "a thing", "price": 12.5, "sold": False}
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@dataclass(frozen=True)
class Shape:
    """A text that comes in fragments of ``least`` to ``most`` characters; ``is_tool``: it is JSON."""

    name: str
    make: Callable[[int], str]
    is_tool: bool
    least: int
    most: int

    def fragments(self, size: int) -> list[str]:
        """A text of about ``size`` characters in fragments, each a string of its own."""
        text = self.make(size)
        dice = random.Random(3)  # noqa: S311  (the same fragments every time)
        fragments, start = [], 0
        while start < len(text):
            end = start + dice.randint(self.least, self.most)
            fragments.append(text[start:end])
            start = end
        return fragments


def _prose(size: int) -> str:
    return _PROSE * (size // len(_PROSE))


def _ascii(size: int) -> str:
    return _ASCII * (size // len(_ASCII))


def _one_string(size: int) -> str:
    return json.dumps({"path": "a.txt", "content": _prose(size)}, ensure_ascii=False)


def _objects(size: int) -> str:
    return json.dumps({"items": [{"id": number, **_RECORD} for number in range(size // 64)]})


#: By name.
SHAPES = {
    shape.name: shape
    for shape in (
        Shape("text", _prose, is_tool=False, least=20, most=30),
        Shape("ASCII text", _ascii, is_tool=False, least=20, most=30),
        Shape("one big string", _one_string, is_tool=True, least=20, most=20),
        Shape("a list of objects", _objects, is_tool=True, least=20, most=20),
    )
}


def in_chunks(events: list[bytes], size: int) -> list[bytes]:
    """The stream in pieces of ``size`` bytes, or one event a chunk if that is 0."""
    if not size:
        return events
    stream = b"".join(events)
    return [stream[start : start + size] for start in range(0, len(stream), size)]


def anthropic_stream(fragments: Iterable[str], *, is_tool: bool) -> list[bytes]:
    """The events of a message, as the Messages API sends them: with spaces that blur the length of deltas."""
    return [encode_event(data, event=kind) for kind, data in _anthropic(fragments, is_tool=is_tool)]


def _anthropic(fragments: Iterable[str], *, is_tool: bool) -> Iterator[tuple[str, str]]:
    dice = random.Random(5)  # noqa: S311
    usage = {"input_tokens": 25, "output_tokens": 1}
    head = {"id": "msg_01", "type": "message", "role": "assistant", "model": "claude", "content": []}
    ending = {"stop_reason": None, "stop_sequence": None, "usage": usage}
    block: dict[str, Any] = {"type": "text", "text": ""}
    kind, field = "text_delta", "text"
    if is_tool:
        block = {"type": "tool_use", "id": "toolu_01", "name": "write", "input": {}}
        kind, field = "input_json_delta", "partial_json"
    yield "message_start", _json({"type": "message_start", "message": {**head, **ending}})
    yield "content_block_start", _json({"type": "content_block_start", "index": 0, "content_block": block})
    yield "ping", _json({"type": "ping"})
    for fragment in fragments:
        delta = {"type": "content_block_delta", "index": 0, "delta": {"type": kind, field: fragment}}
        yield "content_block_delta", _json(delta) + " " * dice.randint(0, 15)
    reason = {"stop_reason": "tool_use" if is_tool else "end_turn", "stop_sequence": None}
    yield "content_block_stop", _json({"type": "content_block_stop", "index": 0})
    yield "message_delta", _json({"type": "message_delta", "delta": reason, "usage": {"output_tokens": 194}})
    yield "message_stop", _json({"type": "message_stop"})


def chat_stream(fragments: Iterable[str], *, is_tool: bool, with_usage: bool = False) -> list[bytes]:
    """The events of a chat completion, as OpenAI sends them: with a text that blurs the length of chunks.

    ``with_usage``: each chunk has the usage so far, as some hosts do.
    """
    chunks = [*chat_chunks(fragments, is_tool=is_tool)]
    if with_usage:
        for number, chunk in enumerate(chunks):
            chunk["usage"] = {"prompt_tokens": 25, "completion_tokens": number, "total_tokens": 25 + number}
    return [*(encode_event(_json(chunk)) for chunk in chunks), encode_event("[DONE]")]


def chat_chunks(fragments: Iterable[str], *, is_tool: bool) -> Iterator[dict[str, Any]]:
    """The chunks of a chat completion."""
    dice = random.Random(5)  # noqa: S311
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}]
    if is_tool:
        call = {
            "index": 0,
            "id": "call_1",
            "type": "function",
            "function": {"name": "write", "arguments": ""},
        }
        deltas = [{"role": "assistant", "content": None, "tool_calls": [call], "refusal": None}]
        calls = ([{"index": 0, "function": {"arguments": fragment}}] for fragment in fragments)
        deltas += [{"tool_calls": each} for each in calls]
    else:
        deltas += [{"content": fragment} for fragment in fragments]
    for delta in [*deltas, {}]:
        reason = None if delta else "tool_calls" if is_tool else "stop"
        yield {
            "id": "chatcmpl-CdyT4nkUmN2SxPj0cIo6fUQhV0001",
            "object": "chat.completion.chunk",
            "created": 1763726400,
            "model": "gpt-5-2025-08-07",
            "service_tier": "default",
            "system_fingerprint": "fp_cbf1785567",
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}],
            "usage": None,
            "obfuscation": "".join(dice.choices(_LETTERS, k=dice.randint(1, 16))),
        }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
