"""OpenAI's Responses as a stream."""

from __future__ import annotations

from .encoder import Encoder

__all__ = ["Encoder"]
