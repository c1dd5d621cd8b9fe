"""Hypothesis profiles of the laws; and ``--fuzz-seconds``: run them over and over for so long."""

from __future__ import annotations

import re
import sys
import time

import hypothesis
import pytest

_SLOW = [hypothesis.HealthCheck.too_slow]  # large inputs are the point, and a busy machine is no finding
hypothesis.settings.register_profile(
    "fuzz", max_examples=20_000, deadline=None, print_blob=True, suppress_health_check=_SLOW
)
hypothesis.settings.register_profile(
    "round", max_examples=50, deadline=None, print_blob=True, suppress_health_check=_SLOW
)

ENDS_AT = pytest.StashKey[float]()
LAWS_LEFT = pytest.StashKey[int]()
_EXAMPLES = re.compile(r"(\d+) passing")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz-seconds", type=float, default=0.0, help="share so long among all laws")


def _is_law(item: pytest.Item) -> bool:
    """Whether each run of a test tries other examples."""
    return bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    config.stash[ENDS_AT] = time.monotonic() + config.getoption("--fuzz-seconds")
    config.stash[LAWS_LEFT] = sum(map(_is_law, items))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Have a law run until its share of the time has passed; each run begins with another seed."""
    if not _is_law(item) or not item.config.getoption("--fuzz-seconds"):
        return
    now = time.monotonic()
    ends_at = now + (item.config.stash[ENDS_AT] - now) / item.config.stash[LAWS_LEFT]
    item.config.stash[LAWS_LEFT] -= 1
    run_once = item.runtest

    def run_often() -> None:
        while True:
            run_once()
            _report(item)
            if time.monotonic() >= ends_at or getattr(item, "_excinfo", None):  # a unittest's failure
                return

    item.runtest = run_often  # type: ignore[method-assign]


def _report(item: pytest.Item) -> None:
    """Say how many examples the last run tried, as Hypothesis counted them."""
    said = getattr(item, "hypothesis_statistics", "")
    examples = sum(map(int, _EXAMPLES.findall(said)))
    name = item.nodeid.rpartition("/")[2].removesuffix("::runTest").rpartition("::")[2]
    print(f"law: {name} {examples}", file=sys.__stderr__, flush=True)
