"""What stands around the laws: scripts, mutations, small inputs, the selection, the progress line."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz import corpus
from fuzz.encoding import Fields, as_written, fields_of
from fuzz.laws import held_bytes
from fuzz.model import Bounds, counted
from fuzz.mutator import mutate, parts_of
from fuzz.progress import Line, Progress
from fuzz.replay import shrunk
from fuzz.runner import shares
from fuzz.script import calls_of, script_of

NAMED = st.tuples(st.just("receive_data"), st.binary(min_size=1)) | st.sampled_from(
    [("receive_eof", b""), ("reset", b"")]
)


@given(calls=st.lists(NAMED))
def test_any_calls_can_be_written_as_a_script(calls: list[tuple[str, bytes]]) -> None:
    assert list(calls_of(script_of(calls))) == calls


def test_marks_cut_end_repeat_and_lengthen() -> None:
    assert list(calls_of(b"a\xfe|b\xfeEc\xfe1d\xfeRe\xfebf\xfeF")) == [
        ("receive_data", b"a"),
        ("receive_data", b"b"),
        ("receive_eof", b""),
        *[("receive_data", b"c")] * 4,
        ("receive_data", b"d"),
        ("reset", b""),
        ("receive_data", b"eeee"),
        ("receive_data", b"f\xfe"),
    ]


def test_marks_say_which_field_a_text_is() -> None:
    assert list(fields_of(b"a\xfeex\xfei1\xfer-5\xfe;b\xferx\xfec:\xfedc")) == [
        Fields("a", "x", "1", -5),
        Fields("bc", None, None, "x", ":"),
    ]


@given(st.text(st.characters() | st.characters(categories=["Cs"])))
def test_halves_of_characters_are_written_as_utf_16_has_them(text: str) -> None:
    assert as_written(text) == text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@pytest.mark.parametrize(
    ("stream", "bounds", "expected", "skipped", "failure"),
    [
        (b"data: 1\n\ndata: 123456789\nid: 1\n\n", Bounds(9), b"data: 1\n\n", 0, "max_line_bytes"),
        (b"data: 1\n\ndata: 123456789\nid: 1", Bounds(9, on_oversize="skip"), b"data: 1\n\n", 1, None),
        (b"id: 1\ndata: 12\nretry: 5\ndata\n: c\n\n", Bounds(99, 2, "skip"), b"retry: 5\n: c\n\n", 1, None),
        (b"id: 1\ndata: 12\ndata\n\n", Bounds(99, 2), b"id: 1\ndata: 12\n", 0, "max_event_bytes"),
        (b":123456789\nfoo: 12345\ndata: a\n\n:12345678", Bounds(8), b"data: a\n\n", 0, None),
    ],
)
def test_the_model_takes_away_what_bounds_forbid(
    stream: bytes, bounds: Bounds, expected: bytes, skipped: int, failure: str | None
) -> None:
    what = counted(stream, bounds)
    assert (what.stream, what.skipped, what.failure) == (b"\xef\xbb\xbf" + expected, skipped, failure)


def test_what_is_in_memory_is_weighed_wherever_it_hides() -> None:
    megabyte = bytearray(2**20)

    def hidden() -> Iterator[object]:
        view = memoryview(megabyte)[:1]
        yield None
        yield view

    generator = hidden()
    next(generator)
    view = memoryview(megabyte)[:1]
    for thing in ({"a": [megabyte]}, view, generator, iter([(megabyte,)]), megabyte.copy, lambda: megabyte):
        assert held_bytes([thing]) >= 2**20
    assert held_bytes(([], list, io, held_bytes)) < 1000
    assert held_bytes([megabyte], but_not=megabyte) < 1000


def test_a_mutation_depends_on_its_seed_alone_and_leaves_the_header() -> None:
    data = b"\xfe\n\xfedata: a\r\ndata: b\xfe|c\n\nid: 1\n"
    changed = [
        mutate(data, 60, seed, header=3, pieces=[b"x"], mutate_bytes=lambda data, _: data)
        for seed in range(200)
    ]
    again = [
        mutate(data, 60, seed, header=3, pieces=[b"x"], mutate_bytes=lambda data, _: data)
        for seed in range(200)
    ]
    assert changed == again
    assert len(set(changed)) > 50
    assert all(new[:3] == data[:3] and len(new) <= 60 for new in changed)
    assert parts_of(data[3:]) == [b"data: a\r\n", b"data: b\xfe|", b"c\n", b"\n", b"id: 1\n"]


def test_a_finding_is_made_small() -> None:
    data = b"x" * 50 + b"a" + b"y" * 50 + b"b" + b"z" * 50
    assert shrunk(data, lambda data: 0 <= data.find(b"a") < data.find(b"b")) == b"ab"


def test_the_selection_has_the_smallest_inputs_that_do_all_that_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "FOUND", tmp_path / "found")
    monkeypatch.setattr(corpus, "KEPT", tmp_path / "kept")
    inputs = [
        b"data: abcdefghijklmnop\n\n",
        b"data: abcdefghijklmno\n\n",
        b"id: 1\n\n",
        b"data: abcdefghijklmnopq\n\n",
    ]
    corpus.write(tmp_path / "found" / "framing_bytes", inputs)
    assert corpus.keep("framing_bytes") == 2
    assert corpus.kept("framing_bytes") == [b"id: 1\n\n", b"data: abcdefghijklmno\n\n"]


def test_the_laws_get_twice_the_time_of_a_target() -> None:
    assert shares(["laws", "a", "b"], 60) == [("laws", 30), ("a", 15), ("b", 15)]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_read_from_the_engines_and_overwrites_itself() -> None:
    progress = Progress("framing_calls", time.monotonic() + 9.2)
    for line in (
        "runs: 1234567\n",
        "#9 NEW    cov: 97 ft: 600 corp: 125/5033b lim: 200 exec/s: 2207 rss: 43Mb\n",
        "artifact_prefix='x'; Test unit written to .fuzz-corpus/findings/a-crash-1\n",
    ):
        progress.read(line)
    assert progress.findings == [".fuzz-corpus/findings/a-crash-1"]
    text = str(progress)
    for figure in ("framing_calls", "1,234,567 runs", "125 inputs", "97 edges", "1 findings", "9 s left"):
        assert figure in text
    laws = Progress("laws", 0)
    laws.read("law: test_a 50\n")
    laws.read(".law: test_b 70\n")
    assert (laws.runs, laws.law) == (120, "test_b")
    terminal, file = Terminal(), io.StringIO()
    for out in (terminal, file):
        line_ = Line(out)
        line_.show("soon")
        line_.show("too soon")
        line_.keep("done")
    assert terminal.getvalue() == "\r\x1b[Ksoon\r\x1b[Kdone\n"
    assert file.getvalue() == "done\n"
