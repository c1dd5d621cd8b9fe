"""Content codings undone: whatever the cuts, within bounds, and never more than was requested."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.targets import content_coding as target
from sse_core.errors import LimitExceeded, RemoteProtocolError
from sse_core.headers import Headers
from sse_core.testing import pieces_of_size
from sse_http import content_coding
from sse_http.content_coding import (
    MAX_CODINGS,
    Brotli,
    Codec,
    ContentDecoder,
    Zstandard,
    Zstd,
    codings_of,
    first_there,
    known_codecs,
)

brotli = pytest.importorskip("brotli")
zstandard = pytest.importorskip("zstandard")
zstd: Any = first_there("compression.zstd", "backports.zstd")

TEXT = b'{"type": "error", "error": {"type": "invalid_request_error", "message": "No credit."}}'


def raw_deflate(data: bytes) -> bytes:
    encoder = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return encoder.compress(data) + encoder.flush()


ENCODE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


def decoded(
    codings: list[str], data: bytes, *, size: int = 0, max_decoded_bytes: int = 10**7, **bounds: int
) -> bytes:
    """The whole of ``data``, given in chunks of ``size``."""
    decoder = ContentDecoder(codings, max_decoded_bytes=max_decoded_bytes, **bounds)
    chunks = pieces_of_size(data, size) if size else [data]
    whole = b"".join(piece for chunk in chunks for piece in decoder.receive_data(chunk))
    decoder.receive_eof()
    return whole


@given(
    st.sampled_from(sorted(ENCODE)),
    st.binary(max_size=3000),
    st.sampled_from([1, 1, 100]),
    st.integers(1, 1000),
)
def test_what_was_encoded_comes_back_whatever_the_cuts(
    coding: str, piece: bytes, times: int, size: int
) -> None:
    data = piece * times
    assert decoded([coding], ENCODE[coding](data), size=size, max_ratio=10**9) == data


@given(st.lists(st.sampled_from(sorted(ENCODE)), max_size=MAX_CODINGS), st.binary(max_size=500))
def test_several_are_undone_from_the_last_to_the_first(codings: list[str], data: bytes) -> None:
    coded = data
    for coding in codings:
        coded = ENCODE[coding](coded)
    assert decoded(codings, coded, size=7) == data


@given(st.sampled_from(sorted(ENCODE)), st.binary(max_size=200), st.integers(1, 50))
def test_any_bytes_are_read_or_refused_by_name(coding: str, data: bytes, size: int) -> None:
    try:
        whole = decoded([coding], data, size=size, max_decoded_bytes=1000)
    except (RemoteProtocolError, LimitExceeded) as error:
        assert "body" in str(error)  # noqa: PT017
    else:
        assert len(whole) <= 1000


@pytest.mark.parametrize("data", target.SEEDS)
def test_the_fuzzers_seeds_keep_the_law(data: bytes) -> None:
    target.check(data)


class _Forgetful(ContentDecoder):
    """Forgets that the body has to be whole."""

    def receive_eof(self) -> None:
        """Nothing."""


class _Quick(ContentDecoder):
    """Takes each chunk for a body of its own."""

    def receive_data(self, data: bytes) -> Iterator[bytes]:
        for coding in ("gzip", "deflate"):
            try:
                return iter([zlib.decompress(data, 47 if coding == "gzip" else -15)])
            except zlib.error:
                continue
        return iter([data])


@pytest.mark.parametrize("wrong", [_Quick, _Forgetful])
def test_and_find_what_is_wrong(wrong: type[ContentDecoder]) -> None:
    with pytest.raises(AssertionError):  # noqa: PT012  (one of them is enough)
        for data in target.SEEDS:
            target.check(data + b"\xfe|" + data[1:], wrong)
            target.check(data[:1] + data[1:-3] + b"\xfe|" + data[-3:], wrong)
            target.check(data[:-3], wrong)


@pytest.mark.parametrize("size", [0, 1])
def test_deflate_without_its_wrapping(size: int) -> None:
    assert decoded(["deflate"], raw_deflate(TEXT), size=size) == TEXT


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_member_after_member(coding: str) -> None:
    two = ENCODE[coding](b"one ") + ENCODE[coding](b"two")
    assert decoded([coding], two) == decoded([coding], two, size=1) == b"one two"


def test_many_small_members_take_a_time_that_is_linear_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step copies what it leaves of its bytes: so no step is given all of them."""
    given: list[int] = []
    make = zlib.decompressobj

    class Counted:
        def __init__(self, wbits: int) -> None:
            self._zlib = make(wbits)

        def __getattr__(self, name: str) -> object:
            return getattr(self._zlib, name)

        def decompress(self, data: bytes, max_length: int) -> bytes:
            given.append(len(data))
            return self._zlib.decompress(data, max_length)

    monkeypatch.setattr(zlib, "decompressobj", Counted)
    member = gzip.compress(b"x")
    assert decoded(["gzip"], member * 5000) == b"x" * 5000
    assert sum(given) < 5000 * 4096


@pytest.mark.parametrize("coding", sorted(ENCODE.keys() - {"br"}))
def test_what_stands_behind_the_end_is_nothing(coding: str) -> None:
    for size in (0, 1):
        assert decoded([coding], ENCODE[coding](TEXT) + b"garbage\n" * 20, size=size) == TEXT


@pytest.mark.parametrize("size", [0, 1])
def test_but_brotli_has_one_end(size: int) -> None:
    with pytest.raises(RemoteProtocolError, match="claims to be br is not"):
        decoded(["br"], ENCODE["br"](TEXT) + b"garbage\n", size=size)


