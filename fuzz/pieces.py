"""What event streams and their enemies are made of: parts to insert, and seeds to begin with."""

from __future__ import annotations

#: Marks of ``fuzz/script.py``: the cut more often than the rest.
CUTS = (b"\xfe|",) * 16
CALLS = (*CUTS, *(b"\xfeE", b"\xfeR") * 2, b"\xfeF")
REPEATS = (b"\xfe3", b"\xfe6", b"\xfe9", b"\xfed", b"\xfeg", b"\xfej")

#: Marks and texts of ``fuzz/encoding.py``.
FIELDS = (
    *(b"\xfee", b"\xfei", b"\xfer", b"\xfec", b"\xfed", b"\xfe;") * 3,
    *(b"\xfeex", b"\xfeemessage", b"\xfei1", b"\xfei\0", b"\xfecping", b"\xfe;data: forged\n\n"),
    *(b"\xfer0", b"\xfer2147483647", b"\xfer2147483648", b"\xfer-1", b"\xfer+1", b"\xfertrue"),
    *(
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b" ",
        b":",
        b"\0",
        b"\xef\xbb\xbf",
        "\u2028".encode(),
        b"\x85",
        b"\x0b",
    ),
    *(
        b"data: forged",
        b"id: 9",
        b"event: forged",
        b"\n\ndata: forged\n\n",
        b"retry: 1",
        b"x",
        "世😀".encode(),
    ),
    *(b"\xed\xa0\xbd", b"\xed\xb8\x80", b"\xff", b"\xf0\x9f"),
)

_STREAMS = (
    b"data: YHOO\ndata: +2\ndata: 10\n\n",
    b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
    b"data\n\ndata\ndata\n\ndata:",
    b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\ndata: c\n\n",
    b"\xef\xfe|\xbb\xbfdata: a\r\xfe|\ndata: b\r\xfe|\r\xfe|\ndata: c\r\r",
    b"event: x\r\ndata: a\r\n\r\nevent: x\r\ndata: b\r\n\r\nevent: x\r\ndata: c\ndata: d\r\n\r\n",
    b"event: x\ndata: a\n\nevent: y\ndata: b\nid: 1\n\nevent: y\ndata: \xe4\xb8\xfe|\x96\n\ndata: e\n\n",
    b"id: 1\n\nid: \x00\ndata: a\n\nid\n\ndata: b\n\nid: 2\nretry: 10\nretry: 1x\n: \xff\n\n",
    b"id: 1\ndata: a\n\nid: 2\ndata: lost\xfeEdata: b\n\n: half a \xfeRcomment\ndata: c\n\n\xfeE\xfeE",
    b"data: 0123456789\ndata: 0123456789\ndata: 0123456789\n\nid: 3\ndata: a\n\n\xfeRdata: b\n\n",
    b"data: a\n\nid: 0123456789012345678901234567890123456789\ndata: b\n\ndata: c\n\n\xfeE\xfeRdata: d\n\n",
    b"data: 0123456789012345678901234567890123\xfe|45\xfe|6\ndata: a\n\n\xfe|data: b\n\xfe|\ndata: c\n\n",
    b": 0123456789012345678901234567890123456789\nfoo: 0123456789012345678901234567890123456789\ndata: a\n\n",
)
_REPEATED = (
    b"data: 01234567\n\xfe9\n",
    b"data: \xfe|01234567\xfe9\n\n",
    b": 01234567\xfe9\n\n",
    b"foo: 01234567\xfe9\n\n",
    b"data\n\xfe9\n\nevent: x\xf0\x9f\x98\x80\ndata: \xfe|y\xfe9",
    b"id: \xf0\x9f\x98\x8001234567890123456789\ndata: a\n\nid: \xf0\x9f\x98\x8001234567890123456780\n\xfe5",
    b"\xfe9\r\xfe9\n\xfe9\xef\xfe9",
    b"data: a\n\n\xfejid: 1\n\xfejevent: x\ndata: b\n\n\xfejevent\n\xfej: c\n\xfej\r\xfej",
    b"data: a\n\ndata: 0123456789012345678901234567890123456789\n\n\xfej",
    b"retry: \xfe|12345678\xfej\nid: \xfe|12345678\xfej\n\n",
    b"event: \xfe|01234567\xfeg\ndata: \xfe|01234567\xfeg\nid: \xfe|01234567\xfeg\n\n",
)
_HEADERS = (b"\0\0\0", b"\x04\0\0", b"\x01\x0c\x10", b"\x03\x0c\x10", b"\x03\x3f\x08", b"\x05\x00\x20")

