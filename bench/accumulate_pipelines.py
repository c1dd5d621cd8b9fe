"""From a response's bytes to its message: ours, and the SDKs' ``.stream()`` behind a transport in memory."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from sse_core import EventStreamDecoder, MessageAccumulator, dialects

#: Takes a response's chunks; gives the message's text, or the tool's arguments.
Pipeline = Callable[[list[bytes]], Any]


def ours(dialect: str, *, is_tool: bool) -> Pipeline:
    """Decode, translate, accumulate."""
    make = dialects.get(dialect).Decoder

    def run(chunks: list[bytes]) -> Any:
        stream, decoder, accumulator = EventStreamDecoder(), make(), MessageAccumulator()
        for chunk in chunks:
            for sse in stream.receive_data(chunk):
                for event in decoder.receive_event(sse):
                    accumulator.receive(event)
        for event in decoder.receive_eof():
            accumulator.receive(event)
        message = accumulator.message
        if message.completeness != "complete":
            raise AssertionError("the message is not whole")
        return message.executable_tools[0].arguments if is_tool else message.text

    return run


class _Answer:
    """An HTTP client of the SDK's own kind, whose every answer is the chunks that are there."""

    def __init__(self, sdk: Any) -> None:
        self.chunks: list[bytes] = []
        # The SDKs have changed from one HTTP library to another: what theirs is says their own client.
        library = importlib.import_module(sdk.DefaultHttpxClient.__base__.__module__.partition(".")[0])
        headers = {"content-type": "text/event-stream"}

        def answer(_request: Any) -> Any:
            return library.Response(200, headers=headers, content=iter(self.chunks))

        self.client = library.Client(transport=library.MockTransport(answer))


def anthropic(*, is_tool: bool) -> Pipeline:
    """``client.messages.stream()`` to its final message."""
    sdk = importlib.import_module("anthropic")
    answer = _Answer(sdk)
    client = sdk.Anthropic(api_key="none", http_client=answer.client, max_retries=0)
    question = {"model": "claude", "max_tokens": 1000, "messages": [{"role": "user", "content": "?"}]}

    def run(chunks: list[bytes]) -> Any:
        answer.chunks = chunks
        with client.messages.stream(**question) as stream:
            block = stream.get_final_message().content[0]
        return block.input if is_tool else block.text

    return run


def openai(*, is_tool: bool) -> Pipeline:
    """``client.chat.completions.stream()`` to its final completion."""
    sdk = importlib.import_module("openai")
    answer = _Answer(sdk)
    client = sdk.OpenAI(api_key="none", http_client=answer.client, max_retries=0)
    question = {"model": "gpt-5", "messages": [{"role": "user", "content": "?"}]}

    def run(chunks: list[bytes]) -> Any:
        answer.chunks = chunks
        with client.chat.completions.stream(**question) as stream:
            message = stream.get_final_completion().choices[0].message
        if is_tool:
            return importlib.import_module("json").loads(message.tool_calls[0].function.arguments)
        return message.content

    return run


#: The SDK whose pipeline is the peer of a dialect's.
PEERS: dict[str, tuple[str, Callable[..., Pipeline]]] = {
    "anthropic": ("anthropic", anthropic),
    "openai-chat": ("openai", openai),
}
