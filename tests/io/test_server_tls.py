"""A server's certificates are renewed while it runs."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from sse_io import CertificateFiles, ServerLimit
from sse_io.server_tls import ServerContexts
from tests.http.support import Scripted, echo
from tests.io.support import GET, served

AUTHORITY = trustme.CA()
OTHER_AUTHORITY = trustme.CA()


class Files:
    """A certificate and its key, in files."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "cert.pem", folder / "key.pem"
        self._writes = 0
        self.write()

    def write(self, authority: trustme.CA = AUTHORITY) -> None:
        issued = authority.issue_cert("localhost")
        self.put(self.certificate, b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        self.put(self.key, issued.private_key_pem.bytes())

    def put(self, path: Path, content: bytes) -> None:
        """Write it, a second later than before: the clock of some file systems is coarse."""
        path.write_bytes(content)
        self._writes += 1
        os.utime(path, (self._writes, self._writes))

    def context(self) -> CertificateFiles:
        return CertificateFiles(self.certificate, str(self.key))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


class TestCertificateFiles:
    def test_the_context_stays_as_long_as_the_files_do(self, files: Files) -> None:
        renewed = files.context()
        assert renewed() is renewed()

    def test_a_new_certificate_is_a_new_context(self, files: Files) -> None:
        renewed = files.context()
        before = renewed()
        files.write()
        after = renewed()
        assert after is not before
        assert renewed() is after

    def test_one_file_may_have_both(self, files: Files) -> None:
        files.put(files.certificate, files.certificate.read_bytes() + files.key.read_bytes())
        renewed = CertificateFiles(files.certificate)
        before = renewed()
        files.put(files.certificate, files.certificate.read_bytes())
        assert renewed() is not before

    def test_a_key_with_a_password(self, files: Files) -> None:
        key = serialization.load_pem_private_key(files.key.read_bytes(), None)
        encryption = serialization.BestAvailableEncryption(b"open sesame")
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        files.put(files.key, pem)
        CertificateFiles(files.certificate, files.key, password="open sesame")()
        with pytest.raises(OSError):  # noqa: PT011  (OpenSSL's words differ; nobody is asked for a password)
            CertificateFiles(files.certificate, files.key)

    @pytest.mark.parametrize("name", ["certificate", "key"])
    def test_what_is_not_there_is_found_out_at_once(self, files: Files, name: str) -> None:
        getattr(files, name).unlink()
        with pytest.raises(FileNotFoundError):
            files.context()

    def test_halves_that_do_not_fit_are_waited_for(self, files: Files) -> None:
        """Who renews them writes one after the other."""
        renewed = files.context()
        renewed()
        old_key = files.key.read_bytes()
        files.write()
        new_key = files.key.read_bytes()
        files.put(files.key, old_key)
        for _ in range(2):
            with pytest.raises(ssl.SSLError):
                renewed()
        files.put(files.key, new_key)
        renewed()

    def test_a_file_that_is_gone_for_a_moment(self, files: Files) -> None:
        renewed = files.context()
        before = renewed()
        content = files.key.read_bytes()
        files.key.unlink()
        with pytest.raises(FileNotFoundError):
            renewed()
        files.put(files.key, content)
        assert renewed() is not before


class TestServerContexts:
    def test_a_context_stays(self) -> None:
        context = ssl.create_default_context()
        assert ServerContexts(context, print).current() is context

    def test_a_function_is_called_for_each_connection(self) -> None:
        contexts = ServerContexts(ssl.create_default_context, print)
        assert contexts.current() is not contexts.current()

    @pytest.mark.parametrize(
        ("error", "kind", "words"),
        [
            (OSError("no such file"), ServerLimit, "the last one still is: no such file"),
            (ZeroDivisionError("mine"), ZeroDivisionError, "mine"),
        ],
    )
    def test_the_last_one_is_good_until_there_is_another(
        self, error: Exception, kind: type[Exception], words: str
    ) -> None:
        given: list[Any] = [ssl.create_default_context() for _ in range(2)]
        given += [error, error, ssl.create_default_context(), error]
        wanted = [given[1], given[1], given[1], given[4], given[4]]
        errors: list[Exception] = []

        def renew() -> ssl.SSLContext:
            following = given.pop(0)
            if isinstance(following, Exception):
                raise following
            assert isinstance(following, ssl.SSLContext)
            return following

        contexts = ServerContexts(renew, errors.append)
        assert [contexts.current() for _ in range(5)] == wanted
        assert len(errors) == 2, "each row of failures is reported once"
        for reported in errors:
            assert type(reported) is kind
            assert words in str(reported)

    @pytest.mark.parametrize(("renew", "error"), [(lambda: 7, TypeError), (lambda: 1 / 0, ZeroDivisionError)])
    def test_the_first_one_has_to_be_there(self, renew: Callable[[], Any], error: type[Exception]) -> None:
        with pytest.raises(error):
            ServerContexts(renew, print)


def trust(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


def test_a_connection_keeps_the_certificate_that_it_began_with(files: Files) -> None:
    with served(Scripted(echo), client_tls=trust(AUTHORITY), tls=files.context()) as world:
        old = world.client(GET % b"1")
        old.until(b"GET /1")
        files.write(OTHER_AUTHORITY)
        world.tls = trust(OTHER_AUTHORITY)
        world.client(GET % b"2").until(b"GET /2")
        old.send(GET % b"3")
        old.until(b"GET /3")
        assert not world.errors


def test_a_certificate_that_is_none_is_reported_once(files: Files) -> None:
    with served(Scripted(echo), client_tls=trust(AUTHORITY), tls=files.context()) as world:
        files.put(files.certificate, b"rubbish")
        for _ in range(3):
            world.client(GET % b"x").until(b"GET /x")
        [error] = world.errors
        assert "the new certificate can't be used, and the last one still is" in str(error)
