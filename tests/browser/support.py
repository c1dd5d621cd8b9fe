"""What the tests of the page share: the demo's addresses, and hands and eyes at the page."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from playwright.sync_api import Locator, Page, expect

from sse_core import EventStreamDecoder
from tests.relay.e2e.support import Program, wait_for

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

#: Each setting of the simulated provider, by the name of its field.
PLAIN = {"Sim-Tokens": "60", "Sim-Rate": "60", "Sim-TTFT": "0.1", "Sim-Thinking": "0"}


class Demo:
    """The addresses of a running demo, and what can be requested there behind the page's back."""

    def __init__(self, program: Program) -> None:
        self.relay = program.address(r"^(http://\S+?)/?$")
        self.provider = program.address(r"^provider (http://\S+?)/?$")

    def generations(self) -> list[dict[str, Any]]:
        """The provider's own record."""
        with urllib.request.urlopen(f"{self.provider}/sim/generations", timeout=5) as answer:
            listed: list[dict[str, Any]] = json.load(answer)
        return listed

    def newest(self) -> dict[str, Any]:
        """The provider's newest record."""
        return self.generations()[-1]

    def ended(self) -> dict[str, Any]:
        """The provider's newest record, once it has ended."""
        wait_for(lambda: self.newest()["ended"], 5)
        return self.newest()

    def deltas(self, turn_id: str, kind: str) -> list[str]:
        """The pieces of an answer as the relay kept them: what the page should have shown."""
        with urllib.request.urlopen(f"{self.relay}/turns/{turn_id}", timeout=5) as answer:
            events = EventStreamDecoder().receive_data(answer.read())
        found = [json.loads(event.data).get("delta", {}) for event in events]
        return [delta[kind] for delta in found if kind in delta]

    def text(self, turn_id: str) -> str:
        """The whole text of an answer as the relay kept it."""
        return "".join(self.deltas(turn_id, "text"))


class Driver:
    """Hands and eyes at the page."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        page.goto(f"{address}/")
        self.expect_state("idle")

    def set(self, settings: dict[str, str]) -> None:
        """Fills in the simulated provider's settings."""
        panel = self.page.locator("#simulator")
        panel.locator("> summary").click()
        for name, value in (PLAIN | settings).items():
            field = panel.locator(f"[name={name}]")
            if name == "Sim-Tool":
                field.set_checked(value == "1")
            elif name == "Sim-Fault":
                self._choose_fault(field, value)
            else:
                field.fill(value)
        panel.locator("> summary").click()

    def _choose_fault(self, field: Locator, value: str) -> None:
        """Chooses a fault, even one that the page does not offer by itself."""
        field.evaluate(
            """(select, value) => {
                if (![...select.options].some((option) => option.value === value)) {
                    select.add(new Option(value, value));
                }
            }""",
            value,
        )
        field.select_option(value)

    def ask(self, question: str = "Why is the sky blue?", **settings: str) -> None:
        """Asks; ``Sim_Rate="5"`` sets the field ``Sim-Rate``."""
        self.set({name.replace("_", "-"): value for name, value in settings.items()})
        self.question.fill(question)
        self.page.get_by_role("button", name="Send").click()

    def expect_state(self, state: str) -> None:
        """Waits until the page as a whole is in this state."""
        expect(self.page.locator("html")).to_have_attribute("data-state", state)

    @property
    def question(self) -> Locator:
        """Where the question is typed."""
        return self.page.get_by_role("textbox", name="Your question")

    @property
    def answer(self) -> Locator:
        """The newest answer."""
        return self.page.get_by_role("article", name="Answer").last

    @property
    def turn_id(self) -> str:
        """The turn of the newest answer."""
        return self.answer.get_attribute("data-turn") or ""

    @property
    def text(self) -> str:
        """The newest answer's text, to the last space."""
        blocks = self.answer.locator(".blocks > .text")
        return "".join(block.text_content() or "" for block in blocks.all())

    @property
    def note(self) -> Locator:
        """The remark below the newest answer."""
        return self.answer.locator(".note")

    @property
    def metrics(self) -> dict[str, str]:
        """TTFT, TPOT and tokens as the newest answer shows them."""
        rows = self.answer.locator(".metrics > div")
        return {
            row.locator("dt").text_content() or "": row.locator("dd").text_content() or ""
            for row in rows.all()
        }

    def wait_for_text(self, characters: int) -> None:
        """Waits until the newest answer has at least so many characters of text."""
        self.page.wait_for_function(
            """(characters) => {
                const answers = document.querySelectorAll(".answer");
                const blocks = answers[answers.length - 1]?.querySelectorAll(".blocks > .text") ?? [];
                return Array.from(blocks, (block) => block.textContent).join("").length >= characters;
            }""",
            arg=characters,
        )
