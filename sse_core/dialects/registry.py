"""The dialects that there are: the one list of them."""

from __future__ import annotations

from . import anthropic, gemini, openai_chat, openai_responses, ui_messages
from .base import Dialect

#: In the order in which an event's shape is compared with theirs.
DIALECTS = {
    dialect.name: dialect
    for dialect in (
        anthropic.DIALECT,
        openai_responses.DIALECT,
        ui_messages.DIALECT,
        openai_chat.DIALECT,
        gemini.DIALECT,
    )
}


def get(name: str) -> Dialect:
    """The dialect called ``name``, for example ``"anthropic"``.

    Raises ``ValueError``, listing the names there are, for any other.
    """
    try:
        return DIALECTS[name]
    except KeyError:
        raise ValueError(f"no dialect is called {name!r}; there is {', '.join(names())}") from None


def names() -> list[str]:
    """The names of all dialects there are."""
    return sorted(DIALECTS)
