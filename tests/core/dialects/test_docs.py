"""The pages on messages and dialects: their examples run."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from sse_core import MessageAccumulator, dialects
from sse_core.lifecycle import Upstream

DOCS = Path(__file__).resolve().parents[3] / "docs"


def run(page: str) -> dict[str, Any]:
    """What is defined when all examples of a page have run, one after another."""
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)
    assert len(blocks) >= 3
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)  # noqa: S102  (the page is ours)
    return names


@pytest.mark.parametrize("page", ["message.md", "dialects/adding-a-dialect.md"])
def test_the_examples_run(page: str) -> None:
    assert run(page)


def test_the_dialect_of_the_page_can_be_used_for_turns() -> None:
    polite = run("dialects/adding-a-dialect.md")["POLITE"]
    turn = Upstream("https://provider.test/", dialect=polite).turn({})
    assert turn.dialect is polite
    assert polite.error_status("problem") == 500


def test_the_encoder_of_the_page_sends_a_message_on() -> None:
    names = run("dialects/adding-a-dialect.md")
    sse = names["ServerSentEvent"]
    stream = [sse("message", '{"say": "Hello"}'), sse("message", '{"problem": "No."}')]
    decoder, verbatim, anew = names["Decoder"](), names["Encoder"](verbatim=True), names["Encoder"]()
    events = [event for each in stream for event in decoder.receive_event(each)]
    assert [sent for event in events for sent in anew.send(event)] == stream
    assert verbatim.send(events[0]) == stream[:1]


def test_every_bound_is_told() -> None:
    page = (DOCS / "message.md").read_text("utf-8")
    parameters = inspect.signature(MessageAccumulator).parameters
    bounds = {name: parameter.default for name, parameter in parameters.items() if name.startswith("max_")}
    assert len(bounds) == 3
    for name, default in bounds.items():
        assert re.search(rf"\| `{name}` \| [^|]+ \| {default:,} \|", page)


def test_every_dialect_has_a_page_that_can_be_found() -> None:
    assert "(docs/dialects/README.md)" in (DOCS.parent / "README.md").read_text("utf-8")
    for name in dialects.names():
        assert (DOCS / f"dialects/{name}.md").is_file()
        assert f"({name}.md)" in (DOCS / "dialects/README.md").read_text("utf-8")
        assert f"(dialects/{name}.md)" in (DOCS / "message.md").read_text("utf-8")
