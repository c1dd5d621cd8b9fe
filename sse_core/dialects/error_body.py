"""What an answer that is an error says, whatever form its body has.

Providers answer with an object that has ``error``.  What stands before them answers as it likes: with a text,
with a page, with ``{"detail": ...}`` (FastAPI), ``{"message": ...}``, ``{"error_description": ...}`` (OAuth,
RFC 6749 section 5.2), ``title`` and ``detail`` (RFC 9457), or a list.  Whoever waits for the answer gets
its words: bounded, as text, without control characters.
"""

from __future__ import annotations

import html
import re

from ..blocks import strict_json
from ..blocks.strict_json import JSON, JSONObject
from ..charset import text_of
from ..headers import Headers
from .provider_errors import BESIDE, MAX_MESSAGE

#: Characters of a body that is no JSON that are passed on.
MAX_EXCERPT = 500
#: Bytes of a body that are looked at for such an excerpt.
_MAX_BODY = 64 * 1024
#: Fields that say what went wrong, in the order in which they are looked up.
_WORDS = (
    *("message", "error_description", "errorText", "detail", "error", "msg", "title", "errors"),
    *("Message", "details", "reason", "error_msg"),
)
#: Fields of an error that stand in an object of another form, too.
_FACTS = ("type", "code", "param", "status_code", "retry_after", "resets_at", "resets_in_seconds")
#: Fields of an event of a stream that say what failed, beside words.
_CODES = ("code", "status_code", "statusCode", "status", "error_code")
#: An event that has one of these says by it what it is.
_TYPED = frozenset({"type", "object", "error"})
_SUCCESS = re.compile(r"2\d\d|ok|success", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_MAX_DEPTH = 5
_MAX_ITEMS = 5
#: Control characters but line feed and tab, and those that turn the direction of text.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_MARKUP = re.compile(r"\s*<(?:!doctype|html|head|body|\?xml|[a-z][a-z0-9]*[\s>/])", re.IGNORECASE)
#: Takes no longer than the text is: no tag holds another's beginning, and nothing is tried twice.
_TAG = re.compile(r"<(/?)([a-zA-Z!?][^\s<>/]*+)[^<>]*+>")
_SILENT = frozenset({"script", "style", "noscript", "template", "svg"})


def error_in(body: bytes, headers: Headers) -> JSONObject:
    """The body as an object whose ``error`` is an object too, or an empty one where it says nothing.

    An object of the providers' own form stays as it is.  Of another one, ``error`` has its words as
    ``message``, and what it says beside them in the fields of a provider's error.
    """
    try:
        data: JSON = strict_json.loads(body.decode())
    except ValueError:
        words = _excerpt(body, headers)
        return {"error": {"message": words}} if words else {}
    if isinstance(data, list):
        # Google's way without `alt=sse`, through gateways too.
        data = next((item for item in data if isinstance(item, dict | str)), None)
    if isinstance(data, dict):
        return _of_object(data)
    words = _plain(_words(data)) if isinstance(data, str) else ""
    return {"error": {"message": words}} if words else {}


def bare_error(event: JSONObject) -> JSONObject | None:
    """An event of a stream that reports an error in no provider's form, as :func:`error_in` reads a body.

    What stands before a provider reports its errors in a stream as in an answer: ``{"detail": ...}``,
    or ``{"message": ..., "code": ...}``.  ``None`` for what is no such thing.
    """
    if not _TYPED.isdisjoint(event):
        return None
    code = next((event[name] for name in _CODES if event.get(name)), None)
    is_failure = code is not None and not _SUCCESS.fullmatch(str(code))
    has_words = isinstance(event.get("message") or event.get("msg") or event.get("error_msg"), str)
    if not (is_failure and has_words) and not (event.get("detail") or event.get("errors")):
        return None
    return _of_object({**event, "code": code}) or None


def message_of(error: JSONObject) -> str:
    """The words of an error object, as they came if they are its ``message``; bounded."""
    message = error.get("message")
    words = message if isinstance(message, str) else _words(error) or "The provider gave no message."
    return words[:MAX_MESSAGE]


def _of_object(data: JSONObject) -> JSONObject:
    error = data.get("error")
    if isinstance(error, dict) and error:
        return {**data, "error": {**error, "message": _plain(message_of(error))}}
    words = _plain(_words(data))
    if not words:
        return {}
    facts = {name: data[name] for name in _FACTS if name in data and _is_fact(data[name])}
    if isinstance(error, str) and error != words and _WORD.fullmatch(error):
        facts.setdefault("code", error)  # OAuth's `error` is a code, its `error_description` the words
    beside = {name: data[name] for name in sorted(BESIDE) if name in data}
    return {"error": {**facts, "message": words}, **beside}


def _is_fact(value: JSON) -> bool:
    return type(value) in (int, float) or (isinstance(value, str) and _WORD.fullmatch(value) is not None)


def _words(value: JSON, depth: int = 0) -> str:
    if isinstance(value, str):
        return value.strip()
    if depth == _MAX_DEPTH:
        return ""
    if isinstance(value, list):
        found = [words for item in value[:_MAX_ITEMS] if (words := _words(item, depth + 1))]
        return "; ".join(found)
    if not isinstance(value, dict):
        return ""
    found = [words for name in _WORDS if name in value and (words := _words(value[name], depth + 1))]
    if not found:
        return ""
    # FastAPI says where in the request it is: {"loc": ["body", "messages"], "msg": "Field required"}
    place = value.get("loc")
    where = ".".join(str(step)[:100] for step in place[:10]) if isinstance(place, list) else ""
    return f"{where}: {found[0]}" if where else found[0]


def _plain(words: str) -> str:
    """``words`` without control characters."""
    return _CONTROLS.sub("", words).strip()


def _excerpt(body: bytes, headers: Headers) -> str:
    """The beginning of a body that is text; nothing of one that is not."""
    kind = (headers.get("content-type") or "").lower()
    body = body[:_MAX_BODY]
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        # It may have been cut within a character.
        if error.start < len(body) - 3 and not kind.startswith("text/"):
            return ""
        text = text_of(body, headers)
    text = _text_of_page(text) if "html" in kind or _MARKUP.match(text) else text
    text = _plain(" ".join(text.split()))[:MAX_EXCERPT]
    return text if any(map(str.isalnum, text)) else ""


def _text_of_page(page: str) -> str:
    """The title of a page, or its text where it has none."""
    texts: list[str] = []
    title: list[str] = []
    silent = inside = ""
    end = 0
    for tag in _TAG.finditer(page):
        if not silent:
            (title if inside == "title" else texts).append(page[end : tag.start()])
        name, closes, end = tag[2].lower(), bool(tag[1]), tag.end()
        if silent:
            silent = "" if closes and name == silent else silent
        elif not closes and name in _SILENT:
            silent = name
        inside = "" if closes else name
    if not silent:
        texts.append(page[end:])
    return html.unescape("".join(title)).strip() or html.unescape(" ".join(texts))
