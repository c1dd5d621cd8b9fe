"""Content codings undone (RFC 9110 section 8.4): gzip and deflate, br and zstd where a library is there.

https://www.rfc-editor.org/rfc/rfc9110#section-8.4

A few bytes can stand for gigabytes.  So nothing is decoded further than somebody wants it, piece by piece,
and two bounds hold: so many bytes in all, and so many for each byte that came, since what has no end may
still have a measure.  What the codings in between give counts too: a bomb may hide in the inner one.

- br: the package ``brotli``, from 1.2 on; older ones have no bound on what one call gives.
- zstd: ``compression.zstd`` of Python 3.14, its backport ``backports.zstd``, or ``zstandard``.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Protocol

from sse_core.errors import LimitExceeded, RemoteProtocolError
from sse_core.headers import Headers
from sse_core.lifecycle.event_stream_check import CONTENT_CODINGS

#: More of them on one body are no use to anybody.
MAX_CODINGS = 3
#: What deflate can do at most is about 1032; text that is worth sending is far below.
DEFAULT_MAX_RATIO = 1000

_PIECE = 64 * 1024  #: bytes that are decoded at a time
#: Bytes that a layer is given at a time: each step copies what it leaves, so that must be little.
_SLICE = 4 * 1024
#: Bytes for which no ratio is looked at, unless it is said otherwise.
FREE_BYTES = 64 * 1024
#: RFC 9659 section 3: as a content coding, zstd has a window of 8 MB at most.
_ZSTD_WINDOW_LOG = 23
#: zstandard has no bound on what one call gives: a block of three bytes and one stands for 128 KiB.
_ZSTANDARD_SLICE = 32
#: What a further member or frame begins with.
_MAGIC = {"gzip": b"\x1f\x8b\x08", "x-gzip": b"\x1f\x8b\x08", "zstd": b"\x28\xb5\x2f\xfd"}


class Codec(Protocol):
    """What undoes one coding, one member or frame of it."""

    @property
    def ended(self) -> bool:
        """Whether the member is whole."""

    @property
    def has_more(self) -> bool:
        """Whether there is more to give without more bytes."""

    def step(self, data: bytes) -> tuple[bytes, bytes]:
        """A piece of what ``data`` stands for, and what of ``data`` has not been taken yet."""


class Inflate:
    """RFC 1951 in the wrapping that ``wbits`` says, as zlib takes it."""

    def __init__(self, wbits: int) -> None:
        self.has_more: bool = False
        self._zlib = zlib.decompressobj(wbits)

    @property
    def ended(self) -> bool:
        """Whether the member is whole."""
        return self._zlib.eof

    def step(self, data: bytes) -> tuple[bytes, bytes]:
        """A piece of at most ``_PIECE`` bytes, and what is left of ``data``."""
        piece = self._zlib.decompress(data, _PIECE)
        self.has_more = len(piece) == _PIECE
        return piece, self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail


class Deflate:
    """The coding "deflate", which is zlib's format.

    RFC 9110 section 8.4.1.2: "Some non-conformant implementations send the "deflate" compressed data
    without the zlib wrapper."  Two bytes show which.
    """

    def __init__(self) -> None:
        self._start = b""
        self._inflate: Inflate | None = None

    @property
    def ended(self) -> bool:
        """Whether it is whole."""
        return self._inflate is not None and self._inflate.ended

    @property
    def has_more(self) -> bool:
        """Whether there is more to give without more bytes."""
        return self._inflate is not None and self._inflate.has_more

    def step(self, data: bytes) -> tuple[bytes, bytes]:
        """As :class:`Inflate` does, once it is known how."""
        if self._inflate is None:
            data = self._start = self._start + data
            if len(data) < 2:
                return b"", b""
            # RFC 1950 section 2.2: "CM = 8", and the two bytes are "a multiple of 31".
            is_wrapped = data[0] & 0x0F == 8 and (data[0] * 256 + data[1]) % 31 == 0
            self._inflate = Inflate(zlib.MAX_WBITS if is_wrapped else -zlib.MAX_WBITS)
        return self._inflate.step(data)


class Brotli:
    """RFC 7932, by the package ``brotli``."""

    def __init__(self, brotli: Any) -> None:
        self._brotli = brotli.Decompressor()
        self._gave = False

    @property
    def ended(self) -> bool:
        """Whether it is whole."""
        return bool(self._brotli.is_finished())

    @property
    def has_more(self) -> bool:
        """Whether there is more to give without more bytes."""
        # Behind a flush, brotli 1.2.1 says that it wants more when it has given the first 32 KiB.
        return self._gave or not self._brotli.can_accept_more_data()

    def step(self, data: bytes) -> tuple[bytes, bytes]:
        """A piece; all of ``data`` is taken."""
        piece: bytes = self._brotli.process(data, output_buffer_limit=_PIECE)
        self._gave = bool(piece)
        return piece, b""


class Zstd:
    """RFC 8878, by ``compression.zstd`` or its backport."""

    def __init__(self, zstd: Any) -> None:
        limit = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
        self._zstd = zstd.ZstdDecompressor(options=limit)

    @property
    def ended(self) -> bool:
        """Whether the frame is whole."""
        return bool(self._zstd.eof)

    @property
    def has_more(self) -> bool:
        """Whether there is more to give without more bytes."""
        return not self._zstd.needs_input and not self._zstd.eof

    def step(self, data: bytes) -> tuple[bytes, bytes]:
        """A piece of at most ``_PIECE`` bytes; ``data`` is taken up to the frame's end."""
        piece = self._zstd.decompress(data, _PIECE)
        return piece, self._zstd.unused_data if self._zstd.eof else b""


