"""Event streams in FastAPI: one that is made for each reader, and one that all readers follow.

    .venv/bin/uvicorn --app-dir examples/embedding fastapi_app:app

Then "curl -N http://127.0.0.1:8000/count" in another terminal.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import FastAPI, Header

from sse_asgi import EventStreamResponse
from sse_core import ServerSentEvent
from sse_core.lifecycle import Broadcast

app = FastAPI()
news = Broadcast("news-1")  # a new name after each restart


async def numbers(number: int) -> AsyncIterator[ServerSentEvent]:
    """The numbers after this one, each with itself as its ID."""
    try:
        while True:
            number += 1
            yield ServerSentEvent("message", str(number), str(number))
            await asyncio.sleep(0.1)
    finally:
        print(f"the reader has gone after {number}", flush=True)


@app.get("/count")
async def count(last_event_id: Annotated[str, Header()] = "") -> EventStreamResponse:
    """Count, from where the reader was."""
    return EventStreamResponse(numbers(int(last_event_id) if last_event_id.isdecimal() else 0))


@app.get("/news")
async def follow() -> EventStreamResponse:
    """All news, or those after the reader's ``Last-Event-ID``."""
    return EventStreamResponse(news, retry=2000)  # milliseconds until a reader comes again


@app.post("/news")
async def publish(text: str) -> None:
    """Tell all readers."""
    news.publish([ServerSentEvent("message", text)], time.monotonic())
