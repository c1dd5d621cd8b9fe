"""Whoever has no mouse, or no eyes for colours, or a narrow screen, can use the page all the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.support import Demo, Driver

#: WCAG 2.2, 1.4.3: text needs a contrast of at least 4.5 to 1.
LEAST_CONTRAST = 4.5


def focused(page: Page) -> Locator:
    """What the keyboard is at."""
    return page.locator("*:focus")


def test_by_keyboard_alone(driver: Driver, demo: Demo) -> None:
    """Typing, a second line, sending, reading, stopping, resending: no mouse."""
    page = driver.page
    page.keyboard.press("Shift+Tab")
    expect(focused(page)).to_have_text("Simulated provider200 tokens · 40 a second")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("5000")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(driver.question).to_be_focused()
    page.keyboard.type("Two")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("lines")
    page.keyboard.press("Enter")
    expect(page.get_by_role("article", name="Your question")).to_have_text("Two\nlines", use_inner_text=True)
    expect(driver.question).to_be_focused()
    driver.wait_for_text(20)
    page.keyboard.press("Tab")
    expect(focused(page)).to_have_text("Stop")
    page.keyboard.press("Enter")
    driver.expect_state("stopped")
    expect(driver.question).to_be_focused()  # the button has gone, the keyboard has not
    assert demo.ended()["state"] == "aborted"
    for _ in range(20):
        page.keyboard.press("Shift+Tab")
        if focused(page).text_content() == "Ask again":
            break
    page.keyboard.press("Enter")
    driver.wait_for_text(20)
    expect(driver.question).to_be_focused()
    page.keyboard.press("Escape")
    driver.expect_state("stopped")


def test_the_conversation_is_scrolled_by_keyboard(driver: Driver) -> None:
    driver.ask(Sim_Tokens="1500", Sim_Rate="0")
    driver.expect_state("done")
    log = driver.page.get_by_role("log")
    log.focus()
    driver.page.keyboard.press("Home")
    driver.page.wait_for_function("() => document.querySelector('#conversation').scrollTop === 0")


def test_enter_that_ends_a_composition_does_not_send(driver: Driver) -> None:
    """Japanese, Chinese and Korean are typed with an Enter that means something else."""
    driver.question.fill("に")
    driver.question.dispatch_event(
        "keydown", {"key": "Enter", "isComposing": True, "bubbles": True, "cancelable": True}
    )
    driver.page.wait_for_timeout(100)
    driver.expect_state("idle")


def test_nothing_is_sent_by_an_empty_question_or_twice(driver: Driver) -> None:
    driver.question.fill("  \n ")
    expect(driver.page.get_by_role("button", name="Send")).to_be_disabled()
    driver.question.press("Enter")
    driver.expect_state("idle")
    driver.ask(Sim_Tokens="5000", Sim_Rate="30")
    driver.wait_for_text(10)
    driver.question.fill("Another")
    driver.question.press("Enter")
    expect(driver.page.get_by_role("article", name="Your question")).to_have_count(1)
    expect(driver.question).to_have_value("Another")


def test_a_screen_reader_finds_its_way(driver: Driver) -> None:
    """Roles and names, and a polite status; an answer is busy until it is whole."""
    page = driver.page
    status = page.get_by_role("status")
    expect(status).to_have_text("Ready")
    expect(status).to_have_attribute("aria-live", "polite")
    driver.ask(Sim_Tokens="40", Sim_Rate="30", Sim_Tool="1")
    driver.expect_state("writing")
    expect(status).to_have_text("Writing")
    expect(driver.answer).to_have_attribute("aria-busy", "true")
    driver.expect_state("done")
    expect(status).to_have_text("Done")
    expect(driver.answer).to_have_attribute("aria-busy", "false")
    expect(page.get_by_role("log", name="Conversation")).to_be_visible()
    expect(page.get_by_role("region", name=re.compile("Tool call"))).to_be_visible()
    for control in page.locator("button:visible, input:visible, select:visible, textarea:visible").all():
        assert (
            control.evaluate("(control) => control.labels?.length || control.textContent.trim().length") > 0
        )
    assert page.locator("svg:not([aria-hidden=true])").count() == 0


STATES = {
    "connecting": {},
    "reconnecting": {},
    "thinking": {"Sim_TTFT": "30"},
    "writing": {"Sim_Tokens": "5000", "Sim_Rate": "30"},
    "done": {"Sim_Tokens": "20"},
    "failed": {"Sim_Fault": "error-after=10"},
    "cut-off": {"Sim_Fault": "cut-after=10"},
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_each_state_is_readable(driver: Driver, state: str, scheme: str) -> None:
    """Every state has a word and a picture of its own, and every visible text enough contrast."""
    driver.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    if state == "connecting":
        driver.page.route("**/v1/messages", lambda _: None)  # never answered
    if state == "reconnecting":
        driver.page.route("**/v1/messages", lambda route: route.abort())
    driver.ask(**STATES[state])
    driver.expect_state(state)
    picture, word = driver.page.evaluate(
        """() => [document.querySelector("#state use").getAttribute("href"),
                  document.querySelector("#state span").textContent]"""
    )
    assert picture == f"#icon-{state}"
    assert word.startswith({"cut-off": "Cut off"}.get(state, state.capitalize()))
    poor = [(text, ratio) for text, ratio in contrasts(driver.page) if ratio < LEAST_CONTRAST]
    assert not poor


def contrasts(page: Page) -> list[tuple[str, float]]:
    """Each visible piece of text with the contrast to what is behind it."""
    script = Path(__file__).with_name("contrasts.js").read_text(encoding="utf-8")
    found: list[tuple[str, float]] = page.evaluate(script)
    assert len(found) > 5
    return found


def test_a_narrow_screen_shows_everything(browser: Browser, demo: Demo) -> None:
    """At 320 CSS pixels nothing is cut off sideways (WCAG 2.2, 1.4.10), long words and code included."""
    context = browser.new_context(viewport={"width": 320, "height": 640})
    driver = Driver(context.new_page(), demo.relay)
    driver.ask("W" * 75, Sim_Tokens="60", Sim_Tool="1")
    driver.expect_state("done")
    wide = driver.page.evaluate(
        """() => [...document.querySelectorAll("body *")]
            .filter((element) => element.checkVisibility())
            .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
            .filter((element) => !element.closest("pre, .visually-hidden, svg"))
            .map((element) => element.className || element.id)"""
    )
    assert wide == []
    context.close()


def test_whoever_wants_no_movement_gets_none(driver: Driver) -> None:
    driver.page.emulate_media(reduced_motion="reduce")
    driver.ask(Sim_TTFT="30")
    driver.expect_state("thinking")
    assert driver.page.evaluate("() => document.getAnimations().length") == 0
    driver.page.emulate_media(reduced_motion="no-preference")
    assert driver.page.evaluate("() => document.getAnimations().length") > 0
