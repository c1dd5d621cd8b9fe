"""A turn, its log and its readers, as one exchange that a binding drives.

Bytes from the provider go through turn, encoder and log to every reader's waker within one call:
nothing is queued, nobody is scheduled.  When the log is full the turn pauses; when a reader makes
room it goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sse_core.blocks import BlockStop, StreamError, ToolUseBlock
from sse_core.headers import Headers
from sse_core.lifecycle import (
    EventLog,
    Failure,
    OnDisconnect,
    Outcome,
    Snapshots,
    Turn,
    TurnLog,
    TurnState,
    Upstream,
    Want,
)
from sse_core.lifecycle.retry import Jitter, WallClock
from sse_http import ClientExchange, Endpoint, Exchange, Waker, no_waker
from sse_http import Route as ConnectionRoute

from .clients import Client
from .config import RelayConfig
from .finished_turn import FinishedExchange, FinishedTurn
from .own_key import without_blame
from .records import Record, ToolCalled
from .routes import Route
from .turn_request import TurnRequest

#: How a turn stands that gives out events.
_STREAMING = (TurnState.STREAMING, True)


class RelayedTurn:
    """One turn of the relay.

    - ``turn_id``, ``owner``: whose turn it is, and which.
    - ``request``: what the client asks for.
    - ``config``: the relay's settings.
    - ``client``: counts its owner's turns.
    - ``jitter``, ``wall_clock``: as for :class:`~sse_core.lifecycle.Turn`.
    - ``on_end``: is called once, when there is an outcome.
    - ``on_record``: is called with what an operator should know.
    """

    def __init__(
        self,
        turn_id: str,
        owner: bytes,
        request: TurnRequest,
        config: RelayConfig,
        *,
        client: Client,
        jitter: Jitter,
        wall_clock: WallClock | None,
        on_end: Callable[[RelayedTurn, FinishedTurn, float], None],
        on_record: Callable[[Record], None],
    ) -> None:
        self.route: Route = request.route
        self.id = turn_id
        self.owner = owner
        self.digest: bytes = request.digest
        self.on_disconnect: OnDisconnect = request.on_disconnect
        self._streaming = request.streaming
        self._accumulator = config.new_accumulator()
        turn = _upstream(request, config).turn(
            request.body,
            on_disconnect=request.on_disconnect,
            jitter=jitter,
            wall_clock=wall_clock,
            accumulator=self._accumulator,
        )
        self._running: Turn | None = turn
        self.turn: Turn | FinishedTurn = turn
        self._snapshots = Snapshots(turn.dialect, new_accumulator=config.new_accumulator)
        self.log: EventLog = TurnLog(
            turn_id, max_bytes=config.log_bytes, delta=turn.dialect.delta, snapshots=self._snapshots
        )
        self.log.on_room = self._go_on
        self.log.on_stop_wished = self.stop
        self.readers: int = 0
        self.drained: bool = False  #: nobody can come back
        self.interrupted = False  #: it was stopped because the relay goes down
        self.waker: Waker = no_waker
        way = ConnectionRoute(proxies=config.proxies)
        self._exchange: Exchange = ClientExchange(turn, route=way)  # pyright: ignore[reportAttributeAccessIssue]  # its waker is a property
        self._encoder = turn.dialect.Encoder(verbatim=True)
        self._has_own_key = config.api_key is not None
        self._client = client
        self._max_unread_turns = config.unread_turns
        self._on_end = on_end
        self._on_record = on_record
        self._announced: tuple[TurnState, bool] | None = None
        self._lost = ""  # why the last connection was lost

    @property
    def retained_bytes(self) -> int:
        """What is kept of the turn: its events, its message, and what stands for events that are gone."""
        if isinstance(self.turn, FinishedTurn):
            own = self.turn.retained_bytes
        else:
            own = len(self.turn.request.body) + self._accumulator.message_bytes
        return self.log.retained_bytes + own + self._snapshots.retained_bytes

    @property
    def failure(self) -> Failure | None:
        """Why the last attempt failed, as a client may read it."""
        failure = self.turn.failure
        return failure if failure is None or not self._has_own_key else without_blame(failure, self.route)

    # What the readers' side does

    def start(self, now: float) -> None:
        """Begin."""
        if self._running is not None:
            self._running.start(now)

    def stop(self, now: float) -> Outcome:
        """Stop, whatever the turn is doing; returns the outcome that it has then."""
        outcome = self.turn.stop(now)
        self._pass_on(now)
        self.waker()
        return outcome

    def reader_came(self, now: float) -> None:
        """Somebody reads."""
        self.readers += 1
        if self._running is not None:
            self._client.unread -= self.readers == 1
            self._running.readers_changed(self.readers, now)
        self.waker()

    def reader_left(self, now: float) -> None:
        """Somebody has gone; at the last one the turn's policy decides."""
        self.readers -= 1
        if self._running is not None:
            self._client.unread += self.readers == 0
            self._running.readers_changed(self.readers, now)
        if self.readers == 0 and self.turn.outcome is None:
            self._be_without_readers(now)
        self._pass_on(now)
        self.waker()

    def _be_without_readers(self, now: float) -> None:
        if self._client.unread > self._max_unread_turns:
            # Its client has left so many already that others must find a place.
            self.turn.stop(now)
        elif self.on_disconnect.kind == "drain":
            self.drained = True
            self.log.discard(now)

    def _go_on(self, now: float) -> None:
        if self._running is not None:
            self._running.resume(now)
            self.waker()

    # What the transport does: sse_http.Exchange

    @property
    def target(self) -> Endpoint:
        """Where to connect."""
        return self._exchange.target

    @property
    def want(self) -> Want:
        """What to do next."""
        return self._exchange.want

    @property
    def deadline(self) -> float | None:
        """When to call ``handle_timeout``."""
        return self._exchange.deadline

    def connected(self, now: float) -> None:
        """The transport is open."""
        self._exchange.connected(now)
        self._pass_on(now)

    def data_to_send(self) -> bytes:
        """Bytes for the provider."""
        return self._exchange.data_to_send()

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes from the provider."""
        self._exchange.receive_data(data, now)
        self._pass_on(now)

    def connection_lost(self, reason: str, now: float, *, retryable: bool = True) -> None:
        """The connection could not be made, or broke; ``retryable``: another one may be better."""
        self._lost = reason
        self._exchange.connection_lost(reason, now, retryable=retryable)
        self._pass_on(now)
        self._let_connection_go()

    def closed(self, now: float) -> None:
        """The connection was closed, as wished."""
        self._exchange.closed(now)
        self._pass_on(now)
        self._let_connection_go()

    def handle_timeout(self, now: float) -> None:
        """Fire what is due."""
        self._exchange.handle_timeout(now)
        self._pass_on(now)

    # From the turn to the readers

    def _pass_on(self, now: float) -> None:
        turn, appended = self._running, False
        if turn is None:
            return
        while (event := turn.next_event()) is not None:
            if type(event) is StreamError:
                event = self._for_clients(event)
            events = self._encoder.send(event)
            self.log.append(*events)
            appended |= bool(events)
            if type(event) is BlockStop:
                self._note(event)
        if self.log.full:
            turn.pause(now)
        if turn.outcome is not None:
            self._end(turn, turn.outcome, now)
        elif appended:
            self._announced = _STREAMING
            self.log.announce(now)
        elif self._announced != (turn.state, turn.accepted):
            # A reader also waits for the moment when it can be given a head.
            self._announced = (turn.state, turn.accepted)
            self.log.announce(now)

    def _for_clients(self, error: StreamError) -> StreamError:
        """``error`` as a client may read it."""
        failure = self.failure
        return error if failure is None or failure is self.turn.failure else failure.error

    def _end(self, turn: Turn, outcome: Outcome, now: float) -> None:
        """Keep what somebody who comes late may ask for, and let the rest go."""
        self._running = None
        self._client.unread -= self.readers == 0  # before its readers get the end, and go
        finished = self.turn = FinishedTurn.of(
            turn, outcome, self.route, lost=self._lost, with_response=not self._streaming
        )
        # Nobody will send it again, and it may be the largest thing that a turn holds.
        turn.request = replace(turn.request, headers=Headers(), body=b"")
        self.log.on_room = self.log.on_stop_wished = _nobody_waits
        self.log.close(now)
        del self._accumulator, self._encoder
        self._let_connection_go()
        self._on_end(self, finished, now)

    def _let_connection_go(self) -> None:
        if self._running is None and self._exchange.want is Want.NOTHING:
            self._exchange = FinishedExchange()
            # Whoever drives it looks once more, and then nothing here keeps them.
            waker, self.waker = self.waker, no_waker
            waker()

    def _note(self, event: BlockStop) -> None:
        block = self._accumulator.message.indexed_blocks.get(event.index)
        if isinstance(block, ToolUseBlock):
            characters = len(block.raw_arguments)
            self._on_record(ToolCalled(self.id, event.index, block.name, characters, block.state))


def _upstream(request: TurnRequest, config: RelayConfig) -> Upstream:
    """Where this request goes, with its own headers."""
    return Upstream(
        request.route.url(config.upstream, request.query),
        request.headers,
        request.route.dialect,
        retry=config.retry,
        deadlines=config.deadlines,
    )


def _nobody_waits(now: float) -> None:
    """Whoever filled the log has ended."""
