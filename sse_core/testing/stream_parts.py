"""What event streams are made of, and where decoders have been wrong."""

from __future__ import annotations

STREAM_PARTS = (
    *(b"data", b"event", b"id", b"retry", b"foo", b":", b": ", b" ", b"\0", b"x", b"7", b"0"),
    *(b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b"\n\r", b"\x0b", b"\x85", "\u2028".encode()),
    *(b"data: ", b"data:", b"data\n", b"event: x\ndata: ", b"event: y\r\ndata: ", b"event: x\r\ndata: "),
    *(b"id: 1\n", b"id: 2\n\n", b"id\n", b"id:\n", b"id: \0\n", b"event: x\n", b"event\n", b": ping\n"),
    *(b"retry: 12\n", b"retry: +1\n", b"retry:\n", b"retry: 2147483647\n", b"retry: 2147483648\n"),
    *(b"data: a\n\n", b"data: b\r\n\r\n", b"event: x\ndata: b\n\n", b"event: y\ndata: c\nid: 2\n\n") * 3,
    *(b"event: x\ndata: d\n\n", b"event: x\r\ndata: d\r\n\r\n", b"data: d\ndata: e\r\r") * 3,
    *("retry: \u0661\n".encode(), b"retry: 1_0\n", b"retry: 007\n", "retry: \u00b2\n".encode()),
    *(b"\xef\xbb\xbf", b"\xef", b"\xbb\xbf", "世😀\u2028".encode(), b"\xf0\x9f", b"\x98\x80", b"\xff"),
    *(b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"),
    *(
        b"data\n" * 13,
        b"data:\n" * 26,
        b"data: " + b"x" * 8,
        b"x" * 16,
        b"data: " + b"y" * 30 + b"\n\n",
        b"foo: " + b"z" * 40 + b"\n",
    ),
)
