"""A client's request, from arguments that are named as httpx names them.

https://www.python-httpx.org/api/#helper-functions.  What else httpx makes of a request (forms, files,
cookies, authentication) is its caller's here: all of it can be said with ``headers`` and ``content``.
"""

from __future__ import annotations

import json as json_format
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from sse_core.arguments import check_type
from sse_core.headers import Headers, HeadersLike
from sse_core.lifecycle.machine import HTTPRequest

#: A value of a query.
QueryValue = str | int | float | bool | None
#: A whole query: a mapping, whose values may be several, pairs, or the text itself.
Query = Mapping[str, QueryValue | Iterable[QueryValue]] | Iterable[tuple[str, QueryValue]] | str


def new_request(
    url: str,
    *,
    method: str = "GET",
    headers: HeadersLike = (),
    body: bytes = b"",
    content: bytes | str | None = None,
    json: Any = None,
    params: Query | None = None,
) -> HTTPRequest:
    """The request that these arguments say.

    - ``url``: absolute, http or https.
    - ``method``: in capitals, as it is sent.
    - ``headers``: a mapping or pairs.
    - ``body``: the content.
    - ``content``: the same; text is sent as UTF-8.
    - ``json``: the content as a value, sent as JSON, with its ``Content-Type`` unless ``headers`` have one.
    - ``params``: the query, in place of the one that ``url`` has.

    Raises ``TypeError`` for arguments of another type and where several say the content, and
    ``ValueError`` for a value that has no JSON.
    """
    check_type("url", url, str)
    fields = Headers(headers)
    if sum((body != b"", content is not None, json is not None)) > 1:
        raise TypeError("body, content and json are three ways to say one thing: give one of them")
    if content is not None:
        check_type("content", content, bytes, str)
        body = content.encode() if isinstance(content, str) else content
    elif json is not None:
        body = _as_json(json)
        if "content-type" not in fields:
            fields = Headers([*fields, ("content-type", "application/json")])
    return HTTPRequest(url if params is None else with_query(url, params), method, fields, body)


def with_query(url: str, params: Query) -> str:
    """``url`` with ``params`` as its query; without one, where they are empty.  A fragment is left out.

    Raises ``TypeError`` for what is none.
    """
    base = url.partition("#")[0].partition("?")[0]
    query = params.removeprefix("?") if isinstance(params, str) else urlencode([*_pairs(params)])
    return f"{base}?{query}" if query else base


def _as_json(value: object) -> bytes:
    return json_format.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _pairs(params: Query) -> Iterable[tuple[str, str]]:
    check_type("params", params, Mapping, Iterable)
    items: Any = params.items() if isinstance(params, Mapping) else params
    for name, value in items:
        several = isinstance(value, Iterable) and not isinstance(value, str)
        for one in value if several else (value,):
            yield name, _text_of(one)


def _text_of(value: object) -> str:
    """As httpx writes it: ``true``, ``false``, and nothing for ``None``."""
    check_type("a value of params", value, str, int, float, bool, type(None))
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
