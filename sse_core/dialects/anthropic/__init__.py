"""Anthropic's Messages streaming, both ways."""

from __future__ import annotations

from ..base import Credential, Dialect
from .decoder import Decoder
from .deltas import DELTA
from .encoder import Encoder
from .errors import VOCABULARY
from .response import to_response
from .vocabulary import NAME, shape

DIALECT: Dialect = Dialect(
    name=NAME,
    Decoder=Decoder,
    Encoder=Encoder,
    to_response=to_response,
    error_response=VOCABULARY.response,
    error_status=VOCABULARY.status_of,
    parse_error=VOCABULARY.parse,
    request_path="/v1/messages",
    credential=Credential("x-api-key"),
    shape=shape,
    delta=DELTA,
)

__all__ = ["DIALECT", "Decoder", "Encoder", "to_response"]
