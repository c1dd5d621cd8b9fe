"""OpenAI's Responses as a stream, and the hosts that speak the same protocol.

Theory.  A stream reports one ``response`` object while it is made: first the response itself, then
each item of its ``output`` from ``output_item.added`` to ``output_item.done``, last the whole response
again with its status.  ``data.type`` says what an event is.  Where something is stated twice, the
last statement counts; a part, an item and the response are sent once more at their end.

A stream is complete with ``response.completed`` or ``response.incomplete``.  It fails with ``error`` or
``response.failed``, of which the second may follow the first: one failure.  Any other end is a cut.

``sequence_number`` marks repetitions in a stream that was resumed: what was seen is not reported again.

Source: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSONObject
from ...framing import ServerSentEvent
from ..budget import Budget
from ..error_body import bare_error
from ..fields import parsed_object, rest, text
from ..stream_decoder import StreamDecoder
from .decoded_items import DecodedItems
from .errors import ERRORS, read_error, read_failure
from .part_forms import CALLS, OUTPUT_TEXT, REASONING_TEXT, REFUSAL, SUMMARY_TEXT
from .seen_text import SeenFields
from .sequence_numbers import SequenceNumbers
from .vocabulary import NAME

DONE = "[DONE]"
#: What marks fields that stand beside the response in its event (GitHub Copilot).
BESIDE = "event."
#: Events that only say that something goes on.  What comes of it is in the item, when it is done; a
#: partial image is large and worth nothing then.
_PROGRESS = (
    "response.web_search_call.",
    "response.x_search_call.",
    "response.file_search_call.",
    "response.code_interpreter_call.",
    "response.code_interpreter_call_code.",
    "response.image_generation_call.",
    "response.mcp_call.",
    "response.mcp_list_tools.",
    "response.shell_call_command.",
    "response.shell_call_output_content.",
    "response.apply_patch_call_operation_diff.",
    "response.compaction.",
    "keepalive",
    "ping",
)
_CREATED = "response.created"
#: What an event is called that has neither a type nor a name.
_UNNAMED = ("", "message")
_STATES = frozenset({"response.queued", "response.in_progress"})
#: How a response ends, the better before the worse: an event and the status in it may not agree.
_OUTCOMES = ("completed", "incomplete", "cancelled", "failed")
_ENDS = {f"response.{outcome}": outcome for outcome in _OUTCOMES}
#: Fields of a response that are reported elsewhere than in the extra fields.
_OF_RESPONSE = ("id", "model", "output", "usage", "error")
_OF_EVENT = ("type", "response", "sequence_number", "obfuscation")

_TEXTS = {
    "output_text": OUTPUT_TEXT,
    "refusal": REFUSAL,
    "reasoning_text": REASONING_TEXT,
    "reasoning_summary_text": SUMMARY_TEXT,
}
_Read = Callable[[JSONObject], list[BlockEvent] | None]


class Decoder(StreamDecoder):
    """The events of a response to block events.  One for each response.

    A response in the background can be asked for again from where its stream broke off
    (``starting_after``): go on with the same decoder, without ``receive_eof`` in between.

    - ``starting_after``: for a decoder that begins in the middle: the number of the last event that was seen.
    - ``max_held_bytes``: bounds what is kept between two events: which items and parts there are, and digests
      of what was seen of them.
    """

    def __init__(self, *, starting_after: int | None = None, max_held_bytes: int = 2**22) -> None:
        super().__init__()
        budget = Budget(max_held_bytes)
        self._numbers = SequenceNumbers(starting_after)
        self._fields = SeenFields(budget)
        self._output = DecodedItems(budget)
        self._readers = _readers(self._output)
        self._id = ""  # it stays so if the stream begins in the middle
        self._started = False
        self._resumable = starting_after is not None

    def receive_eof(self) -> list[BlockEvent]:
        """The stream has ended: a ``MessageCut("truncated")`` if the response had not."""
        if self._ended:
            return []
        self._ended = True
        return [*self._output.cut(), e.MessageCut("truncated")]

    def _read(self, sse: ServerSentEvent) -> list[BlockEvent]:
        """The block events of ``sse``; none for a repetition.

        Raises ``ValueError`` for fields of the wrong types, and for a second response within the stream.
        """
        events = self._parse(sse)
        if events:
            # Only after the last of them is everything known that the event said.
            events[-1].cursor = self._numbers.last if self._resumable else None
        return events

    def _parse(self, sse: ServerSentEvent) -> list[BlockEvent]:
        payload = sse.data.strip()
        if not payload or payload.startswith(DONE):
            return [e.Ping()]
        data = parsed_object(payload)
        kind = _kind(data, sse.type)
        bare = bare_error(data) if kind in _UNNAMED else None
        if kind == "error" or bare is not None:
            self._numbers.see(kind, data)
            self._ended = True
            return [*self._output.cut(), read_error(bare or data)]
        if kind == _CREATED and self._started:
            return self._created_again(data)
        if self._numbers.see(kind, data) and kind not in _ENDS:
            return []
        return self._receive(kind, data) or [e.Ping()]

    def _receive(self, kind: str, data: JSONObject) -> list[BlockEvent]:
        if kind in _ENDS:
            return self._end(_ENDS[kind], data)
        if kind == _CREATED or kind in _STATES:
            return self._state(data)
        if kind.startswith(_PROGRESS):
            return []
        read = self._readers.get(kind)
        events = None if read is None else read(data)
        if events is None:  # unknown, or in an item that has no room for it
            return [e.UnknownEvent(data)]
        return self._start({}) + events

    def _created_again(self, data: JSONObject) -> list[BlockEvent]:
        """The same start twice is a repetition; another one is a second stream spliced in."""
        id_ = text(_object(data, "response"), "id", "")
        if self._id and id_ != self._id:
            raise ValueError("a second response begins within the stream")
        is_seen = self._numbers.see(_CREATED, data)
        return [] if self._id or is_seen else self._state(data)

    def _state(self, data: JSONObject) -> list[BlockEvent]:
        response = _object(data, "response")
        usage = _object(response, "usage") if self._started else {}  # the start has its own
        start, extra = self._start(response), self._extra(data, response)
        return [*start, e.MessageDelta(usage=usage, extra=extra)] if usage or extra else start

    def _start(self, response: JSONObject) -> list[BlockEvent]:
        """The message's start, if it has not been; a resumed stream may begin in the middle of it."""
        if self._started:
            return []
        self._started = True
        self._id, model = text(response, "id", ""), text(response, "model", "")
        extra = self._fields.changed(rest(response, *_OF_RESPONSE))
        self._fields.changed({"model": model})
        usage = _object(response, "usage")
        return [e.MessageStart(self._id, model, usage=usage, extra=extra, dialect=NAME)]

    def _end(self, outcome: str, data: JSONObject) -> list[BlockEvent]:
        response = _object(data, "response")
        status = response.get("status")
        outcome = max(outcome, status if status in _OUTCOMES else outcome, key=_OUTCOMES.index)
        output = response.get("output")
        events = self._start(response)
        items = output if isinstance(output, list) else []
        events += self._output.finish(items, completed=outcome == "completed")
        usage, extra = _object(response, "usage"), self._extra(data, response)
        reason = _stop_reason(outcome, response)
        if reason or usage or extra:
            events.append(e.MessageDelta(reason, usage, extra))
        self._ended = True
        if outcome == "failed":
            return [*events, read_failure(response, data)]
        return [*events, e.MessageCut("stopped") if outcome == "cancelled" else e.MessageStop()]

    def _extra(self, data: JSONObject, response: JSONObject) -> JSONObject:
        """What is new in the fields of the response and beside it.

        A model that the start did not name, or named otherwise, is among them; so is an id that it did
        not give.  Any other id is none: some hosts give the response one with each event.
        """
        self._resumable = self._resumable or response.get("background") is True
        beside = {f"{BESIDE}{name}": value for name, value in rest(data, *_OF_EVENT).items()}
        late = ("model",) if self._id else ("model", "id")
        named = {name: response[name] for name in late if text(response, name, "")}
        return self._fields.changed({**rest(response, *_OF_RESPONSE), **beside, **named})


