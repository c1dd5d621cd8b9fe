"""A content that is a list of parts: which of them are text, and what of.

Mistral: ``{"type": "thinking", "thinking": [{"type": "text", ...}]}``,
https://docs.mistral.ai/capabilities/reasoning.  Databricks: ``{"type": "reasoning", "summary":
[{"type": "summary_text", ...}]}``,
https://docs.databricks.com/aws/en/machine-learning/model-serving/query-reason-models.
"""

from __future__ import annotations

import dataclasses

from ...blocks import strict_json
from ...blocks.strict_json import JSON, JSONObject
from ..fields import rest
from .reasoning import fields_beside, text_of

#: How the extra fields of a thinking block say that it came as such a part: Mistral's, Databricks'.
THINKING, REASONING_PART = "thinking", "content.reasoning"
_PLAIN = frozenset({"text", "output_text"})


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """The text of a part, the field of the message that it belongs to, and what else the part has."""

    field: str
    text: str
    extra: JSONObject = dataclasses.field(default_factory=dict)


def read_part(part: JSON) -> Part | None:
    """A part that is text or reasoning; ``None`` for one that is neither, or that holds more than that."""
    if not isinstance(part, dict):
        # A token that looks like a value of JSON arrives as one.
        text = strict_json.dumps(part) if isinstance(part, bool) else text_of(part)
        return Part("content", text) if text else None
    kind = part.get("type")
    if kind in _PLAIN or (kind is None and isinstance(part.get("text"), str)):
        return Part("content", text_of(part.get("text")), rest(part, "type", "text"))
    if kind == "reasoning":
        return Part(REASONING_PART, text_of(part), fields_beside(part))
    text_ = _plain_text(part.get("thinking")) if kind == "thinking" else None
    return None if text_ is None else Part(THINKING, text_, rest(part, "type", "thinking", "signature"))


def whole_part(field: str, text: str, extra: JSONObject) -> JSONObject:
    """The part that :func:`read_part` reads as this."""
    extra = rest(extra, "field")
    if field == REASONING_PART:
        return {**extra, "type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}
    return {**extra, "type": "thinking", "thinking": [{"type": "text", "text": text}]}


def _plain_text(inner: JSON) -> str | None:
    """The text of Mistral's thinking; ``None`` where there is more in it (references to documents)."""
    if isinstance(inner, str):
        return inner
    if not isinstance(inner, list) or not all(_is_text(item) for item in inner):
        return None
    return "".join(item["text"] for item in inner)


def _is_text(item: JSON) -> bool:
    return isinstance(item, dict) and item.keys() == {"type", "text"} and isinstance(item["text"], str)
