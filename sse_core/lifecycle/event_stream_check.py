"""Whether an accepted answer can be read as an event stream.

The rules are Fetch's, which WHATWG HTML section 9.2.2 asks for: what a browser's EventSource reads,
is read here.
"""

from __future__ import annotations

import re

from ..headers import Headers

_EVENT_STREAM = "text/event-stream"

#: The content codings that change the bytes: all that IANA lists but "identity",
#: https://www.iana.org/assignments/http-parameters/http-parameters.xhtml#content-coding
CONTENT_CODINGS = frozenset(
    {
        "aes128gcm",
        "br",
        "compress",
        "dcb",
        "dcz",
        "deflate",
        "exi",
        "gzip",
        "pack200-gzip",
        "x-compress",
        "x-gzip",
        "zstd",
    }
)

#: One item of a list of fields; a comma within quotes belongs to the item.
_ITEM = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*"?)+', re.DOTALL)
_NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_MIME_TYPE = re.compile(rf"[ \t]*({_NAME}/{_NAME})[ \t]*(?:;.*)?", re.DOTALL)


def stream_problem(headers: Headers) -> str | None:
    """What is wrong with the head of an event stream, as the rest of a sentence; ``None`` if nothing."""
    content_type = mime_type(headers)
    if content_type != _EVENT_STREAM:
        given = content_type or ", ".join(item for item in _items(headers, "content-type") if item)
        what = f"with {ascii(given[:80])}" if given else "without a Content-Type"
        return f"answered {what} instead of {_EVENT_STREAM}"
    coding = content_coding(headers)
    if coding is not None:
        return f"compressed its stream ({coding}), though it was asked not to"
    return None


def mime_type(headers: Headers) -> str:
    """The type of an answer's content, without its parameters; empty if there is none.

    Fetch, https://fetch.spec.whatwg.org/#concept-header-extract-mime-type, takes all values as one
    list, on one line or on several, passes over what is no MIME type, and takes the last that is one.
    """
    essence = ""
    for item in _items(headers, "content-type"):
        match = _MIME_TYPE.fullmatch(item)
        if match is not None and match[1] != "*/*":
            essence = match[1].lower()
    return essence


def content_coding(headers: Headers) -> str | None:
    """The first content coding that changes the bytes of an answer, or ``None``.

    Fetch, "handle content codings": "If codings are not supported, then return bytes."  So "none",
    with which Node servers switch compression off, is read as it stands.  But a coding that exists and
    was not decoded holds no text.
    """
    codings = (item.strip(" \t").lower() for item in _items(headers, "content-encoding"))
    return next((coding for coding in codings if coding in CONTENT_CODINGS), None)


def _items(headers: Headers, name: str) -> list[str]:
    return [item.strip(" \t") for item in _ITEM.findall(", ".join(headers.get_all(name)))]
