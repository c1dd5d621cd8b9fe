"""How many examples a law is tried on, as a multiple of what the profile says."""

from __future__ import annotations

import hypothesis


def examples(times: float) -> hypothesis.settings:
    """For a law that needs more examples than others to meet its mistakes, or that costs more."""
    default = hypothesis.settings()
    return hypothesis.settings(default, max_examples=round(default.max_examples * times))
