"""Which answers are event streams: what browsers read, is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core.headers import Headers
from sse_core.lifecycle.event_stream_check import CONTENT_CODINGS, stream_problem

STREAM = ("content-type", "text/event-stream")


def problem(*lines: tuple[str, str]) -> str | None:
    return stream_problem(Headers(lines))


class TestContentType:
    @pytest.mark.parametrize(
        "values",
        [
            ["text/event-stream"],
            ["text/event-stream;"],
            [" TEXT/event-stream ; charset=windows-1252"],
            ["text/event-stream", "text/event-stream"],
            ["application/json", "text/event-stream"],
            ["text/html;charset=utf-8", "text/event-stream;charset=utf-8"],
            ["text/event-stream", "*/*"],
            ["text/event-stream", "no type"],
            ["text/event-stream", ""],
            ["text/event-stream", "a/b/c"],
            ['text/html;x="a,b', "text/event-stream"][1:],
            ['text/html;x="a,text/html"', "text/event-stream"],
            ['text/event-stream;x="\\", text/html"'],
        ],
    )
    def test_the_last_valid_one_counts_on_one_line_or_on_several(self, values: list[str]) -> None:
        """Fetch: "extract a MIME type"."""
        assert problem(*[("content-type", value) for value in values]) is None
        assert problem(("content-type", ", ".join(values))) is None

    @pytest.mark.parametrize(
        "values",
        [
            [],
            [""],
            ["*/*"],
            ["x bogus"],
            ["text/html"],
            ["text/event-stream", "application/json"],
            ["text/event-stream-x"],
            ["text/event-stream x"],
            ["event-stream"],
            ['text/html;x="', "text/event-stream"],
            ['text/html;x=", text/event-stream"'],
        ],
    )
    def test_anything_else_is_none(self, values: list[str]) -> None:
        for lines in (values, [", ".join(values)]):
            sentence = problem(*[("content-type", value) for value in lines])
            assert sentence is not None
            assert "instead of text/event-stream" in sentence

    @given(st.lists(st.text('abt/;,"\\ =*', max_size=12), max_size=4))
    def test_lines_and_commas_are_the_same(self, values: list[str]) -> None:
        lines = [("content-type", value) for value in values]
        assert problem(*lines) == problem(("content-type", ", ".join(Headers(lines).get_all("content-type"))))

    def test_it_says_what_came(self) -> None:
        assert problem() == "answered without a Content-Type instead of text/event-stream"
        assert problem(("content-type", "text")) == "answered with 'text' instead of text/event-stream"

    def test_what_it_quotes_is_short_and_escaped(self) -> None:
        sentence = problem(("content-type", "text/" + "a" * 10_000))
        assert sentence is not None
        assert len(sentence) < 200


class TestContentEncoding:
    @pytest.mark.parametrize(
        "values",
        [["none"], ["None"], ["utf-8"], ["identity"], ["Identity", "identity"], [""], ["chunked"], ["x"]],
    )
    def test_what_nobody_registered_changes_no_bytes(self, values: list[str]) -> None:
        """Fetch: "If codings are not supported, then return bytes."."""
        assert problem(STREAM, *[("content-encoding", value) for value in values]) is None
        assert problem(STREAM, ("content-encoding", ", ".join(values))) is None

    @pytest.mark.parametrize(
        "value", [*sorted(CONTENT_CODINGS), "GZIP", "none, br", "zstd ,identity", " x-gzip"]
    )
    def test_what_is_compressed_is_not_read(self, value: str) -> None:
        sentence = problem(STREAM, ("content-encoding", value))
        assert sentence is not None
        assert "compressed" in sentence
        assert problem(STREAM, ("content-encoding", "none"), ("content-encoding", value)) == sentence
