"""What holds for the tests of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They may take long: each looks for an input until it has found one."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow("looks for a mistake until it is found"))
