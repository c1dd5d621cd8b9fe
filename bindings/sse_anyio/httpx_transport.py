"""httpx2's client, or httpx's, as a transport."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

from sse_core.errors import TransportError
from sse_core.headers import Headers
from sse_core.lifecycle import HTTPRequest


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

        with _translated(self._library):
            sent = self._client.build_request(
                request.method,
                request.url,
                headers=[*request.headers],
                content=request.body,
                timeout=None,
                extensions={"trace": trace},
            )
            response = await self._client.send(sent, stream=True, follow_redirects=False)
        return HTTPXAnswer(self._library, response)


class HTTPXAnswer:
    """A response that is read as a stream."""

    def __init__(self, library: Any, response: Any) -> None:
        self._library = library
        self._response = response
        self.status: int = response.status_code
        self.headers: Headers = without_codings(response.headers.multi_items())

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The body, without its content codings, as it comes."""
        with _translated(self._library):
            async for data in self._response.aiter_bytes():
                yield data

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


def without_codings(fields: list[tuple[str, str]]) -> Headers:
    """``fields`` of an answer whose codings have been undone: what would describe it wrongly is left out."""
    names = {name.lower() for name, _ in fields}
    unwanted = {"content-encoding", "content-length"} if "content-encoding" in names else set()
    return Headers([(name, value) for name, value in fields if name.lower() not in unwanted])
