"""Streams on trio: ``connect``, ``stream_turn``, ``serve``."""

from .client import EventStream, connect
from .handlers import Handler
from .serving import serve
from .turn_stream import TextStream, TurnStream, stream_turn

__all__ = ["EventStream", "Handler", "TextStream", "TurnStream", "connect", "serve", "stream_turn"]
