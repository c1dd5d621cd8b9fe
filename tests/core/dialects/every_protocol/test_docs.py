"""The pages on messages and dialects: their examples run."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

from sse_core import Headers, Message, MessageAccumulator, ServerSentEvent, dialects
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageDelta,
    MessageStart,
    MessageStop,
    ToolUseBlock,
)
from sse_core.lifecycle import Upstream
from sse_core.testing import message_of
from tests.core.dialects.executable import crossed

DOCS = Path(__file__).resolve().parents[4] / "docs"


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


class TestItsCalls:
    """The dialect of the page says what its words mean, here and where they are sent on to."""

    def message(self, *data: Any) -> tuple[Message, list[BlockEvent]]:
        names = run("dialects/adding-a-dialect.md")
        decoder, accumulator = names["POLITE"].Decoder(), MessageAccumulator()
        stream = [ServerSentEvent("message", json.dumps(each)) for each in data]
        events = [event for sse in stream for event in decoder.receive_event(sse)] + decoder.receive_eof()
        for event in events:
            accumulator.receive(event)
        return accumulator.message, events

    CALL = ({"ask": "pay", "ref": "a"}, {"with": '{"x": '}, {"with": "1}"}, {"asked": True})

    @pytest.mark.parametrize(
        ("word", "meaning", "runs"),
        [("please", "tool_use", 1), ("well", "tool_use", 1), ("enough", "max_tokens", 0)],
    )
    def test_they_are_run_after_its_own_words(self, word: str, meaning: str, runs: int) -> None:
        message, _ = self.message(*self.CALL, {"bye": word, "spent": {"read": 3, "written": 9}})
        assert (message.stop_reason, message.stop_meaning) == (word, meaning)
        assert [tool.arguments for tool in message.executable_tools] == [{"x": 1}] * runs
        assert (message.usage["read"], message.token_counts.total) == (3, 12)

    def test_one_that_goes_on_is_not(self) -> None:
        message, _ = self.message(*self.CALL[:2], {"bye": "please"})
        assert message.completeness == "complete"
        assert message.executable_tools == []

    @pytest.mark.parametrize("name", dialects.names())
    @pytest.mark.parametrize(("word", "runs"), [("please", 1), ("enough", 0), ("hm", 0)])
    def test_sent_on_they_are_run_where_they_may_be(self, name: str, word: str, runs: int) -> None:
        spent = {"read": 3, "written": 9}
        message, events = self.message(*self.CALL, {"bye": word, "spent": spent})
        after = message_of(crossed(dialects.get(name), events))
        assert len(after.executable_tools) == runs
        assert json.dumps(dialects.get(name).to_response(message), allow_nan=False)
        if name != "ui-messages":  # it has no usage
            assert (after.token_counts.input, after.token_counts.output) == (3, 9)

    @pytest.mark.parametrize("half", ['{"a": ', "rm"])
    def test_its_encoder_has_nobody_run_half_a_call(self, half: str) -> None:
        polite = run("dialects/adding-a-dialect.md")["POLITE"]
        for text, runs in (('{"a": 1}', 1), (half, 0)):
            call = [BlockStart(0, ToolUseBlock("a", "f")), ArgumentsDelta(0, text), BlockStop(0)]
            start = MessageStart("m", "c", dialect="openai-chat")
            events = crossed(polite, [start, *call, MessageDelta("tool_calls"), MessageStop()])
            assert len(message_of(events).executable_tools) == runs

    @pytest.mark.parametrize(
        ("word", "kind", "retryable"),
        [("tired", "overloaded", True), ("stranger", "authentication", False), ("?", "unknown", False)],
    )
    def test_its_errors_mean_what_it_says(self, word: str, kind: str, *, retryable: bool) -> None:
        message, _ = self.message({"problem": word})
        assert message.error is not None
        assert (message.error.kind, message.error.retryable) == (kind, retryable)
        polite = run("dialects/adding-a-dialect.md")["POLITE"]
        refused = polite.parse_error(500, b"", Headers([]))
        assert (refused.kind, refused.retryable) == ("server", True)


def test_every_bound_is_documented() -> None:
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
