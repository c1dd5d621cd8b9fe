"""The conformance vectors: well formed, right by the specification's prose, and met by this decoder.

That they find what decoders get wrong is another file's test.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from conformance.cases import (
    ROOT,
    VECTORS,
    Case,
    bytes_of_text,
    cut,
    files,
    load,
    select,
    text_of_bytes,
)
from conformance.fill import as_json, filled, rules
from conformance.reference import Meaning, interpret
from conformance.verdict import OFFERS, applies, judge
from sse_core import EventStreamDecoder

FILES = files()
GROUPS = load()
CASES = [case for group in GROUPS for case in group.cases]
README = (VECTORS / "README.md").read_text("utf-8")
Answer = dict[str, Any]

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


# The files.


def test_there_are_enough_cases_and_each_has_a_name_of_its_own() -> None:
    assert len(CASES) >= 150
    assert len({case.name for case in CASES}) == len(CASES)
    assert [group.order for group in GROUPS] == list(range(1, len(GROUPS) + 1))


@each_file
def test_a_file_is_of_the_format_and_in_its_one_form(path: Path) -> None:
    content = FILES[path]
    jsonschema.validate(content, json.loads((VECTORS / "schema.json").read_text("utf-8")))
    assert content["group"] == path.stem
    assert all(case["name"].startswith(f"{path.stem}/") for case in content["cases"])
    assert path.read_text("utf-8") == as_json(filled(content, rules())), "run conformance/fill.py"


def test_the_schema_is_a_schema_and_refuses_what_is_not_of_the_format() -> None:
    schema = json.loads((VECTORS / "schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    content = json.loads((VECTORS / "bom.json").read_text("utf-8"))
    del content["cases"][3]["expected"]["lastEventId"]
    with pytest.raises(jsonschema.ValidationError, match="'lastEventId' is a required property"):
        jsonschema.validate(content, schema)


@each_case
def test_text_and_bytes_are_the_same_stream_and_splits_lie_within_it(case: Case) -> None:
    (text,) = (
        data["text"] for data in FILES[VECTORS / f"{case.group}.json"]["cases"] if data["name"] == case.name
    )
    assert bytes_of_text(text) == case.stream
    assert text_of_bytes(case.stream) == text
    assert 0 < len(case.stream) <= 10_000
    for split in case.splits:
        assert list(split) == sorted(set(split))
        assert split[0] > 0
        assert split[-1] < len(case.stream)


def test_the_readme_names_every_file_and_shows_a_real_case() -> None:
    assert dict(re.findall(r"^\| \[`([a-z0-9-]+)\.json`\].*? \| (.*) \|$", README, re.MULTILINE)) == {
        group.name: group.about for group in GROUPS
    }
    assert f"{len(CASES)} cases" in README
    shown = json.loads(re.findall(r"```json\n(.*?)```", README, re.DOTALL)[0])
    real = next(case for case in FILES[VECTORS / "line-ends.json"]["cases"] if case["name"] == shown["name"])
    assert real["sentence"].startswith(shown.pop("sentence").removesuffix("..."))
    assert shown == {key: value for key, value in real.items() if key != "sentence"}


def test_the_readmes_own_loop_feeds_what_the_runner_feeds() -> None:
    namespace: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0], namespace)  # noqa: S102  (it is ours)
    read = {case["name"]: list(namespace["ways"](case)) for case in namespace["cases"](VECTORS)}
    assert read.keys() == {case.name for case in CASES}
    for case in CASES:
        assert all(chunks in read[case.name] for _, chunks in case.runs())


# What the cases expect.


def expected_by(meaning: Meaning, case: Case) -> Answer:
    """What the interpreter of the prose would have a case expect, ``completeAt`` aside."""
    events = []
    for event in meaning.events:
        data: Answer = {"type": event.type, "data": event.data, "lastEventId": event.last_event_id}
        data |= {} if event.id is None else {"id": event.id}
        if event.retry is not None and "reconnectionTime" in case.expected:
            data["retry"] = event.retry
        events.append(data)
    expected: Answer = {"events": events, "lastEventId": meaning.last_event_id}
    if "reconnectionTime" in case.expected:
        expected["reconnectionTime"] = meaning.reconnection_time
    return expected


@each_case
def test_the_prose_agrees(case: Case) -> None:
    expected = json.loads(json.dumps(case.expected))
    for event in expected["events"]:
        event.pop("completeAt", None)
    initial = case.initial_last_event_id or ""
    assert expected_by(interpret(case.stream, initial), case) == expected


@each_case
def test_an_event_is_complete_where_the_case_says_and_not_before(case: Case) -> None:
    """Of a CRLF, the CR already completes it; the case allows the LF."""
    for number, event in enumerate(case.expected["events"], 1):
        if (end := event.get("completeAt")) is not None:
            assert len(interpret(case.stream[:end]).events) == number
            length = 2 if case.stream[:end].endswith(b"\r\n") else 1
            assert len(interpret(case.stream[: end - length]).events) == number - 1


def decode(chunks: Sequence[bytes], initial: str | None) -> Answer:
    """This project's answer, as an adapter would give it."""
    decoder = EventStreamDecoder(initial or "")
    events = [
        {"type": event.type, "data": event.data, "lastEventId": event.last_event_id, "chunk": number}
        for number, chunk in enumerate(chunks, 1)
        for event in decoder.receive_data(chunk)
    ]
    decoder.receive_eof()
    return {
        "events": events,
        "lastEventId": decoder.last_event_id,
        "reconnectionTime": decoder.reconnection_time,
    }


