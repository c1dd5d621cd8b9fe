"""Certificates for the scenarios, made once."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cache

import trustme


@dataclass(frozen=True)
class Certificates:
    """Servers' contexts, and clients' that trust them or don't."""

    server: ssl.SSLContext
    other_name: ssl.SSLContext  #: a server's, whose certificate is for another host
    client: ssl.SSLContext
    stranger: ssl.SSLContext  #: a client's, who trusts another authority


@cache
def certificates() -> Certificates:
    """The same for all scenarios: to make them takes longer than most scenarios do."""
    authority = trustme.CA()
    server, other_name = (ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) for _ in range(2))
    authority.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(server)
    authority.issue_cert("example.org").configure_cert(other_name)
    client, stranger = (ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) for _ in range(2))
    authority.configure_trust(client)
    trustme.CA().configure_trust(stranger)
    return Certificates(server, other_name, client, stranger)
