"""What is logged: errors in somebody's code, bounds that were met, and requests that are refused."""

from __future__ import annotations

import logging

from sse_http import Refusal
from sse_io.acceptor import ServerLimit

_log = logging.getLogger("sse_trio")


def report(error: BaseException) -> None:
    """Log ``error`` with its stack trace, which is for nobody else; a bound that was met without one."""
    if isinstance(error, ServerLimit):
        _log.warning("%s", error)
    else:
        _log.error("an error while serving", exc_info=error)


def log_refusal(refusal: Refusal) -> None:
    """Log ``refusal``: as a warning, if there is a setting that would have let the request in."""
    _log.log(logging.WARNING if refusal.setting else logging.INFO, "refused a request: %s", refusal)
