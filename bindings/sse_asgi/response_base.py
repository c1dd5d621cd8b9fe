"""What a response inherits: Starlette's ``Response`` where that is installed, as FastAPI takes no other."""

from __future__ import annotations

from typing import Any

try:
    from starlette.responses import Response as ResponseBase  # pyright: ignore[reportAssignmentType]
except ImportError:

    class ResponseBase:  # type: ignore[no-redef]
        """What middleware of any framework may look at."""

        media_type: str | None = None
        status_code: int
        raw_headers: list[tuple[bytes, bytes]]
        background: Any


__all__ = ["ResponseBase"]
