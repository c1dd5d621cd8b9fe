"""The object that the browser's side makes of chunks: a ``UIMessage``.

Source: ``processUIMessageStream`` of the npm package ``ai``.
"""

from __future__ import annotations

from collections.abc import Callable

from ...blocks.strict_json import JSON, JSONObject
from ..fields import rest
from .chunk_types import ANSWER, DATA, START_STEP
from .vocabulary import METADATA

#: What else the parts of a call take over from chunks.
_CALL_FIELDS = ("providerExecuted", "title", "toolMetadata")
#: Fields of a call's part that hold for one state of it only.
_OF_STATE = ("input", "output", "errorText", "rawInput", "inputEncoding", "preliminary")
_APPROVAL = {"approvalId": "id", "approvalDescriptor": "descriptor", "reason": "requestReason"}


class _Text:
    """The part of a text that grows."""

    __slots__ = ("fragments", "part")

    def __init__(self, part: JSONObject) -> None:
        self.part = part
        self.fragments: list[str] = []

    def settle(self) -> None:
        """Let the part have all that has come."""
        self.part["text"] = "".join(self.fragments)


class UIMessage:
    """The message so far.  Each call's arguments come in one piece."""

    def __init__(self) -> None:
        self._parts: list[JSONObject] = []
        self._message: JSONObject = {"id": "", "role": "assistant", "parts": self._parts}
        self._texts: dict[str, _Text] = {}
        self._calls: dict[str, JSONObject] = {}  # the last with each id
        self._call_by_approval: dict[str, str] = {}  # an approval's ID -> the call that it is for
        self._data: dict[tuple[str, str], JSONObject] = {}

    @property
    def value(self) -> JSONObject:
        """The message."""
        for text in self._texts.values():
            text.settle()
        return self._message

    def receive(self, chunk: JSONObject) -> None:
        """Take one chunk."""
        kind = chunk["type"]
        read = _READERS.get(kind)
        if read is not None:
            read(self, chunk)
        elif kind.startswith(DATA):
            self._receive_data(chunk)
        elif kind in _WHOLE:
            self._parts.append(dict(chunk))

    def _start(self, chunk: JSONObject) -> None:
        self._message["id"] = chunk.get("messageId", "")

    def _step(self, _: JSONObject) -> None:
        self._parts.append({"type": "step-start"})

    def _metadata(self, chunk: JSONObject) -> None:
        self._message["metadata"] = _merged(self._message.get("metadata"), chunk[METADATA])

    def _text_start(self, chunk: JSONObject) -> None:
        kind, _, _ = chunk["type"].partition("-")
        part = {**rest(chunk, "id"), "type": kind, "text": "", "state": "streaming"}
        if kind == "reasoning":
            part["id"] = chunk["id"]
        self._texts[chunk["id"]] = _Text(part)
        self._parts.append(part)

    def _text_delta(self, chunk: JSONObject) -> None:
        self._texts[chunk["id"]].fragments.append(chunk["delta"])

    def _text_end(self, chunk: JSONObject) -> None:
        text = self._texts.pop(chunk["id"])
        text.settle()
        text.part.update({**rest(chunk, "type", "id"), "state": "done"})

    def _call_start(self, chunk: JSONObject) -> None:
        self._update(self._new_call(chunk), "input-streaming", chunk, "inputEncoding")

    def _new_call(self, chunk: JSONObject) -> JSONObject:
        id_, name = chunk["toolCallId"], chunk["toolName"]
        dynamic = {"type": "dynamic-tool", "toolName": name}
        part = dynamic if chunk.get("dynamic") else {"type": f"tool-{name}"}
        part |= {"toolCallId": id_}
        self._calls[id_] = part
        self._parts.append(part)
        return part

    def _call_delta(self, chunk: JSONObject) -> None:
        self._calls[chunk["toolCallId"]]["rawInput"] = chunk["inputTextDelta"]

    def _call_available(self, chunk: JSONObject) -> None:
        part = self._calls.get(chunk["toolCallId"]) or self._new_call(chunk)
        self._update(part, "input-available", chunk, "input")

    def _call_error(self, chunk: JSONObject) -> None:
        self._update(self._calls[chunk["toolCallId"]], "output-error", chunk, "input", "errorText")

    def _output(self, chunk: JSONObject) -> None:
        part = self._calls[chunk["toolCallId"]]
        chunk = {**_input_of(part), **chunk}
        self._update(part, "output-available", chunk, "input", "output", "preliminary")

    def _output_error(self, chunk: JSONObject) -> None:
        part = self._calls[chunk["toolCallId"]]
        chunk = {**_input_of(part), **chunk}
        if "rawInput" in part and part["type"] != "dynamic-tool":
            chunk["rawInput"] = part["rawInput"]
        self._update(part, "output-error", chunk, "input", "errorText", "rawInput")

    def _denied(self, chunk: JSONObject) -> None:
        self._calls[chunk["toolCallId"]]["state"] = "output-denied"

    def _approval_requested(self, chunk: JSONObject) -> None:
        """The user is asked whether a call may be run."""
        approval = {
            _APPROVAL.get(name, name): value for name, value in rest(chunk, "type", "toolCallId").items()
        }
        self._call_by_approval[chunk["approvalId"]] = chunk["toolCallId"]
        self._calls[chunk["toolCallId"]].update(state="approval-requested", approval=approval)

    def _answered(self, chunk: JSONObject) -> None:
        """The user has said whether it may."""
        part = self._calls[self._call_by_approval[chunk["approvalId"]]]
        answer = {name: chunk[name] for name in ("approved", "reason") if name in chunk}
        part.update(state="approval-responded", approval={**part["approval"], **answer})
        names = {"providerExecuted": "providerExecuted", "providerMetadata": "callProviderMetadata"}
        part.update({names[name]: chunk[name] for name in names if name in chunk})

    def _update(self, part: JSONObject, state: str, chunk: JSONObject, *names: str) -> None:
        for name in _OF_STATE:
            part.pop(name, None)
        part["state"] = state
        part.update({name: chunk[name] for name in (*names, *_CALL_FIELDS) if name in chunk})
        if "providerMetadata" in chunk:
            side = "result" if state.startswith("output") else "call"
            part[f"{side}ProviderMetadata"] = chunk["providerMetadata"]

    def _receive_data(self, chunk: JSONObject) -> None:
        """An application's own part; one with an id is replaced by the next with the same."""
        if chunk.get("transient"):
            return
        key = chunk["type"], chunk.get("id", "")
        known = self._data.get(key) if "id" in chunk else None
        if known is not None:
            known["data"] = chunk.get("data")
            return
        self._data[key] = part = dict(chunk)
        self._parts.append(part)


