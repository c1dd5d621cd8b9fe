"""Parts of the message that are being written: a text, the model's reasoning, a call of a tool."""

from __future__ import annotations

from ...blocks import (
    ResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    UnknownBlock,
    strict_json,
)
from ...blocks.strict_json import JSONObject
from ..fields import MAX_REPEATED
from .origin import Origin

#: What the browser's side, and the model in the next turn, get for arguments that are no JSON.
INVALID_ARGUMENTS = "The arguments of this call are not valid JSON."
_BLANK = " \t\r\n"


class TextPart:
    """A text, or reasoning."""

    __slots__ = ("_kind", "_origin", "block", "id", "said")

    def __init__(self, block: TextBlock | ThinkingBlock, id: str, origin: Origin) -> None:
        self.block: TextBlock | ThinkingBlock = block.copy()
        self.block.replace("")  # the text is sent at once, and not needed any more
        self.id: str = id
        self.said: bool = False
        self._kind = "text" if isinstance(block, TextBlock) else "reasoning"
        self._origin = origin

    def start(self) -> JSONObject:
        """The chunk that begins the part, with what is known already."""
        return {**self._chunk("start"), **self._origin.metadata(self.block)}

    def join(self, block: TextBlock | ThinkingBlock) -> None:
        """Another block goes on this text."""
        self.said = False
        self.block.extra.update(block.extra)
        if isinstance(self.block, ThinkingBlock):
            self.block.signature = getattr(block, "signature", None) or self.block.signature
        elif isinstance(block, TextBlock) and block.citations:
            self.block.citations = self.block.citations or []
            self.block.citations.extend(block.citations)

    def delta(self, text: str) -> list[JSONObject]:
        """The chunk with more text."""
        self.said = self.said or text != ""
        return [{**self._chunk("delta"), "delta": text}] if text else []

    def end(self) -> JSONObject:
        """The chunk that ends the part, with what is known only now."""
        return {**self._chunk("end"), **self._citations(), **self._origin.metadata(self.block)}

    def _chunk(self, what: str) -> JSONObject:
        return {"type": f"{self._kind}-{what}", "id": self.id}

    def _citations(self) -> JSONObject:
        if isinstance(self.block, ThinkingBlock) or not self.block.citations:
            return {}
        made = [self._origin.citation(cited) for cited in self.block.citations]
        found = [citation for citation in made if citation is not None]
        return {"citations": found} if found else {}


class CallPart:
    """A call.  ``kept`` is how much of arguments it holds, in characters."""

    __slots__ = ("_head", "_opening", "_origin", "_unsent", "_unsent_size", "block", "id", "kept", "said")

    def __init__(self, block: ToolUseBlock, id: str, origin: Origin) -> None:
        self.block: ToolUseBlock = block.copy()
        self.id: str = id
        self.said: bool = False
        self.kept: int = 0
        self._origin = origin
        self._opening = origin.call_opening(self.block)
        self._head = ""  # what came before the first field of the arguments
        self._unsent: list[str] = []  # fragments that wait for more
        self._unsent_size = 0

    @property
    def for_client(self) -> bool:
        """Whether the client runs the tool."""
        return self.block.type == "tool_use"

    def start(self) -> JSONObject:
        """The chunk that begins the call."""
        encoding = {"inputEncoding": "text"} if self.block.input_encoding == "text" else {}
        own = self._origin.metadata(self.block) if self._origin.is_own else {}
        return {**self._chunk("tool-input-start"), **encoding, **self._beside(), **own}

    def delta(self, fragment: str) -> list[JSONObject]:
        """The chunk with more of the arguments' text."""
        fragment = self._opened(fragment)
        self.said = self.said or fragment != ""
        fragment = self._gathered(fragment)
        chunk = {"type": "tool-input-delta", "toolCallId": self.id, "inputTextDelta": fragment}
        return [chunk] if fragment else []

    def _gathered(self, fragment: str) -> str:
        """The fragment; beside a very long id, none before there is as much text as id.

        Some hosts have a signature in the id of a call, and every chunk repeats it.
        """
        if len(self.id) <= MAX_REPEATED:
            return fragment
        self._unsent.append(fragment)
        self._unsent_size += len(fragment)
        if self._unsent_size < len(self.id):
            return ""
        text = "".join(self._unsent)
        self._unsent, self._unsent_size = [], 0
        return text

    def end(self) -> JSONObject:
        """The chunk with the arguments, which are whole now; or with their text, if that is no JSON."""
        raw = self.block.raw_arguments
        try:
            arguments = self._value(raw)
        except ValueError:
            error = {"input": raw, "errorText": INVALID_ARGUMENTS}
            return {**self._chunk("tool-input-error"), **error, **self._last()}
        return {
            **self._chunk("tool-input-available"),
            "input": self._origin.call_input(self.block, arguments),
            **self._last(),
        }

    def outcome(self) -> list[JSONObject]:
        """The chunks of what became of the call, where its block says so."""
        return [{**chunk, "toolCallId": self.id} for chunk in self._origin.outcome(self.block)]

    def _opened(self, fragment: str) -> str:
        """The fragment, with a field of ours before the first of the arguments."""
        if not self._opening:
            return fragment
        head = (self._head + fragment).lstrip(_BLANK)
        first = head[1:].lstrip(_BLANK)
        if not first and head[:1] in ("", "{"):
            self._head = head[:1]
            return ""
        if head[:1] == "{" and first:
            head = "{" + self._opening + ("" if first[0] == "}" else ",") + first
        self._opening = ""
        return head

    def _value(self, raw: str) -> object:
        if self.block.state == "complete":
            return self.block.arguments
        if self.block.input_encoding == "text":
            return raw
        return strict_json.loads(raw) if raw.strip(_BLANK) else self.block.start_input

    def _chunk(self, kind: str) -> JSONObject:
        return {"type": kind, "toolCallId": self.id, "toolName": self._origin.call_name(self.block)}

    def _beside(self) -> JSONObject:
        executed = {} if self.for_client else {"providerExecuted": True}
        return {**executed, **self._origin.call_fields(self.block)}

    def _last(self) -> JSONObject:
        return {**self._beside(), **self._origin.metadata(self.block)}


class WholePart:
    """A block that is kept verbatim.  ``kept`` is what it counts for, in characters."""

    __slots__ = ("block", "ids", "kept")

    def __init__(self, block: ResultBlock | UnknownBlock) -> None:
        self.block: ResultBlock | UnknownBlock = block.copy()
        self.ids: dict[str, str] = {}  # of calls that it is: the provider's id -> the browser's
        self.kept: int = len(strict_json.dumps(block.values()))
