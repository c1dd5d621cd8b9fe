"""Forward proxies of a client: which one, if any, connections to a URL go through.

There is no standard for the environment's variables.  What is done here is what curl, Go's ``net/http`` and
httpx have in common: https://curl.se/docs/manpage.html#ENVIRONMENT,
https://pkg.go.dev/golang.org/x/net/http/httpproxy.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from sse_core.errors import TransportError
from sse_core.urls import Target, parse_url

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s,]+")
_PORT = re.compile(r"(?P<host>.+?):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class ForwardProxy:
    """An HTTP proxy.

    - ``host``, ``port``: where it is.
    - ``secure``: whether TLS is spoken with it.
    - ``authorization``: the value of ``Proxy-Authorization``, if it wants one; it is in no text of this.
    """

    host: str
    port: int
    secure: bool = False
    authorization: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> ForwardProxy:
        """The proxy at ``http://user:password@host:port``.

        User and password may be left out, and are percent-encoded; https speaks TLS with the proxy; no
        scheme is http.  Raises ``ValueError``, which repeats nothing of the URL, for what is none.
        """
        if not (url.isascii() and url.isprintable()):
            raise ValueError("a proxy's URL has characters that a URL can't have: percent-encode them")
        scheme = _SCHEME.match(url)
        if scheme is None:
            url = f"http://{url}"
        elif scheme[1].lower() not in {"http", "https"}:
            raise ValueError("a proxy's URL has to begin with http:// or https://: no other kind is spoken")
        scheme_part, _, rest = url.partition("://")
        authority = re.split("[/?#]", rest, maxsplit=1)[0]
        credentials, at, address = authority.rpartition("@")
        try:
            target = parse_url(f"{scheme_part}://{address}")
        except ValueError:
            raise ValueError("a proxy's URL is http://host:port, or http://user:password@host:port") from None
        return cls(target.host, target.port, target.secure, _basic(credentials) if at else None)

    @property
    def address(self) -> str:
        """Host and port, as text."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnusableProxy:
    """What the environment names, and is no HTTP proxy.

    - ``reason``: why, with the variable's name; nothing of its value is repeated.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Proxies:
    """Which proxy is for which URL.

    - ``http``, ``https``: for URLs of that scheme.
    - ``no_proxy``: hosts to which connections are made directly, as ``NO_PROXY`` lists them: a name, or
      ``.name``, for it and all below it; ``*.name`` for those below; an address; a network as
      ``10.0.0.0/8``; each perhaps with a port; or ``*`` for all.
    - ``even_loopback``: whether a proxy is for this machine's own servers, too.
    """

    http: ForwardProxy | UnusableProxy | None = None
    https: ForwardProxy | UnusableProxy | None = None
    no_proxy: str = ""
    even_loopback: bool = True

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Proxies:
        """What ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` say.

        A name in lower case goes first, and an empty value says that there is none.  Where
        ``REQUEST_METHOD`` is set, this is a CGI program, and ``HTTP_PROXY`` is a field of the request that
        anybody sends (https://httpoxy.org).  A variable that names what is no HTTP proxy matters only for the
        URLs that it is for.
        """
        is_cgi = "REQUEST_METHOD" in environ
        return cls(
            http=_from_variables(environ, "http_proxy", "" if is_cgi else "HTTP_PROXY"),
            https=_from_variables(environ, "https_proxy", "HTTPS_PROXY"),
            no_proxy=_value(environ, "no_proxy", "NO_PROXY")[1],
            even_loopback=False,
        )

    def proxy_for(self, target: Target) -> ForwardProxy | None:
        """The proxy that connections to ``target`` go through, if there is one.

        Raises ``TransportError`` if it is none that can be used.
        """
        proxy = self.https if target.secure else self.http
        if proxy is None or self._is_excepted(target):
            return None
        if isinstance(proxy, UnusableProxy):
            raise TransportError(proxy.reason, retryable=False)
        return proxy

    def _is_excepted(self, target: Target) -> bool:
        if target.unix_path is not None or (not self.even_loopback and _is_loopback(target.host)):
            return True
        rules = _SEPARATORS.split(self.no_proxy.lower())
        return any(_matches(rule, target) for rule in rules if rule)


def _from_variables(environ: Mapping[str, str], *names: str) -> ForwardProxy | UnusableProxy | None:
    name, value = _value(environ, *names)
    if not name:
        name, value = _value(environ, "all_proxy", "ALL_PROXY")
    if not value:
        return None
    try:
        return ForwardProxy.parse(value)
    except ValueError as error:
        return UnusableProxy(f"{name} of the environment: {error}")


def _value(environ: Mapping[str, str], *names: str) -> tuple[str, str]:
    """The first of these variables that is set, and what it says."""
    return next(((name, environ[name].strip()) for name in names if name in environ), ("", ""))


def _basic(credentials: str) -> str:
    """RFC 7617 section 2: "user-id, a single colon, and password", in Base64."""
    user, _, password = credentials.partition(":")
    pair = f"{unquote(user)}:{unquote(password)}".encode()
    return "Basic " + base64.b64encode(pair).decode("ascii")


def _matches(rule: str, target: Target) -> bool:
    if rule == "*":
        return True
    name, port = _split(rule)
    if port is not None and port != target.port:
        return False
    host = target.host.rstrip(".")
    address = _address(host)
    if address is not None:
        network = _network(name)
        return network is not None and address in network
    if name.startswith("*."):
        return host.endswith(name[1:])
    name = name.removeprefix(".")
    return host == name or host.endswith(f".{name}")


def _split(rule: str) -> tuple[str, int | None]:
    """A rule's name, address or network, without brackets, and its port."""
    if rule.startswith("["):
        name, _, port = rule[1:].partition("]")
        return name, int(port[1:]) if port[1:].isdecimal() else None
    parts = _PORT.fullmatch(rule)
    if parts is None or ":" in parts["host"]:  # the colons of an IPv6 address
        return rule.rstrip("."), None
    return parts["host"].rstrip("."), int(parts["port"])


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _address(host)
    name = host.rstrip(".")
    return name == "localhost" or name.endswith(".localhost") if address is None else address.is_loopback
