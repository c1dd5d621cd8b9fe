"""Whether an answer with status 200 can be read as an event stream."""

from __future__ import annotations

from ..headers import Headers

_EVENT_STREAM = "text/event-stream"


def stream_problem(headers: Headers) -> str | None:
    """What is wrong with the head of an event stream, as the rest of a sentence; ``None`` if nothing.

    Nobody who reads a stream here asks for a content coding (RFC 9110 section 8.4), and one that
    holds back what it compresses would hold back events.
    """
    content_type = (headers.get("content-type") or "").partition(";")[0].strip().lower()
    if content_type != _EVENT_STREAM:
        return f"answered with {content_type[:80]!a} instead of {_EVENT_STREAM}"
    if (headers.get("content-encoding") or "identity").lower() != "identity":
        return "compressed its stream, though it was asked not to"
    return None
