"""A turn, its log and its readers, as one exchange that a binding drives.

Bytes from the provider go through turn, encoder and log to every reader's waker within one call:
nothing is queued, nobody is scheduled.  When the log is full the turn pauses; when a reader makes
room it goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from sse_core.blocks import BlockEvent, BlockStop, ToolUseBlock
from sse_core.lifecycle import Outcome, Snapshots, Turn, TurnLog, TurnState, Upstream, Want
from sse_core.lifecycle.retry import Jitter
from sse_http import ClientExchange, Waker, no_waker

from .asking import Asked
from .config import RelayConfig
from .lines import tool_line

_log = logging.getLogger("sse_relay.turns")


class RelayedTurn:
    """One turn of the relay.  ``on_end`` is called once, when there is an outcome."""

    def __init__(
        self,
        turn_id: str,
        owner: bytes,
        asked: Asked,
        config: RelayConfig,
        *,
        jitter: Jitter,
        on_end: Callable[[RelayedTurn, float], None],
    ) -> None:
        upstream = Upstream(
            config.upstream.rstrip("/") + "/v1/messages",
            asked.headers,
            retry=config.retry,
            deadlines=config.deadlines,
        )
        self.id = turn_id
        self.owner = owner
        self.digest = asked.digest
        self.on_disconnect = asked.on_disconnect
        self._accumulator = config.new_accumulator()
        self.turn: Turn = upstream.turn(
            asked.body, on_disconnect=asked.on_disconnect, jitter=jitter, accumulator=self._accumulator
        )
        self._snapshots = Snapshots(self.turn.dialect, accumulator=config.new_accumulator())
        self.log = TurnLog(
            turn_id, max_bytes=config.log_bytes, delta=self.turn.dialect.delta, snapshots=self._snapshots
        )
        self.log.on_room = self._go_on
        self.readers = 0
        self.drained = False  #: nobody can come back
        self.interrupted = False  #: it was stopped because the relay goes down
        self.waker: Waker = no_waker
        self._exchange = ClientExchange(self.turn)
        self._encoder = self.turn.dialect.Encoder(verbatim=True)
        self._on_end = on_end
        self._told: tuple[TurnState, bool] | None = None
        self._ended = False

    @property
    def retained_bytes(self) -> int:
        """What is kept of the turn: its events, its message, and what stands for events that are gone."""
        return self.log.retained_bytes + self._accumulator.message_bytes + self._snapshots.retained_bytes

    # What the readers' side does

    def start(self, now: float) -> None:
        """Begin."""
        self.turn.start(now)

    def stop(self, now: float) -> Outcome:
        """Stop, whatever the turn is doing; returns the outcome that it has then."""
        outcome = self.turn.stop(now)
        self._pass_on(now)
        self.waker()
        return outcome

    def reader_came(self, now: float) -> None:
        """Somebody reads."""
        self.readers += 1
        self.turn.readers_changed(self.readers, now)
        self.waker()

    def reader_left(self, now: float) -> None:
        """Somebody has gone; at the last one the turn's policy decides."""
        self.readers -= 1
        self.turn.readers_changed(self.readers, now)
        if self.readers == 0 and self.turn.outcome is None and self.on_disconnect.kind == "drain":
            self.drained = True
            self.log.discard(now)
        self._pass_on(now)
        self.waker()

    def _go_on(self, now: float) -> None:
        self.turn.resume(now)
        self.waker()

    # What the transport does: sse_http.Exchange

    @property
    def url(self) -> str:
        """Where to connect."""
        return self._exchange.url

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
        self._exchange.connection_lost(reason, now, retryable=retryable)
        self._pass_on(now)

    def closed(self, now: float) -> None:
        """The connection was closed, as wished."""
        self._exchange.closed(now)
        self._pass_on(now)

    def handle_timeout(self, now: float) -> None:
        """Fire what is due."""
        self._exchange.handle_timeout(now)
        self._pass_on(now)

    # From the turn to the readers

    def _pass_on(self, now: float) -> None:
        last = self.log.last
        while (event := self.turn.next_event()) is not None:
            for sse in self._encoder.send(event):
                self.log.append(sse)
            self._note(event)
        if self.log.full:
            self.turn.pause(now)
        if self.turn.outcome is not None:
            self._end(now)
        elif self.log.last > last or self._told != (self.turn.state, self.turn.accepted):
            # A reader also waits for the moment when it can be given a head.
            self._told = (self.turn.state, self.turn.accepted)
            self.log.announce(now)

    def _end(self, now: float) -> None:
        if not self._ended:
            self._ended = True
            # Nobody will send it again, and it may be the largest thing that a turn holds.
            self.turn.request = replace(self.turn.request, body=b"")
            self.log.close(now)
            self._on_end(self, now)

    def _note(self, event: BlockEvent) -> None:
        if isinstance(event, BlockStop) and _log.isEnabledFor(logging.DEBUG):
            block = self.turn.message.indexed_blocks.get(event.index)
            if isinstance(block, ToolUseBlock):
                _log.debug("%s", tool_line(self.id, event.index, block))
