"""All bugs: a simulation that does not find them would not find others either."""

from __future__ import annotations

from .mutation import Mutation
from .mutations_readers import READERS
from .mutations_turn import TURN

MUTATIONS: tuple[Mutation, ...] = (*TURN, *READERS)
