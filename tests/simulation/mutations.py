"""Bugs, put in on purpose: a simulation that does not find them would not find others either.

Each is a piece of a module's text and what stands there instead.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """``old`` is in the text of ``module`` once."""

    name: str
    breaks: str  #: what the bug does, for the person who reads the table
    module: str
    old: str
    new: str


MUTATIONS = (
    # The turn
    Mutation(
        "backoff-keeps-connection",
        "a failed attempt's connection stays open during back-off",
        "sse_core.lifecycle.turn_table",
        "(TurnState.BACKOFF, True): Want.CLOSE",
        "(TurnState.BACKOFF, True): Want.WAIT",
    ),
    Mutation(
        "stop-does-not-close",
        "a turn that is over does not wish its connection closed",
        "sse_core.lifecycle.turn_table",
        "(TurnState.DONE, True): Want.CLOSE",
        "(TurnState.DONE, True): Want.NOTHING",
    ),
    Mutation(
        "connect-for-ever",
        "no deadline while connecting",
        "sse_core.lifecycle.turn_table",
        "TurnState.CONNECTING: (Timer.CONNECT,)",
        "TurnState.CONNECTING: ()",
    ),
    Mutation(
        "gap-for-ever",
        "no deadline between two outputs",
        "sse_core.lifecycle.turn_table",
        "TurnState.STREAMING: (Timer.OUTPUT_GAP,)",
        "TurnState.STREAMING: ()",
    ),
    Mutation(
        "pings-are-progress",
        "a ping puts off the deadline between two outputs",
        "sse_core.lifecycle.turn",
        "        elif self._state is TurnState.STREAMING:\n            self._give_out(event)",
        "        elif self._state is TurnState.STREAMING:\n            self._give_out(event)\n"
        "            self._arm(Timer.OUTPUT_GAP, now)",
    ),
    Mutation(
        "whole-not-armed",
        "no deadline for the whole turn",
        "sse_core.lifecycle.turn",
        "self._arm(Timer.WHOLE, now)",
        "pass",
    ),
    Mutation(
        "held-not-thrown-away",
        "what a failed attempt brought stays held",
        "sse_core.lifecycle.turn",
        "self._held = HeldEvents(",
        'self._held = getattr(self, "_held", None) or HeldEvents(',
    ),
    Mutation(
        "retry-after-output",
        "another attempt though a part of the answer was shown",
        "sse_core.lifecycle.turn",
        'return self._retry.after_output == "retract" and not done',
        "return not done",
    ),
    Mutation(
        "retract-unsaid",
        "readers are not told to forget what they were shown",
        "sse_core.lifecycle.turn",
        "self._give_out(MessageReset())",
        "pass",
    ),
    Mutation(
        "tool-repeated",
        "another attempt though the provider ran a tool",
        "sse_core.lifecycle.turn",
        "done = self.tool_executed or self.message.server_tool_seen",
        "done = self.tool_executed",
    ),
    Mutation(
        "second-outcome",
        "a stop gives a turn that has failed another outcome",
        "sse_core.lifecycle.turn",
        "        if self.outcome is not None:\n            return self.outcome\n",
        "        if self.outcome is Outcome.FAILED:\n            self.outcome = Outcome.STOPPED\n"
        "        if self.outcome is not None:\n            return self.outcome\n",
    ),
    Mutation(
        "pause-not-lifted",
        "a turn goes on pausing when there is room again",
        "sse_core.lifecycle.turn",
        "        if self._paused:\n            self._paused = False\n",
        "        if self._paused:\n",
    ),
    Mutation(
        "late-bytes-heard",
        "what comes of an attempt that has failed is still read",
        "sse_core.lifecycle.turn",
        "return self._state is TurnState.STREAMING or self._state is TurnState.WAITING",
        "return self._state is not TurnState.DONE",
    ),
    Mutation(
        "reader-came-too-late",
        "a turn that was left is stopped though somebody reads it again",
        "sse_core.lifecycle.turn",
        "if count or self.outcome is not None:",
        "if self.outcome is not None:",
    ),
    Mutation(
        "end-not-told",
        "a turn that is stopped does not say so to its readers",
        "sse_core.lifecycle.turn",
        "        self._give_out(last)\n",
        "        if outcome is not Outcome.STOPPED:\n            self._give_out(last)\n",
    ),
    Mutation(
        "eof-is-the-end",
        "a stream that ends early counts as the whole answer",
        "sse_core.lifecycle.turn",
        'self._fail(Failure.cut("The provider\'s stream ended before the message was whole."), now)',
        "self._end(Outcome.COMPLETED, MessageStop(), now)",
    ),
    Mutation(
        "held-backwards",
        "what was held comes in another order",
        "sse_core.lifecycle.held",
        "events, self._events = self._events, []",
        "events, self._events = self._events[::-1], []",
    ),
    # Retry
    Mutation(
        "one-attempt-more",
        "attempts are counted from 0",
        "sse_core.lifecycle.retry",
        "return attempts < self.max_attempts",
        "return attempts <= self.max_attempts",
    ),
    Mutation(
        "jitter-upwards",
        "jitter makes delays longer",
        "sse_core.lifecycle.retry",
        "(1 - self.jitter * jitter())",
        "(1 + self.jitter * jitter())",
    ),
    Mutation(
        "retry-after-unheard",
        "the delay that a provider asks for is not kept",
        "sse_core.lifecycle.retry",
        "if retry_after is not None and retry_after > 0:",
        "if retry_after is not None and retry_after > 100:",
    ),
    Mutation(
        "final-is-retried",
        "x-should-retry: false is not heeded",
        "sse_core.lifecycle.retry",
        'return told == "true"',
        "return True",
    ),
    # The log and its readers
    Mutation(
        "log-drops-unread",
        "what the slowest reader has yet to take is dropped",
        "sse_core.lifecycle.log",
        "needed = min((reader.position",
        "needed = max((reader.position",
    ),
    Mutation(
        "position-off-by-one",
        "a reader who comes back begins one event too early",
        "sse_core.lifecycle.log",
        "return position if position <= self.last else None",
        "return max(position - 1, 0) if position <= self.last else None",
    ),
    Mutation(
        "full-for-ever",
        "a log that was full stays full",
        "sse_core.lifecycle.log",
        "                self.full = False\n",
        "",
    ),
    Mutation(
        "never-full",
        "the log is not full when a reader is behind",
        "sse_core.lifecycle.log",
        "self.full = self.full or self._is_beyond(self.max_bytes, self.max_events)",
        "self.full = False",
    ),
    Mutation(
        "bytes-stay-counted",
        "a part of what was dropped counts as retained",
        "sse_core.lifecycle.log",
        "self.retained_bytes -= len(entry) + ENTRY_OVERHEAD_BYTES",
        "self.retained_bytes -= len(entry)",
    ),
    Mutation(
        "gap-not-told",
        "a reader whose position is gone is not told",
        "sse_core.lifecycle.log",
        'if position + 1 >= self._first:\n            return b""',
        'if position >= 0:\n            return b""',
    ),
    Mutation(
        "gap-too-large",
        "a gap is said to reach one event further",
        "sse_core.lifecycle.log",
        '"to": self._first - 1}',
        '"to": self._first}',
    ),
    Mutation(
        "close-not-announced",
        "readers are not woken when the log is closed",
        "sse_core.lifecycle.log",
        "        self.closed = True\n        self.announce(now)",
        "        self.closed = True",
    ),
    Mutation(
        "heartbeat-is-an-event",
        "an empty line follows a heartbeat",
        "sse_core.lifecycle.subscription",
        'data = encode_comment("ping", pad_to=self._settings.heartbeat_bytes)',
        'data = encode_comment("ping", pad_to=self._settings.heartbeat_bytes) + b"\\n"',
    ),
    Mutation(
        "no-second-heartbeat",
        "after the first bytes there are no heartbeats",
        "sse_core.lifecycle.subscription",
        "            self._heartbeat_due = False\n"
        "            self._arm(Timer.HEARTBEAT, self._settings.heartbeat, now)",
        "            self._heartbeat_due = False",
    ),
    Mutation(
        "never-evicted",
        "a reader who took something may then take nothing for ever",
        "sse_core.lifecycle.subscription",
        "        if self.behind:\n            self._arm(Timer.STALL, self._settings.stall, now)\n",
        "        if self.behind:\n",
    ),
    Mutation(
        "evicted-at-rest",
        "a reader who has everything is evicted",
        "sse_core.lifecycle.subscription",
        "        self._timers.disarm(Timer.STALL)\n",
        "",
    ),
    Mutation(
        "finished-too-early",
        "a reader is finished with when the log closes, and not with the last event",
        "sse_core.lifecycle.subscription",
        "        if self.behind:\n"
        "            self._arm(Timer.STALL, self._settings.stall, now)\n            return data",
        "        if self.behind and not self._log.closed:\n"
        "            self._arm(Timer.STALL, self._settings.stall, now)\n            return data",
    ),
    # Merging and snapshots
    Mutation(
        "merged-first-id",
        "a merged event has the ID of the first that is in it",
        "sse_core.lifecycle.merging",
        "last_id = entry[match.end() :]",
        "last_id = last_id if texts[1:] else entry[match.end() :]",
    ),
    Mutation(
        "merged-across-blocks",
        "deltas of two blocks are merged into one",
        "sse_core.lifecycle.merging",
        "around != (before, *behind)",
        "around[1:] != tuple(behind)",
    ),
    Mutation(
        "merged-without-bound",
        "a merged event may be of any size",
        "sse_core.lifecycle.merging",
        "size + len(text) > max_bytes",
        "size > 10**9",
    ),
    Mutation(
        "snapshot-closes-block",
        "in a snapshot no block is open",
        "sse_core.blocks.snapshot",
        "if index not in open_blocks:",
        "if index >= 0:",
    ),
    Mutation(
        "snapshot-loses-end",
        "the end of a message is told in short",
        "sse_core.lifecycle.snapshots",
        "if self._end or any(_is_of_the_end(event) for event in events):",
        "if self._end:",
    ),
    Mutation(
        "snapshot-keeps-retracted",
        "a snapshot holds what was taken back",
        "sse_core.lifecycle.snapshots",
        "self._accumulator.receive(MessageReset())",
        "pass",
    ),
    # The event source
    Mutation(
        "id-not-sent",
        "the last event ID is not sent",
        "sse_core.lifecycle.source",
        'fields["last-event-id"] =',
        'fields["x-last-event-id"] =',
    ),
    Mutation(
        "asked-twice",
        "a request with an effect is repeated",
        "sse_core.lifecycle.source",
        "self._first = as_get(self._first, located)",
        "self._resume = 'always'",
    ),
    Mutation(
        "client-stays-busy",
        "a source goes on pausing when it is to read again",
        "sse_core.lifecycle.source",
        "        if self._paused:\n            self._paused = False\n",
        "        if self._paused:\n",
    ),
    Mutation(
        "client-hangs",
        "a client that hears nothing waits for ever",
        "sse_core.lifecycle.source_table",
        "SourceState.OPEN: (Timer.IDLE,)",
        "SourceState.OPEN: ()",
    ),
    Mutation(
        "client-leaves-door-open",
        "a source that is closed does not wish its connection closed",
        "sse_core.lifecycle.source_table",
        "(SourceState.CLOSED, True): Want.CLOSE",
        "(SourceState.CLOSED, True): Want.NOTHING",
    ),
    Mutation(
        "secret-abroad",
        "a secret goes along to another origin",
        "sse_core.lifecycle.redirect",
        "if name in HARMLESS_FIELDS]",
        "]",
    ),
    # What is kept, and for how long
    Mutation(
        "kept-too-long",
        "a finished turn is kept for twice as long",
        "sse_core.lifecycle.retention",
        "self._kept.append((now + self._seconds,",
        "self._kept.append((now + 2 * self._seconds,",
    ),
    Mutation(
        "kept-too-much",
        "more is kept than the stated total",
        "sse_core.lifecycle.retention",
        "while self.retained_bytes > self._max_bytes:",
        "while self.retained_bytes > 2 * self._max_bytes:",
    ),
    Mutation(
        "broadcast-held",
        "a slow reader of a broadcast holds its log",
        "sse_core.lifecycle.broadcast",
        "readers_hold=False",
        "readers_hold=True",
    ),
    Mutation(
        "broadcast-from-now",
        "who would read from the start gets what comes from now on",
        "sse_core.lifecycle.broadcast",
        'position = 0 if join == "start" else self.log.last',
        "position = self.log.last",
    ),
)
