"""What ``transport=`` takes: a client that somebody has already, in place of this project's own connections.

What a client has to do is little: send one request, follow no redirect, and give the answer piece by piece.
When to connect again, with which ``Last-Event-ID``, and how long to wait is the machine's, as over sockets.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Protocol, runtime_checkable

from sse_core.headers import Headers
from sse_core.lifecycle import HTTPRequest


class ClientAnswer(Protocol):
    """An answer whose body has yet to be read."""

    @property
    def status(self) -> int:
        """The status of the final answer."""

    @property
    def headers(self) -> Headers:
        """Its fields."""

    def chunks(self) -> AsyncGenerator[bytes]:
        """The body, without its content codings, as it comes.  Raises ``TransportError`` where it is cut."""

    async def aclose(self) -> None:
        """Let go of its connection; idempotent."""


@runtime_checkable
class ClientTransport(Protocol):
    """A client of HTTP."""

    async def open(self, request: HTTPRequest, connected: Callable[[], None]) -> ClientAnswer:
        """Send ``request`` and wait for the head of its answer, for as long as that takes.

        - ``request``: as it is to be sent, whatever the client does by itself otherwise.
        - ``connected``: called when the connection is there and the request begins to be sent; at once, if
          that can't be seen.

        Raises :class:`sse_core.TransportError` where there is none, and ``ValueError`` for what can't be
        sent.
        """


def client_transport(client: object) -> ClientTransport:
    """``client`` as a transport.

    - ``client``: an ``AsyncClient`` of httpx2's or httpx's, a ``ClientSession`` of aiohttp's, or what has
      ``open`` as :class:`ClientTransport`.

    Raises ``TypeError`` for anything else.
    """
    if isinstance(client, ClientTransport):
        return client
    library = type(client).__module__.partition(".")[0]
    if library in {"httpx", "httpx2"}:
        from .httpx_transport import HTTPXTransport  # noqa: PLC0415  (what it imports is the client's library)

        return HTTPXTransport(client)
    if library == "aiohttp":
        from .aiohttp_transport import AiohttpTransport  # noqa: PLC0415  (as above)

        return AiohttpTransport(client)
    raise TypeError(
        "transport is an AsyncClient of httpx2's or httpx's, a ClientSession of aiohttp's, or a "
        "ClientTransport, "
        f"not {type(client).__name__}"
    )
