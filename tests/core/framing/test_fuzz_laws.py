"""Our decoder and encoder obey the laws of ``fuzz/``, and a law finds what doesn't.

All the wrong decoders and encoders that the laws have to find are in ``tests/mutants``.
"""

from __future__ import annotations

import pytest

from tests.mutants.finding import check_of, first_finding
from tests.mutants.wrong_decoders import NulInID


@pytest.mark.parametrize("name", ["framing_bytes", "framing_calls", "framing_memory", "encoder"])
@pytest.mark.untraced
def test_ours_obeys(name: str) -> None:
    assert first_finding(name, check_of(name), 100) is None


def test_a_wrong_decoder_is_found() -> None:
    assert first_finding("framing_calls", check_of("framing_calls", NulInID)) is not None
