"""httpx2's client, or httpx's, as a transport."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from typing import Any

from sse_core.errors import LimitExceeded, RemoteProtocolError, TransportError
from sse_core.headers import Headers
from sse_core.lifecycle import HTTPRequest
from sse_core.lifecycle.redirect import HARMLESS_FIELDS
from sse_http.answer_body import body_decoder, is_event_stream


class HTTPXTransport:
    """``client`` is an ``AsyncClient``, which stays open."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._library = importlib.import_module(type(client).__module__.partition(".")[0])

    async def open(self, request: HTTPRequest, connected: Callable[[], None]) -> HTTPXAnswer:
        """Send ``request``; how long it may take is not the client's to say."""

        async def trace(event: str, info: Any) -> None:  # noqa: ARG001  (httpcore's face of a trace)
            if event.endswith("send_request_headers.started"):
                connected()

        send = self._send if request.credentials else self._send_to_another_origin
        with _translated(self._library):
            response = await send(request, {"trace": trace})
        try:
            return HTTPXAnswer(self._library, response)
        except TransportError:
            await response.aclose()
            raise

    async def _send(self, request: HTTPRequest, extensions: dict[str, Any]) -> Any:
        sent = self._client.build_request(
            request.method,
            request.url,
            headers=with_identity(request.headers),
            content=request.body,
            timeout=None,
            extensions=extensions,
        )
        return await self._client.send(sent, stream=True, follow_redirects=False)

    async def _send_to_another_origin(self, request: HTTPRequest, extensions: dict[str, Any]) -> Any:
        """Without what the client adds: its fields, its query, its cookies and its ``auth``."""
        fields = with_harmless(with_identity(request.headers), self._client.headers)
        no_timeout = dict.fromkeys(("connect", "read", "write", "pool"))
        sent = self._library.Request(
            request.method, request.url, headers=fields, extensions={**extensions, "timeout": no_timeout}
        )
        return await self._client.send(sent, stream=True, auth=None, follow_redirects=False)


class HTTPXAnswer:
    """A response that is read as a stream; its content codings are undone here, within bounds.

    Raises ``TransportError`` for an event stream with a coding that can't be.
    """

    def __init__(self, library: Any, response: Any) -> None:
        fields = response.headers.multi_items()
        headers = Headers(fields)
        self.status: int = response.status_code
        self._library = library
        self._response = response
        self._is_stream = is_event_stream(self.status, headers)
        self._body = body_decoder(headers, is_stream=self._is_stream)
        self.headers: Headers = headers if self._body is None else without_codings(fields)

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The body, without its content codings, as it comes."""
        try:
            with _translated(self._library):
                async for data in self._response.aiter_raw():
                    for piece in self._decoded(data):
                        yield piece
            if self._body is not None:
                self._body.receive_eof()
        except (RemoteProtocolError, LimitExceeded) as error:
            # Of any other answer the status speaks, and what was readable of the body.
            if self._is_stream:
                raise TransportError(str(error), retryable=not isinstance(error, LimitExceeded)) from error

    def _decoded(self, data: bytes) -> Iterable[bytes]:
        if self._body is None:
            return [data]
        if self._is_stream:
            self._body.count_anew()
        return self._body.receive_data(data)

    async def aclose(self) -> None:
        """Let go of its connection."""
        await self._response.aclose()


@contextlib.contextmanager
def _translated(library: Any) -> Iterator[None]:
    """Its errors are transports' errors here, with theirs as the cause."""
    try:
        yield
    except library.InvalidURL as error:
        raise ValueError(str(error)) from error
    except library.UnsupportedProtocol as error:
        raise TransportError(str(error), retryable=False) from error
    except library.RequestError as error:
        raise TransportError(str(error) or type(error).__name__) from error


def with_identity(headers: Headers) -> list[tuple[str, str]]:
    """``headers``, and a wish for no content coding where they have none of their own."""
    fields = [*headers]
    return fields if "accept-encoding" in headers else [*fields, ("accept-encoding", "identity")]


def with_harmless(fields: list[tuple[str, str]], own: Mapping[str, str]) -> list[tuple[str, str]]:
    """``fields``, and of a client's ``own`` those that are known to hold no credential."""
    names = {name for name, _ in fields}
    return fields + [(name, own[name]) for name in sorted(HARMLESS_FIELDS - names) if name in own]


def without_codings(fields: list[tuple[str, str]]) -> Headers:
    """``fields`` of an answer whose codings have been undone: what would describe it wrongly is left out."""
    names = {name.lower() for name, _ in fields}
    unwanted = {"content-encoding", "content-length"} if "content-encoding" in names else set()
    return Headers([(name, value) for name, value in fields if name.lower() not in unwanted])
