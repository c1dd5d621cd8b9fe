"""Gemini's ``streamGenerateContent`` with ``alt=sse``, both ways."""

from __future__ import annotations

from ..base import Dialect
from .decoder import NAME, Decoder
from .encoder import Encoder
from .errors import error_response, error_status, parse_error
from .response import to_response

DIALECT = Dialect(NAME, Decoder, Encoder, to_response, error_response, error_status, parse_error)

__all__ = ["DIALECT", "Decoder", "Encoder", "to_response"]
