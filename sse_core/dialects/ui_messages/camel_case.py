"""Values whose fields the provider packages of ``ai`` name in camel case.

Source: the schemas of tools' outputs in the npm packages ``@ai-sdk/anthropic`` and ``@ai-sdk/openai``
"""

from __future__ import annotations

import re
from typing import Any

from ...blocks.strict_json import JSON, JSONObject

_SNAKE = re.compile("_([a-z])")


def in_camel_case(value: JSON) -> JSON:
    """The value with the names of its fields in camel case, however deep they are."""
    whole = [value]
    waiting: list[Any] = [whole]  # no calls within calls: a value may be nested deeper than those may
    while waiting:
        around = waiting.pop()
        for place, inner in list(around.items() if isinstance(around, dict) else enumerate(around)):
            if isinstance(inner, dict | list):
                around[place] = _fields(inner) if isinstance(inner, dict) else list(inner)
                waiting.append(around[place])
    return whole[0]


def _fields(fields: JSONObject) -> JSONObject:
    return {_SNAKE.sub(lambda found: found[1].upper(), name): value for name, value in fields.items()}
