"""Tests that coverage doesn't look at: its tracer makes all that they do three times as dear.

``@pytest.mark.untraced`` is for what repeats the same steps thousands of times, to see how long they take or
what a random input does to them: it reaches no branch for which there is no example elsewhere.  And what is
timed is timed as it will run, since Python lengthens a string where it is only if nobody traces it.
"""

from __future__ import annotations

import sys
from collections.abc import Generator

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker."""
    config.addinivalue_line("markers", "untraced: repeats itself, so coverage need not look at it")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Take the tracer away for as long as such a test runs."""
    tracer = sys.gettrace()
    if tracer is None or item.get_closest_marker("untraced") is None:
        return (yield)
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)
