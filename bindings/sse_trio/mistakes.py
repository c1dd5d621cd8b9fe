"""What is done about a mistake in somebody's code: it is logged, and ends what it befell."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

_log = logging.getLogger("sse_trio")


def report(error: BaseException) -> None:
    """Log ``error`` with its stack trace, which is for nobody else."""
    _log.error("a mistake in serving", exc_info=error)


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """What goes wrong inside is logged, and no further: one connection's trouble is no other's."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  (that is what it is for)
        report(error)
