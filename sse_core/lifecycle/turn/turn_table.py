"""The turn as data: its states, what may happen in each, its timers and its wishes.

::

                REDIRECTING
                 |       ^
                 v       |
    IDLE -> CONNECTING -> WAITING -> STREAMING -> DONE
                 ^  |        |
                 |  v        v
                BACKOFF <----+--------- STREAMING
                    (nothing visible was sent on, or what was is taken back)

Every state but ``DONE`` may go to ``DONE``.  A transition that isn't in the table does not exist.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from ..machine import Tables, Want
from ..policies import Deadlines
from ..timers import TableKey, Timer


class TurnState(TableKey):
    """Where a turn is."""

    IDLE = "idle"  #: not started
    CONNECTING = "connecting"  #: no transport yet
    WAITING = "waiting"  #: the request is out; nothing visible has come
    REDIRECTING = "redirecting"  #: the provider named another place: close first, then connect there
    STREAMING = "streaming"  #: something visible was sent on: no retry, unless it is taken back
    BACKOFF = "backoff"  #: an attempt has failed; the next one comes in a while
    DONE = "done"  #: there is an outcome


class TurnInput(TableKey):
    """What may happen to a turn."""

    START = "start"
    CONNECTED = "connected"
    REDIRECT = "redirect"
    TRANSPORT_CLOSED = "transport closed"  #: as was wished, to go to another place
    OUTPUT = "output"  #: a visible block event
    RETRY = "retry"  #: the attempt has failed, and another is allowed
    RETRY_DUE = "retry due"
    END = "end"  #: any of the outcomes


class Outcome(enum.Enum):
    """How a turn ended; exactly one of these a turn."""

    COMPLETED = "completed"  #: the protocol's own end marker came
    STOPPED = "stopped"  #: somebody stopped it, or its last reader left
    TRUNCATED = "truncated"  #: the stream ended early
    FAILED = "failed"  #: the provider, or the way to it, failed
    EXPIRED = "expired"  #: a deadline passed


TRANSITIONS: dict[tuple[TurnState, TurnInput], TurnState] = {
    (TurnState.IDLE, TurnInput.START): TurnState.CONNECTING,
    (TurnState.IDLE, TurnInput.END): TurnState.DONE,
    (TurnState.CONNECTING, TurnInput.CONNECTED): TurnState.WAITING,
    (TurnState.CONNECTING, TurnInput.RETRY): TurnState.BACKOFF,
    (TurnState.CONNECTING, TurnInput.END): TurnState.DONE,
    (TurnState.WAITING, TurnInput.REDIRECT): TurnState.REDIRECTING,
    (TurnState.WAITING, TurnInput.OUTPUT): TurnState.STREAMING,
    (TurnState.WAITING, TurnInput.RETRY): TurnState.BACKOFF,
    (TurnState.WAITING, TurnInput.END): TurnState.DONE,
    (TurnState.REDIRECTING, TurnInput.TRANSPORT_CLOSED): TurnState.CONNECTING,
    (TurnState.REDIRECTING, TurnInput.END): TurnState.DONE,
    (TurnState.STREAMING, TurnInput.OUTPUT): TurnState.STREAMING,
    (TurnState.STREAMING, TurnInput.RETRY): TurnState.BACKOFF,
    (TurnState.STREAMING, TurnInput.END): TurnState.DONE,
    (TurnState.BACKOFF, TurnInput.RETRY_DUE): TurnState.CONNECTING,
    (TurnState.BACKOFF, TurnInput.END): TurnState.DONE,
}

#: The timers of a state, armed on entry; on entry to another state they are disarmed.
STATE_TIMERS: dict[TurnState, tuple[Timer, ...]] = {
    TurnState.IDLE: (),
    TurnState.CONNECTING: (Timer.CONNECT,),
    TurnState.WAITING: (Timer.FIRST_BYTE, Timer.FIRST_OUTPUT),
    TurnState.REDIRECTING: (),
    TurnState.STREAMING: (Timer.OUTPUT_GAP,),
    TurnState.BACKOFF: (Timer.BACKOFF,),
    TurnState.DONE: (),
}

#: The timers that run on from state to state, to the end of the turn.
LASTING_TIMERS = frozenset({Timer.WHOLE, Timer.NO_READER})

#: How long a timer runs.  ``BACKOFF`` and ``NO_READER`` have no deadline: their policies say how long.
DEADLINES: dict[Timer, Callable[[Deadlines], float | None]] = {
    Timer.CONNECT: lambda deadlines: deadlines.connect,
    Timer.FIRST_BYTE: lambda deadlines: deadlines.first_byte,
    Timer.REFUSAL: lambda deadlines: deadlines.refusal,
    Timer.FIRST_OUTPUT: lambda deadlines: deadlines.first_output,
    Timer.OUTPUT_GAP: lambda deadlines: deadlines.output_gap,
    Timer.WHOLE: lambda deadlines: deadlines.whole,
}

#: What a turn wishes, by state and by whether a transport is open.  "Close, then sleep" stands
#: here: a turn in back-off that has a transport wants it closed before it wants anything else.
WANTS: dict[tuple[TurnState, bool], Want] = {
    (TurnState.IDLE, False): Want.NOTHING,
    (TurnState.CONNECTING, False): Want.CONNECT,
    (TurnState.WAITING, True): Want.READ,
    (TurnState.REDIRECTING, True): Want.CLOSE,
    (TurnState.STREAMING, True): Want.READ,
    (TurnState.BACKOFF, True): Want.CLOSE,
    (TurnState.BACKOFF, False): Want.WAIT,
    (TurnState.DONE, True): Want.CLOSE,
    (TurnState.DONE, False): Want.NOTHING,
}

TABLES: Tables[TurnState, TurnInput, Deadlines] = Tables(
    first=TurnState.IDLE,
    connecting=TurnState.CONNECTING,
    reading=TurnState.STREAMING,
    gap=Timer.OUTPUT_GAP,
    gap_goes_on=True,
    redirected=TurnInput.TRANSPORT_CLOSED,
    transitions=TRANSITIONS,
    timers=STATE_TIMERS,
    lasting=LASTING_TIMERS,
    deadlines=DEADLINES,
    wants=WANTS,
)

#: What a timer means when it fires: the words for the person who reads the error.
EXPIRY_MESSAGES: dict[Timer, str] = {
    Timer.CONNECT: "The provider could not be reached in time.",
    Timer.FIRST_BYTE: "The provider did not begin to answer in time.",
    Timer.FIRST_OUTPUT: "The provider sent nothing visible in time.",
    Timer.OUTPUT_GAP: "The provider stopped sending in the middle of its answer.",
    Timer.WHOLE: "The turn took longer than it may.",
}

#: Those after which another attempt may help: nothing was sent, or a provider that
#: was sending fell silent.  Whoever thinks for too long before the first word will do so again, for money.
PASSING_TIMERS = frozenset({Timer.CONNECT, Timer.OUTPUT_GAP})
