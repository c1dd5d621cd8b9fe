"""What may happen when: turns, logs and their readers, event sources."""

from .broadcast import Broadcast
from .event_queue import OnComment
from .failure import Failure
from .log import TurnLog
from .machine import ConnectingMachine, HTTPRequest, Want
from .policies import Deadlines, OnDisconnect, SourceDeadlines
from .reconnect import OnReconnect, Reconnect
from .redirect import DEFAULT_MAX_REDIRECTS
from .resumption import ResumeRule
from .retention import Retention
from .retry import BROWSER_RETRY, NO_RETRY, Jitter, RetryPolicy, WallClock, no_jitter, retry_after_seconds
from .snapshots import Snapshots
from .source import EventSource
from .source_table import SourceInput, SourceState
from .subscription import ReaderOutcome, Subscription, SubscriptionSettings
from .timers import Timer, Timers
from .timing import Timing
from .turn import Turn
from .turn_table import Outcome, TurnInput, TurnState
from .upstream import Upstream

__all__ = [
    "BROWSER_RETRY",
    "DEFAULT_MAX_REDIRECTS",
    "NO_RETRY",
    "Broadcast",
    "ConnectingMachine",
    "Deadlines",
    "EventSource",
    "Failure",
    "HTTPRequest",
    "Jitter",
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
