"""Our decoders, encoders and accumulator obey the laws of ``fuzz/``, and a law finds what doesn't.

All that the laws have to find is in ``tests/mutants``.
"""

from __future__ import annotations

import pytest

from fuzz.engine import target
from fuzz.runner import TARGETS
from tests.mutants.finding import first_finding
from tests.mutants.wrong_dialects import ACCUMULATORS


@pytest.mark.parametrize("name", [name for name in TARGETS if name.startswith(("dialect", "accumulator"))])
@pytest.mark.untraced
def test_ours_obeys(name: str) -> None:
    assert first_finding(name, target(name).check, 60) is None


def test_a_wrong_accumulator_is_found() -> None:
    check = target("accumulator").check
    assert first_finding("accumulator", lambda data: check(data, ACCUMULATORS[0]), 4000) is not None
