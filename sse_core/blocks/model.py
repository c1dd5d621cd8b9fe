"""A message and its content blocks: what an accumulator makes of block events.

The blocks are those that the providers' protocols have in common.  ``extra`` of a message or a
block holds the provider's fields that have no name here, verbatim; a block of a kind that has no
class here is kept verbatim.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from .stop_reasons import StopReason, meaning_of
from .strict_json import JSON, JSONObject
from .text import GrowingText
from .token_counts import TokenCounts

if TYPE_CHECKING:
    from .events import BlockEvent, StreamError

Completeness = Literal["streaming", "complete", "truncated", "failed", "stopped"]
ToolType = Literal["tool_use", "server_tool_use", "mcp_tool_use"]
ToolState = Literal["streaming", "complete", "invalid", "incomplete"]
InputEncoding = Literal["json", "text"]


class _Values:
    """Equality and repr by the attributes named in ``_shown``."""

    __slots__ = ()
    _shown: ClassVar[tuple[str, ...]] = ()

    def values(self) -> dict[str, Any]:
        """Its attributes by name."""
        return {name: getattr(self, name) for name in self._shown}

    def __eq__(self, other: object) -> bool:
        return self.values() == other.values() if isinstance(other, type(self)) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # these objects change

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.values().items())
        return f"{type(self).__name__}({shown})"


class TextBlock(_Values):
    """Text of the answer.

    ``citations`` is the provider's citation objects, verbatim, or ``None`` where it gave no list.
    """

    __slots__ = ("_text", "citations", "extra")
    _shown = ("text", "citations", "extra")
    type: ClassVar[str] = "text"

    def __init__(
        self, text: str = "", citations: list[JSONObject] | None = None, extra: JSONObject | None = None
    ) -> None:
        self._text = GrowingText(text)
        self.citations = citations
        self.extra = {} if extra is None else extra

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

    def copy(self) -> TextBlock:
        """A block that grows on its own."""
        citations = None if self.citations is None else list(self.citations)
        return TextBlock(self.text, citations, dict(self.extra))


class ThinkingBlock(_Values):
    """What the model thought, as far as the provider shows it, and its signature.

    ``signature`` is ``None`` where the provider gave no such field.
    """

    __slots__ = ("_thinking", "extra", "signature")
    _shown = ("thinking", "signature", "extra")
    type: ClassVar[str] = "thinking"

    def __init__(
        self, thinking: str = "", signature: str | None = None, extra: JSONObject | None = None
    ) -> None:
        self._thinking = GrowingText(thinking)
        self.signature = signature
        self.extra = {} if extra is None else extra

    @property
    def thinking(self) -> str:
        """The thinking so far."""
        return str(self._thinking)

    @property
    def fragments(self) -> list[str]:
        """What came last, as ``GrowingText`` has it."""
        return self._thinking.fragments

    def append(self, thinking: str) -> None:
        """Add ``thinking`` at the end."""
        self._thinking.append(thinking)

    def replace(self, thinking: str) -> None:
        """Let ``thinking`` be the thinking."""
        self._thinking.replace(thinking)

    def copy(self) -> ThinkingBlock:
        """A block that grows on its own."""
        return ThinkingBlock(self.thinking, self.signature, dict(self.extra))


class RedactedThinkingBlock(_Values):
    """Thinking that the provider shows in encrypted form only: ``data``, verbatim."""

    __slots__ = ("data", "extra")
    _shown = ("data", "extra")
    type: ClassVar[str] = "redacted_thinking"

    def __init__(self, data: str, extra: JSONObject | None = None) -> None:
        self.data = data
        self.extra = {} if extra is None else extra

    def copy(self) -> RedactedThinkingBlock:
        """A block that changes on its own."""
        return RedactedThinkingBlock(self.data, dict(self.extra))


class ToolUseBlock(_Values):
    """A call of a tool.

    ``type`` says who runs it: ``tool_use`` the client, ``server_tool_use`` and ``mcp_tool_use``
    the provider.  ``raw_arguments`` is the text of the arguments as far as it has come;
    ``arguments`` is its value, ``None`` until the protocol has said that the text is complete.
    ``start_input`` is what the provider gave as arguments when the block began: it counts if no
    text of arguments follows.

    ``state`` is ``streaming``, then ``complete`` (``arguments`` is set), ``invalid`` (the text
    was complete and is no JSON) or ``incomplete`` (the message ended before the block did).

    ``input_encoding`` is ``"text"`` where the tool takes free text and no JSON (OpenAI's custom
    tools): ``arguments`` is that text, then.
    """

    __slots__ = ("_raw", "arguments", "extra", "id", "input_encoding", "name", "start_input", "state", "type")
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
        self.id = id
        self.name = name
        self.type = type
        self._raw = GrowingText(raw_arguments)
        self.arguments = arguments
        self.state = state
        self.start_input = {} if start_input is None else start_input
        self.input_encoding = input_encoding
        self.extra = {} if extra is None else extra

    @property
    def raw_arguments(self) -> str:
        """The text of the arguments so far."""
        return str(self._raw)

    @property
    def fragments(self) -> list[str]:
        """What came last, as ``GrowingText`` has it."""
        return self._raw.fragments

    def append(self, fragment: str) -> None:
        """Add ``fragment`` at the end of the arguments' text."""
        self._raw.append(fragment)

    def replace(self, text: str) -> None:
        """Let ``text`` be the arguments' text."""
        self._raw.replace(text)

    def copy(self) -> ToolUseBlock:
        """A block that grows on its own."""
        return ToolUseBlock(**{**self.values(), "extra": dict(self.extra)})


