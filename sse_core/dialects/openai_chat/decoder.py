"""OpenAI's chat completions as a stream, and the hosts that speak the same protocol.

Theory.  A stream is a row of chunks without names, each a part of one ``chat.completion`` object:
``choices[].delta`` says what to add, ``finish_reason`` why a choice has ended, ``usage`` comes when it
comes, ``[DONE]`` ends the stream.  Hosts differ in everything but that: so each field is read for
itself, wherever it stands, and null says nothing.

A stream is complete with ``[DONE]``, or where it ends after each choice has a finish reason.  Any other
end is a cut.  Until the end no call is whole.

Each choice is a message: the first is the message itself, the others are its alternatives.  Usage and
the fields of the whole response belong to the first.

Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from ...blocks import events as e
from ...blocks import strict_json
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSON, JSONObject
from ...errors import LimitExceeded
from ...framing import ServerSentEvent
from ..budget import Budget, ChangedFields
from ..delta_pattern import Delta, DeltaPattern, Path
from ..error_body import bare_error
from ..fields import parsed_object, text
from ..openai_errors import read_error
from ..stream_decoder import ChoicesDecoder, of_choice
from .choice import Choice, delta_of
from .reasoning import REASONING
from .vocabulary import NAME

DONE = "[DONE]"
#: Fields of a chunk that only blur its length: OpenAI's and Mistral's.
_PADDING = ("obfuscation", "p")
#: Fields of a chunk that are read elsewhere, or mean nothing.
_OF_CHUNK = frozenset({"id", "object", "model", "choices", "usage", "error", *_PADDING})
#: What a completion that is whole calls itself; a chunk's name begins with it.
_WHOLE = "chat.completion"
#: The API before this one, whose text stands in ``choices[].text``.  A stream of it is none of ours:
#: https://platform.openai.com/docs/api-reference/completions/object
_LEGACY = "text_completion"
_DELTA = ("choices", 0, "delta")
#: Where the text of a delta stands in its chunk.
_PLACES: dict[type[Delta], tuple[Path, ...]] = {
    e.TextDelta: ((*_DELTA, "content"),),
    e.ThinkingDelta: tuple((*_DELTA, name) for name in REASONING),
    e.ArgumentsDelta: ((*_DELTA, "tool_calls", 0, "function", "arguments"),),
}


class Decoder(ChoicesDecoder):
    """Chunks to block events.  One for each stream.

    ``max_choices`` bounds the number of choices, ``max_held_bytes`` what is kept between two
    events: which calls there are, arguments of calls whose name has not come, fields that repeat.
    """

    def __init__(self, *, max_choices: int = 128, max_held_bytes: int = 2**20) -> None:
        super().__init__(max_choices)
        self._budget = Budget(max_held_bytes)
        self._fields = ChangedFields(self._budget)
        self._choices: dict[int, Choice] = {}
        self._pattern = DeltaPattern(_PLACES, _PADDING)
        self._id = self._model = ""
        self._created: JSON = None  # the first that is not 0 counts: Ollama's clock goes on
        self._began = False  # a chunk has come
        self._started = False  # the message has begun
        self._call_fragments = 0  # in the chunk that came last
        self._before = e.MessageDelta()  # what came before the message could begin

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        """The block events that ``sse`` stands for; none after the stream's end, or after an error.

        Raises what :meth:`StreamDecoder.receive_event` raises.
        """
        delta = None if self._ended or self._broken else self._pattern.delta_of(sse)
        if delta is None:
            return super().receive_event(sse)
        if type(delta) is e.ThinkingDelta:
            self._choices[delta.choice].thought(delta.text)
        return [delta]

    def receive_eof(self) -> list[BlockEvent]:
        """The stream has ended: completely, if each choice has a finish reason, else it was cut."""
        if self._ended:
            return []
        reasons = [choice.finish_reason for choice in self._choices.values()]
        if reasons and all(reasons) and not self._broken:
            return self._finish()
        return [*self._cut(), e.MessageCut("truncated")]

    def held_events(self) -> list[BlockEvent]:
        """What has come and waits for more: calls whose name may grow, fields that do.

        It is what a cut would give out now; nothing after the end.  Calling this changes nothing.
        """
        if self._ended:
            return []
        return [
            event
            for index, choice in self._choices.items()
            for event in of_choice(index, choice.held_events())
        ]

    def _read(self, sse: ServerSentEvent) -> list[BlockEvent]:
        kept = self._budget.bytes
        try:
            events = self._receive(sse.data.strip(), sse.type)
        except LimitExceeded:
            self._choices.clear()  # half of the event was read: nothing that depends on it can be reported
            raise
        # Pings may be left out where one follows another, and what was held back here may not.
        keeps = self._started and self._budget.bytes != kept
        events = events or [e.MessageDelta() if keeps else e.Ping()]
        self._pattern.learn(sse, events if self._repeats(events[0]) else [])
        return events

    def _receive(self, data: str, name: str) -> list[BlockEvent]:
        if not data:
            return []
        if data.startswith(DONE):
            return self._finish()
        chunk = parsed_object(data)
        if _is_error(chunk, name):
            return self._error(chunk)
        failed = _failed_choice(chunk)
        if failed is not None:
            return self._error({**chunk, "error": failed})
        if _is_chunk(chunk):
            return self._chunk(chunk)
        bare = bare_error(chunk)
        return [e.UnknownEvent(chunk)] if bare is None else self._error(bare)

    def _repeats(self, event: BlockEvent) -> bool:
        """Whether the same chunk again would give ``event`` again, if it is a delta and all that there is.

        A fragment of a call beside it may be kept until the call has a name, or change which call is meant.
        """
        return self._call_fragments == isinstance(event, e.ArgumentsDelta)

    def _error(self, chunk: JSONObject) -> list[BlockEvent]:
        """An error, after what the chunk says beside it, and what was held back."""
        events = self._chunk(chunk) if "choices" in chunk else []
        return [*events, *self._cut(), read_error(chunk)]

    def _cut(self) -> list[BlockEvent]:
        """The end, of which nobody has said that it is one: what was held back."""
        self._ended = True
        return [event for index in self._choices for event in of_choice(index, self._choices[index].cut())]

    def _finish(self) -> list[BlockEvent]:
        if not self._began:
            return []  # [DONE] and nothing before it: there is no message that could be complete
        self._ended = True
        events = self._start("assistant")
        for index, choice in self._choices.items():
            events += of_choice(index, choice.finish())
        return [*events, e.MessageStop()]

    def _chunk(self, chunk: JSONObject) -> list[BlockEvent]:
        choices = _choices(chunk)
        self._began = True
        self._call_fragments = 0
        self._id = self._id or text(chunk, "id", "")
        self._model = self._model or text(chunk, "model", "")
        self._created = self._created or chunk.get("created")
        fields = {name: value for name, value in chunk.items() if name not in _OF_CHUNK}
        if "created" in fields:
            fields["created"] = self._created
        usage, extra = _usage(chunk, choices), self._fields.changed(fields)
        if self._started:
            events: list[BlockEvent] = [e.MessageDelta(usage=usage, extra=extra)] if usage or extra else []
        else:
            self._before.usage.update(usage)
            self._before.extra.update(extra)
            # Azure begins with a chunk that has neither choices nor an id: the message begins later.
            if not choices and not self._id:
                self._budget.add(len(strict_json.dumps(usage)))
                return []
            events = self._start(_role(choices))
        is_chunk = text(chunk, "object", "") != _WHOLE
        for choice in choices:
            events += self._choice(choice, is_chunk=is_chunk)
        return events

    def _start(self, role: str) -> list[BlockEvent]:
        """The first message's start, if it has not been."""
        if self._started:
            return []
        self._started = True
        before = self._before
        return [e.MessageStart(self._id, self._model, role, before.usage, extra=before.extra, dialect=NAME)]

    def _choice(self, data: JSONObject, *, is_chunk: bool) -> list[BlockEvent]:
        index = _index(data)
        choice = self._choices.get(index)
        events: list[BlockEvent] = []
        if choice is None:
            self._check_choices(len(self._choices))
            choice = self._choices[index] = Choice(self._budget)
            if index != 0:
                events.append(e.MessageStart(self._id, self._model, _role([data]), dialect=NAME))
        events += choice.receive(data, is_chunk=is_chunk)
        self._call_fragments += choice.call_fragments
        return of_choice(index, events)


