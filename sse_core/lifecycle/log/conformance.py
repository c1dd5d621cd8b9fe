"""What every log promises, as cases for a log of your own.

No test framework is needed: a case is a function, its name says what it is about, and its docstring what is
promised.  It raises ``BrokenPromise`` where that isn't kept.  With pytest::

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
    def test_my_log(case):
        case(Trial(lambda max_events: MyLog(max_events=max_events)))

A log that notifies later is given time: ``Trial(make, settle)``, where ``settle(log, now)`` returns when all
that it has to do has come about.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from ...errors import LocalProtocolError
from ...framing import ServerSentEvent
from .subscription import ReaderOutcome, Subscription
from .trial import ALL, BrokenPromise, Reader, Trial, decoded, expect, texts

__all__ = ["CASES", "BrokenPromise", "Trial"]

# What is in a log


def an_empty_log(trial: Trial) -> None:
    """A new log has no events, is not full and not closed, and nobody wishes it to stop."""
    log = trial.log()
    expect((log.last, log.first_retained) == (0, 1), "the first event is going to be number 1")
    expect(log.read(0, ALL) == (b"", 0), "an empty log gives nothing, and the same position")
    expect(not (log.full or log.closed or log.stop_wished), "not full, not closed, not stopped")
    expect(log.what_was_dropped(0) == b"", "nothing is missing in an empty log")
    expect(log.retained_bytes == 0, "an empty log holds no bytes")


def events_as_they_came(trial: Trial) -> None:
    """Type and data of an event are given as they came, in the order in which they came."""
    pairs = [("a", "1"), ("message", "2\n\n3"), ("b", "é\u2028")]
    events = [ServerSentEvent(type, data) for type, data in pairs]
    log = trial.log()
    log.append(*events[:2])
    log.append()
    log.append(events[2])
    log.announce(trial.now)
    trial.settle(log)
    read = decoded(log.read(0, ALL)[0])
    expect(log.last == 3, "the number of the last event is the number of events")
    expect([(event.type, event.data) for event in read] == pairs, "as they came, in their order")


def ids_are_positions(trial: Trial) -> None:
    """Each event has an ID of its own, and its ID is the position behind it."""
    log = trial.log(*"abcde")
    read = decoded(log.read(0, ALL)[0])
    positions = [log.position_of(event.last_event_id) for event in read]
    expect(positions == [1, 2, 3, 4, 5], f"the IDs of five events stand for 1 to 5, not for {positions}")
    expect(texts(log, 3) == ["d", "e"], "behind an event come those that follow it")


def other_ids_are_none(trial: Trial) -> None:
    """What is no ID of this log is no position in it."""
    log = trial.log("a", "b")
    own = decoded(log.read(0, ALL)[0])[-1].last_event_id
    for other in ("", "2", "-", f"x{own}", f"{own}0", f"{own} ", f" {own}", f"{own}-", f"{own[:-1]}\u0662"):
        message = f"{ascii(other)} is no ID of a log that ends with {ascii(own)}"
        expect(log.position_of(other) is None, message)


def reads_are_bounded(trial: Trial) -> None:
    """A read gives whole events up to its bound, but at least one, and the position behind them."""
    log = trial.log(*"abcdefgh")
    whole = log.read(0, ALL)[0]
    one, position = log.read(0, 1)
    expect((position, len(decoded(one))) == (1, 1), "below the size of an event, one is given")
    expect(log.read(0, 3 * len(one))[1] == 3, "an event that fits is given")
    expect(log.read(0, 3 * len(one) - 1)[1] == 2, "an event that doesn't fit is not given")
    pieces, position = [], 0
    for _ in range(log.last):
        data, position = log.read(position, 2 * len(one))
        pieces.append(data)
    expect(b"".join(pieces) == whole, "what is read piece by piece is what is read in one")
    expect(log.read(log.last, ALL) == (b"", log.last), "nothing follows the last event")


def last_can_be_read(trial: Trial) -> None:
    """Whatever was appended and has or hasn't come about: up to ``last`` it can be read."""
    log = trial.log()
    for number in range(1, 6):
        log.append(ServerSentEvent("message", str(number)))
        expect(log.read(0, ALL)[1] == log.last == len(texts(log)), "what can't be read doesn't count")
        log.announce(trial.now)
        expect(log.read(0, ALL)[1] == log.last == len(texts(log)), "what can't be read doesn't count")
    trial.settle(log)
    expect(texts(log) == ["1", "2", "3", "4", "5"], "in the end all can be read, once, in their order")


