"""What a browser makes of our streams, against what it makes of those that the npm package ``ai`` sent.

Each provider stream that has a pair is decoded, sent on as a UI message stream and read by the package's own
reader, under node; and each recorded UI message stream is read by our decoder.  The differences are those in
``ui_messages_differences.json``, each of which has its reason there.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pytest

from sse_core import dialects, encode_event
from sse_core.blocks import BlockEvent
from sse_core.dialects import Dialect
from tests.acceptance.browser_reader import read_by_browser
from tests.acceptance.recorded import ABSENT, decoded, differences, framed, message_of, splits, stream

SHARED = Path(__file__).parents[3] / "shared"
if not SHARED.is_dir():
    pytest.skip("shared folder missing: the recordings lie beside the checkout", allow_module_level=True)

UI = dialects.get("ui-messages")
FIXTURES = SHARED / "fixtures"
RECORDED = sorted(FIXTURES.glob("ai-sdk-ui/*.ui.sse"))
PAIRED = [path for path in RECORDED if not path.name.startswith("synthetic")]
#: The folder of a provider stream -> its dialect.
DIALECTS = {
    "anthropic": "anthropic",
    "gemini": "gemini",
    "openai-chat": "openai-chat",
    "openai-compat": "openai-chat",
    "openai-responses": "openai-responses",
    "responses-compat": "openai-responses",
}
REASONS = json.loads(Path(__file__).with_name("ui_messages_differences.json").read_text())
LISTED = [entry for reason in REASONS for entry in reason["differences"]]

#: A recording's name, and a place in it that differs: its path, our value, theirs.
Difference = tuple[str, str, Any, Any]

every_recording = pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)


def provider_stream(path: Path) -> tuple[Dialect, bytes]:
    """The provider stream that a UI message stream was made of, and its dialect."""
    name = path.name.removesuffix(".ui.sse").replace("__", "/")
    return dialects.get(DIALECTS[name.split("/")[0]]), stream(FIXTURES / f"{name}.sse")


def sent(events: Iterator[BlockEvent]) -> bytes:
    """The UI message stream of block events."""
    encoder = UI.Encoder()
    return b"".join(encode_event(sse.data) for event in events for sse in encoder.send(event))


def sent_on(path: Path) -> bytes:
    """Our UI message stream of the provider stream that goes with a recording."""
    dialect, data = provider_stream(path)
    return sent(decoded(dialect, framed([data])))


def finish_reason(data: bytes) -> Any:
    chunks = [json.loads(sse.data) for sse in framed([data]) if sse.data != "[DONE]"]
    return [chunk.get("finishReason") for chunk in chunks if chunk["type"] == "finish"]


def read(streams: list[bytes]) -> list[dict[str, Any]]:
    """What the browser makes of each, and the finish reasons, which its reader does not give."""
    results = read_by_browser(streams)
    return [{**result, "finish": finish_reason(data)} for result, data in zip(results, streams, strict=True)]


def compared(ours: Any, theirs: Any) -> Iterator[tuple[str, Any, Any]]:
    """Each difference of two results; parts that one side has more are named by their type."""
    our_parts, their_parts = ours["message"].pop("parts"), theirs["message"].pop("parts")
    yield from differences(ours, theirs)
    ours, theirs = ([part["type"] for part in parts] for parts in (our_parts, their_parts))
    for what, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if what == "equal":
            yield from differences(our_parts[a:b], their_parts[c:d], "parts")
        else:
            yield from ((f"parts[{part['type']}]", part, ABSENT) for part in our_parts[a:b])
            yield from ((f"parts[{part['type']}]", ABSENT, part) for part in their_parts[c:d])


@pytest.fixture(scope="module")
def found() -> list[Difference]:
    """All differences, of one run of node."""
    ours, theirs = read([sent_on(path) for path in PAIRED]), read([path.read_bytes() for path in PAIRED])
    results = zip(PAIRED, ours, theirs, strict=True)
    return [(path.name, *place) for path, a, b in results for place in compared(a, b)]


def is_listed(entry: dict[str, Any], difference: Difference) -> bool:
    """Whether a difference is the one of ``entry``, where ``(any)`` is any value."""
    _, path, *values = difference
    wanted = entry["ours"], entry["theirs"]
    return bool(
        entry["path"] == path
        and all(
            value == want or (want == "(any)" and value != ABSENT)
            for value, want in zip(values, wanted, strict=True)
        )
    )


def test_all_recordings_are_there() -> None:
    assert (len(RECORDED), len(PAIRED)) == (80, 77)


def test_the_browser_makes_of_our_stream_what_it_makes_of_the_recorded_one(found: list[Difference]) -> None:
    unlisted = [place for place in found if not any(is_listed(entry, place) for entry in LISTED)]
    assert unlisted == []


def test_every_difference_that_is_listed_is_there_as_often_as_listed(found: list[Difference]) -> None:
    assert all(len(reason["reason"]) > 20 for reason in REASONS)
    counts = Counter(
        place for difference in found for place, entry in enumerate(LISTED) if is_listed(entry, difference)
    )
    assert [counts[place] for place in range(len(LISTED))] == [entry["count"] for entry in LISTED]


def test_the_browser_makes_of_a_recorded_stream_the_message_that_was_recorded_with_it() -> None:
    """The reader that we compare with is the right one."""
    results = read_by_browser([path.read_bytes() for path in PAIRED])
    for path, result in zip(PAIRED, results, strict=True):
        expected = json.loads(path.with_suffix("").with_suffix(".ui.expected.json").read_text())
        assert result == {"message": expected["finalMessage"], "errors": expected["errors"]}, path.name


@pytest.mark.parametrize("path", PAIRED, ids=lambda path: path.stem)
def test_our_reader_makes_of_a_recorded_stream_the_message_that_the_browser_makes(path: Path) -> None:
    expected = json.loads(path.with_suffix("").with_suffix(".ui.expected.json").read_text())
    message = message_of(UI, path.read_bytes())
    assert UI.to_response(message) == expected["finalMessage"]
    assert message.completeness == ("failed" if expected["errors"] else "complete")
    assert [message.error.message] if message.error else [error[7:] for error in expected["errors"]] == []


@pytest.mark.parametrize("path", PAIRED, ids=lambda path: path.stem)
def test_the_whole_response_is_what_the_browser_makes_of_the_stream(path: Path) -> None:
    """Our own reader of a message agrees with our own stream of its events.

    But OpenAI encrypts reasoning anew when it repeats it at the end of a response.
    """
    dialect, data = provider_stream(path)
    streamed, whole = message_of(UI, sent_on(path)), message_of(dialect, data)
    found = list(differences(UI.to_response(whole), UI.to_response(streamed)))
    assert [place for place in found if not place[0].endswith(".reasoningEncryptedContent")] == []


@every_recording
def test_a_message_is_the_same_however_its_bytes_are_cut(path: Path) -> None:
    data = path.read_bytes()
    whole = message_of(UI, data)
    for pieces in splits(data, path.stem):
        assert message_of(UI, *pieces) == whole


@every_recording
def test_a_stream_sent_on_verbatim_is_the_same_events(path: Path) -> None:
    received = framed([path.read_bytes()])
    encoder = UI.Encoder(verbatim=True)
    again = [sse for event in decoded(UI, received) for sse in encoder.send(event)]
    sent = [sse.data for sse in received]
    assert [sse.data for sse in again] == sent


@every_recording
def test_a_stream_written_anew_says_the_same(path: Path) -> None:
    whole = message_of(UI, path.read_bytes())
    again = message_of(UI, sent(decoded(UI, framed([path.read_bytes()]))))
    assert again.completeness == whole.completeness
    assert UI.to_response(again) == UI.to_response(whole)


@every_recording
def test_wherever_a_stream_is_cut_nothing_looks_complete_too_early(path: Path) -> None:
    received = framed([path.read_bytes()])
    for count in range(len(received)):
        kinds = [json.loads(sse.data)["type"] for sse in received[:count]]
        events = list(decoded(UI, received[:count]))
        message = message_of(UI, b"".join(encode_event(sse.data) for sse in received[:count]))
        assert events
        if message.completeness == "complete":
            assert "finish" in kinds
        else:
            assert message.executable_tools == []
