"""The origin of a message, by the name of its dialect.

This protocol carries what each provider wants back in fields that are named after the provider, so it has to
know them: the one place where a dialect names others.
"""

from __future__ import annotations

from ..budget import Budget
from .anthropic_origin import AnthropicOrigin
from .gemini_origin import GeminiOrigin
from .origin import Origin, OwnOrigin
from .responses_origin import ResponsesOrigin
from .vocabulary import is_own

_ORIGINS: dict[str, type[Origin]] = {
    "anthropic": AnthropicOrigin,
    "gemini": GeminiOrigin,
    "openai-responses": ResponsesOrigin,
}


def origin_of(dialect: str, budget: Budget) -> Origin:
    """The origin of a message that came in ``dialect``; a plain one where nothing has to come back."""
    return (OwnOrigin if is_own(dialect) else _ORIGINS.get(dialect, Origin))(budget)
