"""What ``connect`` makes of its arguments."""

from __future__ import annotations

from sse_core.lifecycle import HTTPRequest, SourceState
from sse_io.event_source import event_source

REQUEST = HTTPRequest("http://host.test/")


def source_of(**options: float) -> float | None:
    source = event_source(REQUEST, jitter=lambda: 0.0, wall_clock=lambda: 0.0, **options)  # type: ignore[arg-type]
    assert (source.state, source.url) == (SourceState.IDLE, REQUEST.url)
    source.start(100.0)
    return source.deadline


def test_a_timeout_is_its_deadline() -> None:
    assert source_of() == 110.0
    assert source_of(timeout=3.0) == 103.0
