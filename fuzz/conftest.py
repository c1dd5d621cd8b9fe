"""The profile of ``make fuzz``: the same laws as anywhere, many more examples."""

from __future__ import annotations

import hypothesis

hypothesis.settings.register_profile(
    "fuzz",
    max_examples=20_000,
    deadline=None,  # a busy machine is no finding
    print_blob=True,  # what to paste to see a failing example again
    suppress_health_check=[hypothesis.HealthCheck.too_slow],  # large inputs are the point
)
