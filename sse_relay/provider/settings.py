"""What one generation is to do: by flags for all of them, by ``Sim-*`` fields for one request.

Every setting has its bounds, and whatever is outside of them is refused with a sentence that names
the field: a typing mistake in a test must not pass as a test that passed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sse_core.headers import Headers, HeadersLike

from .errors import SettingsError
from .faults import Fault


@dataclass(frozen=True, slots=True)
class Settings:
    """How to generate.

    ``tokens`` of text at ``rate`` tokens a second (0: as fast as it can; ``None``: 50, and for a
    replay as fast as it can), the first content after ``ttft`` seconds, before the text
    ``thinking`` seconds of thinking, after it a tool call if ``tool``, and a ``fault`` amid it all.

    Made from texts, such as flags, by ``Settings().with_headers({"Sim-Rate": "50"})``.
    """

    tokens: int = 200
    rate: float | None = None
    ttft: float = 0.5
    thinking: float = 0.0
    tool: bool = False
    fault: Fault | None = None

    def with_headers(self, headers: HeadersLike) -> Settings:
        """A copy in which the ``Sim-*`` fields of a request stand in place of the defaults.

        Raises :class:`SettingsError`, which names the field, for a value that it cannot use, for a
        field that came twice and for a ``Sim-*`` field that does not exist.
        """
        changes: dict[str, Any] = {}
        for name, value in Headers(headers):
            if not name.startswith("sim-"):
                continue
            setting = _SETTINGS.get(name)
            if setting is None:
                known = ", ".join(setting.header for setting in _SETTINGS.values())
                raise SettingsError(f"{_shown(name)} is not a setting; the settings are {known}")
            if setting.name in changes:
                raise SettingsError(f"{setting.header} is given twice")
            changes[setting.name] = setting.read(setting.header, value)
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class _Setting:
    """One setting: the field of a request, the attribute, and how its text is read."""

    header: str
    name: str
    read: Callable[[str, str], object]


def _whole(lowest: int, highest: int) -> Callable[[str, str], int]:
    def read(header: str, text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
            raise SettingsError(f"{header}: {_shown(text)} is not a whole number from {lowest} to {highest}")
        return int(text)

    return read


def _number(highest: int) -> Callable[[str, str], float]:
    def read(header: str, text: str) -> float:
        # Written out, because float() also takes "nan", "inf", "1_0" and other people's digits.
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) or float(text) > highest:
            raise SettingsError(f"{header}: {_shown(text)} is not a number from 0 to {highest}")
        return float(text)

    return read


def _rate(header: str, text: str) -> float:
    rate = _number(1_000_000)(header, text)
    if 0 < rate < 0.01:
        raise SettingsError(f"{header}: {_shown(text)} is below 0.01 tokens a second (0: as fast as it can)")
    return rate


def _switch(header: str, text: str) -> bool:
    if text not in ("0", "1"):
        raise SettingsError(f"{header}: {_shown(text)} is neither 0 nor 1")
    return text == "1"


def _fault(_header: str, text: str) -> Fault | None:
    return None if text in ("", "none") else Fault.parse(text)


def _shown(text: str) -> str:
    return repr(text[:80])


_SETTINGS = {
    setting.header.lower(): setting
    for setting in (
        _Setting("Sim-Tokens", "tokens", _whole(0, 10_000_000)),
        _Setting("Sim-Rate", "rate", _rate),
        _Setting("Sim-TTFT", "ttft", _number(3600)),
        _Setting("Sim-Thinking", "thinking", _number(3600)),
        _Setting("Sim-Tool", "tool", _switch),
        _Setting("Sim-Fault", "fault", _fault),
    )
}
