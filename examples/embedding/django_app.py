"""Event streams beside Django, in one process and at one port.

    .venv/bin/uvicorn --app-dir examples/embedding django_app:application

Then "curl -N http://127.0.0.1:8000/events/count" in another terminal; all other paths are Django's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.management.utils import get_random_secret_key
from django.http import HttpRequest, HttpResponse
from django.urls import path

from sse_asgi import asgi
from sse_core import ServerSentEvent
from sse_http import Reply, Request


def home(request: HttpRequest) -> HttpResponse:
    """A view like any other."""
    return HttpResponse(f"{request.path} is Django's".encode())


urlpatterns = [path("", home)]
# A project has a module of settings, named by DJANGO_SETTINGS_MODULE.
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY=get_random_secret_key())
django = get_asgi_application()


async def numbers(number: int) -> AsyncIterator[ServerSentEvent]:
    """The numbers after this one, each with itself as its ID."""
    try:
        while True:
            number += 1
            yield ServerSentEvent("message", str(number), str(number))
            await asyncio.sleep(0.1)
    finally:
        print(f"the reader has gone after {number}", flush=True)


async def events(request: Request) -> Reply | AsyncIterator[ServerSentEvent]:
    """Count, from where the reader was."""
    if request.path != "/events/count":
        return Reply(404)
    seen = request.last_event_id
    return numbers(int(seen) if seen.isdecimal() else 0)


streams = asgi(events)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """For the server, in place of Django's own application."""
    is_stream = scope["type"] == "lifespan" or scope["path"].startswith("/events/")
    await (streams if is_stream else django)(scope, receive, send)
