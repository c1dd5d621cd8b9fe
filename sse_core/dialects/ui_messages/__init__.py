"""The stream that the AI SDK's browser side reads (UI message stream v1), both ways."""

from __future__ import annotations

from ..base import Dialect
from .decoder import Decoder
from .encoder import HEADERS, Encoder
from .errors import error_response, error_status, parse_error
from .response import to_response
from .vocabulary import NAME, shape

DIALECT: Dialect = Dialect(
    name=NAME,
    Decoder=Decoder,
    Encoder=Encoder,
    to_response=to_response,
    error_response=error_response,
    error_status=error_status,
    parse_error=parse_error,
    request_path="/api/chat",  # where ``useChat`` sends requests by default
    response_headers=HEADERS,
    shape=shape,
)

__all__ = ["DIALECT", "HEADERS", "Decoder", "Encoder", "to_response"]
