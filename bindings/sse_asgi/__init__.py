"""Event streams inside other people's servers: a response for ASGI frameworks, and applications mounted."""

from .answer_sender import SendTimeoutError
from .application import ASGIApplication, asgi
from .event_source_response import EventSourceResponse
from .listeners import listen
from .response import EventStreamResponse
from .shutdown import shut_down

__all__ = [
    "ASGIApplication",
    "EventSourceResponse",
    "EventStreamResponse",
    "SendTimeoutError",
    "asgi",
    "listen",
    "shut_down",
]
