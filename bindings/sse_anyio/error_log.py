"""The log ``sse_anyio``: see ``sse_io.server_log`` for what is said there."""

from __future__ import annotations

import logging

from sse_io.server_log import ServerLog

_LOG = ServerLog(logging.getLogger("sse_anyio"))
report = _LOG.report
log_refusal = _LOG.log_refusal
