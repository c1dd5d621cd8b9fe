"""Laws of logs and readers that hold whatever they do."""

from __future__ import annotations

from hypothesis import settings

from tests.core.lifecycle.log_machine import LogMachine

TestLogMachine = LogMachine.TestCase
TestLogMachine.settings = settings(TestLogMachine.settings, max_examples=60, stateful_step_count=40)
