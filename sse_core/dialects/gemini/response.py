"""A message to the ``GenerateContentResponse`` that Gemini sends where it does not stream.

Source: https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
"""

from __future__ import annotations

from itertools import groupby

from ...blocks import Block, Message, TextBlock, ThinkingBlock, ToolUseBlock
from ...blocks.strict_json import JSONObject
from ..portable_block import client_calls, is_translated, portable_message
from .candidate import CANDIDATE, CONTENT, GROWING
from .parts import extra_of, part_of, whole_args
from .vocabulary import NAME, finish_reason, usage


def to_response(message: Message) -> JSONObject:
    """The response object that Gemini would have sent without streaming, with all candidates.

    Text that came in many parts is one part, as a response has it that is not streamed.  Arguments of a call
    of Gemini's own that was cut stand in it as ``{"INVALID_JSON": text}``, beside ``willContinue``.

    A message that came in another protocol is put in Gemini's terms.  A call of it that is not whole, or
    whose arguments are no object, is left out, as the encoder leaves it out: Google's own SDK runs every
    call that it sees.
    """
    if is_translated(message.dialect, NAME):
        message = _translated(message)
    answers = {0: message, **message.alternatives}
    top, _, _ = placed(message.extra)
    response: JSONObject = {}
    candidates = [_candidate(index, answers[index]) for index in sorted(answers) if _is_there(answers[index])]
    if candidates:
        response["candidates"] = candidates
    if message.usage:
        response["usageMetadata"] = usage(message.usage)
    named = {"modelVersion": message.model, "responseId": message.id}
    # An id or a model that came late, or changed, is among the extra fields.
    return {**{name: value for name, value in named.items() if value}, **top, **response}


def _translated(message: Message) -> Message:
    """A message of another protocol with what Gemini has a form for."""
    plain = portable_message(message)
    for answer in (plain, *plain.alternatives.values()):
        calls = any(tool.type == "tool_use" for tool in answer.tools)
        sent = {index: unsigned(block) for index, block in answer.indexed_blocks.items() if _is_sent(block)}
        cut_call = len(sent) < len(answer.indexed_blocks)
        if answer.stop_reason is not None or answer.completeness == "complete":
            answer.stop_reason = finish_reason(answer.stop_reason, calls=calls, cut_call=cut_call)
        answer.indexed_blocks = sent
    return plain


def _is_cut(block: Block) -> bool:
    return isinstance(block, ToolUseBlock) and block.state in ("streaming", "incomplete")


def _is_sent(block: Block) -> bool:
    """Whether a block that is not Gemini's own is: not a call whose arguments are no whole object."""
    if isinstance(block, ToolUseBlock) and block.type == "tool_use":
        return whole_args(block) is not None
    return True


def unsigned(block: Block) -> Block:
    """A block of another protocol, without the signature: Gemini refuses those of others."""
    return ThinkingBlock(block.thinking) if isinstance(block, ThinkingBlock) else block


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
    grown: dict[str, JSONObject] = {}  # lists that grew, by the object that they are of
    for name, value in extra.items():
        if name.startswith(CONTENT):
            content[name.removeprefix(CONTENT)] = value
        elif not name.startswith(CANDIDATE):
            top[name] = value
        else:
            own = name.removeprefix(CANDIDATE)
            outer, _, inner = own.partition(".")
            if outer in GROWING and inner:
                grown.setdefault(outer, {})[inner] = value
            else:
                candidate[own] = value
    for outer, lists in grown.items():
        known = candidate.get(outer)
        candidate[outer] = {**(known if isinstance(known, dict) else {}), **lists}
    return top, candidate, content


def _is_there(message: Message) -> bool:
    """Whether there is such a candidate: not for a prompt that was blocked, nor for one that never came."""
    said = message.blocks or any(name.startswith((CANDIDATE, CONTENT)) for name in message.extra)
    return bool(said) or (
        message.stop_reason is not None and not is_blocked(message.stop_reason, message.extra)
    )


def _candidate(index: int, message: Message) -> JSONObject:
    _, fields, content = placed(message.extra)
    own = message.dialect == NAME
    blocks = [block for block in message.blocks if _is_sent(block) or (own and _is_cut(block))]
    is_cut = len(blocks) < len(message.blocks)
    candidate: JSONObject = {"content": {"parts": _parts(blocks), "role": "model", **content}}
    if message.stop_reason is not None:
        calls, cut_call = client_calls(message)
        candidate["finishReason"] = finish_reason(
            message.stop_reason, calls=calls, cut_call=cut_call or is_cut
        )
    return {**fields, **candidate, "index": index}


def _parts(blocks: list[Block]) -> list[JSONObject]:
    """The parts of a candidate.  Texts of one kind that follow each other are one, as in a stream."""
    said = [(block, part) for block in blocks if (part := part_of(block)) is not None]
    parts: list[JSONObject] = []
    for kind, row in groupby(said, lambda pair: _kind(pair[0])):
        of_row = [part for _, part in row]
        texts = kind is not None and len(of_row) > 1
        parts += [{**of_row[0], "text": "".join(part["text"] for part in of_row)}] if texts else of_row
    return parts


def _kind(block: Block) -> type[Block] | None:
    """What texts have in common that can be one; ``None`` for what stays as it is."""
    is_text = isinstance(block, TextBlock | ThinkingBlock) and not extra_of(block)
    return type(block) if is_text else None
