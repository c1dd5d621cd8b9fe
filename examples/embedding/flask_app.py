"""Event streams in Flask, whose server gives each reader a thread.

    .venv/bin/flask --app examples/embedding/flask_app run

Then "curl -N http://127.0.0.1:5000/news" in another terminal, and "curl -d Hello http://127.0.0.1:5000/news"
in a third one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from flask import Flask, Response, request

from sse_core import ServerSentEvent, encode_comment
from sse_core.lifecycle import Broadcast, SubscriptionSettings
from sse_http import EVENT_STREAM_HEADERS

app = Flask(__name__)


class Channel:
    """A broadcast for threads: one at a time is in it, and whoever reads waits for the next event."""

    def __init__(self, epoch: str, *, heartbeat: float = 15.0) -> None:
        self._broadcast = Broadcast(epoch, settings=SubscriptionSettings(heartbeat=heartbeat))
        self._changed = threading.Condition()

    def publish(self, *events: ServerSentEvent) -> None:
        """Tell all readers; from any thread."""
        with self._changed:
            self._broadcast.publish(events, time.monotonic())

    def follow(self, last_event_id: str = "") -> Iterator[bytes]:
        """The bytes for one reader: events, and a sign of life where there are none."""
        yield encode_comment("hello")  # WSGI sends no head before the first byte
        with self._changed:
            reader = self._broadcast.subscribe(
                time.monotonic(), last_event_id=last_event_id, waker=self._changed.notify_all
            )
        try:
            while reader.outcome is None:
                with self._changed:
                    reader.handle_timeout(time.monotonic())
                    data = reader.data_to_send(time.monotonic())
                    if not data and reader.outcome is None:
                        left = None if reader.deadline is None else reader.deadline - time.monotonic()
                        self._changed.wait(left)
                if data:
                    yield data
        finally:
            with self._changed:
                reader.close(time.monotonic())
            print(f"the reader has gone after {reader.position}", flush=True)


news = Channel("news-1")  # a new name after each restart


@app.get("/news")
def follow() -> Response:
    """All news, or those after the reader's ``Last-Event-ID``."""
    return Response(news.follow(request.headers.get("Last-Event-ID", "")), headers=EVENT_STREAM_HEADERS)


@app.post("/news")
def publish() -> str:
    """Tell all readers."""
    news.publish(ServerSentEvent("message", request.get_data(as_text=True)))
    return ""
