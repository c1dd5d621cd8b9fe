"""Who may talk to a server: the Host and Origin fields, checked on every request to any application.

A page of another site can reach a server on the reader's own machine: directly, and then its
``Origin`` shows it, or by a name that was made to point here (DNS rebinding), and then ``Host`` does.
Host is RFC 9110 section 7.2, the Origin field is https://fetch.spec.whatwg.org/#origin-header.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field, replace

from sse_core.headers import Headers

from .application import (
    Application,
    ChecksHeads,
    Exchange,
    Reply,
    Request,
    Stream,
    StreamHead,
    StreamState,
    Waker,
)
from .problem import Problem, ShapesProblems, problem_reply
from .refusal import Refused

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

#: A name or an address, and perhaps a port; or nothing, which only "*" allows.
_AUTHORITY = re.compile(r"((\[[0-9a-f:.]+\]|[0-9a-z._-]+)(:[0-9]{0,5})?)?", re.IGNORECASE | re.ASCII)
_PORT = re.compile(r":[0-9]*$")
#: Ports that an origin leaves out, and a Host need not: RFC 6454 section 6.2.
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class AllowedPeers:
    """What the fields of a request may say.

    - ``hosts``: names or addresses, without a port and without brackets, in any case; ``"*"`` allows every
      one.
    - ``any_address``: allows every IP address as a Host: right for a server that listens on all interfaces,
      as no name can be rebound to make a browser send one.
    - ``origins``: other sites' origins, ``https://example.org``, whose pages may call and read the answers,
      or ``"*"``; a page of the same host always may.

    A request without a Host, as HTTP/1.0 allows, is served: no browser sends one, but balancers that look
    whether a server lives do.
    """

    hosts: frozenset[str] = LOOPBACK_HOSTS
    any_address: bool = False
    origins: frozenset[str] = field(default_factory=frozenset)


class Guard:
    """An application that only allowed peers reach.

    - ``application``: answers them.
    - ``allowed``: who they are.

    ``ServerConnection`` puts one around its application by itself; another server is given
    ``Guard(application, allowed)`` to serve.
    """

    __slots__ = ("_allowed", "_application")

    def __init__(self, application: Application, allowed: AllowedPeers) -> None:
        self._application = application
        self._allowed = allowed

    @property
    def waker(self) -> Waker:
        """The application's own."""
        return self._application.waker

    @waker.setter
    def waker(self, waker: Waker) -> None:
        self._application.waker = waker

    @property
    def deadline(self) -> float | None:
        """The application's own."""
        return self._application.deadline

    def check_head(self, request: Request, now: float) -> Reply | int | None:
        """Judge a head: first who asks, then as the application does.

        Raises ``Refused``, and what the application raises.
        """
        refused = refuse(request, self._allowed)
        if refused is not None:
            raise refused
        application = self._application
        return application.check_head(request, now) if isinstance(application, ChecksHeads) else None

    def handle(self, request: Request, now: float) -> Reply | Stream:
        """Answer a request, or refuse it, where the server has not called ``check_head`` before."""
        refused = refuse(request, self._allowed)
        answer = self._application.handle(request, now) if refused is None else refused.answer
        if isinstance(answer, Problem):
            answer = self.problem_reply(request, answer)
        if isinstance(answer, Reply):
            return replace(answer, headers=self.with_access(answer.headers, request))
        return _ReadableStream(answer, self, request)

    def problem_reply(self, request: Request, problem: Problem) -> Reply:
        """As the application has it, if it says how."""
        application = self._application
        if isinstance(application, ShapesProblems):
            return application.problem_reply(request, problem)
        return problem_reply(problem)

    def upstreams(self) -> list[Exchange]:
        """The application's."""
        return self._application.upstreams()

    def handle_timeout(self, now: float) -> None:
        """Fire what is due in the application."""
        self._application.handle_timeout(now)

    def close(self, now: float) -> None:
        """The server goes down."""
        self._application.close(now)

    def with_access(self, headers: Headers, request: Request) -> Headers:
        """``headers`` of an answer, so that a page of an allowed Origin can read it."""
        return with_access(headers, request, self._allowed)


