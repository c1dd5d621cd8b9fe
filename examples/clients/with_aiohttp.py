"""Ask a model with aiohttp, and print its answer as it comes; with --once, nothing is tried again.

With "make demo" running in another terminal:

    .venv/bin/python examples/clients/with_aiohttp.py http://127.0.0.1:8080/v1/messages "Hello!"

The session is yours: its connector, its proxies, its certificates.  ``stream_turn`` says what it is to ask
for; ``aiter_turn`` reads what you asked for yourself.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiohttp

import sse_anyio
from sse_core import aiter_turn
from sse_core.blocks import TextDelta


def body_of(question: str) -> dict[str, Any]:
    """What is sent."""
    messages = [{"role": "user", "content": question}]
    return {"model": "any", "max_tokens": 500, "messages": messages, "stream": True}


async def ask(session: aiohttp.ClientSession, url: str, question: str) -> None:
    """Print the answer.  Raises ``TurnError`` for one that isn't whole."""
    async with sse_anyio.stream_turn(url, body_of(question), transport=session) as turn:
        async for text in turn.text_stream:
            print(text, end="", flush=True)
    turn.raise_for_outcome()


async def ask_once(session: aiohttp.ClientSession, url: str, question: str) -> None:
    """Print the answer, and what became of it: "complete", or "truncated" where it was cut."""
    async with session.post(url, json=body_of(question)) as response:
        response.raise_for_status()  # the body of an error is no event stream
        async with aiter_turn(response.content.iter_any(), "anthropic") as turn:
            async for event in turn:
                if isinstance(event, TextDelta):
                    print(event.text, end="", flush=True)
    print(f"\n{turn.message.completeness}", file=sys.stderr)


async def main() -> None:
    """Ask the URL that is the last argument but one what the last one says."""
    async with aiohttp.ClientSession() as session:
        await (ask_once if "--once" in sys.argv else ask)(session, *sys.argv[-2:])


if __name__ == "__main__":
    asyncio.run(main())