_READERS: dict[str, Callable[[UIMessage, JSONObject], None]] = {
    "start": UIMessage._start,
    START_STEP: UIMessage._step,
    "message-metadata": UIMessage._metadata,
    "text-start": UIMessage._text_start,
    "text-delta": UIMessage._text_delta,
    "text-end": UIMessage._text_end,
    "reasoning-start": UIMessage._text_start,
    "reasoning-delta": UIMessage._text_delta,
    "reasoning-end": UIMessage._text_end,
    "tool-input-start": UIMessage._call_start,
    "tool-input-delta": UIMessage._call_delta,
    "tool-input-available": UIMessage._call_available,
    "tool-input-error": UIMessage._call_error,
    "tool-output-available": UIMessage._output,
    "tool-output-error": UIMessage._output_error,
    "tool-output-denied": UIMessage._denied,
    "tool-approval-request": UIMessage._approval_requested,
    ANSWER: UIMessage._answered,
}


#: Chunks that are the part.
_WHOLE = frozenset({"custom", "source-url", "source-document", "file", "reasoning-file"})


def _input_of(part: JSONObject) -> JSONObject:
    """The input of a call, which what became of it does not change."""
    return {"input": part["input"]} if "input" in part else {}


def _merged(known: JSON, added: JSON) -> JSON:
    """Objects within objects are merged, everything else is replaced.  ``known`` is ours, and changes."""
    if not isinstance(added, dict):
        return added
    merged = known if isinstance(known, dict) else {}
    for name, value in added.items():
        merged[name] = _merged(merged.get(name), value)
    return merged
