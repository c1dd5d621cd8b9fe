"""The request that a page makes next, from our stream and from that of the provider's own package.

Each provider stream is read twice under node: by the provider's package of ``ai``, which makes a UI message
of it, and by us, whose UI message stream the browser's reader reads.  Both messages go back, with the calls
answered, through that package, whose requests have to be the same but for what
``ui_request_differences.json`` lists.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sse_core import RemoteProtocolError, dialects, encode_event
from sse_core.blocks import BlockEvent
from sse_core.testing import events_of
from tests.acceptance.browser_reader import next_requests
from tests.acceptance.listed import Difference, Listed
from tests.acceptance.provider_streams import INPUTS, Input
from tests.acceptance.recorded import accumulated, decoded, differences, framed, stream
from tests.acceptance.tools_in_streams import with_tools

FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures"
UI = dialects.get("ui-messages")
LISTED = Listed("ui_request_differences.json")
#: The folder of recorded streams -> their dialect.
RECORDED = {
    "anthropic": "anthropic",
    "gemini": "gemini",
    "openai-responses": "openai-responses",
    "vercel-chunks/anthropic": "anthropic",
    "vercel-chunks/google": "gemini",
    "vercel-chunks/openai-responses": "openai-responses",
}


def block_events(given: Input) -> list[BlockEvent]:
    return list(decoded(dialects.get(given.dialect), framed([given.stream.encode()])))


def sent_on(given: Input) -> str:
    """Our UI message stream of a provider's stream."""
    sent = events_of(UI, block_events(given))
    return b"".join(encode_event(sse.data) for sse in sent).decode()


def compared(inputs: dict[str, Input]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """The name of each input, what came of our stream, and what of the package's own."""
    cases = [{**vars(given), "ui": sent_on(given)} for given in inputs.values()]
    for name, result in zip(inputs, next_requests(cases), strict=True):
        yield name, result["ours"], result["theirs"]


@pytest.fixture(scope="module")
def results() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """What came of all inputs, of one run of node."""
    return {name: (ours, theirs) for name, ours, theirs in compared(INPUTS)}


def request_differences(results: Iterable[tuple[Any, Any]]) -> Iterator[Difference]:
    for ours, theirs in results:
        yield from differences(ours["request"], theirs["request"])


@pytest.mark.parametrize("name", INPUTS)
def test_the_next_request_is_the_one_that_the_package_would_make(name: str, results: Any) -> None:
    ours, theirs = results[name]
    assert theirs["request"] is not None, theirs["errors"]
    assert (ours["errors"], theirs["errors"]) == ([], [])
    assert LISTED.unlisted(request_differences([(ours, theirs)])) == []


def test_every_difference_that_is_listed_is_there(results: Any) -> None:
    LISTED.expect_each_as_often_as_listed(request_differences(results.values()))


#: What stands in the next request of an input, and would not if the item were written otherwise.
GOES_BACK = {
    "anthropic: thinking": '"signature":"S"',
    "anthropic: bash": '"name":"bash_code_execution","input":{"command":"ls"}',
    "anthropic: a file is edited": '"name":"text_editor_code_execution"',
    "anthropic: tools are searched": '"tool_references":[{"type":"tool_reference","tool_name":"rate"}]',
    "anthropic: mcp": '"type":"mcp_tool_result","tool_use_id":"mcp_1"',
    "anthropic: compaction": '"type":"compaction","content":"summary"',
    "anthropic: fallback": '"type":"fallback","from":{"model":"a"},"to":{"model":"b"}',
    "anthropic: web search": '"caller":{"type":"direct"}',
    "gemini: a tool of google's": '"toolResponse":{"toolType":"GOOGLE_SEARCH_WEB","response":{"a":1}',
    "responses: mcp": '{"type":"item_reference","id":"mcp_1"}',
    "responses: compaction": '{"type":"item_reference","id":"cmp_1"}',
    "responses, not stored: a search": '"type":"web_search_call"',
    "responses, not stored: a function of a namespace": '"namespace":"money"',
    "responses, not stored: tools are searched by openai": '"type":"tool_search_output"',
    "responses, not stored: local shell": '"type":"local_shell_call_output"',
    "responses, not stored: a file is patched": '"type":"apply_patch_call_output"',
    "responses, not stored: a screen": '"type":"computer_call_output"',
    "responses, not stored: a shell of openai's": '"type":"shell_call_output"',
}


@pytest.mark.parametrize(("name", "words"), GOES_BACK.items())
def test_what_a_provider_ran_goes_back_to_it_once(name: str, words: str, results: Any) -> None:
    request = json.dumps(results[name][0]["request"], separators=(",", ":"))
    assert request.count(words) == (2 if name == "anthropic: web search" else 1)


@pytest.mark.parametrize("name", INPUTS)
def test_the_whole_message_is_the_one_that_a_browser_makes_of_the_stream(name: str, results: Any) -> None:
    whole = UI.to_response(accumulated(block_events(INPUTS[name])))
    if whole["parts"] == [{"type": "step-start"}]:
        whole["parts"] = []  # the browser's reader shows nothing of a message before there is a part in it
    found = list(differences(json.loads(json.dumps(whole)), results[name][0]["message"]))
    # OpenAI encrypts reasoning anew at the item's end, and what came of it before is what it was.
    assert [place for place in found if not place[0].endswith(".reasoningEncryptedContent")] == []


def recordings() -> dict[str, Input]:
    """The recorded streams of these providers, with tools that fit what is in them."""
    found: dict[str, Input] = {}
    for folder, dialect in RECORDED.items():
        for path in sorted(FIXTURES.glob(f"{folder}/*.sse")) + sorted(
            FIXTURES.glob(f"{folder}/*.chunks.txt")
        ):
            given = Input(dialect, stream(path).decode())
            with contextlib.suppress(RemoteProtocolError):  # a recording that breaks off in an event
                found[f"{folder}/{path.name}"] = replace(given, **with_tools(dialect, sent_on(given)))
    return found


def test_the_same_holds_of_recorded_streams() -> None:
    if not FIXTURES.is_dir():
        pytest.skip("shared folder missing: the recordings lie beside the checkout")
    found = [(name, ours, theirs) for name, ours, theirs in compared(recordings()) if theirs["request"]]
    assert len(found) > 100
    for name, ours, theirs in found:
        assert LISTED.unlisted(request_differences([(ours, theirs)])) == [], name
        assert ours["errors"] == theirs["errors"], name
