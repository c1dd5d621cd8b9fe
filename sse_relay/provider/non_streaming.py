"""One generation as a whole answer: ``"stream": false``.

The same steps are taken at the same times, and only their sum is sent.
"""

from __future__ import annotations

import json
from typing import Any

from sse_core.headers import Headers
from sse_http.application import Reply, StreamHead, StreamState, no_waker

from .events import Event
from .generation import ENDS
from .records import Record, RecordState
from .steps import Pacer, Then

#: How many steps one call takes at most, so that nobody else waits long for it.
_STEPS_A_CALL = 2_000

#: Where the text of each delta is.
_DELTA_FIELDS = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
}


class NonStreamingAnswer:
    """A ``Stream`` whose head is unknown until the last step, and then is the whole reply.

    - ``pacer``: has the steps and their times.
    - ``record``: counts along.
    - ``headers``: of the reply.
    """

    def __init__(self, pacer: Pacer, record: Record, headers: Headers) -> None:
        self.waker = no_waker
        self.has_more = False
        self._pacer = pacer
        self._record = record
        self._headers = headers
        self._fold = _Fold()
        self._reply: Reply | None = None
        self._state = StreamState.OPEN

    @property
    def head(self) -> StreamHead | Reply | None:
        """The reply, once it is whole."""
        return self._reply

    @property
    def state(self) -> StreamState:
        """Open until the reply is there, or the connection is to be cut."""
        return self._state

    @property
    def deadline(self) -> float | None:
        """When the next step is due."""
        return self._pacer.deadline if self._state is StreamState.OPEN else None

    def data_to_send(self, now: float) -> bytes:  # noqa: ARG002  (the face of a Stream)
        """Nothing: the reply has its body in itself."""
        return b""

    def handle_timeout(self, now: float) -> None:
        """Take what is due by now, and answer after the last step."""
        if self._state is not StreamState.OPEN:
            return
        for _ in range(_STEPS_A_CALL):
            step = self._pacer.take(now)
            if step is None:
                break
            self._fold.receive(step.event)
            self._record.tokens += step.tokens
        if self._pacer.end is not None:
            self._finish(self._pacer.end)
        self.waker()

    def close(self, now: float) -> None:  # noqa: ARG002  (the face of a Stream)
        """The exchange is over; if the generation is not, its reader has gone."""
        if self._state is StreamState.OPEN:
            self._state = StreamState.ABORTED
            self._record.end(RecordState.ABORTED)

    def _finish(self, end: Then) -> None:
        self._state, record_state = ENDS[end]
        self._record.end(record_state)
        if end is not Then.CUT:
            status, body = self._fold.answer()
            self._reply = Reply(status, self._headers, body)


class _Fold:
    """Sums the events up as the provider's own message object."""

    def __init__(self) -> None:
        self._message: Event = {}
        self._parts: list[str] = []
        self._error: Event | None = None
        self._garbage = False

    def receive(self, event: Event | bytes) -> None:
        if isinstance(event, bytes):
            self._garbage = self._garbage or bool(event)
        elif event["type"] == "message_start":
            self._message = {**event["message"], "content": []}
        elif event["type"] == "content_block_start":
            self._message["content"].append(dict(event["content_block"]))
        elif event["type"] == "content_block_delta":
            self._delta(self._message["content"][-1], event["delta"])
        elif event["type"] == "content_block_stop":
            self._close_block(self._message["content"][-1])
        elif event["type"] == "message_delta":
            self._message |= event["delta"]
            self._message["usage"] = self._message["usage"] | event["usage"]
        elif event["type"] == "error":
            self._error = event

    def answer(self) -> tuple[int, bytes]:
        """The status and the body."""
        value = self._message if self._error is None else self._error
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        if self._garbage:
            body = body[: len(body) // 2] + b"\xff\xfe\xc3("
        return (200 if self._error is None else 529), body

    def _delta(self, block: Event, delta: dict[str, Any]) -> None:
        if delta["type"] == "signature_delta":
            block["signature"] = delta["signature"]
        else:
            self._parts.append(delta[_DELTA_FIELDS[delta["type"]]])

    def _close_block(self, block: Event) -> None:
        text = "".join(self._parts)
        if block["type"] == "tool_use":
            block["input"] = json.loads(text)
        else:
            block[block["type"]] = text
        self._parts = []
