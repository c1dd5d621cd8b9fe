"""The relay as ``sse-relay serve --binding asyncio`` runs it where there is no uvloop.

The arguments are those of ``sse-relay``.
"""

from __future__ import annotations

import sys

from sse_relay.__main__ import main

if __name__ == "__main__":
    sys.modules["uvloop"] = None  # type: ignore[assignment]  # so that it isn't found
    main()