# Who reads


def readers_are_called(trial: Trial) -> None:
    """Every reader is called after a batch, when it can be read."""
    log = trial.log()
    readers = [Reader(log) for _ in range(3)]
    trial.write(log, "a", "b")
    trial.write(log, "c")
    for reader in readers:
        expect((2, False) in reader.calls, "a reader is called when the first batch can be read")
        expect(reader.calls[-1] == (3, False), "a reader is called when the second batch can be read")


def who_has_left_is_not_called(trial: Trial) -> None:
    """A reader who was removed is not called; to remove it again is harmless."""
    log = trial.log()
    gone, stays = Reader(log), Reader(log)
    log.remove_reader(gone, trial.now)
    log.remove_reader(gone, trial.now)
    trial.write(log, "a")
    expect(not gone.calls, "who has left is not called")
    expect(stays.calls, "who stays is called")


def who_leaves_when_called(trial: Trial) -> None:
    """A reader may leave while all are called: the others are called nevertheless."""
    log = trial.log()

    class Leaving(Reader):
        def log_changed(self, now: float) -> None:
            super().log_changed(now)
            log.remove_reader(self, now)

    leaving, stays = Leaving(log), Reader(log)
    trial.write(log, "a")
    trial.write(log, "b")
    expect(len(leaving.calls) == 1, "who left at the first call is not called again")
    expect(stays.calls[-1] == (2, False), "the others are called")


def who_comes_late(trial: Trial) -> None:
    """A reader who comes late reads the same bytes."""
    log = trial.log()
    early = Reader(log)
    taken = b""
    for text in "abc":
        trial.write(log, text, text.upper())
        taken += early.take(trial.now)
    expect(Reader(log).take(trial.now) == taken, "early or late, the bytes are the same")


def a_subscription(trial: Trial) -> None:
    """A subscription gets every event once, and ends with the last one."""
    log = trial.log("1", "2")
    reader = Subscription(log, trial.now)
    received = reader.data_to_send(trial.now, 1)
    trial.write(log, *"345")
    received += reader.data_to_send(trial.now, 1)
    log.append(ServerSentEvent("message", "6"))
    trial.close(log)
    for _ in range(10):
        received += reader.data_to_send(trial.now, 1)
    expect([event.data for event in decoded(received)] == [*"123456"], "each event, once, in its order")
    expect(reader.outcome is ReaderOutcome.FINISHED, "who has all of a closed log has finished")


# The end


def the_end(trial: Trial) -> None:
    """A log is closed when its last event can be read, not before, and readers are called."""
    log = trial.log("a")
    reader = Reader(log)
    log.append(ServerSentEvent("message", "b"))
    log.close(trial.now)
    expect(log.last == 2 or not log.closed, "closed, with an event still to come")
    trial.settle(log)
    expect(log.closed, "close() closes it, in the end")
    expect((2, True) in reader.calls, "readers are called when it is closed")
    expect(all(last == 2 for last, closed in reader.calls if closed), "closed, with events still to come")
    trial.close(log)
    expect(log.closed and log.last == 2, "closing it again is harmless")


def nothing_follows_the_end(trial: Trial) -> None:
    """To append after ``close`` is a ``LocalProtocolError``, at once."""
    log = trial.log("a")
    log.close(trial.now)
    try:
        log.append(ServerSentEvent("message", "b"))
    except LocalProtocolError:
        trial.settle(log)
    expect(log.closed and texts(log) == ["a"], "appending after the end raises LocalProtocolError")


def what_cannot_be_written(trial: Trial) -> None:
    """An event that can't be written is a ``ValueError``; those before it are kept, those after it aren't."""
    log = trial.log()
    good, bad = ServerSentEvent("message", "a"), ServerSentEvent("two\nlines", "b")
    try:
        log.append(good, bad, good)
    except ValueError:
        log.announce(trial.now)
        trial.settle(log)
    expect(texts(log) == ["a"], "of a batch with an event that can't be written those before it are kept")


def a_wish_to_stop(trial: Trial) -> None:
    """Who writes is called once when it is to stop."""
    log = trial.log("a")
    calls: list[float] = []
    log.on_stop_wished = calls.append
    log.wish_stop(trial.now)
    log.wish_stop(trial.now)
    trial.settle(log)
    log.wish_stop(trial.now)
    trial.settle(log)
    expect(log.stop_wished, "the wish can be seen")
    expect(len(calls) == 1, f"whoever writes is called once, not {len(calls)} times")


