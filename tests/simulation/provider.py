"""A provider's side of one attempt: it refuses, is silent, stalls, breaks, or answers, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from sse_core.headers import Headers
from sse_core.testing import pieces_of_size
from sse_relay.provider.faults import GARBAGE

from . import answers
from .world import World

STREAM = Headers({"content-type": "text/event-stream"})
#: Answers that are neither a stream nor an error.
MISTAKES = (
    (200, Headers({"content-type": "application/json"})),
    (200, Headers({"content-type": "text/event-stream", "content-encoding": "gzip"})),
    (204, Headers()),
    (302, Headers({"location": "https://elsewhere.test/"})),
)
#: A refusal's body, whether it says that another attempt may help, and the seconds that it asks to wait.
REFUSALS: tuple[tuple[bytes, bool | None, float | None], ...] = (
    (b'{"error": {"type": "x", "message": "No."}}', None, None),
    (b"", None, None),
    (b"<html>", None, None),
    (b" " * 70_000, None, None),
    (b'{"error": {"code": "insufficient_quota", "message": "No."}}', False, None),
    (b'{"error": {"code": "server_is_overloaded", "message": "No."}}', True, None),
    (b'{"error": {"code": "usage_limit_reached", "message": "No."}}', False, None),
    (b'{"error": {"code": "usage_limit_reached", "resets_in_seconds": 4}}', True, 4.0),
    (b'{"error": {"code": "usage_limit_reached", "resets_in_seconds": 100}}', True, 100.0),
)
#: What a refusal may ask for: a field, its value, and the seconds that it means.
WISHES = (
    None,
    None,
    None,
    ("retry-after", "3", 3.0),
    ("retry-after-ms", "700", 0.7),
    ("retry-after", "50", 50.0),
    ("retry-after", "100", 100.0),
)
#: Whether a status alone says that the request may be repeated.
STATUSES = {
    400: False,
    401: False,
    404: False,
    408: True,
    409: True,
    429: True,
    500: True,
    503: True,
    529: True,
}

#: How an attempt goes: how often, and whether another attempt may help.
BEHAVIOURS: dict[str, tuple[int, bool]] = {
    "completes": (50, False),
    "repeats itself": (4, False),
    "is cut by its end": (6, True),
    "is cut by a reset": (6, True),
    "has an error that may pass": (5, True),
    "has a final error": (3, False),
    "sends garbage": (3, True),
    "stalls in silence": (3, True),
    "stalls behind pings": (4, True),
    "refuses": (4, True),
    "never connects": (3, True),
    "never answers": (3, True),
    "answers with a status": (6, True),
    "answers with something else": (2, False),
}
_NAMES, _WEIGHTS = list(BEHAVIOURS), [weight for weight, _ in BEHAVIOURS.values()]
#: Protocols without an end of their own.
ENDS_WITH_EOF = frozenset({"gemini"})
#: With these it says nothing more, and nobody notices.
SILENT = frozenset({"never answers", "stalls in silence", "stalls behind pings"})
#: With these it comes to its end.
WHOLE = frozenset({"completes", "repeats itself"})

#: Seconds until it happens; what: bytes of the body, or the name of a method.
Step = tuple[float, bytes | str]


class Upstream(Protocol):
    """Whoever reads the provider's answer."""

    @property
    def reads(self) -> bool:
        """Whether bytes are taken now."""

    def connected(self) -> None:
        """The transport is open."""

    def response(self, status: int, headers: Headers) -> None:
        """A head has come."""

    def receive(self, data: bytes) -> None:
        """Bytes have come."""

    def eof(self) -> None:
        """The body has come to its end."""

    def lost(self, reason: str) -> None:
        """The connection broke, or could not be made."""


