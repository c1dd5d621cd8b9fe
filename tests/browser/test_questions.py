"""A question is sent, and its answer arrives: text, thinking, a tool call, numbers."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.support import Demo, Driver

#: Notes down, once a frame, how much of the text is there, and every node that is taken away.
WATCH = """() => {
    const seen = { lengths: [], removed: 0 };
    new MutationObserver((changes) => {
        for (const { target, removedNodes } of changes) {
            if (target.parentElement?.closest(".blocks")) seen.removed += removedNodes.length;
        }
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
    const look = () => {
        const length = document.querySelector(".answer .blocks")?.textContent.length ?? 0;
        if (length !== seen.lengths.at(-1)) seen.lengths.push(length);
        if (document.documentElement.dataset.state === "done") window.resolveSeen(seen);
        else requestAnimationFrame(look);
    };
    window.seen = new Promise((resolve) => { window.resolveSeen = resolve; });
    look();
}"""


def test_tokens_arrive_one_by_one_without_flicker(driver: Driver, demo: Demo) -> None:
    """The text only ever grows, in many steps, and what is there is never rebuilt."""
    driver.page.evaluate(WATCH)
    driver.ask(Sim_Tokens="60", Sim_Rate="40")
    seen = driver.page.evaluate("window.seen")
    lengths = seen["lengths"]
    assert len(lengths) >= 10
    assert lengths == sorted(lengths)
    assert seen["removed"] == 0
    assert driver.text == demo.text(driver.turn_id) != ""
    assert driver.text.startswith("You asked")


def test_ttft_tpot_and_tokens_are_shown(driver: Driver, demo: Demo) -> None:
    """They agree with the provider's settings and with its own count."""
    driver.ask(Sim_Tokens="50", Sim_Rate="50", Sim_TTFT="0.6")
    driver.expect_state("done")
    metrics = driver.metrics
    assert metrics["Tokens"] == str(demo.ended()["tokens"])
    assert 0.6 <= float(metrics["TTFT"].removesuffix(" s")) < 2
    assert 15 < float(metrics["TPOT"].removesuffix(" ms")) < 40


def test_as_fast_as_it_can(driver: Driver, demo: Demo) -> None:
    """Thousands of tokens at once are all there, and the page has kept up."""
    driver.ask(Sim_Tokens="5000", Sim_Rate="0")
    driver.expect_state("done")
    assert driver.text == demo.text(driver.turn_id)
    assert len(driver.text) > 10_000


def test_each_byte_on_its_own(driver: Driver, demo: Demo) -> None:
    """Characters of several bytes survive a stream that is split at every byte."""
    driver.ask("Naïve 東京 👩‍🚀?", Sim_Fault="split=1")
    driver.expect_state("done")
    assert driver.text == demo.text(driver.turn_id)
    assert "Naïve 東京 👩" in driver.text
    assert "\ufffd" not in driver.text


def test_thinking_shows_progress_before_the_first_token(driver: Driver, demo: Demo) -> None:
    """Seconds go by in a panel, then thoughts come, then the panel makes room for the answer."""
    driver.ask(Sim_TTFT="1", Sim_Thinking="1.5", Sim_Tokens="40")
    panel = driver.answer.locator("details.thinking").first
    expect(panel).to_contain_text("Waiting for the first token")
    expect(panel).to_contain_text(re.compile(r"0\.[1-9]\d s"))
    driver.expect_state("thinking")
    expect(panel.locator(".thoughts")).to_be_visible()
    expect(panel.locator(".thoughts")).to_contain_text(re.compile(r"\w+ \w+"))
    driver.expect_state("writing")
    expect(panel.locator("summary")).to_contain_text(re.compile(r"Thought for *1\.[2-9]\d s"))
    assert panel.get_attribute("open") is None
    driver.expect_state("done")
    panel.locator("summary").click()
    thoughts = panel.locator(".thoughts")
    expect(thoughts).to_be_visible()
    assert thoughts.text_content() == "".join(demo.deltas(driver.turn_id, "thinking"))


def test_a_panel_that_the_reader_has_touched_stays_as_it_is(driver: Driver) -> None:
    driver.ask(Sim_Thinking="4", Sim_Tokens="20")  # it thinks, for seconds, until both clicks are made
    panel = driver.answer.locator("details.thinking").first
    expect(panel.locator(".thoughts")).to_contain_text("the")
    panel.locator("summary").click()
    panel.locator("summary").click()
    driver.expect_state("done")
    expect(panel.locator(".thoughts")).to_be_visible()


def test_a_tool_call_grows_raw_and_is_complete_at_its_end(driver: Driver, demo: Demo) -> None:
    """The arguments are shown as the fragments come, and as JSON once they are whole."""
    driver.ask(Sim_Tokens="5", Sim_Rate="30", Sim_Tool="1")
    card = driver.answer.locator(".tool")
    arguments = card.locator(".arguments")
    expect(card.locator(".status")).to_have_text("receiving arguments")
    seen = set()
    while card.get_attribute("data-state") == "open":
        seen.add(arguments.text_content() or "")
    expect(card.locator(".status")).to_have_text("complete")
    driver.expect_state("done")
    raw = "".join(demo.deltas(driver.turn_id, "partial_json"))
    shown = arguments.text_content() or ""
    assert json.loads(shown) == json.loads(raw)
    growing = sorted(seen - {shown}, key=len)
    assert len(growing) >= 5
    assert all(raw.startswith(part) for part in growing)
    expect(card.locator(".name")).to_have_text(re.compile(r"\w+"))


def test_a_tool_call_that_is_cut_is_incomplete(driver: Driver) -> None:
    driver.ask(Sim_Tokens="2", Sim_Tool="1", Sim_Fault="cut-after=10")
    driver.expect_state("cut-off")
    card = driver.answer.locator(".tool")
    expect(card.locator(".status")).to_have_text("incomplete")
    assert card.locator(".arguments").text_content() != ""


MARKUP = """<img src=x onerror="document.title='run'"><b>b</b>&amp;"""


def test_markup_in_a_stream_is_text(driver: Driver) -> None:
    """The provider repeats the question; neither the question nor the answer becomes markup."""
    driver.ask(MARKUP, Sim_Tokens="150", Sim_Rate="0")
    driver.expect_state("done")
    assert MARKUP in driver.text
    expect(driver.page.get_by_role("article", name="Your question")).to_have_text(MARKUP)
    assert driver.page.locator("#conversation :is(img, script, b, style, iframe)").count() == 0
    assert driver.page.title() == "SSE relay"


STREAM_OF_MARKUP: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"model": "<i>m</i>"}},
    {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "thinking", "thinking": "<b>t</b>"},
    },
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "name": "<b>n</b>"}},
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "input_json_delta", "partial_json": '{"<b>k</b>": "<b>v</b>"}'},
    },
    {"type": "content_block_stop", "index": 1},
    {"type": "content_block_start", "index": 2, "content_block": {"type": "<b>unknown</b>", "x": "<b>x</b>"}},
    {"type": "content_block_stop", "index": 2},
    {"type": "error", "error": {"type": "<b>type</b>", "message": "<b>message</b>"}},
]