class Zstandard:
    """RFC 8878, by the package ``zstandard``."""

    has_more = False

    def __init__(self, zstandard: Any) -> None:
        limited = zstandard.ZstdDecompressor(max_window_size=2**_ZSTD_WINDOW_LOG)
        self._zstandard = limited.decompressobj()

    @property
    def ended(self) -> bool:
        """Whether the frame is whole."""
        return bool(self._zstandard.eof)

    def step(self, data: bytes) -> tuple[bytes, bytes]:
        """What a few bytes stand for, and the rest."""
        piece = self._zstandard.decompress(data[:_ZSTANDARD_SLICE])
        return piece, self._zstandard.unused_data + data[_ZSTANDARD_SLICE:]


def first_there(*names: str) -> ModuleType | None:
    """The first of these modules that can be imported."""
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def known_codecs(
    brotli: Any, zstd: Any, zstandard: Any
) -> tuple[dict[str, Callable[[], Codec]], tuple[type[Exception], ...]]:
    """By the name of a coding, what undoes it; and what that raises for bytes that are none of it."""
    codecs: dict[str, Callable[[], Codec]] = {
        "gzip": lambda: Inflate(16 + zlib.MAX_WBITS),
        # RFC 9110 section 8.4.1.3: "A recipient SHOULD consider "x-gzip" to be equivalent to "gzip"."
        "x-gzip": lambda: Inflate(16 + zlib.MAX_WBITS),
        "deflate": Deflate,
    }
    errors: tuple[type[Exception], ...] = (zlib.error,)
    if hasattr(getattr(brotli, "Decompressor", None), "can_accept_more_data"):
        codecs["br"] = lambda: Brotli(brotli)
        errors += (brotli.error,)
    if zstd is not None:
        codecs["zstd"] = lambda: Zstd(zstd)
        errors += (zstd.ZstdError,)
    elif zstandard is not None:
        codecs["zstd"] = lambda: Zstandard(zstandard)
        errors += (zstandard.ZstdError,)
    return codecs, errors


_CODECS, _ERRORS = known_codecs(
    first_there("brotli"), first_there("compression.zstd", "backports.zstd"), first_there("zstandard")
)
#: The codings that can be undone here.
DECODED = frozenset(_CODECS)


