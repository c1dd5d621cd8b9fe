"""What ``connect`` makes of its arguments in every binding."""

from __future__ import annotations

from sse_core.framing.decoder import DEFAULT_MAX_BYTES
from sse_core.lifecycle import (
    DEFAULT_MAX_REDIRECTS,
    EventSource,
    HTTPRequest,
    OnComment,
    OnReconnect,
    ResumeRule,
    RetryPolicy,
    SourceDeadlines,
)
from sse_core.lifecycle.retry import Jitter, WallClock

from .timeouts import source_deadlines


def event_source(
    request: HTTPRequest,
    *,
    jitter: Jitter,
    wall_clock: WallClock,
    timeout: float | None = None,
    follow_redirects: bool = True,
    retry: RetryPolicy | None = None,
    resume: ResumeRule | None = None,
    last_event_id: str = "",
    deadlines: SourceDeadlines | None = None,
    on_reconnect: OnReconnect | None = None,
    on_comment: OnComment | None = None,
    max_redirects: int = DEFAULT_MAX_REDIRECTS,
    max_line_bytes: int = DEFAULT_MAX_BYTES,
    max_event_bytes: int = DEFAULT_MAX_BYTES,
) -> EventSource:
    """The source that ``connect`` reads.

    - ``request``: what it sends: see ``sse_http.new_request``.
    - ``jitter``, ``wall_clock``: the binding's randomness, and its time of day.
    - ``timeout``: seconds for each single wait, in place of ``deadlines``.
    - ``follow_redirects``: whether an answer that says to ask elsewhere is obeyed, or is a refusal.
    - ``retry``, ``resume``, ``last_event_id``, ``deadlines``, ``on_reconnect``, ``on_comment``,
      ``max_redirects``, ``max_line_bytes``, ``max_event_bytes``: as for
      :class:`sse_core.lifecycle.EventSource`.

    Raises ``TypeError`` and ``ValueError`` for what can't be, and where both ``timeout`` and ``deadlines``
    are given.
    """
    return EventSource(
        request,
        last_event_id=last_event_id,
        retry=retry,
        resume=resume,
        deadlines=source_deadlines(timeout, deadlines),
        jitter=jitter,
        wall_clock=wall_clock,
        on_reconnect=on_reconnect,
        on_comment=on_comment,
        max_redirects=max_redirects,
        follow_redirects=follow_redirects,
        max_line_bytes=max_line_bytes,
        max_event_bytes=max_event_bytes,
    )
