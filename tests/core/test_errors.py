"""What can go wrong: one root, and what an error says to whoever answers for it."""

from __future__ import annotations

import pickle

import pytest

from sse_core import (
    Headers,
    LimitExceeded,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    SSEError,
    TransportError,
    TurnError,
)


@pytest.mark.parametrize("kind", [LimitExceeded, LocalProtocolError, RemoteProtocolError])
def test_a_broken_rule_is_a_protocol_error(kind: type[Exception]) -> None:
    assert issubclass(kind, ProtocolError)


def test_all_have_one_root_and_a_lost_connection_breaks_no_rule() -> None:
    assert issubclass(ProtocolError, SSEError)
    assert issubclass(TransportError, SSEError)
    assert not issubclass(TransportError, ProtocolError)


def test_a_peers_mistake_knows_its_status() -> None:
    assert RemoteProtocolError("no").status == 400
    assert RemoteProtocolError("no", status=502).status == 502
    assert str(RemoteProtocolError("no", status=502)) == "no"


def test_a_refusal_knows_the_answer() -> None:
    error = RemoteProtocolError("no", status=401, headers=Headers({"x-id": "1"}), excerpt="no key")
    assert (error.headers.get("x-id"), error.excerpt) == ("1", "no key")
    assert (RemoteProtocolError("no").headers, RemoteProtocolError("no").excerpt) == (Headers(), "")


def test_a_bound_knows_its_name_and_value() -> None:
    error = LimitExceeded("too long", limit="max_line_bytes", bound=8)
    assert (str(error), error.limit, error.bound, error.status) == ("too long", "max_line_bytes", 8, 413)
    assert LimitExceeded("too long", limit="x", bound=1, status=502).status == 502


@pytest.mark.parametrize(
    "error",
    [
        LimitExceeded("too long", limit="max_line_bytes", bound=8),
        RemoteProtocolError("no", status=401, headers=Headers({"x-id": "1"}), excerpt="no key"),
        TransportError("refused", retryable=False),
        TurnError("cut", outcome="truncated", status=502, type="api_error", code=None, retryable=True),
    ],
)
def test_an_error_goes_to_another_process_with_all_that_it_knows(error: SSEError) -> None:
    same = pickle.loads(pickle.dumps(error))  # noqa: S301  (ours)
    assert (type(same), str(same), vars(same)) == (type(error), str(error), vars(error))
