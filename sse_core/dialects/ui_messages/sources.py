"""Citations and results of searches, as sources and citations of the UI message stream.

Source: ``LanguageModelV4Citation`` of the npm package ``@ai-sdk/provider``.
"""

from __future__ import annotations

from ...blocks.strict_json import JSON, JSONObject
from ..budget import Budget
from .chunk_types import is_field

_MAX_PLACE = 2**53 - 1  #: the last whole number that JavaScript can count to
#: Kind of source -> fields that have to be text.
_SOURCES = {"url": ("id", "url"), "document": ("id", "mediaType", "title")}


class Sources:
    """The sources of a message that the browser's side was sent."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._ids: set[str] = set()

    def new(self, source: JSONObject | None, id_: str | None = None) -> list[JSONObject]:
        """The chunk of a source, if that was not sent yet; ``id_`` is that of one without an address.

        Raises ``LimitExceeded`` beyond the bound of what is kept.
        """
        id_ = source.get("url", id_) if source is not None else None
        if source is None or id_ is None or id_ in self._ids:
            return []
        self._budget.add(len(id_))
        self._ids.add(id_)
        kind = "source-url" if "url" in source else "source-document"
        return [{"type": kind, "sourceId": id_, **source}]


def source_of(found: JSON) -> JSONObject | None:
    """The source that a citation or a result of a search names: its address, and its title if it has one.

    ``None`` for what has no address: of a document that the request brought, its place there is all
    that providers give, and a source needs more.
    """
    fields = _fields(found)
    url, title = fields.get("url"), fields.get("title")
    if not isinstance(url, str):
        return None
    return {"url": url, "title": title} if isinstance(title, str) else {"url": url}


def document(title: str, media_type: str, metadata: JSONObject) -> JSONObject:
    """A source that is a file and has no address; ``metadata`` is its ``providerMetadata``."""
    return {"mediaType": media_type, "title": title, "filename": title, "providerMetadata": metadata}


def citation_of(cited: JSONObject, metadata: JSONObject | None = None) -> JSONObject | None:
    """A provider's citation as the end of a text reports it; ``metadata`` is what its source came with."""
    source = source_of(cited)
    if source is None:
        return None
    source |= {"providerMetadata": metadata} if metadata else {}
    return placed_citation(cited, {"type": "source", "sourceType": "url", "id": source["url"], **source})


def placed_citation(cited: JSONObject, source: JSONObject) -> JSONObject:
    """The citation of a source, with its place in the text where ``cited`` gives one."""
    fields = _fields(cited)
    start, end, text = fields.get("start_index"), fields.get("end_index"), fields.get("cited_text")
    citation: JSONObject = {"source": source}
    if _is_place(start) and _is_place(end):
        citation |= {"startIndex": start, "endIndex": end}
    return {**citation, "citedText": text} if isinstance(text, str) else citation


def is_citation(cited: JSONObject) -> bool:
    """Whether a citation is one of this protocol."""
    source = cited.get("source")
    if not isinstance(source, dict) or source.get("type") != "source":
        return False
    names = _SOURCES.get(source["sourceType"]) if isinstance(source.get("sourceType"), str) else None
    if names is None or not all(isinstance(source.get(name), str) for name in names):
        return False
    places = [cited[name] for name in ("startIndex", "endIndex") if name in cited]
    text = cited.get("citedText", "")
    return (
        all(map(_is_place, places))
        and isinstance(text, str)
        and all(is_field(name, value) for name, value in source.items())
    )


def _fields(found: JSON) -> JSONObject:
    """The fields of a citation; chat completions have them one level down."""
    if not isinstance(found, dict):
        return {}
    inner = found.get("url_citation")
    return inner if isinstance(inner, dict) else found


def _is_place(value: JSON) -> bool:
    return type(value) is int and 0 <= value <= _MAX_PLACE
