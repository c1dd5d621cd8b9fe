"""``stream_turn``: an LLM turn on asyncio and on trio.

It pulls, as ``connect`` does, and is no async generator either.
"""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import anyio
import anyio.lowlevel

from sse_core.blocks import BlockEvent
from sse_core.lifecycle import OnComment, Outcome, Turn, Upstream
from sse_core.lifecycle.turn.turn_text import text_of
from sse_io.streams import TurnStreamState, turn_upstream

from .driver import Driver
from .new_driver import new_driver
from .transport_driver import TransportDriver


def stream_turn(
    upstream: Upstream | str,
    body: bytes | Mapping[str, object],
    *,
    timeout: float | None = None,
    tls: ssl.SSLContext | None = None,
    uds: str | None = None,
    proxy: str | None = None,
    trust_env: bool = True,
    transport: object | None = None,
    max_line_bytes: int | None = None,
    max_event_bytes: int | None = None,
    on_comment: OnComment | None = None,
) -> TurnStream:
    """One LLM turn, to be entered with ``async with`` and read with ``async for``.

    - ``upstream``: an :class:`sse_core.lifecycle.Upstream`, or the URL of one that speaks Anthropic's
      Messages.
    - ``body``: the provider's own request; a mapping gets ``"stream": true``.
    - ``timeout``: seconds for each single wait (to connect, for the head, for the first output behind it,
      between two outputs), in place of the upstream's deadlines, but for the whole turn's.
    - ``tls``: for https; the system's authorities if ``None``.
    - ``uds``: the path of a Unix socket to connect to, whatever the URL's host.
    - ``proxy``: the URL of an HTTP proxy, ``http://user:password@host:port``, for all connections.
    - ``trust_env``: whether, without ``proxy``, the environment names one (``HTTP_PROXY``, ``HTTPS_PROXY``,
      ``ALL_PROXY``, but for ``NO_PROXY`` and for servers of this machine).
    - ``transport``: a client that you have, in place of connections of our own: httpx2's or httpx's
      ``AsyncClient``, aiohttp's ``ClientSession``, or a :class:`ClientTransport`.  It stays open.
    - ``max_line_bytes``, ``max_event_bytes``, ``on_comment``: in place of the upstream's.

    A provider's failure is an event (``StreamError``) and an outcome, never an exception;
    ``raise_for_outcome`` makes it one.  Raises ``ValueError`` for a URL that is not absolute http or
    https, and for a request that can't be sent.  What a function for headers raises is raised by
    ``async with`` and ``async for``.
    """
    target = turn_upstream(
        upstream,
        timeout=timeout,
        max_line_bytes=max_line_bytes,
        max_event_bytes=max_event_bytes,
        on_comment=on_comment,
    )
    turn = target.turn(body, jitter=random.random, wall_clock=time.time)
    driver = new_driver(turn, transport=transport, tls=tls, uds=uds, proxy=proxy, trust_env=trust_env)
    return TurnStream(turn, driver)


class TurnStream(TurnStreamState):
    """A running :func:`stream_turn`."""

    def __init__(self, turn: Turn, driver: Driver | TransportDriver) -> None:
        super().__init__(turn)
        self._driver = driver

    @property
    def text_stream(self) -> TextStream:
        """The answer's text, piece by piece, to be read with ``async for`` in place of the events.

        No failure shows in it: call ``raise_for_outcome`` behind it.  Raises ``LocalProtocolError`` for a
        turn that may take back what it gave: a text has no form for that.
        """
        self._turn.check_text_stream()
        return TextStream(self)

    async def stop(self) -> Outcome:
        """Stop the turn and close its connection at once, whatever it is doing; idempotent.

        May be called from another task than the one that iterates; that one gets the last events
        and then the end.
        """
        outcome = self._turn.stop(anyio.current_time())
        await self._driver.leave()
        await anyio.lowlevel.checkpoint()
        return outcome

    async def __aenter__(self) -> Self:
        self._turn.start(anyio.current_time())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turn.stop(anyio.current_time())
        await self._driver.leave()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> BlockEvent:
        self._begin_reading(anyio.current_time())
        await anyio.lowlevel.checkpoint_if_cancelled()
        while (event := self._take(anyio.current_time())) is None:
            if self._is_over:
                raise StopAsyncIteration
            await self._driver.step()
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
