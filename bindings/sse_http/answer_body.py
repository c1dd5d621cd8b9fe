"""What undoes the content codings of an answer's body, as far as that is to be done.

Every request says ``Accept-Encoding: identity``.  Who compresses nevertheless (gateways do, and servers with
a filter before them) is read, within bounds: an answer that is no event stream up to so many bytes, and an
event stream for as long as it lasts, but no more at once than is in proportion to what has come.
"""

from __future__ import annotations

from sse_core.errors import TransportError
from sse_core.headers import Headers
from sse_core.lifecycle.event_stream_check import mime_type

from .content_coding import DECODED, MAX_CODINGS, ContentDecoder, codings_of

#: Of the body of an answer that is no event stream: so much is decoded.
MAX_DECODED_BYTES = 2**20
#: Of an event stream, in what is read at once: so much is decoded whatever has come, and beyond that so many
#: bytes for each.  All that is decoded before its reader takes anything, so this bounds what waits for him:
#: 4 MiB, with the 16 KiB that are read at once.  On the whole there is no bound: a state that is sent again
#: and again, with little that is new, takes a thousandth of its bytes.
FREE_STREAM_BYTES = 2**20
MAX_STREAM_RATIO = 256
#: Which library undoes a coding that Python's own doesn't.
_LIBRARIES = {"br": "brotli", "zstd": "zstandard"}


def is_event_stream(status: int, headers: Headers) -> bool:
    """Whether an answer is a stream, by all that its head says; one that says nothing may be."""
    return status < 300 and mime_type(headers) in {"", "text/event-stream"}


def body_decoder(
    headers: Headers, *, is_stream: bool, decoded: frozenset[str] = DECODED
) -> ContentDecoder | None:
    """What undoes the content codings of an answer's body; ``None`` if nothing does, or there are none.

    - ``headers``: of the answer.
    - ``is_stream``: whether it is an event stream.
    - ``decoded``: the codings that can be undone here.

    Raises ``TransportError`` for an event stream that could be read if a library were installed.
    """
    codings = codings_of(headers)
    if not 0 < len(codings) <= MAX_CODINGS:
        return None
    if not decoded.issuperset(codings):
        if is_stream:
            _name_what_is_missing([coding for coding in codings if coding not in decoded])
        return None
    if is_stream:
        return ContentDecoder(
            codings, max_decoded_bytes=None, max_ratio=MAX_STREAM_RATIO, free_bytes=FREE_STREAM_BYTES
        )
    return ContentDecoder(codings, max_decoded_bytes=MAX_DECODED_BYTES)


def _name_what_is_missing(codings: list[str]) -> None:
    libraries = [_LIBRARIES[coding] for coding in codings if coding in _LIBRARIES]
    if len(libraries) == len(codings):
        wanted = " ".join(dict.fromkeys(libraries))
        message = f"the answer is compressed ({', '.join(codings)}), though it was asked not to be: "
        raise TransportError(f"{message}pip install {wanted} to read it", retryable=False)
