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
    TurnError,
)
from .framing import EventStreamDecoder, ServerSentEvent, encode_comment, encode_event, encode_events
from .headers import Headers
from .iteration import aiter_events, aiter_turn, iter_events, iter_turn
from .lifecycle import Deadlines, OnDisconnect, Outcome, RetryPolicy, SourceDeadlines, Upstream

__all__ = [
    "Deadlines",
    "EventStreamDecoder",
    "Headers",
    "JSONFragmentError",
    "JSONFragments",
    "LimitExceeded",
    "LocalProtocolError",
    "Message",
    "MessageAccumulator",
    "OnDisconnect",
    "Outcome",
    "ProtocolError",
    "RemoteProtocolError",
    "RetryPolicy",
    "SSEError",
    "ServerSentEvent",
    "SourceDeadlines",
    "TransportError",
    "TurnError",
    "Upstream",
    "aiter_events",
    "aiter_turn",
    "blocks",
    "dialects",
    "encode_comment",
    "encode_event",
    "encode_events",
    "iter_events",
    "iter_turn",
]
