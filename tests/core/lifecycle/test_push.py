"""A readiness loop without tasks: what comes from the provider is at the readers within the same call.

No machine waits, and a waker is a plain callable: so a binding may write at once, and nothing has to be
scheduled between the provider's bytes and a reader's.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from sse_core import EventStreamDecoder
from sse_core.blocks import BlockStart, TextBlock, TextDelta
from sse_core.lifecycle import Outcome, Subscription, TurnLog, Want
from tests.core.lifecycle.turn.turn_support import (
    ANSWER,
    ANTHROPIC,
    START,
    accepted,
    deadline_of,
    want_of,
    wire,
)


class Socket:
    """A reader's socket, with room for so many bytes."""

    def __init__(self, room: int = 10**6) -> None:
        self.room = room
        self.written = b""

    def texts(self) -> list[str]:
        return [event.data for event in EventStreamDecoder().receive_data(self.written)]


class Loop:
    """One turn and its readers, driven by whatever becomes ready."""

    def __init__(self, *sockets: Socket, max_bytes: int = 10**6) -> None:
        self.now = 0.0
        self.turn = accepted()
        self.log = TurnLog("t", max_bytes=max_bytes)
        self.log.on_room = self.turn.resume
        self._encoder = ANTHROPIC.Encoder(verbatim=True)
        self.readers = [self._reader(socket) for socket in sockets]

    def _reader(self, socket: Socket) -> Subscription:
        def writable() -> None:
            """The waker of the subscription, and what the loop calls when a socket has room again."""
            while socket.room > 0 and (data := reader.data_to_send(self.now, min(socket.room, 200))):
                socket.written += data
                socket.room -= len(data)

        reader = Subscription(self.log, self.now)
        reader.waker = writable
        return reader

    def provider_readable(self, data: bytes) -> None:
        """The provider's socket gave these bytes."""
        self.turn.receive_data(data, self.now)
        while (event := self.turn.next_event()) is not None:
            for sse in self._encoder.send(event):
                self.log.append(sse)
        if self.log.full:
            self.turn.pause(self.now)
        self.log.announce(self.now)
        if self.turn.outcome is not None and not self.log.closed:
            self.log.close(self.now)


def test_readers_have_what_came_when_the_call_returns() -> None:
    sockets = [Socket(), Socket()]
    loop = Loop(*sockets)
    loop.provider_readable(wire(START, BlockStart(0, TextBlock())))
    assert all(socket.written == b"" for socket in sockets), "nothing is visible yet"
    for count, word in enumerate(("Hello", " world"), 1):
        loop.provider_readable(wire(TextDelta(0, word)))
        for socket in sockets:
            assert len(socket.texts()) == 2 + count
            assert word in socket.texts()[-1]


def test_an_answer_reaches_its_end_without_a_task() -> None:
    socket = Socket()
    loop = Loop(socket)
    loop.provider_readable(wire(*ANSWER))
    assert loop.turn.outcome is Outcome.COMPLETED
    assert len(socket.texts()) == len(ANSWER)
    assert loop.readers[0].outcome is not None


def test_a_slow_socket_pauses_the_provider_and_its_room_lifts_the_pause_in_one_call() -> None:
    socket = Socket(room=300)
    loop = Loop(socket, max_bytes=2000)
    loop.provider_readable(wire(START, BlockStart(0, TextBlock())))
    while want_of(loop.turn) is Want.READ:
        loop.provider_readable(wire(TextDelta(0, "word ")))
    assert want_of(loop.turn) is Want.PAUSE
    socket.room = 10**6
    loop.readers[0].waker()
    assert want_of(loop.turn) is Want.READ
    assert deadline_of(loop.turn) > loop.now


def test_no_frame_of_the_core_is_ever_suspended() -> None:
    """No generator that waits, no coroutine: whatever is called runs to its end."""
    kinds: set[str] = set()

    def spy(frame: FrameType, event: str, _: Any) -> None:
        # CO_COROUTINE and CO_ASYNC_GENERATOR, https://docs.python.org/3/library/inspect.html
        if event == "call" and frame.f_code.co_flags & (0x80 | 0x200):
            kinds.add(frame.f_code.co_qualname)

    loop = Loop(Socket(), Socket())
    sys.setprofile(spy)
    try:
        loop.provider_readable(wire(*ANSWER))
    finally:
        sys.setprofile(None)
    assert kinds == set()
