"""No official SDK runs half a call: one whose arguments are no JSON, sent on in another protocol.

The SDKs' own runners of tools are given what the encoders and the responses say, and a tool that notes its
runs.  OpenAI's SDK runs none itself: we look at the value that it makes of the arguments.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import anthropic
import openai
import pytest
from pydantic import BaseModel

from sse_core import dialects, encode_events
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageDelta,
    MessageStart,
    MessageStop,
    ToolUseBlock,
)
from tests.acceptance.one_answer import OneAnswer
from tests.acceptance.recorded import accumulated
from tests.core.dialects.executable import REASONS

genai = pytest.importorskip("google.genai", reason="google-genai is not installed")

#: Where a message may come from; in its own protocol it is as its provider has sent it.
OTHERS = {
    name: sorted({*dialects.names(), ""} - {name})
    for name in ("anthropic", "gemini", "openai-chat", "openai-responses")
}
WHOLE, HALF = '{"path": "/tmp"}', '{"path": "/tmp", "recursive": fal'
QUESTION: Any = [{"role": "user", "content": "?"}]


def requested_call(origin: str, *texts: str) -> list[BlockEvent]:
    """A message that calls ``delete`` with each of these arguments."""
    events: list[BlockEvent] = [MessageStart("m", "c", dialect=origin)]
    for index, text in enumerate(texts):
        events += [BlockStart(index, ToolUseBlock(f"call_{index}", "delete"))]
        events += [ArgumentsDelta(index, text), BlockStop(index)]
    return [*events, MessageDelta(REASONS.get(origin, REASONS["anthropic"])[0]), MessageStop()]


class Provider(OneAnswer):
    """A provider that gives one answer, as a stream or whole."""

    def gives(self, name: str, events: Iterable[BlockEvent], *, whole: bool) -> None:
        """Answer with these events in the dialect ``name``."""
        if whole:
            self.content_type = "application/json"
            self.body = json.dumps(dialects.get(name).to_response(accumulated(events))).encode()
            return
        self.content_type = "text/event-stream"
        encoder = dialects.get(name).Encoder()
        self.body = encode_events(sse for event in events for sse in encoder.send(event))


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    provider = Provider()
    with provider.serving():
        yield provider


def run_by_anthropic(provider: Provider, *, whole: bool) -> list[Any]:
    """The runs of the tool by Anthropic's runner."""
    runs: list[Any] = []

    @anthropic.beta_tool
    def delete(path: str, recursive: bool = False) -> str:  # noqa: FBT001, FBT002  (a tool of the SDK's)
        """Delete a path.

        Args:
            path: What to delete.
            recursive: Whether to delete what is in it.
        """
        runs.append((path, recursive))
        return "deleted"

    with anthropic.Anthropic(api_key="none", base_url=provider.url, max_retries=0) as client:
        runner: Any = client.beta.messages.tool_runner(
            model="m", max_tokens=9, messages=QUESTION, tools=[delete], stream=not whole, max_iterations=2
        )
        for answer in runner:
            if not whole:
                answer.get_final_message()
    return runs[:1]


def run_by_google(provider: Provider, *, whole: bool) -> list[Any]:
    """The runs of the tool by Google's automatic function calling."""
    runs: list[Any] = []

    def delete(path: str) -> str:
        """Delete a path."""
        runs.append(path)
        return "deleted"

    options = genai.types.HttpOptions(base_url=provider.url)
    calling = genai.types.AutomaticFunctionCallingConfig(maximum_remote_calls=2)
    config = genai.types.GenerateContentConfig(tools=[delete], automatic_function_calling=calling)
    with genai.Client(api_key="none", http_options=options) as client:
        ask = client.models.generate_content if whole else client.models.generate_content_stream
        list(ask(model="m", contents="?", config=config))
    return runs[:1]


RUNNERS = {"anthropic": run_by_anthropic, "gemini": run_by_google}


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("name", RUNNERS)
def test_a_whole_call_is_run(provider: Provider, name: str, *, whole: bool) -> None:
    provider.gives(name, requested_call("openai-chat", WHOLE), whole=whole)
    assert len(RUNNERS[name](provider, whole=whole)) == 1


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(("name", "origin"), [(name, other) for name in RUNNERS for other in OTHERS[name]])
def test_half_a_call_is_not(provider: Provider, name: str, origin: str, *, whole: bool) -> None:
    provider.gives(name, requested_call(origin, HALF), whole=whole)
    assert RUNNERS[name](provider, whole=whole) == []


def test_nor_is_a_whole_one_beside_it_by_anthropics(provider: Provider) -> None:
    for texts in ((WHOLE, HALF), (HALF, WHOLE)):
        for whole in (False, True):
            provider.gives("anthropic", requested_call("openai-chat", *texts), whole=whole)
            assert run_by_anthropic(provider, whole=whole) == []


class Delete(BaseModel):
    """A tool whose arguments the SDK parses."""

    path: str


@pytest.mark.parametrize(("text", "parsed"), [(WHOLE, Delete(path="/tmp")), (HALF, None)])
@pytest.mark.parametrize("origin", OTHERS["openai-chat"])
def test_openais_sdk_makes_nothing_of_half_a_call(
    provider: Provider, origin: str, text: str, parsed: Delete | None
) -> None:
    tools: Any = [openai.pydantic_function_tool(Delete, name="delete")]
    with openai.OpenAI(api_key="none", base_url=provider.url, max_retries=0) as client:
        provider.gives("openai-chat", requested_call(origin, text), whole=False)
        with client.chat.completions.stream(model="m", messages=QUESTION, tools=tools) as stream:
            calls = []
            try:
                calls = stream.get_final_completion().choices[0].message.tool_calls or []
            except openai.LengthFinishReasonError:
                assert parsed is None  # it takes the message for one that was cut
        found = [call.function.parsed_arguments for call in calls]
        assert found == ([] if parsed is None else [parsed])


@pytest.mark.parametrize("origin", OTHERS["openai-responses"])
def test_openais_sdk_sees_a_response_that_is_incomplete(provider: Provider, origin: str) -> None:
    with openai.OpenAI(api_key="none", base_url=provider.url, max_retries=0) as client:
        for text, status in ((WHOLE, "completed"), (HALF, "incomplete")):
            provider.gives("openai-responses", requested_call(origin, text), whole=False)
            with client.responses.stream(model="m", input="?") as stream:
                ends: list[Any] = [event for event in stream if event.type == f"response.{status}"]
            (response,) = [end.response for end in ends]
            assert response.status == status
            assert [item.status for item in response.output] == [status]
