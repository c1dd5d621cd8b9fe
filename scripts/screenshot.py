#!/usr/bin/env python
"""Pictures of the page: ``.venv/bin/python scripts/screenshot.py [FOLDER]``.

Runs the demo and drives Chromium through it.  Writes page.png and page-dark.png, which the README
shows, to FOLDER (docs/images); with ``--all`` also each state, in light and dark, wide and narrow.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, Scheme] = ("light", "dark")
SIZES = {"wide": (1120, 760), "narrow": (390, 800)}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]


def main() -> None:
    """Read the command line and take the pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs/images"))
    parser.add_argument("--all", action="store_true", help="each state too, in each scheme and size")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Chromium is missing; install the package chromium.")
    with demo() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for scheme in SCHEMES:
            name = "page.png" if scheme == "light" else "page-dark.png"
            with fresh_page(browser, address, scheme, "wide") as page:
                tool_call(page)
                page.screenshot(path=arguments.folder / name)
            for size in SIZES if arguments.all else ():
                for state, play in STATES.items():
                    with fresh_page(browser, address, scheme, size) as page:
                        play(page)
                        page.screenshot(path=arguments.folder / f"{state}-{scheme}-{size}.png")
        browser.close()


@contextmanager
def demo() -> Iterator[str]:
    """The address of a demo that runs as long as the block."""
    command = [sys.executable, "-m", "sse_relay", "demo", "--port", "0"]
    with subprocess.Popen(  # noqa: S603  (this project's own program)
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101  (it is a pipe)
        addresses = (re.match(r"http://\S+", line) for line in process.stdout)
        yield next(found[0] for found in addresses if found)
        process.terminate()


@contextmanager
def fresh_page(browser: Browser, address: str, scheme: Scheme, size: str) -> Iterator[Page]:
    """The demo's page as somebody sees it who comes for the first time."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=2
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("html[data-simulated=true]")
    yield page
    context.close()


def ask(page: Page, question: str, state: str, **settings: str) -> None:
    """Ask with these settings of the simulated provider, and wait for a state."""
    page.click("#simulator > summary")
    for name, value in settings.items():
        field = page.locator(f"[name=Sim-{name}]")
        if name == "Fault":
            field.select_option(value)
        elif name == "Tool":
            field.check()
        else:
            field.fill(value)
    page.click("#simulator > summary")
    page.fill("#question", question)
    page.keyboard.press("Enter")
    page.wait_for_selector(f"html[data-state={state}]")


def tool_call(page: Page) -> None:
    """Amid a tool call's arguments."""
    ask(
        page, "Will I need an umbrella this week?", "writing", Tokens="64", Rate="30", Thinking="1.2", Tool=""
    )
    page.wait_for_function(
        "() => (document.querySelector('.arguments')?.textContent.length ?? 0) > 70", polling=20
    )


def settings(page: Page) -> None:
    """The simulated provider's settings, open."""
    page.click("#simulator > summary")


def waiting(page: Page) -> None:
    """Before the first token."""
    ask(page, "Why is the sky blue?", "thinking", TTFT="20")
    page.wait_for_timeout(1200)


def thinking(page: Page) -> None:
    """Amid thoughts."""
    ask(page, "Why is the sky blue?", "thinking", Thinking="20", Rate="60")
    page.wait_for_timeout(2500)


def writing(page: Page) -> None:
    """Amid text."""
    ask(page, "Why is the sky blue?", "writing", Tokens="5000", Rate="100")
    page.wait_for_timeout(1500)


def stopped(page: Page) -> None:
    """After Stop."""
    writing(page)
    page.keyboard.press("Escape")
    page.wait_for_selector("html[data-state=stopped]")


def done(page: Page) -> None:
    """After the end."""
    ask(page, "Will I need an umbrella this week?", "done", Tokens="60", Rate="0", Thinking="0.1", Tool="")


def cut_off(page: Page) -> None:
    """After the provider's connection broke."""
    ask(page, "Why is the sky blue?", "cut-off", Fault="cut-after=40", Rate="200")


def failed(page: Page) -> None:
    """After an error."""
    ask(page, "Why is the sky blue?", "failed", Fault="error-after=10")


def reconnecting(page: Page) -> None:
    """Without a connection."""
    page.route("**/v1/messages", lambda route: route.abort())
    ask(page, "Why is the sky blue?", "reconnecting")
    page.wait_for_timeout(2000)


STATES: dict[str, Callable[[Page], None]] = {
    "idle": lambda _: None,
    "settings": settings,
    "waiting": waiting,
    "thinking": thinking,
    "writing": writing,
    "stopped": stopped,
    "done": done,
    "cut-off": cut_off,
    "failed": failed,
    "reconnecting": reconnecting,
}


if __name__ == "__main__":
    main()