def test_markup_is_text_wherever_it_stands(driver: Driver) -> None:
    """Names of tools and models, arguments, thoughts, unknown blocks, errors."""
    body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in STREAM_OF_MARKUP)
    driver.page.route(
        "**/v1/messages", lambda route: route.fulfill(content_type="text/event-stream", body=body)
    )
    driver.ask()
    driver.expect_state("failed")
    for text in (
        "<i>m</i>",
        "<b>t</b>",
        "<b>n</b>",
        "<b>k</b>",
        "<b>unknown</b>",
        "<b>x</b>",
        "<b>message</b>",
    ):
        expect(driver.answer).to_contain_text(text)
    assert driver.answer.locator(":is(b, i)").count() == 0


CODE = "Look:\n\n```python\nif a <  b:\n\tprint('x')\n```\n\n  two  spaces\n```\nnever closed"


def test_whitespace_and_code_are_kept_to_the_letter(driver: Driver) -> None:
    """Lines between fences stand in a <pre>; the text as a whole is still what was sent."""
    events = [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": character}}
            for character in CODE
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_stop"},
    ]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    driver.page.route(
        "**/v1/messages", lambda route: route.fulfill(content_type="text/event-stream", body=body)
    )
    driver.ask()
    driver.expect_state("done")
    assert driver.text == CODE
    code = driver.answer.locator("pre.code")
    assert code.all_text_contents() == ["```python\nif a <  b:\n\tprint('x')\n```\n", "```\nnever closed"]
    visible = driver.answer.locator(".text").inner_text()
    assert "  two  spaces" in visible
    driver.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    driver.answer.get_by_role("button", name="Copy").click()
    expect(driver.answer.get_by_role("button", name="Copied")).to_be_visible()
    assert driver.page.evaluate("navigator.clipboard.readText()") == CODE


