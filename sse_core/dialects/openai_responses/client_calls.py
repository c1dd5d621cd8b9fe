"""Items that are calls, and who runs them.

Functions and custom tools are the client's.  So are the tools that OpenAI trained its models on and leaves to
the client to run: a computer, a shell, patches, a search for tools.  Some of these OpenAI runs itself, too,
and says so in the item, or by its output, which then stands in the same response.  What is left without
an output the client owes: a request that goes on without it is refused.

Source: https://platform.openai.com/docs/guides/tools, of each tool
"""

from __future__ import annotations

from typing import Literal

from ...blocks import strict_json
from ...blocks.strict_json import JSONObject
from ..fields import rest, text

#: What the provider runs, always.
PROVIDER_ITEMS = frozenset(
    {
        "web_search_call",
        "x_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "mcp_list_tools",
        "mcp_approval_request",
    }
)
#: What the client runs, always.
_CLIENT_ITEMS = frozenset({"computer_call", "local_shell_call", "apply_patch_call"})
#: What either of them runs.
_EITHER = frozenset({"shell_call", "tool_search_call"})
_CALL, _OUTPUT = "_call", "_output"
#: Fields of a call that are none of its arguments.
_NO_ARGUMENTS = ("type", "id", "call_id", "status", "created_by")

Runner = Literal["client", "provider", "unknown"]


def is_call(type_: str) -> bool:
    """Whether an item of this type is a call that the client may have to answer, by its ``call_id``."""
    return type_.endswith(_CALL) and type_ != "mcp_call" and type_ not in PROVIDER_ITEMS


def is_output(type_: str) -> bool:
    """Whether an item of this type is the output of a call."""
    return type_.endswith(_OUTPUT)


def runner_of(item: JSONObject) -> Runner:
    """Who runs a call (see :func:`is_call`), as far as its item says.

    Of one that is not known the response has to end: without an output in it the client owes one.
    """
    type_ = item["type"]
    if item.get("execution") in ("client", "server"):
        return "client" if item["execution"] == "client" else "provider"
    environment = item.get("environment")
    if isinstance(environment, dict):
        return "client" if environment.get("type") == "local" else "provider"
    if type_ in _CLIENT_ITEMS:
        return "client"
    # Without a call_id nobody could answer it; a type that is known gets it later.
    return "unknown" if type_ in _EITHER or text(item, "call_id", "") else "provider"


def tool_name(type_: str) -> str:
    """The name of the tool that an item of this type calls."""
    return type_.removesuffix(_CALL)


def arguments_of(item: JSONObject) -> str:
    """What an item says of what is to be done, as the arguments of a call."""
    return strict_json.dumps(rest(item, *_NO_ARGUMENTS))
