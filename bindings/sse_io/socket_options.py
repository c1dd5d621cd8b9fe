"""Options of TCP sockets, so that a peer that vanished without a word is noticed.

They are set where the platform has them.
"""

from __future__ import annotations

import socket

#: Seconds of silence before the kernel asks whether the peer is there; then every so many, and so often.
_KEEP_ALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
_MAX_MILLISECONDS = 2**31 - 1


def keep_alive(sock: socket.socket) -> None:
    """Let the kernel ask now and then whether the peer of ``sock`` is still there."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE:
        _set(sock, name, value)


def bound_silence(sock: socket.socket, seconds: float) -> None:
    """Let the kernel end a connection whose peer has acknowledged nothing of what was sent for ``seconds``.

    It counts as silence, too, that a living peer has no room: so ``seconds`` must not be below the time
    that a slow reader has.
    """
    _set(sock, "TCP_USER_TIMEOUT", int(min(max(seconds, 0.001) * 1000, _MAX_MILLISECONDS)))


def _set(sock: socket.socket, name: str, value: int) -> None:
    option = getattr(socket, name, None)
    if option is not None:
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
