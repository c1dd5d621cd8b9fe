"""Gemini's ``streamGenerateContent`` with ``alt=sse``, both ways."""

from __future__ import annotations

from types import MappingProxyType

from ..base import Credential, Dialect
from .decoder import Decoder
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
    request_path="/v1beta/models/{model}:streamGenerateContent?alt=sse",
    credential=Credential("x-goog-api-key"),
    request_fields=MappingProxyType({}),  # the address says that the answer is a stream
    comments_are_safe=False,  # google-genai raises on any comment
    shape=shape,
)

__all__ = ["DIALECT", "Decoder", "Encoder", "to_response"]
