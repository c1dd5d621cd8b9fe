"""One provider and one relay for all tests of this folder: the programs as users start them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sse_relay.cli.flags import Binding
from tests.relay.e2e.support import House, Program


@pytest.fixture(scope="session", params=Binding)
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    on = ("--binding", request.param)
    with Program("provider", "--port", "0", *on) as provider:
        upstream = provider.address()
        with Program(
            "serve", "--port", "0", "--upstream", upstream, "--pass-header", "Sim-*", "--verbose", *on
        ) as relay:
            yield House(upstream, relay.address(), relay)
