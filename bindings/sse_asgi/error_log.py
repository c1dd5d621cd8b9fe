"""The log ``sse_asgi``: see ``sse_io.server_log`` for what is said there."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sse_http import Refusal
from sse_io.server_log import ServerLog

_LOG = ServerLog(logging.getLogger("sse_asgi"))
report: Callable[[BaseException], None] = _LOG.report
log_refusal: Callable[[Refusal], None] = _LOG.log_refusal
