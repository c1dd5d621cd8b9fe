"""Invariant: an answer to CONNECT, cut anywhere, opens a tunnel and gives the same bytes, or is refused.

The input is the answer with marks (``fuzz/script.py``) where it is cut.
"""

from __future__ import annotations

from typing import Any

from fuzz.pieces import CUTS
from fuzz.script import some_of
from sse_core.errors import TransportError
from sse_core.testing import pieces_of_size
from sse_http import Endpoint, ForwardProxy, Tunnel

HEADER = 0
MAX_LEN = 400
MAX_CALLS = 100
_PROXY = ForwardProxy("proxy.test", 3128)
_TARGET = Endpoint("host.test", 443, tls=True)
_LINES = (
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 200\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 407 No\r\n",
)
_FIELDS = (
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"x: y\r\n",
    b" folded\r\n",
    b"Content-Length",
)
PIECES = (
    *CUTS,
    *_LINES,
    *_FIELDS,
    b"\r\n",
    b"\n",
    b"\r\n\r\n",
    b"\n\n",
    b" " * 20,
    b"\t" * 300,
    b"5\r\nhello\r\n",
    b"\0",
)
SEEDS = tuple(line + field + b"\r\nbehind" for line in _LINES for field in (*_FIELDS[:3], b""))

#: Whether the tunnel is open, and what has come through it; or that it was refused.
Fate = tuple[bool, bytes] | None


def check(data: bytes, make: Any = Tunnel) -> None:
    """Read the answer in these chunks, whole, and byte by byte."""
    chunks = [chunk for _, chunk in some_of(data, MAX_CALLS, MAX_LEN) if chunk]
    answer = b"".join(chunks)
    whole = _fate([answer] if answer else [], make)
    assert _fate(chunks, make) == whole
    assert _fate(pieces_of_size(answer, 1), make) == whole
    if whole is not None and whole[1]:
        head = answer.removesuffix(whole[1])
        assert whole[0]
        assert head != answer, "nothing comes but what the proxy sent"
        assert head.endswith((b"\n\n", b"\n\r\n")), "nor anything of its head"


def _fate(chunks: list[bytes], make: Any) -> Fate:
    tunnel = make(_PROXY, _TARGET)
    assert tunnel.data_to_send().startswith(b"CONNECT host.test:443 HTTP/1.1\r\n")
    received = b""
    try:
        for chunk in chunks:
            received += b"".join(tunnel.receive_data(chunk))
    except TransportError:
        return None
    return tunnel.ready, received
