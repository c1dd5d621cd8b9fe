"""Streams of large language models, the part that decides: bytes and ``now`` go in, events come out.

Nothing in this package waits: no socket, clock, thread or randomness.
"""

from __future__ import annotations

from .errors import (
    LimitExceeded,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    SSEError,
    TransportError,
)
from .framing import EventStreamDecoder, ServerSentEvent, encode_comment, encode_event

__all__ = [
    "EventStreamDecoder",
    "LimitExceeded",
    "LocalProtocolError",
    "ProtocolError",
    "RemoteProtocolError",
    "SSEError",
    "ServerSentEvent",
    "TransportError",
    "encode_comment",
    "encode_event",
]
