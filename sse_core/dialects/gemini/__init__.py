"""Gemini's ``streamGenerateContent`` with ``alt=sse``, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..base import Dialect
from .decoder import NAME, Decoder
from .encoder import Encoder
from .errors import error_response, error_status, parse_error
from .response import to_response

#: That the answer is a stream is said by the address, ``:streamGenerateContent?alt=sse``.
_REQUEST_FIELDS: Mapping[str, object] = MappingProxyType({})
DIALECT = Dialect(
    NAME,
    Decoder,
    Encoder,
    to_response,
    error_response,
    error_status,
    parse_error,
    request_fields=_REQUEST_FIELDS,
)

__all__ = ["DIALECT", "Decoder", "Encoder", "to_response"]
