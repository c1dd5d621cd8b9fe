"""Streams of large language models, the part that decides: bytes and ``now`` go in, events come out.

Nothing in this package waits: no socket, clock, thread or randomness.
"""

from __future__ import annotations

from . import blocks, dialects
from .blocks import JSONFragmentError, JSONFragments, Message, MessageAccumulator
from .errors import (
    LimitExceeded,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    SSEError,
    TransportError,
)
from .framing import EventStreamDecoder, ServerSentEvent, encode_comment, encode_event, encode_events

__all__ = [
    "EventStreamDecoder",
    "JSONFragmentError",
    "JSONFragments",
    "LimitExceeded",
    "LocalProtocolError",
    "Message",
    "MessageAccumulator",
    "ProtocolError",
    "RemoteProtocolError",
    "SSEError",
    "ServerSentEvent",
    "TransportError",
    "blocks",
    "dialects",
    "encode_comment",
    "encode_event",
    "encode_events",
]
