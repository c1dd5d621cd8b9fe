"""Certificates."""

from __future__ import annotations

import pytest

from tests.io.support import Certificates, new_certificates


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    return new_certificates()