class VerbatimBlock(_Values):
    """A block that is kept as the provider sent it: ``data``, with its ``type``."""

    __slots__ = ("data",)
    _shown = ("data",)

    def __init__(self, data: JSONObject) -> None:
        self.data = data

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

#: What a message may have ended for, if a client is to run its tools.  All other meanings, and no reason
#: at all, forbid it: lengths, refusals, pauses (the provider wants the message back as it is), and reasons
#: that are not known yet.
_TOOLS_MAY_RUN_AFTER: frozenset[StopReason] = frozenset({"tool_use", "end_turn"})


def tools_may_run_after(stop_reason: str | None) -> bool:
    """Whether a client may run the tools of a complete message that ended for this reason."""
    return stop_reason is not None and meaning_of(stop_reason) in _TOOLS_MAY_RUN_AFTER


class Message(_Values):
    """A message, as far as it has come.

    ``id`` and ``model`` are empty until the message begins.  ``dialect`` names the protocol that it
    came in, if it did.  ``indexed_blocks`` has the content blocks by the provider's index.
    ``stop_reason`` is the provider's own text.  ``usage`` is merged: the last value of each field
    that was not null.  ``extra`` is the provider's other fields of the message; ``unknown`` is what
    came for the message and has no place in it, in order.  ``error`` is the error that ended it.
    ``alternatives`` has the further answers where several were requested (``n`` > 1), by the
    provider's index, 1 and up; ``usage`` and the fields that belong to all of them stand in the first
    message.

    ``output_seen``, ``tool_seen``, ``server_tool_seen`` and ``resume_cursor`` are facts for whoever
    decides whether a request may be repeated.  ``output_seen``: a reader who was shown everything has
    seen a part of the answer.  ``resume_cursor``: where the provider can send the rest of the stream
    from, ``None`` where it can't.
    """

    _shown = (
        "id",
        "model",
        "role",
        "blocks",
        "stop_reason",
        "usage",
        "extra",
        "unknown",
        "completeness",
        "error",
        "alternatives",
        "dialect",
    )
    __slots__ = (
        *(name for name in _shown if name != "blocks"),
        "indexed_blocks",
        "output_seen",
        "resume_cursor",
    )

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Let it be a message that has not begun."""
        self.id = ""
        self.model = ""
        self.role = "assistant"
        self.indexed_blocks: dict[int, Block] = {}
        self.stop_reason: str | None = None
        self.usage: JSONObject = {}
        self.extra: JSONObject = {}
        self.unknown: list[BlockEvent] = []
        self.completeness: Completeness = "streaming"
        self.error: StreamError | None = None
        self.alternatives: dict[int, Message] = {}
        self.dialect = ""
        self.output_seen = False
        self.resume_cursor: int | str | None = None

    @property
    def blocks(self) -> list[Block]:
        """The content blocks in the order of their indexes, which may have gaps."""
        return [block for _, block in sorted(self.indexed_blocks.items())]

    @property
    def text(self) -> str:
        """The text of all text blocks, joined."""
        return "".join(block.text for block in self.blocks if isinstance(block, TextBlock))

    @property
    def stop_meaning(self) -> StopReason | None:
        """What ``stop_reason`` means, by the same names for all providers; ``None`` before it is known.

        Some providers end a turn that wants tools as any other; here it is ``"tool_use"``.
        """
        if self.stop_reason is None:
            return None
        meaning = meaning_of(self.stop_reason)
        return "tool_use" if meaning == "end_turn" and self._tools_of_client() else meaning

    @property
    def token_counts(self) -> TokenCounts:
        """The figures of ``usage``, counted in one way for all providers."""
        return TokenCounts.of(self.usage)

    @property
    def tools(self) -> list[ToolUseBlock]:
        """The calls of tools, in any state, whoever runs them."""
        return [block for block in self.blocks if isinstance(block, ToolUseBlock)]

    @property
    def tool_seen(self) -> bool:
        """Whether a call that the client runs has begun, in this message or an alternative."""
        return any(tool.type == "tool_use" for answer in self._answers() for tool in answer.tools)

    @property
    def server_tool_seen(self) -> bool:
        """Whether the provider ran a tool: to ask again would run it again."""
        blocks = [block for answer in self._answers() for block in answer.blocks]
        return any(_ran_by_provider(block) for block in blocks)

    @property
    def executable_tools(self) -> list[ToolUseBlock]:
        """The calls that the client may run now.

        Empty unless the message is complete and stopped for a reason that allows calls: nothing
        becomes executable after failure, truncation or length.  A call that the provider runs
        itself is never among them, nor is one whose result is there.
        """
        if self.completeness != "complete" or not tools_may_run_after(self.stop_reason):
            return []
        return [tool for tool in self._tools_of_client() if tool.state == "complete"]

    def _tools_of_client(self) -> list[ToolUseBlock]:
        """The calls that are left for the client."""
        answered = {block.answers for block in self.blocks if isinstance(block, ResultBlock)}
        return [tool for tool in self.tools if tool.type == "tool_use" and tool.id not in answered]

    def _answers(self) -> list[Message]:
        return [self, *self.alternatives.values()]


def _ran_by_provider(block: Block) -> bool:
    return isinstance(block, ResultBlock) or (isinstance(block, ToolUseBlock) and block.type != "tool_use")
