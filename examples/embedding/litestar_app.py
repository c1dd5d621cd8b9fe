"""An event stream in Litestar.

    .venv/bin/uvicorn --app-dir examples/embedding litestar_app:app

Then "curl -N http://127.0.0.1:8000/count" in another terminal.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from litestar import Litestar, get
from litestar.params import Parameter

from sse_asgi import EventStreamResponse
from sse_core import ServerSentEvent


async def numbers(number: int) -> AsyncIterator[ServerSentEvent]:
    """The numbers after this one, each with itself as its ID."""
    try:
        while True:
            number += 1
            yield ServerSentEvent("message", str(number), str(number))
            await asyncio.sleep(0.1)
    finally:
        print(f"the reader has gone after {number}", flush=True)


@get("/count")
async def count(seen: Annotated[str, Parameter(header="Last-Event-ID")] = "") -> EventStreamResponse:
    """Count, from where the reader was."""
    return EventStreamResponse(numbers(int(seen) if seen.isdecimal() else 0))


app = Litestar([count])
