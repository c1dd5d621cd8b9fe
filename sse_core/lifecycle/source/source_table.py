"""The event source as data: its states, what may happen in each, its timers and its wishes.

A transition that isn't in the table does not exist.
"""

from __future__ import annotations

from collections.abc import Callable

from ..machine import Tables, Want
from ..policies import SourceDeadlines
from ..timers import TableKey, Timer


class SourceState(TableKey):
    """Where an event source is; the names of WHATWG's ready states, and the pause between."""

    IDLE = "idle"  #: not started
    CONNECTING = "connecting"  #: no transport yet, or no head of an answer
    REDIRECTING = "redirecting"  #: leaving one server for another; to WHATWG this is CONNECTING too
    REFUSED = "refused"  #: refused for good; the body that says why is being read
    OPEN = "open"  #: an event stream is being read
    RECONNECTING = "reconnecting"  #: sleeping; to WHATWG this is CONNECTING too
    CLOSED = "closed"  #: for good


class SourceInput(TableKey):
    """What may happen to an event source."""

    START = "start"
    ACCEPTED = "accepted"  #: status 200 and an event stream
    REFUSAL = "refusal"  #: a status or a type that is final
    REDIRECT = "redirect"  #: the server says to ask elsewhere
    TRANSPORT_CLOSED = "transport closed"  #: the one to the server that redirected
    RECONNECT = "reconnect"  #: the connection failed or ended, and another is allowed
    RECONNECT_DUE = "reconnect due"
    END = "end"


TRANSITIONS: dict[tuple[SourceState, SourceInput], SourceState] = {
    (SourceState.IDLE, SourceInput.START): SourceState.CONNECTING,
    (SourceState.IDLE, SourceInput.END): SourceState.CLOSED,
    (SourceState.CONNECTING, SourceInput.ACCEPTED): SourceState.OPEN,
    (SourceState.CONNECTING, SourceInput.REFUSAL): SourceState.REFUSED,
    (SourceState.CONNECTING, SourceInput.REDIRECT): SourceState.REDIRECTING,
    (SourceState.CONNECTING, SourceInput.RECONNECT): SourceState.RECONNECTING,
    (SourceState.CONNECTING, SourceInput.END): SourceState.CLOSED,
    (SourceState.REDIRECTING, SourceInput.TRANSPORT_CLOSED): SourceState.CONNECTING,
    (SourceState.REDIRECTING, SourceInput.END): SourceState.CLOSED,
    (SourceState.REFUSED, SourceInput.END): SourceState.CLOSED,
    (SourceState.OPEN, SourceInput.RECONNECT): SourceState.RECONNECTING,
    (SourceState.OPEN, SourceInput.END): SourceState.CLOSED,
    (SourceState.RECONNECTING, SourceInput.RECONNECT_DUE): SourceState.CONNECTING,
    (SourceState.RECONNECTING, SourceInput.END): SourceState.CLOSED,
}

#: The timers of a state, armed on entry; on entry to any state, those of all others are disarmed.
#: ``FIRST_BYTE`` follows ``CONNECT`` within ``CONNECTING``, when the transport is open.
STATE_TIMERS: dict[SourceState, tuple[Timer, ...]] = {
    SourceState.IDLE: (),
    SourceState.CONNECTING: (Timer.CONNECT,),
    SourceState.REDIRECTING: (),
    SourceState.REFUSED: (Timer.REFUSAL,),
    SourceState.OPEN: (Timer.IDLE,),
    SourceState.RECONNECTING: (Timer.BACKOFF,),
    SourceState.CLOSED: (),
}

#: How long a timer runs.  ``BACKOFF`` has no deadline: the retry policy says how long.
DEADLINES: dict[Timer, Callable[[SourceDeadlines], float | None]] = {
    Timer.CONNECT: lambda deadlines: deadlines.connect,
    Timer.FIRST_BYTE: lambda deadlines: deadlines.first_byte,
    Timer.IDLE: lambda deadlines: deadlines.idle,
    Timer.REFUSAL: lambda deadlines: deadlines.refusal,
}

#: What a source wishes, by state and by whether a transport is open.
WANTS: dict[tuple[SourceState, bool], Want] = {
    (SourceState.IDLE, False): Want.NOTHING,
    (SourceState.CONNECTING, False): Want.CONNECT,
    (SourceState.CONNECTING, True): Want.READ,
    (SourceState.REDIRECTING, True): Want.CLOSE,
    (SourceState.REFUSED, True): Want.READ,
    (SourceState.OPEN, True): Want.READ,
    (SourceState.RECONNECTING, True): Want.CLOSE,
    (SourceState.RECONNECTING, False): Want.WAIT,
    (SourceState.CLOSED, True): Want.CLOSE,
    (SourceState.CLOSED, False): Want.NOTHING,
}

TABLES: Tables[SourceState, SourceInput, SourceDeadlines] = Tables(
    first=SourceState.IDLE,
    connecting=SourceState.CONNECTING,
    reading=SourceState.OPEN,
    gap=Timer.IDLE,
    gap_goes_on=False,
    redirected=SourceInput.TRANSPORT_CLOSED,
    transitions=TRANSITIONS,
    timers=STATE_TIMERS,
    lasting=frozenset(),
    deadlines=DEADLINES,
    wants=WANTS,
)

#: What a timer means when it fires: the words for the person who reads the error.
EXPIRY_MESSAGES: dict[Timer, str] = {
    Timer.CONNECT: "the server could not be reached in time (deadline: connect)",
    Timer.FIRST_BYTE: "the server did not begin to answer in time (deadline: first_byte)",
    Timer.IDLE: "the server has been silent for too long (deadline: idle)",
}
