"""What a reader of a turn makes of its events, and what has to hold of each: text, ID, time, end."""

from __future__ import annotations

import json

from sse_core import MessageAccumulator, ProtocolError, ServerSentEvent
from sse_core.blocks import BlockEvent, GrowthDelta
from sse_core.lifecycle import Outcome

from .answers import LONGEST_WORD
from .network import Wire
from .seen_message import SeenMessage
from .served import ServedTurn
from .world import World

#: Seconds after which an event is with a reader on a good path.
SOON = 1.0
#: Which outcomes a client may see as what.
OUTCOMES: dict[str, set[Outcome]] = {
    "complete": {Outcome.COMPLETED},
    "stopped": {Outcome.STOPPED},
    "truncated": {Outcome.TRUNCATED},
    "failed": {Outcome.FAILED, Outcome.EXPIRED},
}


def number_of(event_id: str) -> int:
    """The place in its log of the event with this ID."""
    return int(event_id.rpartition("-")[2])


class TurnReading:
    """Reads a turn, perhaps with a ``history``: what it had read when it was saved, and comes back with."""

    is_lost = False

    def __init__(
        self, world: World, served: ServedTurn | None = None, history: list[ServerSentEvent] | None = None
    ) -> None:
        self.is_whole = False
        self.served = served
        self.history: list[ServerSentEvent] = []
        self._world = world
        self._position = 0
        self._wire: Wire | None = None  # on which the last event came
        self._id = ""
        self._expected: int | None = 1  # the number of the next event, where none can be merged
        self._snapshot_left = 0
        if served is not None:
            self._begin(served)
        for sse in history or []:
            self.take(sse, None)

    def _begin(self, served: ServedTurn) -> None:
        self.served = served
        self._seen = SeenMessage(self._world, served, f"a reader of {served.epoch}")
        self._merges = served.house.readers.merge_after is not None and served.dialect.delta is not None
        self._longest = max(served.house.readers.max_merged_bytes, LONGEST_WORD)
        self._begin_anew()

    def _begin_anew(self) -> None:
        assert self.served is not None
        self._seen.begin_anew()
        self._decoder = self.served.dialect.Decoder()
        self._accumulator = MessageAccumulator()

    def take(self, sse: ServerSentEvent, wire: Wire | None) -> None:
        """One more event."""
        served = self.served if wire is None else wire.about
        if not isinstance(served, ServedTurn):
            self._world.fail("events of nobody")
        if served is not self.served:
            if self.served is not None:
                self._world.fail("events of another turn", served.epoch)
            self._begin(served)
        self.history.append(sse)
        if sse.type == "gap":
            if wire is not None and wire is self._wire:
                self._world.fail("a gap for a reader who was there", served.epoch)
            self._gap(sse)
        elif sse.type == "reset":
            self._begin_anew()
        elif not sse.data:
            self._world.fail("a heartbeat that is an event", sse)
        else:
            self._read(sse)
        self._number(sse, served, wire)
        self._wire = wire

    def over(self) -> None:
        """Nothing more is to come: OpenAI's chunks may end without a word."""
        if self.served is not None:
            for event in self._decoder.receive_eof():
                self._accumulator.receive(event)
            if self._accumulator.message.completeness == "complete":
                self._end()

    def _gap(self, sse: ServerSentEvent) -> None:
        world, served = self._world, self.served
        assert served is not None
        gap = json.loads(sse.data)
        if gap["from"] != self._position + 1 or gap["to"] < gap["from"]:
            world.fail("a gap that is reported wrong", f"{gap} after {self._position}")
        self._begin_anew()
        self._expected = gap["to"] + 1
        self._snapshot_left = gap.get("snapshot", 0)
        world.note("gap with snapshot" if self._snapshot_left else "gap")
        if not self._snapshot_left and served.lengths[gap["to"]]:
            world.fail("a gap without a snapshot", served.epoch)

    def _read(self, sse: ServerSentEvent) -> None:
        try:
            for event in self._decoder.receive_event(sse):
                self._accumulator.receive(event)
                self._seen.take(event)
                self._check_size(event)
        except ProtocolError as error:
            self._world.fail("events that can't be read", f"{sse}: {error}")
        if self._accumulator.message.completeness != "streaming":
            self._end()

    def _check_size(self, event: BlockEvent) -> None:
        if not isinstance(event, GrowthDelta):
            return
        size = len(event.text)
        if size > LONGEST_WORD:
            self._world.seen["merged event" if not self._snapshot_left else "long event of a snapshot"] += 1
        if size > self._longest and not self._snapshot_left:
            self._world.fail("a merged event beyond its bound", event)

    def _number(self, sse: ServerSentEvent, served: ServedTurn, wire: Wire | None) -> None:
        """Look at the event's ID, if it has one of its own."""
        world = self._world
        in_snapshot = self._snapshot_left > 0 and sse.type != "gap"
        self._snapshot_left -= in_snapshot
        if sse.last_event_id == self._id:
            if sse.type != "gap" and not (in_snapshot and self._snapshot_left):
                world.fail("an event without an ID", sse)
            return
        self._id = sse.last_event_id
        number = number_of(self._id)
        if self._id != f"{served.epoch}-{number}" or number <= self._position or number > served.log.last:
            world.fail("an ID that is none", f"{self._id!r} after {self._position}")
        if in_snapshot:
            self._expected = number if self._expected == number + 1 else -1
        elif self._expected is not None and (
            number < self._expected or (number > self._expected and not self._merges)
        ):
            world.fail("an event is missing", f"{self._id}, not {self._expected}")
        if self._expected == -1:
            world.fail("a snapshot with a wrong ID", self._id)
        self._position, self._expected = number, number + 1
        if self._seen.length != served.lengths[number]:
            world.fail(
                "text lost or doubled", f"{self._id}: {self._seen.length}, not {served.lengths[number]}"
            )
        if wire is not None and wire.is_prompt:
            since = max(served.appended_at[number], wire.began_at)
            if world.now - since > SOON:
                world.fail("an event that comes late", f"{self._id}: {world.now - since:.3f} s")

    def _end(self) -> None:
        world, served = self._world, self.served
        assert served is not None
        message, turn = self._accumulator.message, served.turn
        self.is_whole = True
        shown: str = message.completeness
        if message.error is not None:
            shown = str(message.error.extra.get("outcome"))
        world.note(f"client shown {shown}")
        if turn.outcome not in OUTCOMES.get(shown, ()):
            world.fail("a client shown another outcome", f"{shown}, {turn.outcome}")
        if self._seen.length != served.lengths[-1]:
            world.fail("text lost or doubled", f"{served.epoch}, at the end")
        if (message.model, message.usage) != (turn.message.model, turn.message.usage):
            world.fail("usage that is not the turn's", f"{message.usage} {turn.message.usage}")
        if message.blocks != turn.message.blocks or message.stop_reason != turn.message.stop_reason:
            world.fail(
                "a message that is not the turn's",
                f"{message.blocks} {turn.message.blocks} {message.stop_reason} {turn.message.stop_reason}",
            )
