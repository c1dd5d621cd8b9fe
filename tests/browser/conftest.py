"""The demo as a user starts it, and Chromium before it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.network import BadNetwork
from tests.browser.support import CHROMIUM_FLAGS, Demo, Driver
from tests.relay.e2e.support import Program

#: What a page may be heard to say when a test breaks its network or asks for an error.
_EXPECTED_OF_A_BROKEN_NETWORK = "Failed to load resource"

expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    with Program("demo", "--port", "0") as program:
        yield Demo(program)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # One for each file of tests, and not for the whole session: as long as it is open, no test of
    # the same thread could run an event loop of its own.
    # The shell is the same engine and takes half the CPU: it draws no window that nobody sees.
    chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is missing; install the package chromium-headless-shell")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(
    browser: Browser, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """An empty page.  Whatever it complains of fails the test; how it looked in the end is kept."""
    context = browser.new_context(viewport={"width": 1100, "height": 780})
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.extend(_complaint(message)))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.screenshot(path=screenshot_folder(tmp_path_factory) / f"{request.node.name}.png")
    context.close()
    assert not complaints


def _complaint(message: ConsoleMessage) -> list[str]:
    is_news = message.type in {"error", "warning"} and _EXPECTED_OF_A_BROKEN_NETWORK not in message.text
    return [message.text] if is_news else []


def screenshot_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``screenshots`` below the temporary folder of this test run."""
    folder = tmp_path_factory.getbasetemp() / "screenshots"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def driver(page: Page, demo: Demo) -> Driver:
    """The demo's page, open."""
    return Driver(page, demo.relay)


@pytest.fixture
def network(demo: Demo) -> Iterator[BadNetwork]:
    with BadNetwork(demo.relay) as made:
        yield made


@pytest.fixture
def remote(page: Page, network: BadNetwork) -> Driver:
    """The demo's page, open, at the other end of a bad network."""
    return Driver(page, network.address)
