"""The content blocks of a message: those that the providers' protocols have in common.

``extra`` of a block holds the provider's fields that have no name here, verbatim; a block of a kind that
has no class here is kept verbatim.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from .record import Record
from .strict_json import JSON, JSONObject
from .text import GrowingText

ToolType = Literal["tool_use", "server_tool_use", "mcp_tool_use"]
ToolState = Literal["streaming", "complete", "invalid", "incomplete"]
InputEncoding = Literal["json", "text"]


class GrowingBlock(Record):
    """A block that deltas make longer (:class:`~sse_core.blocks.GrowthDelta`).

    ``text`` is what it says so far, under the same name for all kinds.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = GrowingText(text)

    @property
    def text(self) -> str:
        """The text so far."""
        return str(self._text)

    @property
    def fragments(self) -> list[str]:
        """What came last, as ``GrowingText`` has it."""
        return self._text.fragments

    def append(self, text: str) -> None:
        """Add ``text`` at the end."""
        self._text.append(text)

    def replace(self, text: str) -> None:
        """Let ``text`` be the text."""
        self._text.replace(text)


class TextBlock(GrowingBlock):
    """Text of the answer.

    - ``text``: as far as it has come.
    - ``citations``: the provider's citation objects, verbatim, or ``None`` where it gave no list.
    - ``extra``: the provider's other fields.
    """

    __slots__ = ("citations", "extra")
    _shown = ("text", "citations", "extra")
    type: ClassVar[str] = "text"

    def __init__(
        self, text: str = "", citations: list[JSONObject] | None = None, extra: JSONObject | None = None
    ) -> None:
        super().__init__(text)
        self.citations: list[JSONObject] | None = citations
        self.extra: JSONObject = {} if extra is None else extra

    def copy(self) -> TextBlock:
        """A block that grows on its own."""
        citations = None if self.citations is None else list(self.citations)
        return TextBlock(self.text, citations, dict(self.extra))


class ThinkingBlock(GrowingBlock):
    """What the model thought, as far as the provider shows it, and its signature.

    - ``thinking``: as far as it has come.
    - ``signature``: ``None`` where the provider gave no such field.
    - ``extra``: the provider's other fields.
    """

    __slots__ = ("extra", "signature")
    _shown = ("thinking", "signature", "extra")
    type: ClassVar[str] = "thinking"

    def __init__(
        self, thinking: str = "", signature: str | None = None, extra: JSONObject | None = None
    ) -> None:
        super().__init__(thinking)
        self.signature: str | None = signature
        self.extra: JSONObject = {} if extra is None else extra

    @property
    def thinking(self) -> str:
        """The thinking so far."""
        return self.text

    def copy(self) -> ThinkingBlock:
        """A block that grows on its own."""
        return ThinkingBlock(self.thinking, self.signature, dict(self.extra))


class RedactedThinkingBlock(Record):
    """Thinking that the provider shows in encrypted form only: ``data``, verbatim."""

    __slots__ = ("data", "extra")
    _shown = ("data", "extra")
    type: ClassVar[str] = "redacted_thinking"

    def __init__(self, data: str, extra: JSONObject | None = None) -> None:
        self.data: str = data
        self.extra: JSONObject = {} if extra is None else extra

    def copy(self) -> RedactedThinkingBlock:
        """A block that changes on its own."""
        return RedactedThinkingBlock(self.data, dict(self.extra))


class ToolUseBlock(GrowingBlock):
    """A call of a tool.

    - ``id``, ``name``: the call's, and the tool's.
    - ``type``: who runs it: ``tool_use`` the client, ``server_tool_use`` and ``mcp_tool_use`` the provider.
    - ``raw_arguments``: the text of the arguments as far as it has come.
    - ``arguments``: its value, ``None`` until the protocol has said that the text is complete.
    - ``state``: ``streaming``, then ``complete`` (``arguments`` is set), ``invalid`` (the text was complete
      and is no JSON) or ``incomplete`` (the message ended before the block did).
    - ``start_input``: what the provider gave as arguments when the block began: it counts if no text of
      arguments follows.
    - ``input_encoding``: ``"text"`` where the tool takes free text and no JSON (OpenAI's custom tools):
      ``arguments`` is that text, then.
    - ``extra``: the provider's other fields.
    """

    __slots__ = ("arguments", "extra", "id", "input_encoding", "name", "start_input", "state", "type")
    _shown = (
        "id",
        "name",
        "type",
        "raw_arguments",
        "arguments",
        "state",
        "start_input",
        "input_encoding",
        "extra",
    )

    def __init__(
        self,
        id: str,
        name: str,
        type: ToolType = "tool_use",
        *,
        raw_arguments: str = "",
        arguments: JSON = None,
        state: ToolState = "streaming",
        start_input: JSON = None,
        input_encoding: InputEncoding = "json",
        extra: JSONObject | None = None,
    ) -> None:
        super().__init__(raw_arguments)
        self.id: str = id
        self.name: str = name
        self.type: ToolType = type
        self.arguments: JSON = arguments
        self.state: ToolState = state
        self.start_input: JSON = {} if start_input is None else start_input
        self.input_encoding: InputEncoding = input_encoding
        self.extra: JSONObject = {} if extra is None else extra

    @property
    def raw_arguments(self) -> str:
        """The text of the arguments so far."""
        return self.text

    def copy(self) -> ToolUseBlock:
        """A block that grows on its own."""
        return ToolUseBlock(**{**self.values(), "extra": dict(self.extra)})


class VerbatimBlock(Record):
    """A block that is kept as the provider sent it: ``data``, with its ``type``."""

    __slots__ = ("data",)
    _shown = ("data",)

    def __init__(self, data: JSONObject) -> None:
        self.data: JSONObject = data

    @property
    def type(self) -> str:
        """The provider's own name for the kind of block."""
        return str(self.data["type"])


class ResultBlock(VerbatimBlock):
    """The result of a tool that the provider ran, verbatim."""

    __slots__ = ()

    @property
    def answers(self) -> str | None:
        """The id of the call whose result it is, where it says so."""
        id_ = self.data.get("tool_use_id", self.data.get("call_id"))
        return id_ if isinstance(id_, str) else None

    def copy(self) -> ResultBlock:
        """A block that changes on its own."""
        return ResultBlock(dict(self.data))


class UnknownBlock(VerbatimBlock):
    """A block of a kind that has no class here, verbatim."""

    __slots__ = ()

    def copy(self) -> UnknownBlock:
        """A block that changes on its own."""
        return UnknownBlock(dict(self.data))


Block = TextBlock | ThinkingBlock | RedactedThinkingBlock | ToolUseBlock | ResultBlock | UnknownBlock
