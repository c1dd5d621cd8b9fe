"""How this side tells of a message that was cut, in each provider's own form of an error.

``outcome`` (``truncated``, ``stopped``, ``failed``) is our own field: what became of the message.
"""

from __future__ import annotations

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
