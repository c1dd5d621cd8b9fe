"""Gemini's parts as the npm package ``@ai-sdk/google`` sends them.

Source: https://ai-sdk.dev/providers/ai-sdk-providers/google and the package's ``doStream``
"""

from __future__ import annotations

from collections.abc import Callable

from ...blocks import Block, ResultBlock, ThinkingBlock, UnknownBlock, strict_json
from ...blocks.strict_json import JSON, JSONObject
from ..budget import Budget
from ..fields import text
from .origin import FIELD, Origin, call, output

_CODE = "code_execution"
_SIGNATURE = "thoughtSignature"
#: The list among the message's extra fields with what an answer is grounded in.
GROUNDING = "candidate.groundingMetadata.groundingChunks"
#: Kinds of such chunks -> the field of their address.
_ADDRESSES = {"web": "uri", "image": "sourceUri", "maps": "uri", "retrievedContext": "uri"}
_UNNAMED = "Unknown Document"
_MEDIA_TYPES = {
    "pdf": "application/pdf",
    "txt": "text/plain",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "doc": "application/msword",
    "md": "text/markdown",
    "markdown": "text/markdown",
}
_UNKNOWN_MEDIA = "application/octet-stream"


class GeminiOrigin(Origin):
    """An answer of Gemini's."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(budget)
        self._codes = 0
        self._calls = 0
        self._call: str | None = None  # the call of Google's whose response is to come
        self._grounding: list[JSONObject] = []

    def goes_on(self, text: Block, block: Block | None = None) -> bool:
        """Texts of one kind that follow each other are one there; the last signature is that of all."""
        return block is None or type(text) is type(block)

    def metadata(self, block: Block) -> JSONObject:
        """The signature of a text or a call."""
        signature = block.signature if isinstance(block, ThinkingBlock) else None
        return _signed(signature or getattr(block, "extra", {}).get(_SIGNATURE))

    def whole(self, block: ResultBlock | UnknownBlock) -> list[JSONObject]:
        """A file, code, a tool of Google's."""
        data = block.data
        for name, write in _PARTS.items():
            if isinstance(data.get(name), dict):
                return write(self, data, data[name])
        return []

    def _code(self, _: JSONObject, code: JSONObject) -> list[JSONObject]:
        self._codes += 1
        return [call(f"{_CODE}-{self._codes}", _CODE, code, providerExecuted=True)]

    def _code_output(self, _: JSONObject, result: JSONObject) -> list[JSONObject]:
        value = {name: result[name] for name in ("outcome",) if name in result}
        return [output(f"{_CODE}-{self._codes}", {**value, "output": text(result, "output", "")})]

    def _tool(self, part: JSONObject, made: JSONObject) -> list[JSONObject]:
        self._calls += 1
        self._call = text(made, "id", "") or f"server-{self._calls}"
        kind = text(made, "toolType", "")
        args = made["args"] if made.get("args") is not None else {}
        fields: JSONObject = {"providerExecuted": True, "dynamic": True}
        return [call(self._call, f"server:{kind}", args, **fields, **_server(part, self._call, kind))]

    def _tool_output(self, part: JSONObject, result: JSONObject) -> list[JSONObject]:
        id_ = self._call or text(result, "id", "")
        self._call = None
        response = result["response"] if result.get("response") is not None else {}
        return [output(id_, response, _server(part, id_, text(result, "toolType", "")))]

    def _file(self, part: JSONObject, file: JSONObject) -> list[JSONObject]:
        media = text(file, "mimeType", _UNKNOWN_MEDIA)
        kind = "reasoning-file" if part.get("thought") is True else "file"
        url = f"data:{media};base64,{text(file, 'data', '')}"
        return [{"type": kind, "mediaType": media, "url": url, **_signed(part.get(_SIGNATURE))}]

    def items(self, name: str, items: list[JSON]) -> None:
        """Keep what the answer is grounded in."""
        if name == GROUNDING:
            found = [chunk for item in items if isinstance(item, dict) for chunk in self._grounded(item)]
            self._budget.add(sum(len(strict_json.dumps(chunk)) for chunk in found))
            self._grounding += found

    def _grounded(self, chunk: JSONObject) -> list[JSONObject]:
        for name, field in _ADDRESSES.items():
            inner = chunk.get(name)
            if isinstance(inner, dict):
                address = text(inner, field, "") or text(inner, "fileSearchStore", "")
                return self._sources.new(_source(name, inner, address), address) if address else []
        return []

    def finish(self) -> list[JSONObject]:
        """The sources."""
        found, self._grounding = self._grounding, []
        return found


_PARTS: dict[str, Callable[[GeminiOrigin, JSONObject, JSONObject], list[JSONObject]]] = {
    "executableCode": GeminiOrigin._code,
    "codeExecutionResult": GeminiOrigin._code_output,
    "toolCall": GeminiOrigin._tool,
    "toolResponse": GeminiOrigin._tool_output,
    "inlineData": GeminiOrigin._file,
}


def _metadata(fields: JSONObject) -> JSONObject:
    return {FIELD: {"google": fields}} if fields else {}


def _signed(signature: JSON) -> JSONObject:
    return _metadata({_SIGNATURE: signature} if isinstance(signature, str) and signature else {})


def _server(part: JSONObject, id_: str, kind: str) -> JSONObject:
    """What Google has to get back of a tool of its own."""
    signature = {_SIGNATURE: part[_SIGNATURE]} if part.get(_SIGNATURE) else {}
    return _metadata({**signature, "serverToolCallId": id_, "serverToolType": kind})


def _source(kind: str, found: JSONObject, address: str) -> JSONObject:
    title = text(found, "title", "")
    if kind != "retrievedContext" or address.startswith(("http://", "https://")):
        return {"url": address, **({"title": title} if title else {})}
    name = address.rsplit("/", 1)[-1]
    _, _, ending = name.rpartition(".")
    media = _MEDIA_TYPES.get(ending, _UNKNOWN_MEDIA)
    return {"mediaType": media, "title": title or _UNNAMED, "filename": name}