def test_a_conversation_takes_its_earlier_turns_along(driver: Driver) -> None:
    """The second request holds the first question and the text of its answer, and no thinking."""
    posted: list[Any] = []

    def note(request: Request) -> None:
        if request.url.endswith("/v1/messages"):
            posted.append(request.post_data_json)
            assert request.headers["anthropic-version"] == "2023-06-01"

    driver.page.on("request", note)
    driver.ask("First?", Sim_Tokens="15", Sim_Thinking="0.2")
    driver.expect_state("done")
    first = driver.text
    driver.ask("Second?", Sim_Tokens="5")
    driver.page.wait_for_function("() => document.querySelectorAll('.answer[data-state=done]').length === 2")
    assert [body["messages"] for body in posted] == [
        [{"role": "user", "content": "First?"}],
        [
            {"role": "user", "content": "First?"},
            {"role": "assistant", "content": first.rstrip()},
            {"role": "user", "content": "Second?"},
        ],
    ]
    assert all(body["stream"] is True and body["max_tokens"] > 0 and body["model"] for body in posted)


def test_a_gap_is_shown_and_the_text_goes_on_after_it(driver: Driver) -> None:
    events = [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "before"}},
        {"type": "gap", "from": 2, "to": 5},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "after"}},
        {"type": "message_stop"},
    ]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    driver.page.route(
        "**/v1/messages", lambda route: route.fulfill(content_type="text/event-stream", body=body)
    )
    driver.ask()
    driver.expect_state("done")
    shown = driver.answer.locator(".blocks > *").all_text_contents()
    assert shown[0] == "before"
    assert "missing" in shown[1]
    assert shown[2] == "after"


def test_after_a_gap_with_a_snapshot_the_answer_is_shown_once(driver: Driver) -> None:
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "before "}}
    rest = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "and after"}}
    events = [block, delta, {"type": "gap", "from": 2, "to": 5, "snapshot": 2}, block, delta, rest]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in [*events, {"type": "message_stop"}])
    driver.page.route(
        "**/v1/messages", lambda route: route.fulfill(content_type="text/event-stream", body=body)
    )
    driver.ask()
    driver.expect_state("done")
    assert driver.answer.locator(".blocks > *").all_text_contents() == ["before and after"]


def test_the_log_follows_its_end_only_as_long_as_the_reader_is_there(driver: Driver) -> None:
    log = driver.page.get_by_role("log")
    driver.ask(Sim_Tokens="1500", Sim_Rate="250")
    driver.wait_for_text(2500)
    assert distance_to_end(driver.page) < 2
    log.hover()
    driver.page.mouse.wheel(0, -400)
    driver.page.wait_for_function("() => !document.querySelector('#jump').hidden")
    before = log.evaluate("(log) => log.scrollTop")
    driver.wait_for_text(len(driver.text) + 300)
    assert log.evaluate("(log) => log.scrollTop") == pytest.approx(before, abs=1)
    driver.page.get_by_role("button", name="Latest").click()
    driver.wait_for_text(len(driver.text) + 300)
    assert distance_to_end(driver.page) < 2
    expect(driver.page.locator("#jump")).to_be_hidden()


def distance_to_end(page: Page) -> float:
    """Pixels of the conversation below what is seen."""
    distance: float = page.get_by_role("log").evaluate(
        "(log) => log.scrollHeight - log.scrollTop - log.clientHeight"
    )
    return distance


@pytest.mark.parametrize(
    ("scene", "state"),
    [
        ("A plain answer", "done"),
        ("Thinking and a tool call", "done"),
        ("A busy provider", "done"),
        ("A broken answer", "cut-off"),
    ],
)
def test_each_scene_of_the_empty_page_plays(driver: Driver, scene: str, state: str) -> None:
    driver.page.get_by_role("button", name=scene).click()
    expect(driver.page.locator("#welcome")).to_be_hidden()
    driver.expect_state(state)
    assert driver.text != ""


def test_a_new_conversation_is_empty(driver: Driver) -> None:
    driver.ask(Sim_Tokens="5")
    driver.expect_state("done")
    driver.page.get_by_role("button", name="New conversation").click()
    driver.expect_state("idle")
    expect(driver.page.get_by_role("article")).to_have_count(0)
    expect(driver.page.locator("#welcome")).to_be_visible()
    driver.page.reload()
    expect(driver.page.get_by_role("article")).to_have_count(0)


def test_the_page_has_no_globals(driver: Driver) -> None:
    """Nothing hangs on ``window`` that an empty page of this browser has not."""
    extra = driver.page.evaluate(
        """() => {
            const frame = document.body.appendChild(document.createElement("iframe"));
            const usual = new Set(Object.getOwnPropertyNames(frame.contentWindow));
            return Object.getOwnPropertyNames(window).filter((name) => !usual.has(name));
        }"""
    )
    # Frames and the tool that drives the browser leave names of their own.
    assert [name for name in extra if not re.match(r"\d+$|__p", name)] == []
