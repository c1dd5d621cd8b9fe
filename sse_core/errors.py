"""What can go wrong, and whose fault it was.

``LocalProtocolError``: you called a machine wrongly; mend the calling code.
``RemoteProtocolError``: the peer broke its protocol; ``status`` is the answer it deserves, if you
are a server.  ``LimitExceeded``: the peer may be within its protocol, but beyond a bound that you
set; ``limit`` is the name of that bound.  ``TransportError`` is raised by bindings only, with the
operating system's own exception chained to it.

What a provider reports of itself (overloaded, rate limited) is no exception: it is an event,
:class:`sse_core.blocks.StreamError`.
"""

from __future__ import annotations

from .headers import Headers


class SSEError(Exception):
    """The root of every exception that this project raises on purpose."""

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions are copied, and sent to other processes, by calling their class with the message alone.
        # Some of these want more than that.
        return _remade, (type(self), self.args), self.__dict__


def _remade(kind: type[SSEError], args: tuple[object, ...]) -> SSEError:
    return kind.__new__(kind, *args)


class ProtocolError(SSEError):
    """A rule of a protocol was broken, by this side or by the other."""


class LocalProtocolError(ProtocolError):
    """This side called a machine in a state that does not allow it."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the rules, or refuses.

    ``status`` is the HTTP status code that a server should answer with; where the peer is a server
    that refuses, its own.  ``headers`` and ``excerpt`` are those of its answer, where there is one:
    its fields, and the beginning of its body as text.  Both are the peer's text: escape them where
    you show them.
    """

    def __init__(
        self, message: str, *, status: int = 400, headers: Headers | None = None, excerpt: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers: Headers = Headers() if headers is None else headers
        self.excerpt = excerpt


class LimitExceeded(ProtocolError):
    """The peer sent more than a bound allows.

    ``limit`` names the bound as the caller can set it, ``bound`` is its value, and ``status`` is
    the HTTP status code that a server should answer with.
    """

    def __init__(self, message: str, *, limit: str, bound: int, status: int = 413) -> None:
        super().__init__(message)
        self.limit = limit
        self.bound = bound
        self.status = status


class TransportError(SSEError):
    """A connection could not be made, or was lost.  Raised by bindings only.

    ``retryable`` is false where another connection would fail in the same way: the peer's certificate is
    refused, what answers does not speak TLS, the host has no such name.
    """

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


class TurnError(SSEError):
    """A turn did not complete; raised by ``raise_for_outcome``.

    ``outcome`` says how it ended (``"failed"``, ``"truncated"``, ``"expired"``, ``"stopped"``).  ``type``,
    ``code`` and ``retryable`` are those of the :class:`sse_core.blocks.StreamError` that reports it, its
    message is the exception's; ``status`` is the HTTP status that it goes with, the provider's own where
    that is an error's.
    """

    def __init__(
        self, message: str, *, outcome: str, status: int, type: str, code: str | None, retryable: bool
    ) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.status = status
        self.type = type
        self.code = code
        self.retryable = retryable
