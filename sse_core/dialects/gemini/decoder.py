"""Gemini's streamed responses to block events.

Theory.  Each event is a whole ``GenerateContentResponse`` that holds what is new: parts to append to each
candidate's, and figures of usage, of which the last counts.  Nothing says that a stream is at its end:
it is complete if it ends after every candidate that was seen has a finish reason.  A prompt that was
blocked has no candidates, and ``promptFeedback.blockReason`` in their place.  Any other end is a cut.

Each candidate is a message: the one of index 0 is the message itself, the others are its
alternatives.  Usage and the fields of the whole response belong to the first.

An error is an event's data.  Google's servers may also write one as bare JSON, without ``data:``; that is no
event, and a parser of events does not see it: the stream is cut then.

Source: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

from __future__ import annotations

from ...blocks import events as e
from ...blocks import strict_json
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSON, JSONObject
from ...framing import ServerSentEvent
from ..budget import Budget, ChangedFields
from ..error_body import bare_error
from ..fields import optional, text
from ..stream_decoder import ChoicesDecoder, of_choice
from .candidate import Candidate
from .errors import error_of, read_error
from .usage_metadata import Figures
from .vocabulary import MARKS, NAME

#: Fields of a response that are read elsewhere.
_OF_RESPONSE = frozenset({"candidates", "usageMetadata", "error"})


class Decoder(ChoicesDecoder):
    """Gemini's events to block events.  One for each stream.

    ``max_choices`` bounds the number of candidates, ``max_held_bytes`` what is kept between two
    events: fields that repeat, and the names within arguments that come value by value.
    """

    def __init__(self, *, max_choices: int = 128, max_held_bytes: int = 2**20) -> None:
        super().__init__(max_choices)
        self._budget = Budget(max_held_bytes)
        self._usage = ChangedFields(self._budget)
        self._figures = Figures()
        self._fields = ChangedFields(self._budget)
        self._candidates: dict[int, Candidate] = {}
        self._id = self._model = ""
        self._blocked: str | None = None  # why the prompt was not let through
        self._started = False

    def receive_eof(self) -> list[BlockEvent]:
        """The stream has ended: completely, if each candidate has a finish reason, else it was cut."""
        if self._ended:
            return []
        self._ended = True
        reasons = [candidate.finish_reason for candidate in self._candidates.values()] or [self._blocked]
        if self._broken or not all(reasons):
            return [e.MessageCut("truncated")]
        ends = [of_choice(index, candidate.finish()) for index, candidate in self._candidates.items()]
        return [*(event for events in ends for event in events), e.MessageStop()]

    def _read(self, sse: ServerSentEvent) -> list[BlockEvent]:
        data = sse.data.strip()
        return (data and self._receive(strict_json.loads(data))) or [e.Ping()]

    def _receive(self, response: JSON) -> list[BlockEvent]:
        error = error_of(response)
        if error is not None:
            return self._error(response, error)
        if not isinstance(response, dict):
            raise ValueError("no JSON object")  # noqa: TRY004  (a peer's mistake, not the caller's)
        if response.keys() & MARKS:
            return self._response(response)
        bare = error_of(bare_error(response))
        return [e.UnknownEvent(response)] if bare is None else self._error(response, bare)

    def _error(self, response: JSON, error: JSONObject) -> list[BlockEvent]:
        """An error, after what the response says beside it, as far as that can be read."""
        try:
            with_parts = isinstance(response, dict) and "candidates" in response
            events = self._response(response) if with_parts else []
        except ValueError:
            events = []
        self._ended = True
        return [*events, read_error(error)]

    def _response(self, response: JSONObject) -> list[BlockEvent]:
        candidates = optional(response, "candidates", list) or []
        feedback = optional(response, "promptFeedback", dict) or {}
        blocked = optional(feedback, "blockReason", str)
        metadata = optional(response, "usageMetadata", dict) or {}
        usage = self._usage.changed(self._figures.completed(metadata))
        # Where a response has candidates, they say why they ended.
        reason = None if candidates or self._candidates else blocked
        self._blocked = blocked or self._blocked
        if not self._started:
            self._id, self._model = text(response, "responseId", ""), text(response, "modelVersion", "")
        extra = self._fields.changed(self._beside(response))
        events: list[BlockEvent] = []
        if not self._started:
            self._started = True
            start = e.MessageStart(
                self._id, self._model, usage=usage, stop_reason=reason, extra=extra, dialect=NAME
            )
            events.append(start)
        elif usage or extra or reason:
            events.append(e.MessageDelta(reason, usage, extra))
        return events + [event for data in candidates for event in self._candidate(data)]

    def _beside(self, response: JSONObject) -> JSONObject:
        """The fields that have no name here; id and model are among them if they come late or change."""
        named = {"responseId": self._id, "modelVersion": self._model}
        return {
            name: value
            for name, value in response.items()
            if name not in _OF_RESPONSE and (name not in named or value != named[name])
        }

    def _candidate(self, data: JSON) -> list[BlockEvent]:
        if not isinstance(data, dict):
            raise ValueError("a candidate is no object")  # noqa: TRY004  (a peer's mistake)
        index = optional(data, "index", int) or 0
        if index < 0:
            raise ValueError("index is below 0")
        candidate = self._candidates.get(index)
        events: list[BlockEvent] = []
        if candidate is None:
            self._check_choices(len(self._candidates))
            prefix = f"{index}_{self._id}" if index else self._id
            candidate = self._candidates[index] = Candidate(self._budget, prefix)
            if index != 0:
                events.append(e.MessageStart(self._id, self._model, dialect=NAME))
        return of_choice(index, [*events, *candidate.receive(data)])
