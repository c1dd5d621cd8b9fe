"""What an operator should know of the relay: plain data, for whoever writes logs or counts.

Nothing that decides writes a log.  It gives a record to one callable, and the program does with it what it
wants.
"""

from __future__ import annotations

from dataclasses import dataclass

from sse_http import Refusal

from .finished_turn import FinishedTurn


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """A turn has its outcome."""

    turn_id: str
    turn: FinishedTurn


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The arguments of a tool call were parsed: once, when the protocol said that they are whole.

    - ``index``: of the call's block in the message.
    - ``name``: the tool's, in the provider's words.
    - ``characters``: of the arguments.
    - ``state``: what came of it, as ``ToolUseBlock.state`` says it.
    """

    turn_id: str
    index: int
    name: str
    characters: int
    state: str


#: One of these, or a request that was refused.
Record = TurnEnded | ToolCalled | Refusal


def ignore(record: Record) -> None:
    """Nobody wants to know."""
