"""What is wrong with a request to the simulated provider."""

from __future__ import annotations

from sse_core.errors import RemoteProtocolError


class SettingsError(RemoteProtocolError):
    """A ``Sim-*`` field, or the flag of the same name, cannot be used.  Its text names the field."""
