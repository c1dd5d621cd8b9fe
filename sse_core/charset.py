"""The text of a body that its sender may have encoded in another way than UTF-8."""

from __future__ import annotations

import re

from .headers import Headers

#: What a ``charset`` that is not UTF-8 means, by the labels of https://encoding.spec.whatwg.org/#names-and-labels
#: (which reads ISO-8859-1 as windows-1252).  No codec of Python's is called by a peer's word.
_CODECS = {
    **dict.fromkeys(("ascii", "iso-8859-1", "iso8859-1", "latin1", "us-ascii", "windows-1252"), "cp1252"),
    **dict.fromkeys(("gb18030", "gb2312", "gbk"), "gb18030"),
    **dict.fromkeys(("utf-16", "utf-16le"), "utf-16-le"),
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    "big5": "big5hkscs",
}
_CHARSET = re.compile(r";[ \t]*charset=\"?([^\s\";,]{1,40})", re.IGNORECASE)


def text_of(body: bytes, headers: Headers) -> str:
    """``body`` as text: UTF-8 unless its ``Content-Type`` names another encoding that is known here."""
    match = _CHARSET.search(headers.get("content-type") or "")
    codec = _CODECS.get(match[1].lower()) if match else None
    return body.decode(codec or "utf-8", "replace").removeprefix("\ufeff")
