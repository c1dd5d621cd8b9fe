"""The providers' wire protocols, by name."""

from __future__ import annotations

from . import anthropic, openai_chat, ui_messages
from .base import Dialect, EventDecoder, EventEncoder

_DIALECTS = {
    dialect.name: dialect for dialect in (anthropic.DIALECT, openai_chat.DIALECT, ui_messages.DIALECT)
}


def get(name: str) -> Dialect:
    """The dialect called ``name``, for example ``"anthropic"``.

    Raises ``ValueError``, listing the names there are, for any other.
    """
    try:
        return _DIALECTS[name]
    except KeyError:
        raise ValueError(f"no dialect is called {name!r}; there is {', '.join(sorted(_DIALECTS))}") from None


__all__ = ["Dialect", "EventDecoder", "EventEncoder", "get"]