class Connection:
    """One attempt of a turn, as the provider lives it."""

    def __init__(self, world: World, reader: Upstream, dialect: str, attempt: int) -> None:
        dice = world.dice
        self.open = True
        self.up = False  #: the transport is there
        self.has_said_all = False
        #: It broke where nobody can say whether it was whole: OpenAI's chunks end in three ways.
        self.may_be_whole = False
        self.behaviour = dice.choices(_NAMES, _WEIGHTS)[0]
        self.may_be_repeated = BEHAVIOURS[self.behaviour][1]
        self.retry_after: float | None = None  #: what it asks for
        plan = dice.choice(answers.plans(dialect))
        self.answer = answers.answer(dialect, plan, attempt, repeats=self.behaviour == "repeats itself")
        self._world = world
        self._reader = reader
        self._dialect = dialect
        self._steps = self._plan()
        self._what: bytes | str = b""
        self._refusal = b""
        self._is_blocked = False
        self._to_come = -1  # bytes, of an answer that will be whole
        world.note(f"provider {self.behaviour}", f"attempt {attempt}, {plan}")
        self._next()

    def close(self) -> None:
        """The reader has closed: nothing more is generated, nothing more arrives."""
        self.open = False

    def unblock(self) -> None:
        """The reader reads again."""
        if self._is_blocked:
            self._is_blocked = False
            self._world.after(0.001, self._go_on)

    def _next(self) -> None:
        step = next(self._steps, None)
        if step is not None:
            seconds, self._what = step
            self._world.after(seconds, self._go_on)

    def _go_on(self) -> None:
        if not self.open:
            return
        what = self._what
        if isinstance(what, bytes):
            if not self._reader.reads:
                self._is_blocked = True  # TCP holds it back until somebody reads
                return
            self._to_come -= len(what)
            self.has_said_all = self._to_come == 0 and self._dialect not in ENDS_WITH_EOF
            self._reader.receive(what)
        else:
            getattr(self, f"_{what}")()
        if self.open:
            self._next()

    # What it does, as the reader lives it

    def _connect(self) -> None:
        self.up = True
        self._reader.connected()

    def _lose(self) -> None:
        self.open = False
        self._reader.lost("reset")

    def _accept(self) -> None:
        self._reader.response(200, STREAM)

    def _say_no(self) -> None:
        dice = self._world.dice
        status = dice.choice(list(STATUSES))
        self.may_be_repeated = STATUSES[status]
        fields = {"content-type": "application/json"}
        wish = dice.choice(WISHES)
        if wish is not None:
            fields[wish[0]], self.retry_after = wish[1:]
        self._refusal, may_pass, wait = dice.choice(REFUSALS)
        if dice.random() < 0.2:
            # Half of it says nothing.
            self._refusal, may_pass, wait = self._refusal[: len(self._refusal) // 2], None, None
        if may_pass is not None:
            self.may_be_repeated = may_pass
        if wait is not None:
            self.retry_after = wait
        if dice.random() < 0.2:
            self.may_be_repeated = dice.random() < 0.5
            fields["x-should-retry"] = "true" if self.may_be_repeated else "false"
        self._reader.response(status, Headers(fields))

    def _mistake(self) -> None:
        self._reader.response(*self._world.dice.choice(MISTAKES))

    def _end(self) -> None:
        self.has_said_all = self._to_come == 0
        self._reader.eof()

    # What it is going to do

    def _plan(self) -> Iterator[Step]:
        dice, behaviour = self._world.dice, self.behaviour
        if behaviour == "never connects":
            return
        if behaviour == "refuses":
            yield dice.random() * 0.2, "lose"
            return
        yield dice.random() * 0.3, "connect"
        if behaviour == "never answers":
            return
        thinks = dice.random() * 2
        if behaviour == "answers with a status":
            yield thinks, "say_no"
            yield dice.random(), self._refusal
            if dice.random() < 0.8:
                yield 0.0, dice.choice(("end", "lose"))
        elif behaviour == "answers with something else":
            yield thinks, "mistake"
        else:
            yield thinks, "accept"
            yield from self._speak()

    def _speak(self) -> Iterator[Step]:
        dice, answer = self._world.dice, self.answer
        is_whole = self.behaviour in WHOLE
        pace = dice.choice((0.0, 0.005, 0.02, 0.02, 0.3))
        events = list(answer.body)
        if is_whole:
            events.append(answer.ending)
        else:
            end = dice.randrange(len(events) + 1)
            broken = events[end] if end < len(events) else answer.ending
            events = [*events[:end], *self._fault(broken, in_ending=end == len(events))]
        if events and dice.random() < 0.3:
            events.insert(dice.randrange(len(events)), answers.ping(self._dialect))
        self._to_come = sum(map(len, events)) if is_whole else -1
        pieces = self._in_pieces(events)
        if len(pieces) > len(events):
            pace = min(pace, 0.02)  # an ending may be long, and shows nothing
        for piece in pieces:
            yield pace, piece
        yield from self._finish()

    def _fault(self, next_event: bytes, *, in_ending: bool) -> list[bytes]:
        """What comes instead of the next event."""
        match self.behaviour:
            case "has an error that may pass" | "has a final error":
                return [answers.error(self._dialect, may_pass=self.may_be_repeated)]
            case "sends garbage":
                return [GARBAGE]
            case "is cut by its end" | "is cut by a reset":
                self.may_be_whole = in_ending and self._dialect != "anthropic"
                return [next_event[: self._world.dice.randrange(len(next_event))]]
        return []

    def _finish(self) -> Iterator[Step]:
        match self.behaviour:
            case "completes" | "repeats itself" | "is cut by its end":
                yield 0.01, "end"
            case "is cut by a reset":
                yield 0.01, "lose"
            case "stalls behind pings":
                while True:
                    yield 5.0, answers.ping(self._dialect)

    def _in_pieces(self, events: list[bytes]) -> list[bytes]:
        """Cut in events, in larger pieces, or anywhere, in the middle of a character too."""
        dice = self._world.dice
        how = dice.random()
        if how < 0.6:
            return [event for event in events if event] or [b"\n"]
        data = b"".join(events) or b"\n"
        size = dice.choice((37, 150, 400, 1000)) if how < 0.93 else len(data)
        if len(data) < 600 and dice.random() < 0.1:
            size = 1
        return pieces_of_size(data, size)