STREAM_SEEDS = tuple(stream.replace(b"\xfeE", b"").replace(b"\xfeR", b"") for stream in _STREAMS)
CALLS_SEEDS = tuple(header + stream for header in _HEADERS for stream in _STREAMS)
MEMORY_SEEDS = tuple(
    header + stream
    for header in (b"\0\x02\x04", b"\0\x38\x40", b"\1\x38\x40", b"\1\xff\xff", b"\2\0\0")
    for stream in _REPEATED
)
ENCODER_SEEDS = (
    b"hello",
    b"two\nlines\r\nand\rmore\n\xfeegreeting\xfei7\xfer1500",
    b"\xfe;\xfe;\n\xfe;\r\n\xfe; a\xfe;a\xfecping\n: pong",
    b"a\xfeex\ndata: forged\n\n\xfe;b\xfei1\0\xfe;c\xfei1\rid: 2",
    b"a\xfer-1\xfe;b\xferx\xfe;c\xfer2147483648\xfe;d\xfer2147483647\xfe;e\xfer0\xfe;f\xfertrue",
    b"a\xfei1\xfe;b\xfei\xfe;c\xfei2\xfe;d\xfee\xfe;e\xfeemessage",
    b"\xed\xa0\xbd\xfe;\xed\xa0\xbd\xed\xb8\x80\xfe;\xff\xfeex\xed\xb8\x80\xfei\xed\xa0\xbd\xfec\xed\xa0\xbd",
)

#: JSON, and what is none.
JSON_PIECES = (
    *(b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\", b" ", b"\n", b"\t") * 2,
    *(
        b'"a"',
        b'"a":',
        b'"b":',
        b'""',
        b"1",
        b"-0",
        b"1.5",
        b"-1.5e3",
        b"1E+2",
        b"1e999",
        b"-1e400",
        b"01",
        b"1.",
    ),
    *(b"true", b"false", b"null", b"tru", b"NaN", b"Infinity", b"-Infinity", b"\xef\xbb\xbf", b"\0", b"\x1f"),
    *(rb"\n", rb"\"", rb"\\", rb"\/", rb"\u00e9", rb"\ud83d", rb"\ude00", rb"\uD83D\uDE00", rb"\u12", rb"\x"),
    *(
        "é😀\u2028".encode(),
        b"\xed\xa0\xbd",
        b"\xed\xb8\x80",
        b"\xff",
        b'{"a":[1,',
        b'],"b":{}}',
        b"[[[[",
        b"]]]]",
    ),
)
JSON_SEEDS = tuple(
    header + text
    for header in (b"\x0b", b"\x02")
    for text in (
        b'{"a": [1, -2.5e3, tr\xfe|ue, null], "b": {"c": "d\\n\\u00\xfe|e9"}}',
        b'["\\ud83d\xfe|\\ude00\\ud83d", "\xed\xa0\xbd\xfe|\xed\xb8\x80", "\\ude00"]',
        b"12\xfe|3\xfe|",
        b'{"a": 1, "a": [2], "\xfe|a": "b"}',
        b"[[[[[[[[]]]]]]]]",
        b"[1e999, -1e400, 1E-999]",
        b'"abc',
        b"[NaN]",
        b"\xef\xbb\xbf{}",
        b' {"a" : {"b" : [ ] } } x',
    )
)
