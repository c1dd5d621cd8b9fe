"""What the page says when something goes wrong: never a silent end that looks complete."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.support import Demo, Driver

FAULTS = [
    # The fault, how the answer ends, what is shown of it, and what the remark says.
    ("status=400", "failed", "nothing", "not valid"),
    ("status=529", "failed", "nothing", "verloaded"),
    ("error-after=20", "failed", "a part", "verloaded"),
    ("cut-after=20", "cut-off", "a part", "cut off"),
    ("garbage-after=20", "failed", "a part", "No complete answer"),
]


@pytest.mark.parametrize(("fault", "state", "shown", "remark"), FAULTS)
def test_faults_of_the_provider(driver: Driver, fault: str, state: str, shown: str, remark: str) -> None:
    driver.ask(Sim_Fault=fault)
    driver.expect_state(state)
    expect(driver.note).to_contain_text(remark)
    expect(driver.answer.locator("footer .state")).to_be_visible()
    assert (driver.text == "") is (shown == "nothing")
    expect(driver.page.locator("#stop")).to_be_hidden()
    expect(driver.answer.get_by_role("button", name="Ask again")).to_be_visible()


@pytest.mark.parametrize("fault", ["status=429,retry-after=1,times=1", "status=503,times=1"])
def test_what_the_relay_mends_is_not_seen(driver: Driver, demo: Demo, fault: str) -> None:
    """A failure before anything visible is tried again by the relay; the page shows one answer."""
    driver.ask(Sim_Fault=fault, Sim_Tokens="20")
    driver.expect_state("done")
    assert driver.text == demo.text(driver.turn_id) != ""
    expect(driver.note).to_have_count(0)


def answers(status: int, body: str, content_type: str = "application/json") -> Any:
    """Answers every question so, in place of the relay."""
    return lambda route: route.fulfill(status=status, body=body, content_type=content_type)


ANSWERS = [
    (
        401,
        json.dumps({"type": "error", "error": {"type": "authentication_error", "message": "No key."}}),
        "No key.",
    ),
    (502, "<h1>Bad gateway</h1>", "status 502"),
    (200, "<h1>Please log in</h1>", "text/html"),
]


@pytest.mark.parametrize(("status", "body", "remark"), ANSWERS)
def test_answers_that_are_no_streams(driver: Driver, status: int, body: str, remark: str) -> None:
    content_type = "text/html" if body.startswith("<") else "application/json"
    driver.page.route("**/v1/messages", answers(status, body, content_type))
    driver.ask()
    driver.expect_state("failed")
    expect(driver.note).to_contain_text(remark)


def test_an_answer_that_the_provider_ended_early_says_why(driver: Driver) -> None:
    events = [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "As far as"}},
        {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    driver.page.route("**/v1/messages", answers(200, body, "text/event-stream"))
    driver.ask()
    driver.expect_state("done")
    expect(driver.note).to_contain_text("greatest length")


def test_a_question_can_be_asked_again_after_a_failure(driver: Driver) -> None:
    """The failed answer makes room, and the next request holds the question once."""
    posted: list[str] = []

    def fail_once(route: Route) -> None:
        posted.append(route.request.post_data or "")
        if len(posted) == 1:
            answers(400, "{}")(route)
        else:
            route.continue_()

    driver.page.route("**/v1/messages", fail_once)
    driver.ask("Once more?", Sim_Tokens="10")
    driver.expect_state("failed")
    driver.question.fill("A draft")
    driver.answer.get_by_role("button", name="Ask again").click()
    driver.expect_state("done")
    assert posted[0] == posted[1]
    expect(driver.question).to_have_value("A draft")
    expect(driver.page.get_by_role("article", name="Answer")).to_have_count(1)


def test_a_page_without_storage_works_all_the_same(driver: Driver) -> None:
    driver.page.add_init_script(
        """const refuse = () => { throw new Error("no"); };
        const storage = { getItem: refuse, setItem: refuse };
        Object.defineProperty(window, "sessionStorage", { get: () => storage });"""
    )
    driver.page.reload()
    driver.ask(Sim_Tokens="10")
    driver.expect_state("done")
    assert driver.text != ""
