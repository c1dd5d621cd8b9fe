"""Options of TCP sockets, so that no peer that vanished goes unnoticed, and no byte waits unseen.

They are set on every socket, accepted and connected alike, where the platform has them; what is received
ahead is bounded on those that are connected, where a stream comes from.
"""

from __future__ import annotations

import socket

#: Seconds of silence before the kernel asks whether the peer is there; then every so many, and so often.
_KEEP_ALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
#: For so many seconds a peer may acknowledge nothing, unless it is said otherwise: as long as a silent
#: one goes unnoticed by the above, which Linux counts by this option where both are set.
MAX_SILENCE = 60.0
#: Bytes that the kernel takes before it says that there is room for no more.  Its own default is
#: megabytes: so much would wait there before anybody noticed that a reader is slow.
_MAX_UNSENT = 16 * 1024
#: Bytes that the kernel receives while nobody reads, as a wish: Linux doubles it, for what it keeps beside
#: them.  Its own default grows to megabytes: a paused provider would go on writing for so long.
_MAX_UNREAD = 64 * 1024
_MAX_MILLISECONDS = 2**31 - 1
_INTERNET = frozenset({socket.AF_INET, socket.AF_INET6})


def set_options(sock: socket.socket, max_silence: float = MAX_SILENCE) -> None:
    """Let ``sock`` wait for nobody, and have the kernel do for it what is above.

    ``max_silence`` is for how many seconds the peer may acknowledge nothing of what was sent.  A living
    peer that has no room counts as silent, too: so it must not be below the time that a slow reader has.
    """
    sock.settimeout(0)
    if sock.family not in _INTERNET:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    _set(sock, "TCP_NODELAY", 1)  # tokens are small, and each wants to be seen at once
    _set(sock, "TCP_NOTSENT_LOWAT", _MAX_UNSENT)
    _set(sock, "TCP_USER_TIMEOUT", int(min(max(max_silence, 0.001) * 1000, _MAX_MILLISECONDS)))
    for name, value in _KEEP_ALIVE:
        _set(sock, name, value)


def set_client_options(sock: socket.socket, max_silence: float = MAX_SILENCE) -> None:
    """As ``set_options``, for a socket that a stream is to come from: a pause is felt at its other end soon.

    To be called before the socket is connected, as then the peer is told the bound; later it holds, too, but
    for what the peer was promised before.
    """
    set_options(sock, max_silence)
    if sock.family in _INTERNET:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _MAX_UNREAD)


def _set(sock: socket.socket, name: str, value: int) -> None:
    option = getattr(socket, name, None)
    if option is not None:
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
