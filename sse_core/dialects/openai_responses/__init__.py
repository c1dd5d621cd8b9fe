"""OpenAI's Responses as a stream, and the hosts that speak the same protocol, both ways."""

from __future__ import annotations

from ..base import Dialect
from .decoder import Decoder
from .encoder import Encoder
from .errors import error_response, error_status, parse_error
from .response import to_response

DIALECT = Dialect(
    "openai-responses", Decoder, Encoder, to_response, error_response, error_status, parse_error
)

__all__ = ["DIALECT", "Decoder", "Encoder", "to_response"]