@pytest.mark.parametrize("coding", sorted(ENCODE))
def test_an_end_too_early(coding: str) -> None:
    coded = ENCODE[coding](TEXT)
    for end in (0, 1, len(coded) - 1):
        with pytest.raises(RemoteProtocolError, match=f"in {coding} ends too early"):
            decoded([coding], coded[:end])


@pytest.mark.parametrize("coding", sorted(ENCODE))
def test_a_body_that_is_none_of_it(coding: str) -> None:
    with pytest.raises(RemoteProtocolError, match=f"claims to be {coding} is not"):
        decoded([coding], b"<html>" * 100)


@pytest.mark.parametrize("coding", sorted(ENCODE))
class TestBounds:
    def test_a_bomb_is_read_no_further_than_requested(self, coding: str) -> None:
        """Nobody is given 100 MB, and nobody makes them: a piece is decoded when it is requested."""
        bomb = ENCODE[coding](bytes(100 * 2**20))
        pieces = ContentDecoder([coding], max_decoded_bytes=2**40, max_ratio=2**40).receive_data(bomb)
        assert 0 < len(next(pieces)) <= 2**20

    def test_so_many_bytes_in_all(self, coding: str) -> None:
        coded = ENCODE[coding](random.Random(1).randbytes(5000))
        assert len(decoded([coding], coded, max_decoded_bytes=5000)) == 5000
        with pytest.raises(LimitExceeded, match="max_decoded_bytes") as caught:
            decoded([coding], coded, max_decoded_bytes=4999)
        assert (caught.value.limit, caught.value.bound) == ("max_decoded_bytes", 4999)

    def test_so_many_for_each_that_came(self, coding: str) -> None:
        coded = ENCODE[coding](bytes(2**20))
        with pytest.raises(LimitExceeded, match="max_ratio") as caught:
            decoded([coding], coded, max_ratio=20)
        assert caught.value.bound == 20
        assert decoded([coding], ENCODE[coding](bytes(2**16)), max_ratio=1) == bytes(2**16), "it is short"


def test_a_bomb_in_between_counts_too() -> None:
    inner = gzip.compress(b"") * 100_000
    outer = gzip.compress(inner)
    assert len(outer) < len(inner) / 100
    with pytest.raises(LimitExceeded, match="max_decoded_bytes"):
        decoded(["gzip", "gzip"], outer, max_decoded_bytes=10**6)


@pytest.mark.parametrize("make", [lambda: Zstd(zstd), lambda: Zstandard(zstandard), lambda: Brotli(brotli)])
def test_the_libraries_alike(make: Callable[[], Codec]) -> None:
    is_brotli = isinstance(make(), Brotli)
    data = ENCODE["br" if is_brotli else "zstd"](bytes(300_000)) + (b"" if is_brotli else b"behind")
    codec, whole = make(), b""
    while not codec.ended:
        piece, data = codec.step(data)
        whole += piece
    assert whole == bytes(300_000)
    assert data == (b"" if is_brotli else b"behind")


def test_a_window_beyond_what_a_content_coding_has() -> None:
    """RFC 9659: 8 MB."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    wide = stream.compress(b"x" * 1000) + stream.flush()
    with pytest.raises(zstd.ZstdError):
        Zstd(zstd).step(wide)
    with pytest.raises(zstandard.ZstdError):  # noqa: PT012  (at some slice of it)
        while wide:
            _, wide = Zstandard(zstandard).step(wide)


def test_without_libraries_there_is_zlib() -> None:
    codecs, errors = known_codecs(None, None, None)
    assert set(codecs) == {"gzip", "x-gzip", "deflate"}
    assert errors == (zlib.error,)


def test_a_brotli_without_a_bound_is_not_used() -> None:
    class Old:
        class Decompressor:
            """As it was before 1.2."""

    assert "br" not in known_codecs(Old, None, None)[0]


def test_zstandard_where_there_is_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    codecs, errors = known_codecs(None, None, zstandard)
    monkeypatch.setattr(content_coding, "_CODECS", codecs)
    monkeypatch.setattr(content_coding, "_ERRORS", errors)
    assert decoded(["zstd"], ENCODE["zstd"](TEXT * 1000), size=9) == TEXT * 1000
    with pytest.raises(RemoteProtocolError):
        decoded(["zstd"], b"<html>")


def test_a_module_that_is_not_there() -> None:
    assert first_there("sse_http.nowhere") is None
    assert first_there("sse_http.nowhere", "zlib") is zlib


def test_a_coding_that_cant_be_undone() -> None:
    with pytest.raises(ValueError, match="'compress' can't be undone"):
        ContentDecoder(["gzip", "compress"], max_decoded_bytes=1)
    with pytest.raises(ValueError, match="max_codings"):
        ContentDecoder(["gzip"] * 4, max_decoded_bytes=1)


@pytest.mark.parametrize(
    ("values", "codings"),
    [
        ([], []),
        ([""], []),
        (["gzip"], ["gzip"]),
        ([" GZip\t,br "], ["gzip", "br"]),
        (["gzip", "br"], ["gzip", "br"]),
        (["none"], []),
        (["identity, identity"], []),
        (["utf-8, deflate"], ["deflate"]),
        (["compress"], ["compress"]),
    ],
)
def test_what_a_field_names(values: list[str], codings: list[str]) -> None:
    fields: Any = [("Content-Encoding", value) for value in values]
    assert codings_of(Headers(fields)) == codings
