"""The providers' wire protocols, by name."""

from __future__ import annotations

from . import anthropic, gemini, openai_chat, openai_responses, ui_messages
from .base import Dialect
from .event_codec import EventDecoder, EventEncoder
from .recognition import Recognition, mismatch, recognized

_ALL = (
    anthropic.DIALECT,
    gemini.DIALECT,
    openai_chat.DIALECT,
    openai_responses.DIALECT,
    ui_messages.DIALECT,
)
_DIALECTS = {dialect.name: dialect for dialect in _ALL}
_DIALECTS = {dialect.name: dialect for dialect in _ALL}


def get(name: str) -> Dialect:
    """The dialect called ``name``, for example ``"anthropic"``.

    Raises ``ValueError``, listing the names there are, for any other.
    """
    try:
        return _DIALECTS[name]
    except KeyError:
        raise ValueError(f"no dialect is called {name!r}; there is {', '.join(names())}") from None


def names() -> list[str]:
    """The names of all dialects there are."""
    return sorted(_DIALECTS)


__all__ = [
    "Dialect",
    "EventDecoder",
    "EventEncoder",
    "Recognition",
    "get",
    "mismatch",
    "names",
    "recognized",
]
