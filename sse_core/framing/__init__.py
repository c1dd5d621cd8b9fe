"""The text/event-stream format, both ways.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

from .decoder import EventStreamDecoder
from .encoder import encode_comment, encode_event, encode_events
from .event import ServerSentEvent

__all__ = ["EventStreamDecoder", "ServerSentEvent", "encode_comment", "encode_event", "encode_events"]
