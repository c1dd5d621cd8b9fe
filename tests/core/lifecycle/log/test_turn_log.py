"""A turn's log: numbered, bounded, and full where a reader still has to take what is in it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from sse_core import EventStreamDecoder, LocalProtocolError, ServerSentEvent
from sse_core.lifecycle import TurnLog

OVERHEAD = 64  # what an entry costs beside its bytes


class Reader:
    """The least that a log knows of a reader."""

    def __init__(self, position: int = 0) -> None:
        self.position = position
        self.calls: list[float] = []

    def log_changed(self, now: float) -> None:
        self.calls.append(now)


def event(data: str = "x", type: str = "message") -> ServerSentEvent:
    return ServerSentEvent(type, data)


def log_of(count: int, max_bytes: int = 10**6) -> TurnLog:
    log = TurnLog("e", max_bytes=max_bytes)
    for number in range(1, count + 1):
        log.append(event(str(number)))
    return log


def is_full(log: TurnLog) -> bool:
    return log.full


def ids(data: bytes) -> list[str]:
    return [received.last_event_id for received in EventStreamDecoder().receive_data(data)]


class TestEntries:
    def test_an_empty_log(self) -> None:
        log = TurnLog("e")
        assert (log.last, log.first_retained, log.retained_bytes, log.full, log.closed) == (
            0,
            1,
            0,
            False,
            False,
        )
        assert log.read(0, 100) == (b"", 0)

    def test_events_are_numbered_and_keep_their_type(self) -> None:
        log = TurnLog("turn-7")
        log.append(event("a", "message_start"))
        log.append(event("b\nc"))
        data, position = log.read(0, 1000)
        assert position == log.last == 2
        assert EventStreamDecoder().receive_data(data) == [
            ServerSentEvent("message_start", "a", "turn-7-1"),
            ServerSentEvent("message", "b\nc", "turn-7-2"),
        ]
        assert b"event: message\n" not in data

    def test_read_gives_whole_entries_up_to_a_size(self) -> None:
        log = log_of(9)
        size = len(log.read(0, 1)[0])
        assert ids(log.read(0, size)[0]) == ["e-1"]
        assert ids(log.read(0, 2 * size - 1)[0]) == ["e-1"]
        assert ids(log.read(0, 2 * size)[0]) == ["e-1", "e-2"]
        assert ids(log.read(7, 1000)[0]) == ["e-8", "e-9"]

    def test_one_that_is_larger_than_the_size_is_given_whole(self) -> None:
        log = TurnLog("e")
        log.append(event("x" * 1000))
        log.append(event("y"))
        data, position = log.read(0, 10)
        assert position == 1
        assert len(data) > 1000

    def test_nothing_follows_the_last(self) -> None:
        assert log_of(3).read(3, 100) == (b"", 3)

    def test_no_event_follows_close(self) -> None:
        log = log_of(1)
        log.close(0.0)
        with pytest.raises(LocalProtocolError, match="closed"):
            log.append(event())

    @pytest.mark.parametrize("epoch", ["", "a\nb", "a\rb", "a\0b"])
    def test_an_epoch_that_no_event_id_can_hold(self, epoch: str) -> None:
        with pytest.raises(ValueError, match=r"epoch|id "):
            TurnLog(epoch)

    def test_a_log_that_would_always_be_full(self) -> None:
        with pytest.raises(ValueError, match="max_bytes must be 1 or more, not 0"):
            TurnLog("e", max_bytes=0)


class TestReaders:
    def test_are_called_at_news_and_at_the_end(self) -> None:
        log, readers = TurnLog("e"), [Reader(), Reader()]
        for reader in readers:
            log.add_reader(reader)
        log.append(event())
        assert readers[0].calls == []
        log.announce(1.0)
        log.close(2.0)
        assert [reader.calls for reader in readers] == [[1.0, 2.0]] * 2

    def test_who_has_left_is_not_called_and_may_leave_twice(self) -> None:
        log, reader = TurnLog("e"), Reader()
        log.add_reader(reader)
        log.remove_reader(reader, 0.0)
        log.remove_reader(reader, 0.0)
        log.announce(1.0)
        assert reader.calls == []

    def test_one_may_leave_while_all_are_being_called(self) -> None:
        log = TurnLog("e")

        class Leaving(Reader):
            def log_changed(self, now: float) -> None:
                super().log_changed(now)
                log.remove_reader(self, now)

        readers = [Leaving(), Reader()]
        for reader in readers:
            log.add_reader(reader)
        log.announce(1.0)
        log.announce(2.0)
        assert [reader.calls for reader in readers] == [[1.0], [1.0, 2.0]]


class TestRoom:
    def entry_cost(self) -> int:
        return log_of(1).retained_bytes

    def test_what_is_retained_is_the_entries_and_their_overhead(self) -> None:
        assert self.entry_cost() == len(log_of(1).read(0, 100)[0]) + OVERHEAD

    def test_with_nobody_reading_the_oldest_quarter_goes(self) -> None:
        cost = self.entry_cost()
        log = log_of(8, max_bytes=8 * cost)
        assert (log.first_retained, log.last, log.full) == (3, 8, False)
        assert log.retained_bytes == 6 * cost
        assert ids(log.read(0, 1000)[0]) == [f"e-{number}" for number in range(3, 9)]

    def test_a_reader_who_has_to_take_it_makes_the_log_full(self) -> None:
        cost = self.entry_cost()
        log, reader, room = TurnLog("e", max_bytes=8 * cost), Reader(), list[float]()
        log.on_room = room.append
        log.add_reader(reader)
        for number in range(1, 8):
            log.append(event(str(number)))
            assert not is_full(log)
        log.append(event("8"))
        assert is_full(log)
        assert log.first_retained == 1

        reader.position = 1
        log.reader_moved(0, 1.0)
        assert is_full(log), "a quarter must be free, not one entry"
        reader.position = 2
        log.reader_moved(0, 2.0)
        assert not is_full(log)
        assert room == [2.0]
        log.reader_moved(0, 3.0)
        assert room == [2.0], "called once"

    def test_the_slowest_reader_counts_until_it_leaves(self) -> None:
        cost = self.entry_cost()
        log, slow, fast, room = TurnLog("e", max_bytes=4 * cost), Reader(), Reader(), list[float]()
        log.on_room = room.append
        log.add_reader(slow)
        log.add_reader(fast)
        for number in range(1, 5):
            log.append(event(str(number)))
        fast.position = 4
        log.reader_moved(0, 1.0)
        assert is_full(log)
        log.remove_reader(slow, 2.0)
        assert room == [2.0]

    def test_full_ends_only_where_on_room_says_so(self) -> None:
        """A position that goes up on its own must not let it end unheard amid an append."""
        cost = self.entry_cost()
        log, reader, room = TurnLog("e", max_bytes=4 * cost), Reader(), list[float]()
        log.on_room = room.append
        log.add_reader(reader)
        for number in range(1, 5):
            log.append(event(str(number)))
        reader.position = 4
        log.append(event("5"))
        assert is_full(log)
        log.reader_moved(0, 1.0)
        assert not is_full(log)
        assert room == [1.0]

    def test_an_entry_larger_than_the_log(self) -> None:
        log, reader, room = TurnLog("e", max_bytes=100), Reader(), list[float]()
        log.on_room = room.append
        log.add_reader(reader)
        log.append(event("x" * 1000))
        assert is_full(log)
        reader.position = 1
        log.reader_moved(0, 1.0)
        assert room == [1.0]
        assert log.retained_bytes == 0

    def test_without_anybody_to_call_room_is_made_all_the_same(self) -> None:
        log, reader = TurnLog("e", max_bytes=100), Reader()
        log.add_reader(reader)
        log.append(event("x" * 1000))
        log.remove_reader(reader, 1.0)
        assert not is_full(log)

    def test_discard_keeps_nothing_and_goes_on_counting(self) -> None:
        cost = self.entry_cost()
        log, reader, room = TurnLog("e", max_bytes=4 * cost), Reader(), list[float]()
        log.on_room = room.append
        log.add_reader(reader)
        for number in range(1, 5):
            log.append(event(str(number)))
        log.discard(1.0)
        assert (log.retained_bytes, log.full, log.first_retained, log.last) == (0, False, 5, 4)
        assert room == [1.0]
        log.append(event("5"))
        assert (log.retained_bytes, log.first_retained, log.last) == (0, 6, 5)
        log.append_lines(b": ping\n\n")
        assert (log.retained_bytes, log.first_retained, log.last) == (0, 7, 6)
        assert log.read(0, 1000) == (b"", 6)


class TestPositions:
    def test_of_the_logs_own_ids(self) -> None:
        log = TurnLog("turn-7")
        log.append(event())
        assert log.position_of("turn-7-1") == 1
        assert log.position_of("turn-7-0") == 0, "the start"

    @pytest.mark.parametrize(
        "event_id",
        [
            *(
                "",
                "turn-7",
                "turn-7-",
                "turn-7-2",
                "turn-8-1",
                "TURN-7-1",
                "turn-7-1 ",
                "turn-7--1",
                "turn-7-+1",
                "turn-7-01",
            ),
            *("turn-7-1.0", "turn-7-x", "turn-7-\u0661", "turn-7-²", "turn-7-1_0", "1", "-1"),
            "turn-7-" + "0" * 5000 + "1",
        ],
    )
    def test_of_what_is_none(self, event_id: str) -> None:
        """Another log's, one that has not come yet, and digits that only ``int()`` takes."""
        log = TurnLog("turn-7")
        log.append(event())
        assert log.position_of(event_id) is None


