"""The names that a reader of the README looks for in ``sse_core``."""

from __future__ import annotations

import pytest

import sse_core


@pytest.mark.parametrize("name", sse_core.__all__)
def test_each_name_is_there(name: str) -> None:
    assert getattr(sse_core, name) is not None


@pytest.mark.parametrize(
    "name", ["Deadlines", "Headers", "OnDisconnect", "Outcome", "RetryPolicy", "Upstream"]
)
def test_what_a_turn_is_made_of_is_exported_where_one_looks(name: str) -> None:
    assert name in sse_core.__all__
