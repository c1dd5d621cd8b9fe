"""A message to the ``GenerateContentResponse`` that Gemini sends where it does not stream.

Source: https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
"""

from __future__ import annotations

from ...blocks.model import Message
from ...blocks.strict_json import JSONObject
from .candidate import CANDIDATE, CONTENT, GROWING
from .parts import part_of
from .words import finish_reason, usage

#: The dialects whose extra fields are Gemini's: its own, and that of a message made by hand.
OWN = frozenset({"", "gemini"})


def to_response(message: Message) -> JSONObject:
    """The response object that Gemini would have sent without streaming, with all candidates.

    Text that came in many parts is one part, as a response has it that is not streamed.  Arguments of a call
    that are not whole stand in it as ``{"INVALID_JSON": text}``, beside ``willContinue``.
    """
    answers = {0: message, **message.alternatives}
    top, _, _ = placed(message.extra if message.dialect in OWN else {})
    response: JSONObject = {}
    candidates = [_candidate(index, answers[index]) for index in sorted(answers) if _is_there(answers[index])]
    if candidates:
        response["candidates"] = candidates
    if message.usage:
        response["usageMetadata"] = usage(message.usage)
    named = {"modelVersion": message.model, "responseId": message.id}
    # An id or a model that came late, or changed, is among the extra fields.
    return {**{name: value for name, value in named.items() if value}, **top, **response}


def is_blocked(stop_reason: str | None, extra: JSONObject) -> bool:
    """Whether a message ended for the reason that its prompt was blocked for."""
    feedback = extra.get("promptFeedback")
    return (
        isinstance(feedback, dict) and stop_reason is not None and feedback.get("blockReason") == stop_reason
    )


def placed(extra: JSONObject) -> tuple[JSONObject, JSONObject, JSONObject]:
    """Extra fields as they stand in a response: in itself, in the candidate, in its content."""
    top: JSONObject = {}
    candidate: JSONObject = {}
    content: JSONObject = {}
    for name, value in extra.items():
        if name.startswith(CANDIDATE):
            _place(candidate, name.removeprefix(CANDIDATE), value)
        elif name.startswith(CONTENT):
            content[name.removeprefix(CONTENT)] = value
        else:
            top[name] = value
    return top, candidate, content


def _place(candidate: JSONObject, name: str, value: object) -> None:
    """A field of the candidate; lists that grew go back into the object that they are of."""
    outer, _, inner = name.partition(".")
    known = candidate.get(outer)
    if outer not in GROWING or not inner:
        candidate[name] = {**value, **known} if isinstance(value, dict) and isinstance(known, dict) else value
    else:
        candidate[outer] = {**(known if isinstance(known, dict) else {}), inner: value}


def _is_there(message: Message) -> bool:
    """Whether there is such a candidate: not for a prompt that was blocked, nor for one that never came."""
    said = message.blocks or any(name.startswith((CANDIDATE, CONTENT)) for name in message.extra)
    return bool(said) or (
        message.stop_reason is not None and not is_blocked(message.stop_reason, message.extra)
    )


def _candidate(index: int, message: Message) -> JSONObject:
    own = message.dialect in OWN
    _, fields, content = placed(message.extra if own else {})
    parts = [part for part in (part_of(block, own=own) for block in message.blocks) if part is not None]
    candidate: JSONObject = {"content": {"parts": parts, "role": "model", **content}}
    if message.stop_reason is not None:
        candidate["finishReason"] = finish_reason(message.stop_reason)
    return {**fields, **candidate, "index": index}
