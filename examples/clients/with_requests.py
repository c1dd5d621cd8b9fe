"""Ask a model with requests, and print its answer as it comes.

With "make demo" running in another terminal:

    .venv/bin/python examples/clients/with_requests.py http://127.0.0.1:8080/v1/messages "Hello!"

The loop is over the bytes that requests gives; nothing is tried again.
"""

from __future__ import annotations

import sys
from typing import Any

import requests

from sse_core import iter_turn
from sse_core.blocks import TextDelta


def body_of(question: str) -> dict[str, Any]:
    """What is sent."""
    messages = [{"role": "user", "content": question}]
    return {"model": "any", "max_tokens": 500, "messages": messages, "stream": True}


def ask_once(session: requests.Session, url: str, question: str) -> None:
    """Print the answer, and what became of it: "complete", or "truncated" where it was cut."""
    with session.post(url, json=body_of(question), stream=True, timeout=60) as response:
        response.raise_for_status()  # the body of an error is no event stream
        with iter_turn(response.iter_content(None), "anthropic") as turn:
            for event in turn:
                if isinstance(event, TextDelta):
                    print(event.text, end="", flush=True)
    print(f"\n{turn.message.completeness}", file=sys.stderr)


def main() -> None:
    """Ask the URL that is the first argument what the second one says."""
    with requests.Session() as session:
        ask_once(session, *sys.argv[1:])


if __name__ == "__main__":
    main()
