"""A bug that is put in on purpose: a piece of a module's text, and what stands there instead."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """``old`` is in the text of ``module`` once."""

    name: str
    breaks: str  #: what the bug does, for the person who reads the table
    module: str
    old: str
    new: str
