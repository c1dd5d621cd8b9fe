"""Why a connection could not be made: the words for it, and what another attempt may mend."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from sse_io.connect_errors import connect_failure, tls_failure


def of(*causes: OSError) -> OSError:
    """What trio raises after it has tried each address of a name."""
    error = OSError("all attempts to connect to nowhere:1 failed")
    error.__cause__ = ExceptionGroup("attempts", list(causes))
    return error


REFUSED = OSError(errno.ECONNREFUSED, "refused by ('10.1.2.3', 9)")


@pytest.mark.parametrize(
    ("error", "words", "retryable"),
    [
        (of(REFUSED), "Connection refused", True),
        (
            of(REFUSED, REFUSED, OSError(errno.ENETUNREACH, "")),
            "Connection refused, Network is unreach",
            True,
        ),
        (of(OSError(errno.ECONNRESET, "")), "Connection reset", True),
        (of(OSError(errno.EHOSTUNREACH, "")), "No route to host", True),
        (of(OSError(errno.ETIMEDOUT, "")), "timed out", True),
        (of(OSError(errno.EACCES, "")), "Permission denied", False),
        (of(OSError(errno.EAFNOSUPPORT, ""), REFUSED), "not supported", True),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "Temporary", True),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service not known", False),
        (UnicodeError("label too long"), "not a name that can be looked up", False),
        (OSError("odd"), "odd", True),
    ],
)
def test_what_could_not_be_made(error: OSError | UnicodeError, words: str, *, retryable: bool) -> None:
    failure = connect_failure(error)
    assert words in str(failure)
    assert "10.1.2.3" not in str(failure)
    assert failure.retryable is retryable


def test_an_error_of_no_known_kind() -> None:
    error = OSError()
    error.__cause__ = ValueError("of somebody else's")
    assert (str(connect_failure(error)), connect_failure(error).retryable) == ("connecting failed", True)


def ssl_error(reason: str, kind: type[ssl.SSLError] = ssl.SSLError) -> ssl.SSLError:
    error = kind(1, f"[SSL: {reason}]")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "is_open", "retryable"),
    [
        (ssl_error("WRONG_VERSION_NUMBER"), False, False),
        (ssl_error("TLSV1_ALERT_PROTOCOL_VERSION"), False, False),
        (ssl_error("SSLV3_ALERT_HANDSHAKE_FAILURE"), False, False),
        (ssl_error("TLSV1_ALERT_INTERNAL_ERROR"), False, True),
        (ssl_error("UNEXPECTED_EOF_WHILE_READING", ssl.SSLEOFError), False, True),
        (ssl_error("DECRYPTION_FAILED_OR_BAD_RECORD_MAC"), True, True),
    ],
)
def test_what_tls_says(error: ssl.SSLError, *, is_open: bool, retryable: bool) -> None:
    failure = tls_failure(error, is_open=is_open)
    assert str(error.reason) in str(failure)
    assert failure.retryable is retryable
