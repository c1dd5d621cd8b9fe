"""What holds for every test.

A test may be skipped for a reason, but where ``CI=true`` is set, whatever can be installed has been
installed, so that a skip there is a hole in the net and counts as a failure.  The one exception is
the folder of shared vectors and recordings that lies beside the checkout on some machines only.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator

import hypothesis
import pytest

#: Beginnings of the reasons that are good enough under CI.
ALLOWED_SKIPS = ("shared folder missing",)
#: Of a law that says nothing else.
QUICK_EXAMPLES = 40

pytest_plugins = ["tests.cpu_time", "tests.tracing"]

# A busy machine is no reason to fail; pytest-timeout stops what hangs.  `make test` tries each law on a
# few dozen examples, other ones each time; `--hypothesis-profile=thorough` on many.
hypothesis.settings.register_profile("quick", deadline=None, max_examples=QUICK_EXAMPLES)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=1000)
hypothesis.settings.load_profile("quick")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell without job control ignores SIGINT for what it runs in the background, and all that this starts
    # would inherit that.  Tests send it to programs.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Let the garbage collector look no more at what stays to the end.

    Ten thousand tests and all modules: to look through them again and again takes a tenth of the time.
    """
    gc.collect()
    gc.freeze()


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Under CI, turn a skip without an allowed reason into a failure that says why."""
    if os.environ.get("CI") != "true" or not report.skipped or hasattr(report, "wasxfail"):
        return
    # A skip's longrepr is (path, line, "Skipped: reason").
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not reason.removeprefix("Skipped: ").startswith(ALLOWED_SKIPS):
        report.outcome = "failed"
        report.longrepr = f"CI=true, and nothing that can be installed may be skipped. {reason}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Look at the report of each phase of a test, after every other plugin has."""
    report = yield
    _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Look at files too: one may skip itself whole while it is imported."""
    report = yield
    _forbid_skip(report)
    return report