def _kind(data: JSONObject, hint: str) -> str:
    if hint == "error" or ("type" not in data and data.get("error")):
        return "error"
    kind = text(data, "type", "") if "type" in data else hint
    return "error" if kind in ERRORS else kind


def _object(data: JSONObject, name: str) -> JSONObject:
    """The object ``name``; an empty one where there is none."""
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def _stop_reason(outcome: str, response: JSONObject) -> str | None:
    # Where a host says both, that it is completed and why it is not, it is not.
    why = text(_object(response, "incomplete_details"), "reason", "")
    if outcome == "incomplete" or (outcome == "completed" and why):
        return why or outcome
    return outcome if outcome == "completed" else None


def _readers(output: DecodedItems) -> dict[str, _Read]:
    """What reads each kind of event of an item or a part."""
    readers: dict[str, _Read] = {
        "response.output_item.added": partial(output.item, whole=False),
        "response.output_item.done": partial(output.item, whole=True),
        "response.output_text.annotation.added": partial(output.cite, OUTPUT_TEXT),
    }
    for name in ("content_part", "reasoning_part", "reasoning_summary_part"):
        readers[f"response.{name}.added"] = partial(output.part, whole=False)
        readers[f"response.{name}.done"] = partial(output.part, whole=True)
    for name, form in _TEXTS.items():
        readers[f"response.{name}.delta"] = partial(output.grow, form)
        readers[f"response.{name}.done"] = partial(output.text_done, form)
    for item in CALLS:
        readers[f"response.{item}_{CALLS[item]}.delta"] = partial(output.grow_call, item)
        readers[f"response.{item}_{CALLS[item]}.done"] = partial(output.arguments_done, item)
    return readers
