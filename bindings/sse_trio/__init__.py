"""Streams on trio: ``connect``, ``stream_turn``, ``serve``."""

from .client import EventStream, TurnStream, connect, stream_turn
from .serving import serve

__all__ = ["EventStream", "TurnStream", "connect", "serve", "stream_turn"]
