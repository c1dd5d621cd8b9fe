"""A simulated provider that speaks Anthropic's Messages API, to the byte and at any pace.

It is an application like any other: pure, to be served by any binding.  It generates text,
thinking and tool calls at the rate that a request asks for, fails in every way that it asks for, and keeps
its own record of what it generated.
"""

from __future__ import annotations

from .app import Provider
from .errors import SettingsError
from .faults import Fault
from .settings import Settings

__all__ = ["Fault", "Provider", "Settings", "SettingsError"]
