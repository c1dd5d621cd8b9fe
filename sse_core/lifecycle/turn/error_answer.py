"""What a provider answers when it does not stream: an error, or what no turn can read."""

from __future__ import annotations

from ...blocks import StreamError, strict_json
from ...charset import text_of
from ...dialects import Dialect
from ...headers import Headers
from .failure import Failure

#: Bytes of the body that are read.
MAX_BODY_BYTES = 64 * 1024
#: Characters of a body that a message quotes.
_EXCERPT = 200


class ErrorAnswer:
    """An answer that is no stream, while its body comes.

    - ``status``, ``headers``: its head.
    - ``problem``: what is wrong with the head of an answer whose status is not that of an error; then the
      body may hold one nevertheless.
    """

    def __init__(self, status: int, headers: Headers, problem: str | None = None) -> None:
        self.problem = problem
        self._status = status
        self._headers = headers
        self._body: list[bytes] = []
        self._bytes = 0

    def receive_data(self, data: bytes) -> bool:
        """Take bytes of the body; whether there are as many now as are read."""
        self._body.append(data)
        self._bytes += len(data)
        return self._bytes >= MAX_BODY_BYTES

    def failure(self, dialect: Dialect) -> Failure:
        """What the answer says, as far as it has come."""
        body = b"".join(self._body)[:MAX_BODY_BYTES]
        if self.problem is None:
            error = dialect.parse_error(self._status, body, self._headers)
            return Failure(self._status, error, headers=self._headers)
        if _holds_error(body):
            error = dialect.parse_error(self._status, body, self._headers)
            return Failure(dialect.error_status(error.type), error, headers=self._headers)
        excerpt = text_of(body[: 4 * _EXCERPT], self._headers).strip()[:_EXCERPT]
        quoted = f", which begins with {ascii(excerpt)}" if excerpt else ""
        error = StreamError("api_error", f"The provider {self.problem}{quoted}.", kind="server")
        return Failure(502, error, reason=f"The provider {self.problem}.")


def _holds_error(body: bytes) -> bool:
    """Whether a body is JSON that says that it is an error, in any provider's form."""
    try:
        data = strict_json.loads(body.decode())
    except ValueError:
        return False
    if isinstance(data, list):  # Gemini's, where an array of responses was asked for
        data = data[0] if data else None
    return isinstance(data, dict) and (
        bool(data.get("error")) or "error" in (data.get("type"), data.get("object"))
    )
