"""What a server says with an answer that is no event stream."""

from __future__ import annotations

from ...charset import text_of
from ...errors import RemoteProtocolError
from ...headers import Headers
from ..event_stream_check import content_coding

#: Bytes of a refusal's body that are read, and kept as its excerpt.
MAX_EXCERPT_BYTES = 4096

_QUOTED = 200  #: characters of it that stand in the error's own text


class ErrorBody:
    """A final answer to an event source, while its body comes.

    ``status`` is the error's: the answer's own, or 502 for one that is not what it should be.
    """

    def __init__(self, message: str, status: int, headers: Headers) -> None:
        self._message = message
        self._status = status
        self._headers = headers
        self._body = b""

    def receive_data(self, data: bytes) -> bool:
        """Take bytes of the body; whether there are as many now as are read."""
        self._body += data[: MAX_EXCERPT_BYTES - len(self._body)]
        return len(self._body) == MAX_EXCERPT_BYTES

    def error(self) -> RemoteProtocolError:
        """The refusal in words, with as much of its body as has come."""
        # Bytes in a content coding are no text, and what they would say is not made up.
        is_text = content_coding(self._headers) is None
        excerpt = text_of(self._body, self._headers).strip() if is_text else ""
        # Escaped, because it ends up in logs and on terminals.
        quoted = f": {ascii(excerpt[:_QUOTED])}" if excerpt else ""
        return RemoteProtocolError(
            f"{self._message}{quoted}", status=self._status, headers=self._headers, excerpt=excerpt
        )
