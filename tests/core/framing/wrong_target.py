"""Invariant: that of ``fuzz/targets/framing_calls.py``, broken: this decoder takes NUL in an ID."""

from __future__ import annotations

from fuzz.targets import framing_calls
from fuzz.targets.framing_calls import HEADER, MAX_LEN, PIECES, SEEDS
from tests.mutants.wrong_decoders import NulInID

__all__ = ["HEADER", "MAX_LEN", "PIECES", "SEEDS", "check"]


def check(data: bytes) -> None:
    """Do each call on the wrong decoder and on the model."""
    framing_calls.check(data, NulInID)
