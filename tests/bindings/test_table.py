"""The page docs/bindings.md says what is played where."""

from __future__ import annotations

from tests.bindings.scenarios.catalogue import CLIENT_SCENARIOS, SERVER_SCENARIOS
from tests.bindings.table import PAGE, modules, page


def test_the_table_is_the_scenarios() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `make docs`"


def test_it_has_all_of_them() -> None:
    listed = [scenario for _, scenarios in modules() for scenario in scenarios]
    assert sorted(map(id, listed)) == sorted(map(id, [*CLIENT_SCENARIOS, *SERVER_SCENARIOS]))
