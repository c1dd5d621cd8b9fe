"""What may happen when: turns, logs and their readers, event sources."""

from .log.broadcast import Broadcast
from .log.event_log import EventLog, LogReader
from .log.snapshots import Snapshots
from .log.subscription import ReaderOutcome, Subscription, SubscriptionSettings
from .log.turn_log import TurnLog
from .machine import ConnectingMachine, HTTPRequest, OnComment, Want
from .policies import Deadlines, OnDisconnect, SourceDeadlines
from .redirect import DEFAULT_MAX_REDIRECTS
from .retention import Retention
from .retry import BROWSER_RETRY, NO_RETRY, Jitter, RetryPolicy, WallClock, no_jitter, retry_after_seconds
from .source.event_source import EventSource
from .source.reconnect import OnReconnect, Reconnect
from .source.resumption import ResumeRule
from .source.source_table import SourceInput, SourceState
from .timers import Timer, Timers
from .turn.failure import Failure
from .turn.timing import Timing
from .turn.turn import Turn
from .turn.turn_table import Outcome, TurnInput, TurnState
from .turn.upstream import Upstream

__all__ = [
    "BROWSER_RETRY",
    "DEFAULT_MAX_REDIRECTS",
    "NO_RETRY",
    "Broadcast",
    "ConnectingMachine",
    "Deadlines",
    "EventLog",
    "EventSource",
    "Failure",
    "HTTPRequest",
    "Jitter",
    "LogReader",
    "OnComment",
    "OnDisconnect",
    "OnReconnect",
    "Outcome",
    "ReaderOutcome",
    "Reconnect",
    "ResumeRule",
    "Retention",
    "RetryPolicy",
    "Snapshots",
    "SourceDeadlines",
    "SourceInput",
    "SourceState",
    "Subscription",
    "SubscriptionSettings",
    "Timer",
    "Timers",
    "Timing",
    "Turn",
    "TurnInput",
    "TurnLog",
    "TurnState",
    "Upstream",
    "WallClock",
    "Want",
    "no_jitter",
    "retry_after_seconds",
]
