"""What a request to ``POST /v1/messages`` asks for, checked as the real provider checks it.

https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from sse_core.errors import RemoteProtocolError

_QUESTION_LENGTH = 80
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")  # what the provider allows


@dataclass(frozen=True, slots=True)
class MessagesRequest:
    """A request that was accepted.

    - ``question``: the start of the last thing that the user said, on one line.
    - ``tool``: the name of the first tool that the model may call, if any.
    - ``has_result``: whether the last message brings a tool's result: then the model answers in text.
    """

    model: str
    max_tokens: int
    stream: bool
    question: str
    tool: str | None
    has_result: bool
    input_tokens: int

    @classmethod
    def parse(cls, body: bytes) -> MessagesRequest:
        """Read the body of a request.

        Raises :class:`RemoteProtocolError`, which says which field is wrong, where the provider
        would answer 400.
        """
        value = _json_object(body)
        model = value.get("model")
        if not isinstance(model, str) or not 0 < len(model) <= 256:
            raise _invalid("model", value, "a string of 1 to 256 characters")
        max_tokens = value.get("max_tokens")
        if type(max_tokens) is not int or max_tokens < 1:
            raise _invalid("max_tokens", value, "an integer greater than or equal to 1")
        stream = value.get("stream", False)
        if not isinstance(stream, bool):
            raise _invalid("stream", value, "a boolean")
        messages = _messages(value)
        tool = _first_tool(value.get("tools"))
        has_result = _has_result(messages[-1])
        return cls(model, max_tokens, stream, _question(messages), tool, has_result, _count_tokens(value))


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise RemoteProtocolError("The request body is not valid JSON") from None
    if not isinstance(value, dict):
        raise RemoteProtocolError("The request body is not a JSON object")
    return value


def _count_tokens(value: dict[str, Any]) -> int:
    """What the model reads, at about four characters a token; the request's other fields don't count."""
    read = [value[name] for name in ("system", "messages", "tools") if name in value]
    return max(1, len(json.dumps(read)) // 4)


def _messages(value: dict[str, Any]) -> list[dict[str, Any]]:
    messages = value.get("messages")
    if not isinstance(messages, list):
        raise _invalid("messages", value, "an array of messages")
    if not messages:
        raise RemoteProtocolError("messages: at least one message is required")
    for number, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in ("user", "assistant"):
            raise RemoteProtocolError(f'messages.{number}.role: Input should be "user" or "assistant"')
        if not isinstance(message.get("content"), str | list):
            raise RemoteProtocolError(
                f"messages.{number}.content: Input should be a string or an array of content blocks"
            )
    return messages


def _invalid(name: str, value: dict[str, Any], wanted: str) -> RemoteProtocolError:
    why = f"Input should be {wanted}" if name in value else "Field required"
    return RemoteProtocolError(f"{name}: {why}")


def _question(messages: list[dict[str, Any]]) -> str:
    said = next((message["content"] for message in reversed(messages) if message["role"] == "user"), "")
    if isinstance(said, list):
        texts = (block.get("text") for block in said if isinstance(block, dict))
        said = next((text for text in texts if isinstance(text, str)), "")
    # Not printable are controls, and halves of surrogate pairs: valid JSON, and never UTF-8.
    start = "".join(char if char.isprintable() else " " for char in said[: _QUESTION_LENGTH * 4])
    line = " ".join(start.split())
    return line if len(line) <= _QUESTION_LENGTH else line[:_QUESTION_LENGTH].rstrip() + "…"


def _has_result(message: dict[str, Any]) -> bool:
    content = message["content"] if isinstance(message["content"], list) else []
    return any(isinstance(block, dict) and block.get("type") == "tool_result" for block in content)


def _first_tool(tools: object) -> str | None:
    listed = tools if isinstance(tools, list) else []
    names = (tool.get("name") for tool in listed if isinstance(tool, dict))
    return next((name for name in names if isinstance(name, str) and _TOOL_NAME.fullmatch(name)), None)
