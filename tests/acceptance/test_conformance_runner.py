"""The runner: whatever a decoder does, each case gets its verdict, in time and within bounds."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from conformance.cases import ROOT, Case, Group, case_of, load
from conformance.peers import commands
from conformance.process import DecoderFailed, DecoderProcess
from conformance.suite import Report, run_suite
from conformance.table import BEGIN, END, as_markdown, as_text, put_between_markers
from conformance.verdict import OFFERS, judge

OURS = [sys.executable, "conformance/adapters/for_sse_core.py"]
HELLO = '{"protocol": 1, "name": "made-up", "version": "0", "offers": []}'


def made_up(stream: bytes = b"data: a\n\n", **more: Any) -> Case:
    """A case of one event, as a file would hold it."""
    data = {
        "name": "made/up",
        "rule": "order",
        "sentence": "A sentence.",
        "url": "https://example.com/",
        "reason": "A reason.",
        "base64": base64.b64encode(stream).decode(),
        "splits": [[3]],
        "expected": {"events": [{"type": "message", "data": "a", "lastEventId": ""}], "lastEventId": ""},
    }
    return case_of("made", {**data, **more})


RIGHT = {"type": "message", "data": "a", "chunk": 1}


def adapter(body: str) -> list[str]:
    """A decoder in a few lines of Python: ``body`` runs for each question and sets ``answer``."""
    program = f"""
import json, sys, time
print('{HELLO}', flush=True)
for number, line in enumerate(sys.stdin, 1):
    question = json.loads(line)
    answer = {{"run": question["run"], "events": [{RIGHT!r}]}}
{textwrap.indent(textwrap.dedent(body), "    ")}
    print(json.dumps(answer), flush=True)
