"""Draw tables and their diagrams into the pages, from the code's own tables.

``python docs/build.py`` writes them; with ``--check`` it writes nothing and fails if one is stale.
A page says where a diagram belongs by two comments, ``<!-- drawn: NAME -->`` and ``<!-- end of NAME -->``.
"""

from __future__ import annotations

import enum
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from sse_core.blocks.stop_reasons import MEANINGS
from sse_core.dialects.provider_errors import KINDS, PASSING_KINDS
from sse_core.lifecycle import Timer, Want
from sse_core.lifecycle.source import source_table
from sse_core.lifecycle.turn import turn_table

DOCS = Path(__file__).resolve().parent
PLACE = re.compile(
    r"(?P<begin><!-- drawn: (?P<name>\w+) -->\n).*?(?P<end><!-- end of (?P=name) -->)", re.DOTALL
)

State = TypeVar("State", bound=enum.Enum)
Input = TypeVar("Input", bound=enum.Enum)


def diagram(transitions: Mapping[tuple[State, Input], State]) -> str:
    """A state table as a Mermaid state diagram; several inputs that lead the same way share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (before, happened), after in transitions.items():
        arrows.setdefault((before.name, after.name), []).append(str(happened.value))
    lines = ["    direction LR", f"    [*] --> {next(iter(transitions))[0].name}"]
    lines += [
        f"    {before} --> {after}: {', '.join(happened)}" for (before, after), happened in arrows.items()
    ]
    last = {after.name for after in transitions.values()} - {before.name for before, _ in transitions}
    lines += [f"    {name} --> [*]" for name in sorted(last)]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


def table(wants: Mapping[tuple[State, bool], Want], timers: Mapping[State, tuple[Timer, ...]]) -> str:
    """What a machine wishes in each state, and what it waits for there."""
    lines = [
        "| state | wish, without a transport | wish, with a transport open | timers |",
        "|---|---|---|---|",
    ]
    for state, armed in timers.items():
        wishes = [wants.get((state, is_open)) for is_open in (False, True)]
        cells = [f"`{wish.name}`" if wish else "cannot be" for wish in wishes]
        names = ", ".join(f"`{timer.value}`" for timer in armed) or "none"
        lines.append(f"| `{state.name}` | {cells[0]} | {cells[1]} | {names} |")
    return "\n".join(lines)


def turn() -> str:
    """The turn's table."""
    return _drawing(turn_table.TRANSITIONS, turn_table.WANTS, turn_table.STATE_TIMERS)


def stopping() -> str:
    """What a stop does to a turn, wherever it is."""
    rows = []
    for state, is_open in turn_table.WANTS:
        after = turn_table.TRANSITIONS.get((state, turn_table.TurnInput.END), state)
        there = "is open" if is_open else "none"
        wish = turn_table.WANTS[after, is_open]
        rows.append(f"| `{state.name}` | {there} | `{after.name}` | `{wish.name}` |")
    head = ["| state | connection | after `stop()` | wish |", "|---|---|---|---|"]
    return "\n".join(["", *head, *rows, "", ""])


def retrying() -> str:
    """The part of a turn's diagram that another attempt goes through."""
    ways = {turn_table.TurnInput.RETRY, turn_table.TurnInput.RETRY_DUE, turn_table.TurnInput.CONNECTED}
    ways |= {turn_table.TurnInput.OUTPUT}
    kept = {key: after for key, after in turn_table.TRANSITIONS.items() if key[1] in ways}
    return f"\n{diagram(kept)}\n\n"


def source() -> str:
    """The event source's table."""
    return _drawing(source_table.TRANSITIONS, source_table.WANTS, source_table.STATE_TIMERS)


def _drawing(
    transitions: Mapping[tuple[State, Input], State],
    wants: Mapping[tuple[State, bool], Want],
    timers: Mapping[State, tuple[Timer, ...]],
) -> str:
    return f"\n{diagram(transitions)}\n\n{table(wants, timers)}\n\n"


def stop_reasons() -> str:
    """What the providers' stop reasons mean."""
    rows = [f"| `{meaning}` | {_words(words) or 'any other'} |" for meaning, words in MEANINGS.items()]
    return "\n".join(["| `stop_meaning` | `stop_reason` |", "|---|---|", *rows, ""])


def error_kinds() -> str:
    """What the providers' types and codes of errors mean."""
    rows = [
        f"| `{kind}` | {_words(words)} | {'yes' if kind in PASSING_KINDS else 'no'} |"
        for kind, words in KINDS.items()
    ]
    return "\n".join(["| `kind` | `type` or `code` | may pass |", "|---|---|---|", *rows, ""])


def _words(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


DRAWINGS: dict[str, Callable[[], str]] = {
    "turn": turn,
    "stopping": stopping,
    "retrying": retrying,
    "source": source,
    "stop_reasons": stop_reasons,
    "error_kinds": error_kinds,
}


def drawn(page: str) -> str:
    """``page`` with its drawings as they should be.  Raises ``KeyError`` for a drawing that is none."""
    return PLACE.sub(lambda place: place["begin"] + DRAWINGS[place["name"]]() + place["end"], page)


def main(arguments: list[str]) -> int:
    """Draw or check all pages; the exit status."""
    stale = []
    for path in sorted(DOCS.rglob("*.md")):
        page = path.read_text(encoding="utf-8")
        if (new := drawn(page)) != page:
            stale.append(path)
            if "--check" not in arguments:
                path.write_text(new, encoding="utf-8")
    verb = "is stale: run `make docs`" if "--check" in arguments else "was drawn anew"
    for path in stale:
        print(f"{path.name} {verb}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