class ContentDecoder:
    """Undoes the codings of one body.

    - ``codings``: in the order in which they were applied, as ``Content-Encoding`` lists them.
    - ``max_decoded_bytes``: of all that is decoded, what is in between included; ``None`` for a body that may
      go on for ever.
    - ``max_ratio``: of decoded bytes to those that came, beyond the first ``free_bytes``.
    - ``free_bytes``: for which no ratio is looked at: short texts have odd ones.

    Raises ``ValueError`` for a coding that can't be undone here, and for more than ``MAX_CODINGS``.
    """

    def __init__(
        self,
        codings: list[str],
        *,
        max_decoded_bytes: int | None,
        max_ratio: int = DEFAULT_MAX_RATIO,
        free_bytes: int = FREE_BYTES,
    ) -> None:
        if unknown := [coding for coding in codings if coding not in _CODECS]:
            raise ValueError(f"the content coding {unknown[0]!a} can't be undone here")
        if len(codings) > MAX_CODINGS:
            raise ValueError(f"{len(codings)} content codings on one body are too many (limit: max_codings)")
        self._layers = [_Layer(coding) for coding in reversed(codings)]
        self._max_decoded_bytes = max_decoded_bytes
        self._max_ratio = max_ratio
        self._free_bytes = free_bytes
        self._came = 0
        self._decoded = 0

    def receive_data(self, data: bytes) -> Iterator[bytes]:
        """What these bytes stand for, in pieces: each is decoded when it is wanted.

        Raises ``RemoteProtocolError`` for bytes that are not what they should be, and ``LimitExceeded``.
        """
        self._came += len(data)
        return self._through(data, 0)

    def count_anew(self) -> None:
        """What was decoded so far has been taken: the bounds are for what comes now."""
        self._came = self._decoded = 0

    def receive_eof(self) -> None:
        """The body has ended.  Raises ``RemoteProtocolError`` where it is not whole."""
        for layer in self._layers:
            layer.receive_eof()

    def _through(self, data: bytes, depth: int) -> Iterator[bytes]:
        if depth == len(self._layers):
            yield data
            return
        for start in range(0, len(data), _SLICE):
            for piece in self._layers[depth].pieces(data[start : start + _SLICE]):
                self._count(len(piece))
                yield from self._through(piece, depth + 1)

    def _count(self, size: int) -> None:
        self._decoded += size
        bound = self._max_decoded_bytes
        if bound is not None and self._decoded > bound:
            raise _too_much("max_decoded_bytes", bound, "bytes")
        if self._decoded > max(self._free_bytes, self._came * self._max_ratio):
            raise _too_much("max_ratio", self._max_ratio, "bytes for each that came")


class _Layer:
    """One coding of a body: member after member, frame after frame."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._codec = _CODECS[coding]()
        self._is_whole = False  # what has come
        self._behind: bytes | None = b""  # what stands behind it; None where that is nothing

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What ``data`` stands for."""
        while data or self._codec.has_more:
            if self._is_whole:
                data = self._next_member(data)
                if not data:
                    return
            try:
                piece, data = self._codec.step(data)
            except _ERRORS:
                raise self._invalid() from None
            if piece:
                yield piece
            if self._codec.ended:
                self._codec, self._is_whole = _CODECS[self._coding](), True

    def receive_eof(self) -> None:
        """Nothing more comes."""
        if not self._is_whole or self._behind:
            raise RemoteProtocolError(f"a body in {self._coding} ends too early")

    def _next_member(self, data: bytes) -> bytes:
        """A further member that begins; else nothing, as gzip and browsers see it."""
        if self._coding == "br":
            # Its library sees a mistake in what stands behind, if that comes with the end.
            raise self._invalid()
        magic = _MAGIC.get(self._coding)
        if magic is None or self._behind is None:
            return b""
        self._behind += data
        if not self._behind.startswith(magic[: len(self._behind)]):
            self._behind = None
        elif len(self._behind) >= len(magic):
            data, self._behind, self._is_whole = self._behind, b"", False
            return data
        return b""

    def _invalid(self) -> RemoteProtocolError:
        return RemoteProtocolError(f"a body that claims to be {self._coding} is not")


def codings_of(headers: Headers) -> list[str]:
    """The content codings of a body that change it, in the order in which they were applied.

    Those that nobody registered ("none", with which servers switch compression off) are none: Fetch,
    "handle content codings".
    """
    values = ",".join(headers.get_all("content-encoding"))
    return [
        name for name in (item.strip(" \t").lower() for item in values.split(",")) if name in CONTENT_CODINGS
    ]


def _too_much(limit: str, bound: int, unit: str) -> LimitExceeded:
    message = f"a compressed body stands for more than {bound} {unit} (limit: {limit})"
    return LimitExceeded(message, limit=limit, bound=bound)
