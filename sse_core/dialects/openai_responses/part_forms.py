"""Where an output item has text: the kinds of its parts, and the fields of its calls.

An item's lists hold parts: the ``content`` of a message or of reasoning, the ``summary`` of reasoning.
A call has one text, its arguments.  Each is a block, from its first event to that of its end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...blocks import TextBlock, ThinkingBlock, strict_json
from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSON

_Delta = Callable[[int, str], BlockEvent]


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of part: its type, the field of its text, where it stands, what its text grows by."""

    type: str
    text: str
    list: str  # the item's list of such parts
    index: str  # what a place in that list is called
    item: str  # the type of item that has such parts
    field: str | None  # what distinguishes the block from others of its class
    delta: _Delta


_CONTENT = ("content", "content_index")
_SUMMARY = ("summary", "summary_index")
OUTPUT_TEXT = Form("output_text", "text", *_CONTENT, "message", None, e.TextDelta)
REFUSAL = Form("refusal", "refusal", *_CONTENT, "message", "refusal", e.TextDelta)
REASONING_TEXT = Form("reasoning_text", "text", *_CONTENT, "reasoning", "reasoning_text", e.ThinkingDelta)
SUMMARY_TEXT = Form("summary_text", "text", *_SUMMARY, "reasoning", "summary", e.ThinkingDelta)
FORMS = {form.type: form for form in (OUTPUT_TEXT, REFUSAL, REASONING_TEXT, SUMMARY_TEXT)}
#: The extra field that says what a block is; of a call of one of OpenAI's own tools, the item's type.
FIELD = "field"
#: Extra fields of a block that say where it stands and what it is.
PLACES = ("output_index", "content_index", "summary_index", FIELD)
#: The lists of an item's parts, by the item's type.
LISTS: dict[str, tuple[str, ...]] = {"message": ("content",), "reasoning": ("summary", "content")}
#: The field of a call's text, by the item's type.
CALLS = {"function_call": "arguments", "custom_tool_call": "input", "mcp_call": "arguments"}


def form_of(part: JSON, item: str, name: str) -> Form | None:
    """The form of a part in the list ``name`` of such an item; ``None`` for one that is no text."""
    kind = part.get("type") if isinstance(part, dict) else None
    form = FORMS.get(kind) if isinstance(kind, str) else None
    return form if form is not None and (form.item, form.list) == (item, name) else None


def form_of_block(block: TextBlock | ThinkingBlock, *, own: bool) -> Form:
    """The form of the part that a block is; ``own``: its extra fields are in this protocol's words.

    The mark of a refusal is common to all protocols.
    """
    field = block.extra.get("field")
    if isinstance(block, TextBlock):
        return REFUSAL if field == "refusal" else OUTPUT_TEXT
    return REASONING_TEXT if own and field == "reasoning_text" else SUMMARY_TEXT


def text_of(value: JSON) -> str | None:
    """Arguments are text, as the protocol has it; a host may send the value itself."""
    return value if value is None or isinstance(value, str) else strict_json.dumps(value)
