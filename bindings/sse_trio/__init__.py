"""Streams on trio: ``connect``, ``stream_turn``, ``serve``."""

from .client import EventStream, TurnStream, connect, stream_turn
from .handlers import Handler
from .serving import serve

__all__ = ["EventStream", "Handler", "TurnStream", "connect", "serve", "stream_turn"]