class _ReadableStream:
    """A stream, with a head that says which pages may read it."""

    def __init__(self, stream: Stream, guard: Guard, request: Request) -> None:
        self._stream = stream
        self._guard = guard
        self._request = request

    @property
    def waker(self) -> Waker:
        return self._stream.waker

    @waker.setter
    def waker(self, waker: Waker) -> None:
        self._stream.waker = waker

    @property
    def head(self) -> StreamHead | Reply | None:
        head = self._stream.head
        return head and replace(head, headers=self._guard.with_access(head.headers, self._request))

    @property
    def state(self) -> StreamState:
        return self._stream.state

    @property
    def deadline(self) -> float | None:
        return self._stream.deadline

    @property
    def has_more(self) -> bool:
        return self._stream.has_more

    def data_to_send(self, now: float) -> bytes:
        return self._stream.data_to_send(now)

    def handle_timeout(self, now: float) -> None:
        self._stream.handle_timeout(now)

    def close(self, now: float) -> None:
        self._stream.close(now)


def refuse(request: Request, allowed: AllowedPeers) -> Refused | None:
    """Why a request must not be served, or ``None``.

    400 for what is no Host (RFC 9112 section 3.2), 421 for a wrong one (RFC 9110 section 15.5.20),
    403 for a wrong Origin.
    """
    hosts = request.headers.get_all("host")
    host = hosts[0] if hosts else ""
    if len(hosts) > 1 or not _AUTHORITY.fullmatch(host):
        return Refused(Problem(400, "invalid_request", "The Host field is not valid."))
    if hosts and not _host_allowed(host, allowed):
        message = (
            "This server does not answer for that Host. Its operator can allow it (setting: peers.hosts)."
        )
        problem = Problem(421, "misdirected", message)
        return Refused(problem, setting="peers.hosts", value=_name(host))
    for origin in request.headers.get_all("origin"):
        if not (_is_same_host(origin, host) or is_listed(origin, allowed)):
            message = (
                "Pages of that Origin may not call this server. Its operator can allow it "
                "(setting: peers.origins)."
            )
            problem = Problem(403, "permission", message)
            return Refused(problem, setting="peers.origins", value=origin)
    return None


def is_listed(origin: str, allowed: AllowedPeers) -> bool:
    """Whether pages of another site may call."""
    return origin in allowed.origins or "*" in allowed.origins


def with_access(headers: Headers, request: Request, allowed: AllowedPeers) -> Headers:
    """``headers`` of an answer, so that a page of an allowed Origin can read it.

    It is https://fetch.spec.whatwg.org/#http-access-control-allow-origin; what the application says itself
    stands.
    """
    name = "access-control-allow-origin"
    if name in headers or not allowed.origins:
        return headers
    # Fetch, "CORS protocol and HTTP caches": where the field is "*", it is sent "for non-CORS requests as
    # well as CORS requests"; where it depends on the Origin, every answer has to say so.
    if "*" in allowed.origins:
        return Headers([*headers, (name, "*")])
    origin = request.headers.get("origin")
    access = [(name, origin)] if origin is not None and is_listed(origin, allowed) else []
    return Headers([*headers, *access, ("vary", "origin")])


def _host_allowed(authority: str, allowed: AllowedPeers) -> bool:
    if "*" in allowed.hosts:
        return True
    name = _name(authority)
    return name in {host.lower() for host in allowed.hosts} or (allowed.any_address and _is_address(name))


def _name(authority: str) -> str:
    return _PORT.sub("", authority).strip("[]").lower()


def _is_same_host(origin: str, host: str) -> bool:
    # The scheme is not compared: behind a proxy that ends TLS it is not ours to know.
    scheme, _, authority = origin.partition("://")
    port = _DEFAULT_PORTS.get(scheme)
    if port is None or not host:
        return False
    return authority.lower().removesuffix(port) == host.lower().removesuffix(port)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
