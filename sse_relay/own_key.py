"""A provider that refuses the relay's own key: that is nothing that a client could mend."""

from __future__ import annotations

from dataclasses import replace

from sse_core.blocks import StreamError
from sse_core.lifecycle import Failure

from .routes import Route

_MESSAGE = (
    "The provider does not take this relay's own key. Yours is not the reason: tell the relay's operator."
)


def without_blame(failure: Failure, route: Route) -> Failure:
    """``failure`` as a client gets it, where the relay asks by a key of its own.

    What a client gets as 401 says that its own key is wrong (RFC 9110 section 15.5.2).  To the client the
    relay is a gateway that "received an invalid response from an inbound server" (section 15.6.3).  The
    provider's own message is left out, as some repeat a part of the key.
    """
    if failure.status not in {401, 407} and failure.error.kind != "authentication":
        return failure
    error = StreamError(route.error_type("server"), _MESSAGE, kind="server")
    return replace(failure, status=502, error=error)