def _is_chunk(data: JSONObject) -> bool:
    kind = data.get("object")
    if isinstance(kind, str) and kind.startswith(_WHOLE):
        return True
    choices = _choices(data)
    if kind == _LEGACY or any("text" in choice for choice in choices):
        return any(delta_of(choice) for choice in choices)
    # Anthropic and Responses have usage in events that have a type.
    return "choices" in data or ("usage" in data and "type" not in data)


def _choices(chunk: JSONObject) -> list[JSONObject]:
    """The choices, and what has their place and is none is none."""
    choices = chunk.get("choices")
    items = choices if isinstance(choices, list) else [choices]
    return [choice for choice in items if isinstance(choice, dict)]


def _index(choice: JSONObject) -> int:
    index = choice.get("index")
    return index if type(index) is int and index >= 0 else 0


def _role(choices: list[JSONObject]) -> str:
    return (text(delta_of(choices[0]), "role", "") if choices else "") or "assistant"


def _usage(chunk: JSONObject, choices: list[JSONObject]) -> JSONObject:
    """The usage: of the chunk; of the choice (Moonshot); or in ``x_groq``, where Groq had it first."""
    places = [chunk, *choices, chunk.get("x_groq")]
    found = [place.get("usage") for place in places if isinstance(place, dict)]
    return next((usage for usage in found if usage and isinstance(usage, dict)), {})


def _is_error(chunk: JSONObject, name: str) -> bool:
    """Whether a chunk reports an error; ``name`` is its event's.

    An error comes in three shapes: an object with ``error`` alone; the same, named ``event: error``; and
    ``error`` beside the fields of a chunk (OpenRouter), where null means none.
    """
    return bool(chunk.get("error")) or name == "error" or chunk.get("object") == "error"


def _failed_choice(chunk: JSONObject) -> JSON:
    """The error of a choice that ends with one, as OpenRouter has it; ``None`` where none does.

    https://openrouter.ai/docs/api-reference/errors
    """
    for choice in _choices(chunk):
        if choice.get("finish_reason") == "error" and choice.get("error"):
            return choice["error"]
    return None
