"""Parts of the message that are being written: a text, the model's reasoning, a call of a tool."""

from __future__ import annotations

from ...blocks import strict_json
from ...blocks.model import (
    ResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    UnknownBlock,
)
from ...blocks.strict_json import JSONObject
from .chunk_types import is_field
from .origin import Origin
from .sources import citation_of, is_citation

#: What the browser's side, and the model in the next turn, are told of arguments that are no JSON.
INVALID_ARGUMENTS = "The arguments of this call are not valid JSON."
#: Fields of a call in this protocol that have no name in ours.
_OF_CALL = ("dynamic", "title", "toolMetadata")


class TextPart:
    """A text, or reasoning."""

    __slots__ = ("_kind", "_origin", "block", "id", "said")

    def __init__(self, block: TextBlock | ThinkingBlock, id: str, origin: Origin) -> None:
        self.block = block.copy()
        self.block.replace("")  # the text is told at once, and not needed any more
        self.id = id
        self.said = False
        self._kind = "text" if isinstance(block, TextBlock) else "reasoning"
        self._origin = origin

    def start(self) -> JSONObject:
        """The chunk that begins the part."""
        return self._chunk("start")

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
        if self._origin.is_own:
            found = [cited for cited in self.block.citations if is_citation(cited)]
        else:
            made = [citation_of(cited, self._origin.dialect) for cited in self.block.citations]
            found = [citation for citation in made if citation is not None]
        return {"citations": found} if found else {}


class CallPart:
    """A call.  ``kept`` is how much of arguments it holds, in characters."""

    __slots__ = ("_origin", "block", "id", "kept", "said")

    def __init__(self, block: ToolUseBlock, id: str, origin: Origin) -> None:
        self.block = block.copy()
        self.id = id
        self.said = False
        self.kept = 0
        self._origin = origin

    @property
    def item(self) -> JSONObject:
        """The provider's item that the call is."""
        return self._origin.item_of(self.block)

    @property
    def for_client(self) -> bool:
        """Whether the client runs the tool."""
        return self.block.type == "tool_use"

    def start(self) -> JSONObject:
        """The chunk that begins the call."""
        encoding = {"inputEncoding": "text"} if self.block.input_encoding == "text" else {}
        return {**self._chunk("tool-input-start"), **encoding, **self._beside()}

    def delta(self, fragment: str) -> list[JSONObject]:
        """The chunk with more of the arguments' text."""
        self.said = self.said or fragment != ""
        chunk = {"type": "tool-input-delta", "toolCallId": self.id, "inputTextDelta": fragment}
        return [chunk] if fragment else []

    def end(self) -> JSONObject:
        """The chunk with the arguments, which are whole now; or with their text, if that is no JSON."""
        raw = self.block.raw_arguments
        try:
            arguments = self._value(raw)
        except ValueError:
            error = {"input": raw, "errorText": INVALID_ARGUMENTS}
            return {**self._chunk("tool-input-error"), **error, **self._last()}
        return {**self._chunk("tool-input-available"), "input": arguments, **self._last()}

    def _value(self, raw: str) -> object:
        if self.block.state == "complete":
            return self.block.arguments
        if self.block.input_encoding == "text":
            return raw
        return strict_json.loads(raw) if raw.strip(" \t\r\n") else self.block.start_input

    def _chunk(self, kind: str) -> JSONObject:
        return {"type": kind, "toolCallId": self.id, "toolName": self.block.name}

    def _beside(self) -> JSONObject:
        executed = {} if self.for_client else {"providerExecuted": True}
        extra = self.block.extra if self._origin.is_own else {}
        fields = {name: extra[name] for name in _OF_CALL if name in extra and is_field(name, extra[name])}
        return {**executed, **fields}

    def _last(self) -> JSONObject:
        return {**self._beside(), **self._origin.metadata(self.block)}


class WholePart:
    """A block that is told at its end.  ``kept`` is what it counts for, in characters."""

    __slots__ = ("block", "kept")

    def __init__(self, block: ResultBlock | UnknownBlock) -> None:
        self.block = block.copy()
        self.kept = len(strict_json.dumps(block.values()))