"""
    return [sys.executable, "-c", program]


def run_made_up(command: Sequence[str], *cases: Case, timeout: float = 10) -> Report:
    group = Group("made", "Made up.", 1, cases or (made_up(),))
    return run_suite(command, [group], timeout=timeout, max_answer=10_000)


def reasons(report: Report) -> list[str]:
    return [failure.reason for failure in report.failures]


def test_a_right_decoder_passes() -> None:
    report = run_made_up(adapter(""))
    assert (report.passed, report.counted, report.not_offered) == (1, 1, 0)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("answer['events'] = []", 'event 1 did not come: {"type": "message", "data": "a"}'),
        ("answer['events'] *= 2", "event 2 should not have come"),
        ("answer['events'][0]['data'] = 'b'", 'event 1 has data "b", not "a"'),
        ("answer['error'] = 'ValueError: no'", 'raised "ValueError: no"'),
        ("del answer['events']", "an answer that breaks the protocol: KeyError('events')"),
        ("answer['events'] = 7", "an answer that breaks the protocol"),
        ("answer = [answer]", "answered something that is no JSON object"),
        ("print('no JSON', flush=True)", "answered something that is no JSON"),
        ("answer['run'] += 1", "answered another run than it was asked"),
        ("raise SystemExit", "ended without an answer"),
        ("answer['events'] *= 1000", "gave more than 10000 bytes"),
        ("while True: print('x' * 10000, end='')", "gave more than 10000 bytes"),
    ],
)
def test_what_a_decoder_does_wrong_is_named(body: str, reason: str) -> None:
    (expected,) = reasons(run_made_up(adapter(body)))
    assert expected.startswith(reason)


def test_a_decoder_that_hangs_loses_that_case_and_no_other() -> None:
    slow = made_up(name="made/slow", initialLastEventId="hang")
    command = adapter("if 'initialLastEventId' in question: time.sleep(60)")
    started = time.monotonic()
    report = run_made_up(command, made_up(), slow, made_up(name="made/after"), timeout=1)
    assert reasons(report) == ["gave no answer within 1 s"]
    assert report.passed == 2
    assert time.monotonic() - started < 20


def test_a_decoder_that_does_not_read_is_given_up() -> None:
    """Its pipe is full, so that already the writing would wait forever."""
    program = f"import time; print('{HELLO}', flush=True); time.sleep(60)"
    with DecoderProcess([sys.executable, "-c", program], timeout=1) as decoder:
        decoder.hello()
        with pytest.raises(DecoderFailed, match="within 1 s"):
            decoder.ask([b"x" * 1_000_000])


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["no-such-program-anywhere"], "could not be started"),
        ([sys.executable, "-c", "print('{}')"], "did not say that it speaks protocol 1"),
        ([sys.executable, "-c", ""], "ended without an answer"),
        ([sys.executable, "-c", 'print(\'{"protocol": 1, "offers": ["magic"]}\')'], "offers ['magic']"),
    ],
)
def test_a_decoder_that_does_not_introduce_itself_is_no_decoder(command: list[str], reason: str) -> None:
    with pytest.raises(DecoderFailed, match=re.escape(reason)):
        run_made_up(command)


def test_what_one_stream_leaves_to_the_next_is_not_held_against_the_next() -> None:
    """This one answers wrong to all but its first question; each case alone, it gets right."""
    report = run_made_up(adapter("if number > 1: answer['events'] = []"))
    assert report.failures == []


def test_only_what_is_offered_is_compared() -> None:
    answer = {"events": [{**RIGHT, "lastEventId": "7", "id": "7", "retry": 9}], "lastEventId": "7"}
    case = made_up(expected={**made_up().expected, "reconnectionTime": None})
    assert judge(case, [case.stream], answer, []) is None
    for offer, expected in {
        "event.lastEventId": 'lastEventId "7", not ""',
        "event.id": 'id "7", not null',
        "event.retry": "retry 9, not null",
        "end.lastEventId": 'lastEventId is "7" at the end, not ""',
    }.items():
        assert expected in str(judge(case, [case.stream], answer, [offer]))
    assert "KeyError" in str(judge(case, [case.stream], answer, ["end.reconnectionTime"]))


def test_an_event_is_late_by_the_chunk_that_completed_it() -> None:
    event = {"type": "message", "data": "a", "lastEventId": "", "completeAt": 9}
    case = made_up(b"data: a\n\n: ping\n", expected={"events": [event], "lastEventId": ""})
    for sizes, chunk, expected in [
        ((9, 7), 1, None),
        ((9, 7), 2, "event 1 came with chunk 2; chunk 1 had completed it"),
        ((8, 8), 2, None),
        ((8, 8), None, "event 1 came only with the end of the stream; chunk 2 had completed it"),
    ]:
        chunks = [b"x" * size for size in sizes]
        assert judge(case, chunks, {"events": [{**RIGHT, "chunk": chunk}]}, []) == expected


def test_a_case_that_proves_nothing_is_not_counted() -> None:
    needy = made_up(name="made/needy", needs=["event.id", "event.lastEventId"])
    report = run_made_up(adapter(""), made_up(), needy)
    assert (report.passed, report.counted, report.not_offered) == (1, 1, 1)


def test_a_report_as_text_and_as_a_table() -> None:
    report = run_made_up(
        adapter("answer['events'][0]['data'] = '`a`|\\n'"), made_up(), made_up(needs=["event.id"])
    )
    text = as_text(report)
    assert "made             0/1, 1 not offered" in text
    assert '"A sentence."\n  https://example.com/' in text
    table = as_markdown([Group("made", "Made up.", 1, ())], [report])
    assert "| made-up 0 | **0/1** | **0/1** |" in table
    assert '`event 1 has data "\'a\'|\\n", not "a"`' in table
    nothing = run_made_up(adapter(""), made_up(needs=["event.id"]))
    assert "| made-up 0 | not offered | not offered |" in as_markdown([Group("made", "", 1, ())], [nothing])


def test_the_table_goes_between_its_markers_and_leaves_the_rest() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert put_between_markers(page, "new\n") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    with pytest.raises(ValueError, match="markers"):
        put_between_markers("before", "new")


# The command.


def run_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "conformance/run.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_the_command_runs_every_case_on_this_projects_decoder() -> None:
    done = run_command("--", *OURS)
    assert (done.returncode, done.stderr) == (0, "")
    count = sum(len(group.cases) for group in load())
    assert f"  all            {count}/{count}, 0 not offered" in done.stdout


def test_the_command_runs_the_requested_cases() -> None:
    done = run_command("--only", "bom", "--only", "id/nul", "--", *OURS)
    assert done.returncode == 0
    assert re.findall(r"^  (\S+) +\d+/\d+", done.stdout, re.MULTILINE) == ["bom", "id", "all"]


def test_the_command_says_what_failed_and_by_which_sentence() -> None:
    done = run_command("--only", "bom/at-the-start", "--", *adapter("answer['events'] = []"))
    assert done.returncode == 1
    assert "bom/at-the-start, whole" in done.stdout
    assert "strips one leading UTF-8 Byte Order Mark" in done.stdout
    assert "server-sent-events.html#event-stream-interpretation" in done.stdout


def test_the_command_lists_the_cases() -> None:
    done = run_command("--list", "--only", "examples")
    assert done.stdout.split() == [c.name for g in load() if g.name == "examples" for c in g.cases]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--only", "no/such", "--", *OURS], "no/such"),
        (["--", "no-such-program-anywhere"], "could not be started"),
        ([], "say which decoder"),
    ],
)
def test_the_command_says_when_nothing_could_be_run(arguments: list[str], reason: str) -> None:
    done = run_command(*arguments)
    assert done.returncode == 2
    assert reason in done.stderr


def test_the_readme_names_every_offer_and_every_file() -> None:
    readme = (ROOT / "conformance" / "README.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([a-zA-Z.]+)` \| (?:with|the|\()", readme, re.MULTILINE)) >= OFFERS
    folder = ROOT / "conformance"
    files = {path.name for path in folder.iterdir() if path.is_file() and path.name != "README.md"}
    assert not [name for name in files if f"`{name}`" not in readme]


def test_the_readmes_examples_of_the_protocol_are_what_our_adapter_speaks() -> None:
    readme = (ROOT / "conformance" / "README.md").read_text("utf-8")
    hello, question, answer = (
        json.loads(text) for text in re.findall(r"```json\n(.*?)```", readme, re.DOTALL)
    )
    done = subprocess.run(
        OURS, cwd=ROOT, input=json.dumps(question), capture_output=True, text=True, timeout=30, check=True
    )
    ours_hello, ours_answer = map(json.loads, done.stdout.splitlines())
    assert ours_hello.keys() == hello.keys()
    assert ours_answer == answer


def test_every_adapter_is_named_among_the_peers() -> None:
    named = {Path(part).name for command in commands(Path("peers")) for part in command if "adapters" in part}
    there = {path.name for path in (ROOT / "conformance" / "adapters").glob("for_*")}
    assert named == there
    assert len(there) == 9
