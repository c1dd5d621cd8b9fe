"""``stream_turn``: an LLM turn on trio.

It pulls, as ``connect`` does, and is no async generator either.
"""

from __future__ import annotations

import dataclasses
import random
import ssl
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import trio

from sse_core.blocks import BlockEvent, Message
from sse_core.errors import LocalProtocolError
from sse_core.headers import Headers
from sse_core.lifecycle import OnComment, Outcome, Timing, Turn, TurnState, Upstream, Want
from sse_core.lifecycle.turn.turn_text import text_of
from sse_http import ClientExchange, parse_url

from .arguments import check_tls
from .driver import Driver


def stream_turn(
    upstream: Upstream | str,
    body: bytes | Mapping[str, object],
    *,
    tls: ssl.SSLContext | None = None,
    max_line_bytes: int | None = None,
    max_event_bytes: int | None = None,
    on_comment: OnComment | None = None,
) -> TurnStream:
    """One LLM turn, to be entered with ``async with`` and read with ``async for``.

    - ``upstream``: an :class:`sse_core.lifecycle.Upstream`, or the URL of one that speaks Anthropic's
      Messages.
    - ``body``: the provider's own request; a mapping gets ``"stream": true``.
    - ``tls``: for https; the system's authorities if ``None``.
    - ``max_line_bytes``, ``max_event_bytes``, ``on_comment``: in place of the upstream's.

    A provider's failure is an event (``StreamError``) and an outcome, never an exception;
    ``raise_for_outcome`` makes it one.  Raises ``ValueError`` for a URL that is not absolute http or
    https, and for a request that can't be sent.  What a function for headers raises is raised by
    ``async with`` and ``async for``.
    """
    check_tls("tls", tls)
    target = upstream if isinstance(upstream, Upstream) else Upstream(upstream)
    parse_url(target.url)
    target = dataclasses.replace(
        target,
        max_line_bytes=target.max_line_bytes if max_line_bytes is None else max_line_bytes,
        max_event_bytes=target.max_event_bytes if max_event_bytes is None else max_event_bytes,
        on_comment=on_comment or target.on_comment,
    )
    return TurnStream(target.turn(body, jitter=random.random, wall_clock=time.time), tls)


class TurnStream:
    """A running :func:`stream_turn`."""

    def __init__(self, turn: Turn, tls: ssl.SSLContext | None) -> None:
        self._turn = turn
        self._driver = Driver(ClientExchange(turn), tls)

    @property
    def message(self) -> Message:
        """The message so far, as the events that were read make it."""
        return self._turn.message

    @property
    def outcome(self) -> Outcome | None:
        """How the turn ended, or ``None`` while it runs."""
        return self._turn.outcome

    @property
    def timing(self) -> Timing:
        """When its outputs came."""
        return self._turn.timing

    @property
    def attempts(self) -> int:
        """How many requests were made."""
        return self._turn.attempts

    @property
    def response_status(self) -> int | None:
        """The status of the answer that was accepted."""
        return self._turn.response_status

    @property
    def response_headers(self) -> Headers:
        """The fields of the answer that was accepted."""
        return self._turn.response_headers

    @property
    def text_stream(self) -> TextStream:
        """The answer's text, piece by piece, to be read with ``async for`` in place of the events.

        No failure shows in it: call ``raise_for_outcome`` behind it.  Raises ``LocalProtocolError`` for a
        turn that may take back what it gave: a text has no form for that.
        """
        self._turn.check_text_stream()
        return TextStream(self)

    def raise_for_outcome(self) -> None:
        """Raise unless the turn has completed.

        Raises :class:`sse_core.TurnError`, with the provider's words where it said why, and
        ``LocalProtocolError`` before the turn has ended.
        """
        self._turn.raise_for_outcome()

    async def stop(self) -> Outcome:
        """Stop the turn and close its connection at once, whatever it is doing; idempotent.

        May be called from another task than the one that iterates; that one gets the last events
        and then the end.
        """
        outcome = self._turn.stop(trio.current_time())
        self._driver.leave()
        await trio.lowlevel.checkpoint()
        return outcome

    async def __aenter__(self) -> Self:
        self._turn.start(trio.current_time())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turn.stop(trio.current_time())
        self._driver.leave()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> BlockEvent:
        if self._turn.state is TurnState.IDLE:
            raise LocalProtocolError("enter the turn first: async with stream_turn(...) as turn: ...")
        await trio.lowlevel.checkpoint_if_cancelled()
        self._turn.resume(trio.current_time())
        while (event := self._turn.next_event()) is None:
            if self._turn.want is Want.NOTHING:
                raise StopAsyncIteration
            await self._driver.step()
        self._turn.pause(trio.current_time())
        return event


class TextStream:
    """The text of a turn, as it comes: an async iterator that holds nothing open by itself."""

    def __init__(self, turn: TurnStream) -> None:
        self._turn = turn

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while True:
            text = text_of(await anext(self._turn))
            if text:
                return text

    async def aclose(self) -> None:
        """Stop the turn, unless it has ended."""
        await self._turn.stop()
