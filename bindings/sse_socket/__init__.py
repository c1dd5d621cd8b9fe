"""Streams on plain sockets, without an event loop: ``connect``, ``stream_turn``, ``serve``."""

from sse_io.handler_application import BlockingHandler as Handler
from sse_io.server_tls import CertificateFiles

from .client import EventStream, connect
from .server import serve
from .server_handle import ServerHandle
from .turn_stream import TextStream, TurnStream, stream_turn

__all__ = [
    "CertificateFiles",
    "EventStream",
    "Handler",
    "ServerHandle",
    "TextStream",
    "TurnStream",
    "connect",
    "serve",
    "stream_turn",
]