class TestGrowth:
    """No step may cost more than what it moves.  A quadratic one would take minutes here."""

    COUNT = 100_000

    @pytest.mark.untraced
    def test_reading_a_long_log_entry_by_entry(self) -> None:
        log = log_of(self.COUNT, max_bytes=10**9)
        begun = time.process_time()
        position = 0
        while position < log.last:
            _, position = log.read(position, 1)
        assert time.process_time() - begun < 5

    @pytest.mark.untraced
    def test_a_full_log_that_is_read_entry_by_entry(self) -> None:
        """Each entry read frees one, at the front of a long list."""
        log = TurnLog("e", max_bytes=self.COUNT * 80)
        reader = Reader()
        log.add_reader(reader)
        while not is_full(log):
            log.append(event())
        begun = time.process_time()
        while reader.position < log.last:
            _, reader.position = log.read(reader.position, 1)
            log.reader_moved(0, 0.0)
            if not is_full(log):
                log.append(event())
            if log.last > 2 * self.COUNT:
                break
        assert time.process_time() - begun < 5

    @pytest.mark.untraced
    def test_many_readers_who_leave(self) -> None:
        log = TurnLog("e")
        readers = [Reader() for _ in range(self.COUNT // 5)]
        begun = time.process_time()
        for reader in readers:
            log.add_reader(reader)
        for reader in reversed(readers):
            log.remove_reader(reader, 0.0)
        assert time.process_time() - begun < 5


class TestABoundOnEvents:
    """Many small events cost more than their bytes."""

    def test_with_nobody_reading_the_oldest_go(self) -> None:
        log = TurnLog("e", max_events=8)
        for number in range(100):
            log.append(event(str(number)))
            assert log.last - log.first_retained + 1 < 8
        assert not is_full(log)

    def test_it_is_full_while_somebody_has_to_read_and_until_a_quarter_is_free(self) -> None:
        log, reader = TurnLog("e", max_events=8), Reader()
        room: list[float] = []
        log.add_reader(reader)
        log.on_room = room.append
        for number in range(8):
            assert not is_full(log)
            log.append(event(str(number)))
        assert is_full(log)
        for position, still_full in ((1, True), (2, False)):
            reader.position = position
            log.reader_moved(0, float(position))
            assert is_full(log) is still_full
        assert room == [2.0]

    @pytest.mark.parametrize("bound", [1, 2, 3, 4, 5])
    def test_a_small_one_is_full_for_somebody_only(self, bound: int) -> None:
        log = TurnLog("e", max_events=bound)
        for count in range(1, 3 * bound):
            log.append(event())
            assert not log.full
            assert 1 <= log.last - log.first_retained + 1 <= min(bound, count)
        log.add_reader(Reader(log.last))
        while not is_full(log):
            log.append(event())
        assert log.last - log.first_retained + 1 == bound

    @pytest.mark.parametrize("bound", [1, 2, 3])
    def test_where_readers_hold_nothing_it_is_never_full(self, bound: int) -> None:
        log = TurnLog("e", max_events=bound, readers_hold=False)
        log.add_reader(Reader())
        for _ in range(3 * bound):
            log.append(event())
            assert not log.full

    @pytest.mark.parametrize("name", ["max_bytes", "max_events"])
    def test_a_bound_is_at_least_one(self, name: str) -> None:
        make: Callable[..., TurnLog] = TurnLog
        with pytest.raises(ValueError, match=f"{name} must be 1 or more"):
            make("e", **{name: 0})


class CountingReader(Reader):
    """Counts how often its position is read."""

    reads = 0

    @property
    def position(self) -> int:
        type(self).reads += 1
        return self._position

    @position.setter
    def position(self, value: int) -> None:
        self._position = value


def test_a_thousand_slow_readers_are_not_looked_at_for_each_step_of_each() -> None:
    """All of them take one entry after the other, and each time only the last can make room."""
    log, readers = TurnLog("e", max_events=80), [CountingReader() for _ in range(1000)]
    for reader in readers:
        log.add_reader(reader)
    for _ in range(100):  # a chunk of the provider's may hold more than there is room for
        log.append(event())
    CountingReader.reads = 0
    steps = 0
    while is_full(log):
        steps += 1
        for reader in readers:
            reader.position = steps
            log.reader_moved(steps - 1, 0.0)
    assert steps == 40
    assert CountingReader.reads <= 2 * steps * len(readers)
