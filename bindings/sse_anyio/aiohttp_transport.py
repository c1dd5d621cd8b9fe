"""aiohttp's client as a transport."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

import aiohttp

from sse_core.errors import TransportError
from sse_core.headers import Headers
from sse_core.lifecycle import HTTPRequest

from .httpx_transport import with_harmless, with_identity, without_codings

_PIECE_BYTES = 64 * 1024
#: How long anything may take is the machine's to say.
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)


class AiohttpTransport:
    """``session`` is a ``ClientSession``, which stays open."""

    def __init__(self, session: Any) -> None:
        self._session = session

    async def open(self, request: HTTPRequest, connected: Callable[[], None]) -> AiohttpAnswer:
        """Send ``request``; how long it may take is not the client's to say."""
        fields = with_identity(request.headers)
        if not request.credentials:
            fields = with_harmless(fields, self._session.headers)
        if request.body:
            fields.append(("content-length", str(len(request.body))))
        else:
            connected()  # nothing shows when a request without a body is sent
        with _translated(), self._session_for(request) as session:
            response = await session.request(
                request.method,
                request.url,
                headers=fields,
                data=_pieces(request.body, connected) if request.body else None,
                allow_redirects=False,
                timeout=_NO_TIMEOUT,
                raise_for_status=False,
            )
        return AiohttpAnswer(response)

    @contextlib.contextmanager
    def _session_for(self, request: HTTPRequest) -> Iterator[Any]:
        """The session; for another origin one with its connections and proxy, and nothing else of it."""
        if request.credentials:
            yield self._session
            return
        bare = aiohttp.ClientSession(
            connector=self._session.connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=self._session.trust_env,
            # There is no public name for them, and a request that goes past a proxy may harm, too.
            proxy=self._session._default_proxy,  # noqa: SLF001
            proxy_auth=self._session._default_proxy_auth,  # noqa: SLF001
        )
        try:
            yield bare
        finally:
            bare.detach()  # the connections are the session's own


class AiohttpAnswer:
    """A response that is read as a stream."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self.status: int = response.status
        self.headers: Headers = without_codings([*response.headers.items()])

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The body, without its content codings, as it comes."""
        with _translated():
            async for data in self._response.content.iter_any():
                yield data

    async def aclose(self) -> None:
        """Let go of its connection."""
        self._response.close()


async def _pieces(body: bytes, connected: Callable[[], None]) -> AsyncGenerator[bytes]:
    """The body, which is pulled when there is a connection."""
    connected()
    for start in range(0, len(body), _PIECE_BYTES):
        yield body[start : start + _PIECE_BYTES]


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Its errors are transports' errors here, with theirs as the cause."""
    try:
        yield
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
        raise ValueError(str(error)) from error
    except (aiohttp.ClientError, OSError) as error:
        raise TransportError(str(error) or type(error).__name__) from error
