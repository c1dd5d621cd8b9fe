"""The page's files, read once, as replies by path."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from sse_core.headers import Headers
from sse_http import Reply

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

#: Nothing but this server's own files may run, load or be called, whatever a stream says.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_SECURITY = (
    ("content-security-policy", _POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cache-control", "no-cache"),
)


def load_page() -> dict[str, Reply]:
    """``index.html`` at ``/``, everything else below ``/static/``."""
    replies = {f"/static/{name}": reply for name, reply in _replies(files("sse_relay") / "web", "")}
    replies["/"] = replies["/static/index.html"]
    return replies


def _replies(folder: Traversable, prefix: str) -> Iterator[tuple[str, Reply]]:
    for entry in folder.iterdir():
        name = prefix + entry.name
        suffix = name[name.rfind(".") :]
        if entry.is_dir():
            yield from _replies(entry, f"{name}/")
        elif suffix in _TYPES:
            headers = Headers([("content-type", _TYPES[suffix]), *_SECURITY])
            yield name, Reply(200, headers, entry.read_bytes())
