"""Who is measured: this decoder, the floors, and the peers that are installed, each fed as it wants to be.

A peer is fed below its HTTP client, by the names that its own client uses; that spares it the client's
costs.
"""

from __future__ import annotations

import codecs
import importlib
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from itertools import chain
from types import FunctionType
from typing import Any

from sse_core import EventStreamDecoder


class Contender:
    """How to decode one stream: ``push`` makes what takes chunk by chunk, ``pull`` takes all of them."""

    def __init__(
        self,
        push: Callable[[], Callable[[bytes], Iterable[Any]]] | None = None,
        pull: Callable[[Iterable[bytes]], Iterable[Any]] | None = None,
    ) -> None:
        self._push, self._pull = push, pull
        # CPython adapts a piece of code to what it calls.  So each contender has a copy of the loop, as each
        # user has a loop of his own.
        loop = _consume_pushing if push is not None else _consume_pulling
        self._loop: Callable[..., None] = FunctionType(loop.__code__.replace(), loop.__globals__)

    def consume(self, chunks: Iterable[bytes]) -> None:
        """Take all events and let go of them, as a program would."""
        self._loop(self._push() if self._push is not None else self._pull, chunks)

    def events(self, chunks: Iterable[bytes]) -> Iterator[Any]:
        """All events."""
        if self._push is not None:
            return chain.from_iterable(map(self._push(), chunks))
        return iter(self._pull(chunks) if self._pull is not None else ())


def _consume_pushing(receive: Callable[[bytes], Iterable[Any]], chunks: Iterable[bytes]) -> None:
    for chunk in chunks:
        for _ in receive(chunk):
            pass


def _consume_pulling(decode: Callable[[Iterable[bytes]], Iterable[Any]], chunks: Iterable[bytes]) -> None:
    for _ in decode(chunks):
        pass


OURS = "sse-core"
FLOORS = ("split", "splitlines")
NOT_PEERS = (OURS, *FLOORS, "f-string", "sse-core, in one call")


def _ours() -> Contender:
    return Contender(push=lambda: EventStreamDecoder().receive_data)


def _split() -> Contender:
    """Cut at empty lines and decoded; nothing is understood, and nothing kept from chunk to chunk."""

    def blocks(chunk: bytes) -> list[str]:
        return [block.decode("utf-8", "replace") for block in chunk.split(b"\n\n")]

    return Contender(push=lambda: blocks)


def _splitlines() -> Contender:
    """As ``split``, at each line."""

    def lines(chunk: bytes) -> list[str]:
        return [line.decode("utf-8", "replace") for line in chunk.splitlines()]

    return Contender(push=lambda: lines)


def _launchdarkly() -> Contender:
    reader = importlib.import_module("ld_eventsource.reader")

    def events(chunks: Iterable[bytes]) -> Iterable[Any]:
        lines = reader._BufferedLineReader.lines_from(chunks)  # noqa: SLF001
        return reader._SSEReader(lines).events_and_comments()  # type: ignore[no-any-return]  # noqa: SLF001

    return Contender(pull=events)


def _httpx_sse() -> Contender:
    decoders = importlib.import_module("httpx_sse._decoders")

    def events(chunks: Iterable[bytes]) -> Iterator[Any]:
        text = codecs.getincrementaldecoder("utf-8")("replace")
        lines, decoder = decoders.SSELineDecoder(), decoders.SSEDecoder()
        for chunk in chunks:
            for line in lines.decode(text.decode(chunk)):
                event = decoder.decode(line)
                if event is not None:
                    yield event

    return Contender(pull=events)


def _httpx2() -> Contender:
    sse = importlib.import_module("httpx2._sse")

    def push() -> Callable[[bytes], Iterable[Any]]:
        text = codecs.getincrementaldecoder("utf-8")("replace")
        parser = sse._SSEParser(None)  # noqa: SLF001
        return lambda chunk: parser.decode(text.decode(chunk))

    return Contender(push=push)


def _sseclient_py() -> Contender:
    sseclient = importlib.import_module("sseclient")
    return Contender(pull=lambda chunks: sseclient.SSEClient(chunks).events())


def _sdk(name: str) -> Contender:
    streaming = importlib.import_module(f"{name}._streaming")
    return Contender(pull=lambda chunks: streaming.SSEDecoder().iter_bytes(iter(chunks)))


def _assel() -> Contender:
    assel = importlib.import_module("assel")
    return Contender(push=lambda: assel.Parser().receive_bytes)


#: How each is made; its package is imported only then.
MAKERS: dict[str, Callable[[], Contender]] = {
    OURS: _ours,
    "split": _split,
    "splitlines": _splitlines,
    "launchdarkly-eventsource": _launchdarkly,
    "httpx-sse": _httpx_sse,
    "httpx2": _httpx2,
    "sseclient-py": _sseclient_py,
    "anthropic": lambda: _sdk("anthropic"),
    "openai": lambda: _sdk("openai"),
    "assel": _assel,
}


def contenders() -> tuple[dict[str, Contender], dict[str, str]]:
    """All that are installed, and of the peers among them the versions."""
    found, versions = {}, {}
    for name, make in MAKERS.items():
        try:
            found[name] = make()
        except ImportError:
            continue
        if name not in (OURS, *FLOORS):
            versions[name] = metadata.version(name)
    return found, versions
