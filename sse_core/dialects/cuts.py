"""What a message that was cut says to its readers, in whatever protocol: a type, a message, a status."""

from __future__ import annotations

#: Our error types: the HTTP status code, and whether the same request may succeed later.  410 for a
#: stopped turn: after 408, 409, 429 and 5xx the providers' clients ask again on their own, and would
#: undo the stop.
TYPES_OF_CUTS = {
    "stream_truncated": (502, True),
    "turn_stopped": (410, False),
    "turn_failed": (502, False),
}
#: completeness -> the type and message of the error that reports the cut
CUTS = {
    "truncated": ("stream_truncated", "The stream ended before the message was complete."),
    "stopped": ("turn_stopped", "The turn was stopped before the message was complete."),
    "failed": ("turn_failed", "The turn failed before the message was complete."),
}
