"""How much of the processor each test takes, by its own process and those that it started.

Time on the wall says how busy a machine is; this says what a test costs wherever it runs.  A test that takes
more than five seconds fails, unless it is an exception by name: ``@pytest.mark.slow("why")``.  ``--cpu=N``
lists the N dearest.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

#: Seconds of CPU that a test may take.
MAY_TAKE = 5.0
PROPERTY = "cpu seconds"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say which tests are the dearest."""
    parser.addoption("--cpu", type=int, default=0, metavar="N", help="list the N tests that take most CPU")


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker, and count."""
    config.addinivalue_line("markers", f"slow(reason): takes more than {MAY_TAKE:g} s of CPU, and why it may")
    config.pluginmanager.register(Costs(config.getoption("--cpu")), "cpu costs")


def _spent() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test that passed, but was too dear."""
    began = _spent()
    try:
        yield
    finally:
        spent = _spent() - began
        item.user_properties.append((PROPERTY, f"{spent:.2f}"))
    if spent > MAY_TAKE and item.get_closest_marker("slow") is None:
        pytest.fail(f"took {spent:.1f} s of CPU: make it cheaper, or mark it slow and say why", pytrace=False)


class Costs:
    """What the tests of all processes took."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._costs: list[tuple[float, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test took."""
        costs = dict(report.user_properties)
        if report.when == "call" and PROPERTY in costs:
            self._costs.append((float(str(costs[PROPERTY])), report.nodeid))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """List the dearest, if that is wanted."""
        if self._count:
            total = sum(seconds for seconds, _ in self._costs)
            terminalreporter.section(f"CPU: {total:.0f} s in {len(self._costs)} tests")
            for seconds, name in sorted(self._costs, reverse=True)[: self._count]:
                terminalreporter.write_line(f"{seconds:7.2f} s  {name}")
