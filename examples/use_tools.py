"""Let a model call a tool: run the call when it is whole, give its result back, and read the answer.

With a simulated provider that calls the first tool it is offered:

    .venv/bin/sse-relay provider --port 8090 --tool
    .venv/bin/python examples/use_tools.py --url http://127.0.0.1:8090/v1/messages "What's the weather?"

With a real one:

    export ANTHROPIC_API_KEY=...
    .venv/bin/python examples/use_tools.py --url https://api.anthropic.com/v1/messages --model ... "..."
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import Any

import trio

import sse_trio
from sse_core import Headers, Message, TurnError, Upstream, dialects
from sse_core.blocks import TextDelta

#: A model that calls tools for ever is left after so many answers.
MAX_ANSWERS = 10


def get_weather(location: str, **_: object) -> dict[str, object]:
    """What the tool does; a real one would look it up."""
    return {"location": location, "celsius": 17, "sky": "clear"}


TOOLS: dict[str, Callable[..., object]] = {"get_weather": get_weather}
DESCRIPTIONS = [
    {
        "name": "get_weather",
        "description": "The weather at a place, now.",
        "input_schema": {
            "type": "object",
            "properties": {"location": {"type": "string"}},
            "required": ["location"],
        },
    }
]


def run_tool(name: str, arguments: dict[str, Any]) -> tuple[str, bool]:
    """The result of a call as text, and whether it failed: what fails is for the model to know."""
    try:
        return json.dumps(TOOLS[name](**arguments), ensure_ascii=False), False
    except Exception as error:  # noqa: BLE001  (whatever a tool raises is its result)
        return f"{type(error).__name__}: {error}", True


def next_messages(message: Message) -> list[dict[str, object]]:
    """What goes behind the conversation: the answer as the provider said it, and the results of its calls."""
    content = dialects.get("anthropic").to_response(message)["content"]
    results = []
    for tool in message.executable_tools:
        print(f"[{tool.name} {tool.raw_arguments}]", file=sys.stderr)
        text, failed = run_tool(tool.name, tool.arguments)
        result = {"type": "tool_result", "tool_use_id": tool.id, "content": text, "is_error": failed}
        results.append(result)
    return [{"role": "assistant", "content": content}, {"role": "user", "content": results}]


async def converse(upstream: Upstream, model: str, question: str) -> None:
    """Ask, and go on until the model wants no tool any more.

    Raises ``TurnError`` for an answer that isn't whole.
    """
    messages: list[dict[str, object]] = [{"role": "user", "content": question}]
    for _ in range(MAX_ANSWERS):
        body = {"model": model, "max_tokens": 1000, "messages": messages, "tools": DESCRIPTIONS}
        async with sse_trio.stream_turn(upstream, body) as turn:
            async for event in turn:
                if isinstance(event, TextDelta):
                    print(event.text, end="", flush=True)
        print()
        turn.raise_for_outcome()
        if not turn.message.executable_tools:
            return
        messages += next_messages(turn.message)
    print(f"left after {MAX_ANSWERS} answers", file=sys.stderr)


async def main() -> int:
    """Read the arguments and converse; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="http://127.0.0.1:8090/v1/messages", help="where to ask")
    parser.add_argument("--model", default="simulated", help="a provider wants one of its own")
    parser.add_argument("question", help="what to ask")
    arguments = parser.parse_args()
    headers = {"anthropic-version": "2023-06-01"}
    if "ANTHROPIC_API_KEY" in os.environ:
        headers["x-api-key"] = os.environ["ANTHROPIC_API_KEY"]
    try:
        await converse(Upstream(arguments.url, Headers(headers)), arguments.model, arguments.question)
    except TurnError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(trio.run(main))
