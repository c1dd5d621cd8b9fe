"""Reason phrases of status codes, alike on every version of Python."""

from __future__ import annotations

from http import HTTPStatus

#: RFC 9110 section 15 names these otherwise than RFC 7231 did, and Python only from 3.13 on.
_RENAMED = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}


def reason_phrase(status: int) -> str:
    """RFC 9110's phrase for ``status``; empty for one that has none."""
    if status in _RENAMED:
        return _RENAMED[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
