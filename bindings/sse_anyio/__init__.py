"""Streams on asyncio and on trio, through anyio: ``connect``, ``stream_turn``, ``serve``."""

from sse_io.handler_application import Handler
from sse_io.server_tls import CertificateFiles

from .client import EventStream, connect
from .client_transport import ClientAnswer, ClientTransport
from .server import serve
from .turn_stream import TextStream, TurnStream, stream_turn

__all__ = [
    "CertificateFiles",
    "ClientAnswer",
    "ClientTransport",
    "EventStream",
    "Handler",
    "TextStream",
    "TurnStream",
    "connect",
    "serve",
    "stream_turn",
]
