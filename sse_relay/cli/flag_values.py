"""What the flags of the command line take: each is checked when it is read, and an error has its own name."""

from __future__ import annotations

import ipaddress
import math
import re
from pathlib import Path

import typer

from sse_core import EventStreamDecoder
from sse_core.lifecycle.durations import read_number
from sse_core.urls import parse_url
from sse_http import ForwardProxy, Proxies

_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9.])?", re.IGNORECASE)
_LABEL_CHARACTERS = 63  # RFC 1035 section 2.3.4
#: RFC 9110 section 5.1: a field's name is a token; and what stands for several characters in a pattern.
_FIELD_PATTERN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~?\[\]-]+")


#: As ``chmod`` takes it.
_FILE_MODE = re.compile(r"0?[0-7]{3}")


def seconds(text: str | float) -> float:
    """A number of seconds above zero."""
    try:
        value = float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number of seconds") from None
    if not 0 < value < math.inf:
        raise typer.BadParameter(f"{text!r} is not a number of seconds above zero")
    return value


def file_mode(text: str | int) -> int:
    """Permissions of a file, in octal, as ``chmod`` takes them."""
    if isinstance(text, int):
        return text
    if not _FILE_MODE.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is no file's mode: three octal digits, as 660")
    return int(text, 8)


def duration(text: str | float) -> float:
    """A number of seconds, not below zero."""
    number = read_number(text) if isinstance(text, str) else text
    if number is None:
        raise typer.BadParameter(f"{text!r} is not a number of seconds from 0")
    return number


def host(text: str) -> str:
    """A name or an address, without scheme, port and path."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if not _is_address(bare) and not _is_name(bare):
        raise typer.BadParameter(
            f"{text!r} is neither a host's name nor an address: leave out the scheme, the port and the path"
        )
    return bare


def allowed_host(text: str) -> str:
    """A host, or ``*``."""
    return text if text == "*" else host(text)


def origin(text: str) -> str:
    """A page's origin, as browsers send it, or ``*``."""
    if text == "*":
        return text
    try:
        right = parse_url(text).origin
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not an origin, as https://example.org is: {error}") from None
    if text != right:
        raise typer.BadParameter(f"{text!r} is not an origin as browsers send it: write {right}")
    return text


def proxy(text: str) -> Proxies:
    """A forward proxy for every URL."""
    try:
        chosen = ForwardProxy.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None  # without its text: a password may stand in it
    return Proxies(chosen, chosen)


def field_pattern(text: str) -> str:
    """A pattern of names of header fields."""
    if not _FIELD_PATTERN.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is not the name of a header, nor a pattern as X-Trace-*")
    return text


def recording(path: Path) -> bytes:
    """A recorded event stream."""
    recorded = path.read_bytes()
    size = len(recorded) + 1024  # whoever has the file may have lines as long as they like
    if not EventStreamDecoder(max_line_bytes=size, max_event_bytes=size).receive_data(recorded):
        message = f"{path} is not an event stream: there is no event in it"
        raise typer.BadParameter(message, param_hint="--replay")
    return recorded


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_name(text: str) -> bool:
    labels = text.removesuffix(".").split(".")
    return _NAME.fullmatch(text) is not None and all(0 < len(label) <= _LABEL_CHARACTERS for label in labels)
