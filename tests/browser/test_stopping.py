"""Stop: the answer ends on the page, and the provider's own record shows that it ended there."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from tests.browser.support import Demo, Driver
from tests.relay.e2e.support import wait_for

#: How long the provider may go on after the button was pressed, in seconds.
WITHIN = 0.2

PHASES = {
    "before the first token": ({"Sim_TTFT": "30"}, "thinking"),
    "amid thinking": ({"Sim_Thinking": "30"}, "thinking"),
    "amid text": ({"Sim_Tokens": "5000", "Sim_Rate": "30"}, "writing"),
    "amid a stall": ({"Sim_Fault": "stall-after=10"}, "writing"),
}


def stop(driver: Driver) -> float:
    """Presses the button; returns when, in seconds since the epoch, as the page saw it."""
    driver.page.evaluate(
        """() => document.querySelector("#stop").addEventListener(
            "click", () => { document.body.dataset.stopped = Date.now(); }, { capture: true, once: true })"""
    )
    driver.page.get_by_role("button", name="Stop").click()
    return float(driver.page.locator("body").get_attribute("data-stopped") or "nan") / 1000


@pytest.mark.parametrize("phase", PHASES)
def test_stop_reaches_the_provider(driver: Driver, demo: Demo, phase: str) -> None:
    """In each phase the generation is aborted within 200 ms, and its count stands still."""
    settings, state = PHASES[phase]
    driver.ask(**settings)
    driver.expect_state(state)
    if phase != "before the first token":
        expect(driver.answer.locator(".metrics")).not_to_contain_text("Tokens0")
    pressed = stop(driver)
    driver.expect_state("stopped")
    record = demo.ended()
    assert record["state"] == "aborted"
    assert record["ended"] - pressed < WITHIN
    text = driver.text
    time.sleep(0.3)
    assert demo.newest() == record
    assert driver.text == text
    expect(driver.answer.locator("footer .state")).to_have_text("Stopped")


def test_stop_during_the_relays_own_back_off(driver: Driver, demo: Demo) -> None:
    """The relay waits to ask the provider again: after a stop it never does."""
    before = len(demo.generations())
    driver.ask(Sim_Fault="status=429,retry-after=2,times=1")
    wait_for(lambda: len(demo.generations()) > before)
    assert demo.ended()["state"] == "faulted"
    stop(driver)
    driver.expect_state("stopped")
    driver.page.wait_for_timeout(2500)
    assert len(demo.generations()) == before + 1


def test_escape_stops(driver: Driver, demo: Demo) -> None:
    driver.ask(Sim_Tokens="5000", Sim_Rate="30")
    driver.wait_for_text(20)
    driver.page.keyboard.press("Escape")
    driver.expect_state("stopped")
    assert demo.ended()["state"] == "aborted"


def test_a_new_conversation_stops_what_is_running(driver: Driver, demo: Demo) -> None:
    driver.ask(Sim_Tokens="5000", Sim_Rate="30")
    driver.wait_for_text(20)
    driver.page.get_by_role("button", name="New conversation").click()
    driver.expect_state("idle")
    assert demo.ended()["state"] == "aborted"


def test_after_a_stop_the_question_can_be_asked_again(driver: Driver) -> None:
    """In place of the answer that was stopped."""
    driver.ask("Again?", Sim_Tokens="5000", Sim_Rate="30")
    driver.wait_for_text(20)
    stop(driver)
    driver.expect_state("stopped")
    driver.set({"Sim-Tokens": "15"})
    driver.answer.get_by_role("button", name="Ask again").click()
    driver.expect_state("done")
    expect(driver.page.get_by_role("article", name="Answer")).to_have_count(1)
    expect(driver.page.get_by_role("article", name="Your question")).to_have_text("Again?")
