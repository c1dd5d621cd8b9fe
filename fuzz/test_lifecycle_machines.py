"""Invariant: whatever happens to a turn, a log or an event source, and in whatever order, its contract holds.

The laws are stated where the machines are, in ``tests/core/lifecycle``; the tests run them too, with
fewer examples.
"""

from __future__ import annotations

from tests.core.lifecycle.log.later_machine import LaterMachine
from tests.core.lifecycle.log.log_machine import LogMachine
from tests.core.lifecycle.source.source_machine import SourceMachine
from tests.core.lifecycle.turn.turn_machine import TurnMachine

TestLaterMachine = LaterMachine.TestCase
TestLogMachine = LogMachine.TestCase
TestSourceMachine = SourceMachine.TestCase
TestTurnMachine = TurnMachine.TestCase
