"""What the errors of all providers have in common: their bounds, what headers say, and our own for cuts.

This side tells of a message that was cut in the provider's own form of an error.  ``outcome``
(``truncated``, ``stopped``, ``failed``) is our own field: what became of the message.
"""

from __future__ import annotations

from ..blocks.events import StreamError
from ..headers import Headers

MAX_TYPE = 100  #: characters of an error's type that are kept
MAX_MESSAGE = 2000  #: characters of an error's message that are kept

#: The statuses below 500 that the providers' own clients ask again after.
RETRYABLE_STATUSES = frozenset({408, 409, 429})
#: Our error types: the HTTP status code, and whether the same request may succeed later.  410 for a
#: stopped turn: after 408, 409, 429 and 5xx the providers' clients ask again on their own, and would
#: undo the stop.
TYPES_OF_CUTS = {
    "stream_truncated": (502, True),
    "turn_stopped": (410, False),
    "turn_failed": (502, False),
}
#: completeness -> the type and message of the error that tells of the cut
CUTS = {
    "truncated": ("stream_truncated", "The stream ended before the message was complete."),
    "stopped": ("turn_stopped", "The turn was stopped before the message was complete."),
    "failed": ("turn_failed", "The turn failed before the message was complete."),
}
#: Fields that stand beside the error object, not in it.
BESIDE = frozenset({"request_id", "outcome"})


def heed_headers(error: StreamError, headers: Headers, *, request_id: str) -> None:
    """Let an answer's headers speak: ``x-should-retry``, and the one that is named ``request_id``."""
    wish = headers.get("x-should-retry")
    if wish in {"true", "false"}:
        error.retryable = wish == "true"
    id_ = headers.get(request_id)
    if id_ is not None:
        error.extra.setdefault("request_id", id_)
