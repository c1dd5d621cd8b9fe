"""All code of docs/trio.md, run as one program against servers on loopback."""

from __future__ import annotations

import inspect
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

import sse_trio
from sse_core import encode_comment, encode_event
from sse_core.framing.decoder import DEFAULT_MAX_BYTES
from sse_core.lifecycle import DEFAULT_MAX_REDIRECTS, Outcome, SourceDeadlines
from sse_core.lifecycle.source.error_body import MAX_EXCERPT_BYTES
from sse_relay.provider import Provider
from tests.bindings.applications import provider as provider_for
from tests.bindings.certificates import certificates
from tests.bindings.peers import Forward, Head, Peer, answer
from tests.bindings.server_stage import dechunked
from tests.bindings.test_trio import RUNNER
from tests.bindings.trio.support import fetch, running, serving

PAGE = Path(__file__).resolve().parents[3] / "docs" / "trio.md"


def provider(**settings: Any) -> Provider:
    return provider_for(RUNNER, **settings)


COUNT = [str(number) for number in range(1, 11)]


def program(page: str) -> str:
    """The page's code at the lines where it stands, so that an error points into the page."""
    lines = [""] * page.count("\n")
    for block in re.finditer(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        first = page[: block.start(1)].count("\n")
        code = block[1].splitlines()
        lines[first : first + len(code)] = code
    return "\n".join(lines)


class Page:
    """What the page defines; remembers what of it was called."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "docs_trio"}
        exec(compile(program(PAGE.read_text("utf-8")), str(PAGE), "exec"), self.names)  # noqa: S102  (ours)

    def __getattr__(self, name: str) -> Any:
        return self.names[name]


@pytest.fixture(scope="module")
def page() -> Page:
    return Page()


async def test_a_handler(page: Page) -> None:
    assert await page.count_on_loopback() == [*COUNT, ""]


async def test_following(page: Page) -> None:
    async with serving(page.route) as server:
        assert await page.follow(server.url + "count") == [*COUNT, ""]
        assert await page.first_of(server.url + "count", "7") == "8: 8"
        assert await page.post(server.url + "count", b"{}") == "1"


async def test_following_loudly(page: Page) -> None:
    """The first connection is cut amid the answer."""
    cut_once = Peer([[Forward("upstream", 400)], [Forward("upstream")]])
    async with serving(page.route) as server:
        with running(cut_once, upstream=server) as proxy:
            seen = await page.follow_loudly(proxy.url + "count")
    [line_of_it] = [line for line in seen if line.startswith("attempt ")]
    assert re.fullmatch(
        r"attempt [12] in 0\.[45] s: the connection to 127.0.0.1:\d+ was lost: .+", line_of_it
    )
    assert [line for line in seen if line != line_of_it] == [*COUNT, ""]


async def test_following_with_tokens(page: Page) -> None:
    given = 0

    async def token() -> str:
        nonlocal given
        await trio.lowlevel.checkpoint()
        given += 1
        return f"number-{given}"

    first = encode_comment("ping") + encode_event("one", id="1")
    with running(Peer([[Head(), answer(first)], [Head(), answer(encode_event("", event="end"))]])) as server:
        assert await page.follow_with_tokens(server.url, token) == ["ping", "one", ""]
    for number, request in enumerate(server.requests, 1):
        assert b"authorization: Bearer number-%d\r\n" % number in request


def test_connects_table_is_its_signature() -> None:
    text = PAGE.read_text("utf-8")
    table = text[text.index("| argument of `connect`") :].partition("\n\n")[0]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))))
    assert named == inspect.signature(sse_trio.connect).parameters.keys() - {"url"}
    deadlines = SourceDeadlines()
    for name in ("connect", "first_byte", "idle", "refusal"):
        assert f"`{name}` {getattr(deadlines, name):g} s" in table
    assert f"| {DEFAULT_MAX_REDIRECTS} |" in table
    assert f"{DEFAULT_MAX_BYTES // 2**20} MiB" in table
    assert f"{MAX_EXCERPT_BYTES} bytes at most" in text


async def test_the_pages_questions(page: Page) -> None:
    assert await page.ask_a_simulated_provider()
    async with serving(provider(tokens=20, rate=0, ttft=0)) as server:
        assert (await page.ask(server.url + "nothing", "key", "Why?")).startswith("failed: ")


async def test_text(page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    body = {"model": "any", "max_tokens": 500, "messages": [{"role": "user", "content": "Why?"}]}
    async with serving(provider(tokens=20, rate=0, ttft=0)) as server:
        good = await page.print_answer(page.Upstream(server.url + "v1/messages"), body)
        bad = await page.print_answer(page.Upstream(server.url + "v1/messages"), {"model": "any"})
    assert good.startswith("answered with 200, ")
    assert capsys.readouterr().out
    assert bad.startswith("failed (400 invalid_request_error): ")


async def test_stopping(page: Page) -> None:
    async with serving(provider(tokens=1000, rate=50, ttft=0)) as server:
        assert await page.ask_briefly(server.url + "v1/messages", 0.1) is Outcome.STOPPED
    async with serving(provider(tokens=3, rate=0, ttft=0)) as server:
        assert await page.ask_briefly(server.url + "v1/messages", 10) is Outcome.COMPLETED


async def test_a_broadcast(page: Page) -> None:
    assert await page.work_and_watch() == [*(f"{percent} %" for percent in range(0, 101, 10)), ""]


async def test_settings(page: Page) -> None:
    async with trio.open_nursery() as nursery:
        port = await nursery.start(page.serve_with_settings)
        assert await page.follow(f"http://127.0.0.1:{port}/count") == [*COUNT, ""]
        nursery.cancel_scope.cancel()


async def test_a_head_and_lines_of_its_own(page: Page) -> None:
    async with serving(page.with_a_session) as server:
        answer = await fetch(server)
    assert b"\r\nmcp-session-id: made-up\r\n" in answer
    lines = b"retry: 5000\n: no client takes this for an event\ndata: tick\n\n"
    assert dechunked(answer.partition(b"\r\n\r\n")[2]) == lines


async def test_tls(page: Page) -> None:
    async with trio.open_nursery() as nursery:
        port = await nursery.start(partial(page.serve_privately, certificates().server))
        url = f"https://127.0.0.1:{port}/count"
        assert await page.follow_privately(url, certificates().client) == ["1", "2", "3"]
        nursery.cancel_scope.cancel()


def test_every_function_of_the_page_is_called_by_a_test_here(page: Page) -> None:
    defined = {
        name for name, value in page.names.items() if getattr(value, "__module__", None) == "docs_trio"
    }
    tests = Path(__file__).read_text("utf-8")
    called_by_the_page = {"ask", "count", "follow_job", "ticks"}
    assert {name for name in defined if f"page.{name}" not in tests} <= called_by_the_page


def test_the_table_is_the_signature() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `?([^`|]+?)`? \|", PAGE.read_text("utf-8"), re.MULTILINE))
    parameters = inspect.signature(sse_trio.serve).parameters
    for name in parameters.keys() - {"application", "task_status"}:
        default = parameters[name].default
        if callable(default):
            assert rows[name] == default.__name__
            continue
        if default is None and rows[name].endswith("Settings()"):
            continue
        written = f'"{default}"' if isinstance(default, str) else str(default)
        assert rows[name] == (oct(default) if name == "uds_mode" else written)
