"""The providers' wire protocols, by name."""

from __future__ import annotations

from .base import Credential, Dialect
from .event_codec import EventDecoder, EventEncoder
from .recognition import Recognition, mismatch, recognized
from .registry import get, names

__all__ = [
    "Credential",
    "Dialect",
    "EventDecoder",
    "EventEncoder",
    "Recognition",
    "get",
    "mismatch",
    "names",
    "recognized",
]
