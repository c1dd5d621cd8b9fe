"""The laws of turns, logs and event sources, whatever happens to them; ``make fuzz`` looks longer."""

from __future__ import annotations

from hypothesis import settings

from tests.core.lifecycle.log.later_machine import LaterMachine
from tests.core.lifecycle.log.log_machine import LogMachine
from tests.core.lifecycle.source.source_machine import SourceMachine
from tests.core.lifecycle.turn.turn_machine import TurnMachine
from tests.examples import examples

QUICK = settings(examples(1), stateful_step_count=40)

TestLaterMachine = LaterMachine.TestCase
TestLaterMachine.settings = QUICK
TestLogMachine = LogMachine.TestCase
TestLogMachine.settings = QUICK
TestSourceMachine = SourceMachine.TestCase
TestSourceMachine.settings = QUICK
TestTurnMachine = TurnMachine.TestCase
TestTurnMachine.settings = QUICK
