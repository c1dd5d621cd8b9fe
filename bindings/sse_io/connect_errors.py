"""Why a connection could not be made, as a text for a person, and whether another one may be better."""

from __future__ import annotations

import errno
import os
import socket
import ssl

from sse_core.errors import TransportError

#: What no second attempt mends: this side may not connect, or has no such protocol.
_FINAL_ERRNOS = frozenset(
    {errno.EACCES, errno.EPERM, errno.EINVAL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EPROTOTYPE}
)
#: RFC 3493 section 6.1: "EAI_AGAIN  The name could not be resolved at this time.  Future attempts may
#: succeed."  Of the others, these are the resolver's own trouble; a name that isn't there stays so.
_PASSING_EAI = frozenset({socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_MEMORY, socket.EAI_SYSTEM})
#: In a handshake: RFC 8446 section 6.2, "internal_error: An internal error unrelated to the peer or the
#: correctness of the protocol".
_PASSING_ALERTS = frozenset({"TLSV1_ALERT_INTERNAL_ERROR"})


def connect_failure(error: OSError | UnicodeError) -> TransportError:
    """No connection could be made.

    The operating system's error is chained to it.  Where to, the machine says that wished for it: what
    whoever connected says may hold the addresses behind the name, which may not be the reader's to know.
    """
    if isinstance(error, UnicodeError):
        failure = TransportError("the host is not a name that can be looked up", retryable=False)
    else:
        causes = _causes(error)
        reasons = sorted({_reason(cause) for cause in causes})
        retryable = any(_may_pass(cause) for cause in causes) or not causes
        failure = TransportError(", ".join(reasons) or "connecting failed", retryable=retryable)
    failure.__cause__ = error
    return failure


def tls_failure(error: ssl.SSLError, *, is_open: bool) -> TransportError:
    """TLS failed: in its handshake, or, where it ``is_open``, after it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = f"TLS failed: the peer's certificate is refused: {error.verify_message}"
        return TransportError(reason, retryable=False)
    # A connection that ends amid the handshake is a cut; what the peer said and nobody could read, or what
    # the two could not agree on, will be so again.
    is_cut = isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError)
    retryable = is_open or is_cut or error.reason in _PASSING_ALERTS
    return TransportError(f"TLS failed: {error.reason or error}", retryable=retryable)


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror) or not error.errno:
        return error.strerror or str(error)
    return os.strerror(error.errno)


def _may_pass(error: OSError) -> bool:
    if isinstance(error, socket.gaierror):
        return error.errno in _PASSING_EAI
    return error.errno not in _FINAL_ERRNOS


def _causes(error: BaseException) -> list[OSError]:
    """Whoever connects tries each address of a name, and chains all that went wrong."""
    if isinstance(error.__cause__, BaseExceptionGroup):
        return [cause for cause in error.__cause__.exceptions if isinstance(cause, OSError)]
    cause = error.__cause__ or error
    return [cause] if isinstance(cause, OSError) else []
