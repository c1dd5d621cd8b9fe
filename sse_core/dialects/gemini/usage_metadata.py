"""The figures of ``usageMetadata``, of which the newest count, though not every one comes again.

Figures are cumulative, but some responses lack one that came before: gateways lose
``cachedContentTokenCount``, code execution others.  A figure that is gone still holds where the newest ones
leave room for it: the parts of ``totalTokenCount`` sum up to it, and what was read from a cache is a part of
the prompt.  Where they leave none it is reported as 0, or it would count what the provider has taken back.

Source: https://ai.google.dev/api/generate-content#UsageMetadata
"""

from __future__ import annotations

from typing import TypeGuard

from ...blocks.strict_json import JSON, JSONObject

_TOTAL, _PROMPT, _CACHED = "totalTokenCount", "promptTokenCount", "cachedContentTokenCount"
#: The parts of the total.
_PARTS = (_PROMPT, "toolUsePromptTokenCount", "thoughtsTokenCount", "candidatesTokenCount")
#: What a figure consists of, by modality, is gone with it.
_DETAILS = {
    _PROMPT: "promptTokensDetails",
    "toolUsePromptTokenCount": "toolUsePromptTokensDetails",
    "candidatesTokenCount": "candidatesTokensDetails",
    _CACHED: "cacheTokensDetails",
}


class Figures:
    """The last value of each figure of one stream."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._details: set[str] = set()  # that have come

    def completed(self, usage: JSONObject) -> JSONObject:
        """``usage``, and what is to be said of figures that it lacks."""
        missing = [name for name in self._last if usage.get(name) is None]
        for name in (*_PARTS, _CACHED):
            if _is_figure(usage.get(name)):
                self._last[name] = usage[name]
        self._details |= {name for name in _DETAILS.values() if usage.get(name)}
        filled = dict(usage)
        total = usage.get(_TOTAL)
        if missing and _is_figure(total):
            room = total - sum(self._last[name] for name in _PARTS if _is_figure(usage.get(name)))
            for name in _PARTS:
                if name in missing:
                    room -= self._fill_in(filled, name, room)
        if _CACHED in missing and _is_figure(filled.get(_PROMPT)):
            self._fill_in(filled, _CACHED, filled[_PROMPT])
        return filled

    def _fill_in(self, filled: JSONObject, name: str, room: int) -> int:
        """Put in a figure that is gone, and return what it is now."""
        filled[name] = figure = self._last[name] if self._last[name] <= room else 0
        details = _DETAILS.get(name)
        if figure == 0 and details in self._details and not filled.get(details):
            filled[details] = []
        return figure


def _is_figure(value: JSON) -> TypeGuard[int]:
    return type(value) is int and value >= 0
