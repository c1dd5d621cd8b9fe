"""The runner's protocol for a decoder in Python, so that an adapter says only how its decoder is called.

    from protocol import Run, serve

    def decode(run: Run) -> None:
        decoder = SomeDecoder()
        for chunk in run.chunks():
            for event in decoder.feed(chunk):
                run.event(event.type, event.data, lastEventId=event.last_event_id)

    serve("some-decoder", "1.0", ["event.lastEventId"], decode)

The protocol itself is in conformance/README.md.
"""

from __future__ import annotations

import base64
import json
import platform
import sys
from collections.abc import Callable, Iterator
from typing import Any


class Run:
    """One stream to decode, and what comes out of it."""

    def __init__(self, question: dict[str, Any]) -> None:
        self._chunks = [base64.b64decode(chunk) for chunk in question["chunks"]]
        self._taken: int | None = 0
        self.initial_last_event_id: str | None = question.get("initialLastEventId")
        self.answer: dict[str, Any] = {"run": question["run"], "events": []}

    def chunks(self) -> Iterator[bytes]:
        """The stream, as a socket would give it."""
        for number, chunk in enumerate(self._chunks, 1):
            self._taken = number
            yield chunk
        self._taken = None

    def event(self, type: str | None, data: str, **more: object) -> None:
        """Report an event, with the chunk that was the last one taken (``None`` at the end of the stream).

        Libraries that leave an unnamed event's type empty mean ``message`` by it.
        """
        event = {"type": type or "message", "data": data, "chunk": self._taken, **more}
        self.answer["events"].append(event)

    def end(self, **what: object) -> None:
        """Report what is known at the end of the stream: ``lastEventId``, ``reconnectionTime``."""
        self.answer.update(what)


def serve(name: str, version: str, offers: list[str], decode: Callable[[Run], None]) -> None:
    """Introduce the decoder, and answer until the runner closes the pipe."""
    runtime = f"{platform.python_implementation()} {platform.python_version()}"
    say({"protocol": 1, "name": name, "version": version, "runtime": runtime, "offers": offers})
    for line in sys.stdin:
        run = Run(json.loads(line))
        try:
            decode(run)
        except Exception as error:  # noqa: BLE001  (whatever a decoder raises is its answer)
            run.answer["error"] = f"{type(error).__name__}: {error}"
        say(run.answer)


def say(message: dict[str, Any]) -> None:
    """One line of JSON, in ASCII."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
