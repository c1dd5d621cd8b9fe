"""Streams, chunks, calls and bounds for Hypothesis, made of the same pieces as the targets' inputs."""

from __future__ import annotations

from hypothesis import strategies as st

from sse_core.testing.stream_parts import STREAM_PARTS

from .model import Bounds
from .pieces import CALLS as CALL_MARKS
from .pieces import CUTS
from .script import some_of

#: Where cuts have fooled decoders: inside of a line end, and of a byte order mark.
_CUT_ENDS = (b"\n", b"\n", b"\r", b"\r\n", b"\r\xfe|\n", b"\r\xfe|", b"\xfe|\n", b"\n\xfe|")
_CUT_STARTS = (b"", b"\xef\xbb\xbf", b"\xef\xfe|\xbb\xbf", b"\xef\xbb\xfe|\xbf")
_FIELDS = (
    *(
        b"data",
        b"data: a",
        b"data:b",
        b"data:  c ",
        b"event: x",
        b"id: 1",
        b"id: 2",
        b"id",
        b"id: \0",
        b"retry: 5",
    ),
    *(b": c", b"foo: d", b"data: " + b"x" * 26, b": " + b"c" * 30, b"", b"", b""),
)


CHUNKS = st.lists(st.sampled_from(STREAM_PARTS), max_size=8).map(b"".join) | st.binary(max_size=8)
STREAMS = st.lists(CHUNKS, max_size=12).map(b"".join)
BOUNDS = st.just(Bounds()) | st.builds(
    Bounds, st.integers(8, 24), st.integers(0, 24), st.sampled_from(["fail", "skip"])
)

_LINES = st.builds(lambda field, end: field + end, st.sampled_from(_FIELDS), st.sampled_from(_CUT_ENDS))
_PARTS = _LINES | st.sampled_from((*STREAM_PARTS, *CALL_MARKS)) | st.binary(max_size=3)
_CONNECTIONS = st.builds(
    lambda start, parts, end: start + b"".join(parts) + end,
    st.sampled_from(_CUT_STARTS),
    st.lists(_PARTS, max_size=20),
    st.sampled_from(CALL_MARKS),
)

#: Calls of some connections, most of them nearly in order.
CALLS = st.lists(_CONNECTIONS, max_size=3).map(lambda scripts: list(some_of(b"".join(scripts), 40, 600)))

#: The chunks of one connection.
CUT_STREAMS = st.builds(
    lambda start, parts: [chunk for _, chunk in some_of(start + b"".join(parts), 40, 600)],
    st.sampled_from(_CUT_STARTS),
    st.lists(_LINES | st.sampled_from((*STREAM_PARTS, *CUTS)), max_size=20),
)
