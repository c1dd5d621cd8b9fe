"""OpenAI's annotations as sources: pages, and files that are in a store or that code has made.

Source: ``annotations`` of https://platform.openai.com/docs/api-reference/responses/object
"""

from __future__ import annotations

from ...blocks.strict_json import JSONObject
from .sources import document, source_of

_PLAIN, _UNKNOWN = "text/plain", "application/octet-stream"
#: Kind of annotation -> the field of its file's name, what the file is taken for, what else says which it is.
_FILES = {
    "file_citation": ("filename", _PLAIN, ("index", "index")),
    "container_file_citation": ("filename", _PLAIN, ("container_id", "containerId")),
    "file_path": ("file_id", _UNKNOWN, ("index", "index")),
}


def source_of_citation(cited: JSONObject) -> JSONObject | None:
    """The source that an annotation names; ``None`` for what is none."""
    kind = cited.get("type")
    if not isinstance(kind, str) or kind not in _FILES:
        return source_of(cited)
    name_field, media_type, (field, camel) = _FILES[kind]
    name, id_ = cited.get(name_field), cited.get("file_id")
    if not isinstance(name, str) or not isinstance(id_, str):
        return None
    beside = {camel: cited[field]} if field in cited else {}
    return document(name, media_type, {"openai": {"type": kind, "fileId": id_, **beside}})


def source_id(source: JSONObject) -> str:
    """The id of a source: its address, or that of its file."""
    if "url" in source:
        return str(source["url"])
    return str(source["providerMetadata"]["openai"]["fileId"])
