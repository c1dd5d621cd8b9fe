"""For tests of your own code: streams cut anywhere, an upstream with faults, a made-up clock.  No sockets.

Everything here runs in no time and the same way each time.  :mod:`sse_core.testing.strategies` has what
Hypothesis tries, where it is installed; nothing else here needs it.
"""

from __future__ import annotations

from .clock import Clock
from .cuts import as_async, every_cut, pieces, pieces_of_size
from .exchange import End, Exchange
from .fake_upstream import FakeUpstream, PlayError
from .faults import (
    ConnectionCut,
    EarlyEnd,
    ErrorEvent,
    Fault,
    Garbage,
    Refusal,
    Silence,
    Unreachable,
    every_fault,
)
from .laws import check_any_cut, check_faults_are_seen, check_part_is_not_whole
from .streams import block_events_of, events_of, message_of, read_message, stream_of, whole_answer

__all__ = [
    "Clock",
    "ConnectionCut",
    "EarlyEnd",
    "End",
    "ErrorEvent",
    "Exchange",
    "FakeUpstream",
    "Fault",
    "Garbage",
    "PlayError",
    "Refusal",
    "Silence",
    "Unreachable",
    "as_async",
    "block_events_of",
    "check_any_cut",
    "check_faults_are_seen",
    "check_part_is_not_whole",
    "events_of",
    "every_cut",
    "every_fault",
    "message_of",
    "pieces",
    "pieces_of_size",
    "read_message",
    "stream_of",
    "whole_answer",
]
