"""Which dialect an event fits, and a stream that is read with the wrong one."""

from __future__ import annotations

import json

import pytest

from sse_core import EventStreamDecoder, RemoteProtocolError, ServerSentEvent, dialects
from sse_core.dialects import Recognition, mismatch, recognized
from sse_core.dialects.recognition import MAX_CHARACTERS
from sse_core.framing import encode_event

NAMES = dialects.names()
#: What a stream of each dialect may be: its first event and others.
STREAMS: dict[str, list[tuple[str, object]]] = {
    "anthropic": [
        (
            "message_start",
            {"type": "message_start", "message": {"id": "m", "model": "c", "usage": {"input_tokens": 1}}},
        ),
        (
            "content_block_start",
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        ),
        ("ping", {"type": "ping"}),
        (
            "content_block_delta",
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        ),
        ("content_block_stop", {"type": "content_block_stop", "index": 0}),
    ],
    "openai-chat": [
        ("message", {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": []}),
        ("message", {"id": "c", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}),
    ],
    "openai-responses": [
        ("response.created", {"type": "response.created", "response": {"id": "r", "model": "m"}}),
        ("message", {"type": "response.output_text.delta", "output_index": 0, "delta": "Hi"}),
        ("response.novelty", {"type": "response.novelty"}),
    ],
    "gemini": [
        ("message", {"candidates": [{"content": {"parts": [{"text": "Hi"}]}}]}),
        ("message", {"usageMetadata": {"promptTokenCount": 1}, "responseId": "r"}),
    ],
    "ui-messages": [
        ("message", {"type": "start", "messageId": "u"}),
        ("message", {"type": "start-step"}),
        ("message", {"type": "text-start", "id": "0"}),
        ("message", {"type": "data-weather", "data": {}}),
    ],
}
EVENTS = {
    name: [ServerSentEvent(kind, json.dumps(data)) for kind, data in stream]
    for name, stream in STREAMS.items()
}


def read(stream: list[ServerSentEvent], name: str) -> str | None:
    """What is wrong with ``stream``, read as the dialect ``name``."""
    decoder, recognition = dialects.get(name).Decoder(), Recognition()
    for sse in stream:
        try:
            recognition.note(sse, decoder.receive_event(sse))
        except RemoteProtocolError:
            return mismatch(sse, name)
    return recognition.failure(name)


def test_there_is_a_stream_of_every_dialect() -> None:
    assert sorted(STREAMS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_event_is_recognized(name: str) -> None:
    assert [recognized(sse) for sse in EVENTS[name]] == [name] * len(EVENTS[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_of_its_own_dialect_is_known(name: str) -> None:
    assert read(EVENTS[name], name) is None


@pytest.mark.parametrize("stream", NAMES)
@pytest.mark.parametrize("name", NAMES)
def test_the_error_for_a_wrong_dialect_names_the_right_one(stream: str, name: str) -> None:
    if stream != name:
        first = EVENTS[stream][0]
        assert read(EVENTS[stream], name) == (
            f"no event of the stream was one of dialect {name!r}; the first was {first.type!r} with data "
            f"{first.data[:100]!a}: it fits dialect {stream!r}"
        )


@pytest.mark.parametrize(
    "data",
    [
        "",
        "[DONE]",
        "Hello",
        "[1]",
        '{"error": {"message": "no", "type": "x"}}',
        '{"type": 1}',
        '{"type": "novelty"}',
        '{"object": "text_completion", "choices": [{"text": "Hi"}]}',
        '{"choices": 1}',
        '{"choices": []}',
        json.dumps({"candidates": "x" * MAX_CHARACTERS}),
    ],
)
def test_any_other_event_fits_none(data: str) -> None:
    sse = ServerSentEvent("message", data)
    assert recognized(sse) is None
    assert mismatch(sse, "gemini").endswith("it fits no dialect that is known here")


def test_what_a_peer_sent_is_quoted_in_short_and_escaped() -> None:
    said = mismatch(ServerSentEvent("\x1b" * 5000, "\n\u2028\x00" * 5000), "gemini")
    assert said.isascii()
    assert said.isprintable()
    assert len(said) < 1500


def test_no_event_and_signs_of_life_say_nothing() -> None:
    recognition = Recognition()
    assert recognition.failure("anthropic") is None
    (ping,) = EventStreamDecoder().receive_data(encode_event('{"type":"ping"}', event="ping"))
    recognition.note(ping, dialects.get("anthropic").Decoder().receive_event(ping))
    assert recognition.failure("anthropic") is None


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_of_pings_alone_was_cut_and_is_no_other_dialects(name: str) -> None:
    assert read([ServerSentEvent("ping", '{"type": "ping"}')] * 3, name) is None


def test_a_new_event_of_the_dialect_itself_is_no_other_dialects() -> None:
    new = ServerSentEvent("message", '{"type": "response.novelty"}')
    assert read([new], "openai-responses") is None
    assert read([ServerSentEvent("message", '{"type": "novelty"}'), new], "openai-responses") is None


@pytest.mark.parametrize("name", NAMES)
def test_one_known_event_is_enough(name: str) -> None:
    new = ServerSentEvent("novelty", '{"type": "novelty"}')
    first, *others = EVENTS[name]
    assert read([first, new], name) is None
    assert read([new, *others], name) is None
    assert read([new], name) is not None


def certain(data: object, name: str) -> bool:
    """Whether any number of such events shows before the end that the stream is not of dialect ``name``."""
    recognition = Recognition()
    for _ in range(100):
        recognition.unknown(ServerSentEvent("message", json.dumps(data)))
    return recognition.certainty(name) is not None


@pytest.mark.parametrize("kind", ["start", "finish", "abort", "file", "custom", "data-queue", "source-url"])
def test_what_any_host_may_send_proves_nothing(kind: str) -> None:
    assert not certain({"type": kind, "position": 3}, "openai-chat")


@pytest.mark.parametrize("name", ["responseId", "modelVersion", "usageMetadata"])
def test_a_field_alone_proves_nothing(name: str) -> None:
    assert not certain({name: "x"}, "openai-chat")
    assert certain({name: "x", "candidates": []}, "openai-chat")
    assert certain({name: "x", "promptFeedback": {}}, "openai-chat")
