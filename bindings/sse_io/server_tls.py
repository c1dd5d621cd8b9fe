"""A server's certificates, which are renewed while it runs.

A connection keeps the certificate that it began with; each new one gets what its server has then.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from os import PathLike, fspath
from pathlib import Path

from sse_core.arguments import check_type

from .acceptor import ServerLimit

#: A context, or what gives the one for each new connection.
ServerTLS = ssl.SSLContext | Callable[[], ssl.SSLContext]

#: Which file it was: its device and number there, its size, when it was written.
_Version = tuple[int, int, int, int]


class CertificateFiles:
    """A context of a certificate and its key, which is made anew when one of the files has changed.

    - ``certificate``: a PEM file, with the authorities in between behind the server's own.
    - ``key``: the PEM file of its key, if that is in another.
    - ``password``: the key's, if it has one.

    It is called for each new connection, and looks at the files then.  Raises ``OSError``, which
    ``ssl.SSLError`` is, for files that can't be used, when it is made and when it is called; a server goes on
    with the last context.
    """

    def __init__(
        self,
        certificate: str | PathLike[str],
        key: str | PathLike[str] | None = None,
        *,
        password: str = "",
    ) -> None:
        self._certificate = Path(fspath(certificate))
        self._key = None if key is None else Path(fspath(key))
        self._password = password  # an empty one, as nobody is there to be asked for one
        self._versions = self._look()
        self._context: ssl.SSLContext | OSError = self._load()

    def __call__(self) -> ssl.SSLContext:
        """The context for a new connection."""
        versions = self._look()
        if versions != self._versions:
            # What is half written, or doesn't fit together yet, is looked at again when it has changed.
            self._versions = versions
            try:
                self._context = self._load()
            except OSError as error:
                self._context = error
        if isinstance(self._context, OSError):
            raise self._context.with_traceback(None)  # or it would become longer with each connection
        return self._context

    def _look(self) -> list[_Version]:
        return [_version_of(path) for path in (self._certificate, self._key) if path is not None]

    def _load(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._certificate, self._key, password=self._password)
        return context


def _version_of(path: Path) -> _Version:
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


class ServerContexts:
    """The context of each new connection of a server.

    - ``tls``: as ``serve`` takes it.
    - ``on_error``: called when no new one can be had, once until one can; the last one is good until then.

    Raises ``TypeError`` for what gives no context, and what ``tls`` raises, as long as there is no other.
    """

    def __init__(self, tls: ServerTLS, on_error: Callable[[Exception], None]) -> None:
        self._renew = None if isinstance(tls, ssl.SSLContext) else tls
        self._last = tls if isinstance(tls, ssl.SSLContext) else _given_by(tls)
        self._on_error = on_error
        self._fails = False

    def current(self) -> ssl.SSLContext:
        """The context for a new connection."""
        if self._renew is not None:
            try:
                self._last = _given_by(self._renew)
                self._fails = False
            except Exception as error:  # noqa: BLE001  (it is the caller's own code)
                if not self._fails:
                    self._on_error(_went_on(error))
                self._fails = True
        return self._last


def _given_by(tls: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    context = tls()
    check_type("what the function tls returns", context, ssl.SSLContext)
    return context


def _went_on(error: Exception) -> Exception:
    """A file that can't be used is an operator's to mend; anything else is somebody's mistake."""
    if not isinstance(error, OSError):
        return error
    return ServerLimit(f"the new certificate can't be used, and the last one still is: {error}")
