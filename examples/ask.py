"""Ask a model, and print its answer as it comes.

With "make demo" running in another terminal:

    .venv/bin/python examples/ask.py "Why is the sky blue?"

With a provider:

    export ANTHROPIC_API_KEY=...
    .venv/bin/python examples/ask.py --url https://api.anthropic.com/v1/messages --model ... "Why is ...?"

Ctrl-C stops it, and the provider too.
"""

from __future__ import annotations

import argparse
import os
import sys

import trio

import sse_trio
from sse_core import Headers, Outcome, Upstream
from sse_core.blocks import StreamError, TextDelta

#: What a shell expects of a program that Ctrl-C ended: 128 and the number of SIGINT.
INTERRUPTED = 130


async def ask(upstream: Upstream, model: str, question: str) -> bool:
    """Print the answer; whether it is whole."""
    body = {"model": model, "max_tokens": 1000, "messages": [{"role": "user", "content": question}]}
    async with sse_trio.stream_turn(upstream, body) as turn:
        async for event in turn:
            if isinstance(event, TextDelta):
                print(event.text, end="", flush=True)
            elif isinstance(event, StreamError):
                print(f"\n{event.type}: {event.message}", file=sys.stderr)
        print()
    first = turn.timing.time_to_first_token
    if first is not None:
        print(f"{turn.outcome}, first token after {first:.2f} s", file=sys.stderr)
    return turn.outcome is Outcome.COMPLETED


async def main() -> int:
    """Read the arguments and ask; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--url", default="http://127.0.0.1:8080/v1/messages", help="where to ask; default: the demo's relay"
    )
    parser.add_argument("--model", default="simulated", help="a provider wants one of its own")
    parser.add_argument("question", help="what to ask")
    arguments = parser.parse_args()
    headers = {"anthropic-version": "2023-06-01"}
    if "ANTHROPIC_API_KEY" in os.environ:
        headers["x-api-key"] = os.environ["ANTHROPIC_API_KEY"]
    whole = await ask(Upstream(arguments.url, Headers(headers)), arguments.model, arguments.question)
    return 0 if whole else 1


if __name__ == "__main__":
    try:
        sys.exit(trio.run(main))
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        sys.exit(INTERRUPTED)
