"""Answers that are the server's own, whatever it serves."""

from __future__ import annotations

from .application import Reply

MISTAKE = Reply.error(500, "api_error", "The server made a mistake; its log says more.")
#: For who has no answer yet when the server goes down.
GOING_DOWN = Reply.error(
    503, "overloaded_error", "The server is going down; ask again.", [("retry-after", "1")]
)
TOO_LATE = Reply.error(
    408,
    "timeout_error",
    "The request did not come in time (limits: request_timeout, min_upload_rate, upload_timeout).",
)
