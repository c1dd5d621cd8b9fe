"""The relay as a process, with settings."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from .processes import Running, python


def relay(
    binding: str, provider_port: int, settings: dict[str, Any] | None = None, *, secure: bool = False
) -> contextlib.AbstractContextManager[Running]:
    """The relay before the provider on this port, with these of ``RelayConfig``'s settings."""
    scheme = "https" if secure else "http"
    upstream = f"{scheme}://localhost:{provider_port}" if secure else f"{scheme}://127.0.0.1:{provider_port}"
    return python("-m", "load.relay_with", binding, json.dumps(settings or {}), upstream)
