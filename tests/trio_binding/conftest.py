"""Certificates, and a look at the files that a test leaves open."""

from __future__ import annotations

import gc
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import trustme

from tests.trio_binding.support import open_files


@dataclass(frozen=True)
class Certificates:
    """A server's context, and a client's that trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext
    other_name: ssl.SSLContext  #: a server's, whose certificate is for another host


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    authority = trustme.CA()
    server, other = (ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) for _ in range(2))
    authority.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(server)
    authority.issue_cert("example.org").configure_cert(other)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(client)
    return Certificates(server, client, other)


@pytest.fixture
def no_leak() -> Iterator[None]:
    """The test leaves no file descriptor open, and nothing for the collector to complain about."""
    before = open_files()
    yield
    gc.collect()  # a socket that nobody closed warns now, and a warning is an error
    assert open_files() <= before
