"""What the bindings share: sockets that never wait, and one loop that steps many of them.

Nothing here waits, knows an event loop, reads a clock of its own or logs: see docs/readiness-loop.md.
"""

from .acceptor import ServerLimit
from .client_pump import ClientPump
from .connect_errors import connect_failure, tls_failure
from .handler_application import Handler, HandlerCall, as_application
from .host import Host
from .owner import READ, WRITE, Owner
from .readiness_loop import ReadinessLoop
from .server_tls import CertificateFiles, ServerTLS
from .streams import EventStreamState, TurnStreamState
from .watcher import Watcher, nests

__all__ = [
    "READ",
    "WRITE",
    "CertificateFiles",
    "ClientPump",
    "EventStreamState",
    "Handler",
    "HandlerCall",
    "Host",
    "Owner",
    "ReadinessLoop",
    "ServerLimit",
    "ServerTLS",
    "TurnStreamState",
    "Watcher",
    "as_application",
    "connect_failure",
    "nests",
    "tls_failure",
]
