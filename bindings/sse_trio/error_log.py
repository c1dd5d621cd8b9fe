"""What is logged: a mistake in somebody's code, which ends what it befell, and a request that is refused."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from sse_http import Refusal

_log = logging.getLogger("sse_trio")


def report(error: BaseException) -> None:
    """Log ``error`` with its stack trace, which is for nobody else."""
    _log.error("a mistake in serving", exc_info=error)


def log_refusal(refusal: Refusal) -> None:
    """Log ``refusal``: as a warning, if there is a setting that would have let the request in."""
    _log.log(logging.WARNING if refusal.setting else logging.INFO, "refused a request: %s", refusal)


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """What goes wrong inside is logged, and no further: one connection's trouble is no other's."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  (that is what it is for)
        report(error)
