"""One provider and one relay for all tests of this folder: the programs as users start them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.relay.e2e.support import House, Program


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    with Program("provider", "--port", "0") as provider:
        upstream = provider.address()
        with Program(
            "serve", "--port", "0", "--upstream", upstream, "--pass-header", "Sim-*", "--verbose"
        ) as relay:
            yield House(upstream, relay.address(), relay)