def a_wish_that_comes_too_late(trial: Trial) -> None:
    """To wish a stream stopped that is over does nothing."""
    log = trial.log("a")
    calls: list[float] = []
    log.on_stop_wished = calls.append
    trial.close(log)
    log.wish_stop(trial.now)
    trial.settle(log)
    expect(not calls and not log.stop_wished, "what is over is not to be stopped")


# Bounds


def readers_hold_what_they_need(trial: Trial) -> None:
    """What a reader has yet to take is not dropped: the log is full instead."""
    log = trial.log(max_events=8)
    reader = Reader(log)
    count = trial.fill(log)
    expect(8 <= count <= 9, f"a log for 8 events is full after 8 that nobody has taken, not {count}")
    expect(log.first_retained == 1, "nothing is dropped that a reader has yet to take")
    taken = [event.data for event in decoded(reader.take(trial.now))]
    expect(taken == [str(number) for number in range(1, count + 1)], "a reader gets all that it holds")


def room_is_announced(trial: Trial) -> None:
    """Who writes is called once when the log isn't full any more, by a reader who takes or leaves."""
    for leave in (False, True):
        log = trial.log(max_events=8)
        reader, room = Reader(log), list[bool]()
        log.on_room = lambda _, log=log, room=room: room.append(log.full)  # type: ignore[misc]
        trial.fill(log)
        expect(room == [], "there is no room before somebody has made some")
        if leave:
            log.remove_reader(reader, trial.now)
        else:
            reader.take(trial.now)
        trial.settle(log)
        expect(room == [False], f"on_room is called once, when the log is not full: {room}")
        expect(not log.full, "a log whose readers have taken all is not full")


def a_gap_is_sent(trial: Trial) -> None:
    """With nobody reading the oldest go, and who comes then is sent which are missing."""
    log = trial.log(max_events=8)
    for number in range(1, 31):
        trial.write(log, str(number))
    expect(not log.full, "a log that nobody reads is never full")
    first = log.first_retained
    expect(23 <= first <= 30 == log.last, f"of 30 events 8 are kept, not those from {first} on")
    gap, *_ = decoded(log.what_was_dropped(0))
    expect(gap.type == "gap" and gap.last_event_id == "", "a gap is an event of the type gap, without an ID")
    missing = json.loads(gap.data)
    expect((missing["from"], missing["to"]) == (1, first - 1), f"from 1 to {first - 1} is gone: {gap.data}")
    expect(log.what_was_dropped(first - 1) == b"", "who has all that is gone misses nothing")
    expect(texts(log, 0) == [str(number) for number in range(first, 31)], "what is kept can be read")


def what_is_kept_is_counted(trial: Trial) -> None:
    """``retained_bytes`` grows with what is kept, and is nothing when all is thrown away."""
    log = trial.log("x" * 100)
    kept = log.retained_bytes
    trial.write(log, "y" * 1000)
    expect(100 <= kept <= log.retained_bytes - 1000, "each event counts, with its bytes")
    log.discard(trial.now)
    trial.settle(log)
    expect(log.retained_bytes == 0, "what was thrown away does not count")


def nothing_is_kept_any_more(trial: Trial) -> None:
    """After ``discard`` events are counted and not kept, and the log is never full."""
    log = trial.log("a", "b", max_events=8)
    log.discard(trial.now)
    reader = Reader(log, log.last)
    for number in range(20):
        trial.write(log, str(number))
    expect(log.last == 22, "what is thrown away is numbered")
    expect(log.first_retained == 23 and texts(log) == [], "nothing can be read any more")
    expect(not log.full and log.retained_bytes == 0, "what keeps nothing is never full")
    expect(reader.take(trial.now) == b"", "a reader gets nothing")


#: All of them.
CASES: tuple[Callable[[Trial], None], ...] = (
    an_empty_log,
    events_as_they_came,
    ids_are_positions,
    other_ids_are_none,
    reads_are_bounded,
    last_can_be_read,
    readers_are_called,
    who_has_left_is_not_called,
    who_leaves_when_called,
    who_comes_late,
    a_subscription,
    the_end,
    nothing_follows_the_end,
    what_cannot_be_written,
    a_wish_to_stop,
    a_wish_that_comes_too_late,
    readers_hold_what_they_need,
    room_is_announced,
    a_gap_is_sent,
    what_is_kept_is_counted,
    nothing_is_kept_any_more,
)