#: What this decoder offers: all but what an event's own block said.
OURS = OFFERS - {"event.id", "event.retry"}


@each_case
def test_the_decoder_agrees_in_every_split(case: Case) -> None:
    dice = random.Random(case.name)
    length = len(case.stream)
    splits = [sorted(dice.sample(range(1, length), dice.randint(0, min(12, length - 1)))) for _ in range(10)]
    ways = [chunks for _, chunks in case.runs()] + [cut(case.stream, split) for split in splits]
    for chunks in ways:
        assert judge(case, chunks, decode(chunks, case.initial_last_event_id), OURS) is None


def test_what_a_decoder_cannot_report_is_not_compared() -> None:
    silent = [case for case in CASES if not applies(case, frozenset())]
    assert {case.group for case in silent} == {
        "fields",
        "id",
        "retry",
        "utf-8",
        "bom",
        "end-of-file",
        "reconnection",
        "splits",
    }
    assert all(applies(case, OFFERS) for case in CASES)


def test_cases_are_selected_by_name_and_by_group() -> None:
    chosen = select(GROUPS, ["id/nul", "bom"])
    assert [(group.name, len(group.cases)) for group in chosen] == [("bom", len(GROUPS[0].cases)), ("id", 1)]
    with pytest.raises(ValueError, match="id/nil"):
        select(GROUPS, ["id/nil", "bom"])


def test_a_backslash_in_a_text_is_an_escape_or_an_error() -> None:
    assert bytes_of_text("a\\xFF\\\\n\u00e9\n") == b"a\xff\\n\xc3\xa9\n"
    for wrong in (r"\n", r"\xfg", "\\"):
        with pytest.raises(ValueError, match="backslash"):
            bytes_of_text(wrong)


# The table in the documentation.

PAGE = (ROOT / "docs" / "conformance.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ")
]


def test_the_tables_row_of_this_decoder_is_green_and_of_these_cases() -> None:
    assert ROWS[0] == ["decoder", "all", *(group.name for group in GROUPS)]
    green = [f"{count}/{count}" for count in (len(CASES), *(len(group.cases) for group in GROUPS))]
    ours = [row[1:] for row in ROWS if row[0].startswith("sse-core ")]
    assert ours
    assert all(row == green for row in ours), "run `make conformance`"


def test_the_tables_peers_are_the_pinned_ones() -> None:
    pinned = dict(
        re.findall(
            r"^([a-z0-9-]+)==([\d.]+)", (ROOT / "conformance" / "requirements.txt").read_text(), re.MULTILINE
        )
    )
    del pinned["httpx"]  # what httpx-sse runs on
    pinned |= re.findall(
        r"^EVENTSOURCE_(PARSER)=([\d.]+)$", (ROOT / "conformance" / "make-peers").read_text(), re.MULTILINE
    )
    pinned["eventsource-parser"] = pinned.pop("PARSER")
    shown = {
        name: version for name, version, *_ in (row[0].split() for row in ROWS[1:]) if name != "sse-core"
    }
    assert shown == pinned, "run `make conformance`"


def test_every_red_cell_has_a_command_that_names_an_adapter_and_a_group() -> None:
    red = {
        (row[0], name)
        for row in ROWS[1:]
        for name, cell in zip(ROWS[0][2:], row[2:], strict=True)
        if "**" in cell
    }
    found = set()
    for decoder, part in re.findall(r"<summary>(.*?): \d+ of \d+</summary>(.*?)</details>", PAGE, re.DOTALL):
        for group, adapter in re.findall(
            r"`python conformance/run\.py --only (\S+) -- .*?(conformance/adapters/\S+?)[ `]", part
        ):
            assert (ROOT / adapter).is_file()
            found.add((decoder, group))
    assert found == red
