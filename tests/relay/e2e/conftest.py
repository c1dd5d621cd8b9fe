"""One provider and one relay for all tests of this folder: the programs as users start them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sse_relay.cli.flags import Binding
from tests.relay.e2e.support import House, Program

#: Where it matters what serves the connections; what the others see is the relay's own.
ON_ALL_BINDINGS = {"test_backpressure", "test_resuming", "test_stopping", "test_streaming"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Say on which bindings the programs run."""
    if "house" in metafunc.fixturenames:
        everywhere = metafunc.module.__name__.rpartition(".")[2] in ON_ALL_BINDINGS
        bindings = [*Binding] if everywhere else [Binding.TRIO]
        metafunc.parametrize("house", bindings, indirect=True, scope="session")


@pytest.fixture(scope="session")
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    # Other folders' tests, which import this fixture, don't say on which binding.
    on = ("--binding", getattr(request, "param", Binding.TRIO))
    with Program("provider", "--port", "0", *on) as provider:
        upstream = provider.address()
        with Program(
            "serve", "--port", "0", "--upstream", upstream, "--pass-header", "Sim-*", "--verbose", *on
        ) as relay:
            yield House(upstream, relay.address(), relay)
