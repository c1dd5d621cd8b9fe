"""A message, as far as it has come: what an accumulator makes of block events.

``extra`` holds the provider's fields that have no name here, verbatim.
"""

from __future__ import annotations

from typing import Literal

from .content_blocks import Block, ResultBlock, TextBlock, ToolUseBlock
from .events import BlockEvent, StreamError
from .record import Record
from .stop_reasons import StopReason, meaning_of, tools_may_run_after
from .strict_json import JSONObject
from .token_counts import TokenCounts

Completeness = Literal["streaming", "complete", "truncated", "failed", "stopped"]


class Message(Record):
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
