"""Listening sockets on every address of a host, all on one port."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable

from .address_race import Address

#: How often to look for a port that is free on every address of a host.
_TRIES_FOR_A_PORT = 5
#: Connections that wait to be accepted; the system has a bound of its own below that.
BACKLOG = 0xFFFF
#: An address of a kind that this machine does not have: "localhost" is ::1, too, where there is no IPv6.
_ABSENT = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})


def open_listeners(addresses: Iterable[Address], *, reuse_port: bool = False) -> list[socket.socket]:
    """Sockets that listen on ``addresses``, as ``socket.getaddrinfo`` gives them, all on one port.

    - ``addresses``: without them nothing can be had.
    - ``reuse_port``: other sockets, of other processes too, may listen there that say the same: the system
      gives each a part of the connections.

    Port 0 takes one that is free on all of them.  An address that this machine doesn't have is left out, if
    it has another.  Raises ``OSError`` if none can be had.
    """
    wanted = [*dict.fromkeys(addresses)]
    for _ in range(_TRIES_FOR_A_PORT - 1):
        try:
            return _open_all(wanted, reuse_port=reuse_port)
        except OSError as error:
            # The port that the system chose for one address was taken on another.
            if error.errno != errno.EADDRINUSE or len(wanted) == 1 or wanted[0][4][1] != 0:
                raise
    return _open_all(wanted, reuse_port=reuse_port)


def port_of(listener: socket.socket) -> int:
    """The port that ``listener`` has; 0 for a Unix socket."""
    name = listener.getsockname()
    return int(name[1]) if isinstance(name, tuple) else 0


def _open_all(addresses: list[Address], *, reuse_port: bool) -> list[socket.socket]:
    opened: list[socket.socket] = []
    absent = OSError("the host has no address to listen on")
    try:
        for family, kind, protocol, _, address in addresses:
            port = port_of(opened[0]) if opened else address[1]
            try:
                sock = socket.socket(family, kind, protocol)
                opened.append(_listening(sock, (address[0], port, *address[2:]), reuse_port=reuse_port))
            except OSError as error:
                if error.errno not in _ABSENT:
                    raise
                absent = error
    except BaseException:
        for sock in opened:
            sock.close()
        raise
    if not opened:
        raise absent
    return opened


def _listening(sock: socket.socket, address: tuple[object, ...], *, reuse_port: bool) -> socket.socket:
    try:
        if os.name == "posix":  # elsewhere it lets somebody else take the port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, _reuse_port_option(), 1)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # IPv4 has a socket of its own
        sock.bind(address)
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def _reuse_port_option() -> int:
    option: int | None = getattr(socket, "SO_REUSEPORT", None)
    if option is None:
        raise OSError(errno.ENOPROTOOPT, "this system can't share a port between processes (SO_REUSEPORT)")
    return option
