"""What a server's log says; the log itself is its binding's."""

from __future__ import annotations

from typing import Any, Protocol

from sse_http import Refusal

from .acceptor import ServerLimit


class Log(Protocol):
    """What is used of a ``logging.Logger``."""

    def info(self, msg: str, /, *args: object) -> None:
        """Worth knowing."""

    def warning(self, msg: str, /, *args: object) -> None:
        """An operator can do something about it."""

    def error(self, msg: str, /, *args: object, exc_info: Any) -> None:
        """Somebody's mistake."""


class ServerLog:
    """Errors in somebody's code, bounds that were met, and requests that are refused, to ``log``."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def report(self, error: BaseException) -> None:
        """Log ``error`` with its stack trace, which is for nobody else; a bound that was met without one."""
        if isinstance(error, ServerLimit):
            self._log.warning("%s", error)
        else:
            self._log.error("an error while serving", exc_info=error)

    def log_refusal(self, refusal: Refusal) -> None:
        """Log ``refusal``: as a warning, if there is a setting that would have let the request in."""
        log = self._log.warning if refusal.setting else self._log.info
        log("refused a request: %s", refusal)
