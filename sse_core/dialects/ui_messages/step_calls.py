"""The calls of a message that is being written: their ids, and those that wait for the message's end."""

from __future__ import annotations

from ...blocks.strict_json import JSONObject
from ..budget import Budget
from .chunk_types import ANSWER


class StepCalls:
    """The calls of one message, step by step.

    The browser's side runs a client's tool as soon as its arguments are available.  So they wait here until
    the message has ended.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._count = 0
        self._known: set[str] = set()
        self._of_step: set[str] = set()
        self._call_by_approval: dict[str, str] = {}  # an approval's ID -> the call that it is for
        self._approval_by_call: dict[str, str] = {}  # a call -> the ID of its last approval request
        self._waiting: dict[str, JSONObject] = {}

    @property
    def waiting(self) -> bool:
        """Whether there are whole calls for the client."""
        return bool(self._waiting)

    def begin(self, id_: str) -> str:
        """The id of a call that begins; another one, where that is none or another call's of the step."""
        unique = id_
        while not unique or unique in self._of_step:
            self._count += 1
            unique = f"{id_ or 'call'}-{self._count}"
        self._known.add(unique)
        self._of_step.add(unique)
        self._budget.add(len(unique))
        return unique

    def available(self, chunk: JSONObject) -> list[JSONObject]:
        """A call's arguments are whole: the client's wait."""
        if chunk.get("providerExecuted"):
            return [chunk]
        self._waiting[chunk["toolCallId"]] = chunk
        return []

    def outcome(self, chunk: JSONObject) -> list[JSONObject]:
        """What became of a call; nothing, where the call is not known."""
        id_ = chunk["toolCallId"]
        if id_ not in self._known:
            # The result of a call without an id may be any call's whose id was made up: so none is run.
            if not id_:
                self._waiting.clear()
            return []
        if chunk["type"] == "tool-approval-request":
            self._call_by_approval[chunk["approvalId"]] = id_
            self._approval_by_call[id_] = chunk["approvalId"]
        waiting = self._waiting.pop(id_, None)
        # A call that has failed must not look as if it were to be run.
        return [waiting, chunk] if waiting and chunk["type"] != "tool-input-error" else [chunk]

    def is_answer(self, chunk: JSONObject) -> bool:
        """Whether a chunk answers what the user is asked, or is no answer at all."""
        if chunk["type"] != ANSWER:
            return True
        call = self._call_by_approval.get(chunk["approvalId"])
        return call is not None and self._approval_by_call[call] == chunk["approvalId"]

    def drop(self) -> None:
        """Nothing may be run."""
        self._waiting.clear()

    def finish_step(self) -> list[JSONObject]:
        """The calls that are to be run.  The next step may have their ids again."""
        calls = list(self._waiting.values())
        self._waiting.clear()
        self._of_step.clear()
        return calls
