"""How a protocol writes its errors, as data, and what all protocols read and write alike.

The providers' errors have the same parts in other words: a type, a code, a message, sometimes how long to
wait.  An :class:`ErrorVocabulary` has a protocol's words; how the object around them looks is the dialect's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ..blocks.events import ErrorKind, MessageCut, StreamError
from ..blocks.strict_json import JSONObject
from ..headers import Headers
from .cuts import CUTS, TYPES_OF_CUTS
from .error_body import error_in, message_of
from .fields import rest, take
from .provider_errors import (
    BESIDE,
    UNKNOWN_TYPE,
    beside,
    error_without_object,
    heed_headers,
    is_known,
    kind_of,
    may_pass,
    status_in,
    type_in,
)
from .retry_delay import take_delay

#: The answer to nobody: an error within a stream has no headers of its own.
NO_HEADERS = Headers()
#: The HTTP status code of an error that nobody knows.
_UNKNOWN_STATUS = 500


@dataclass(frozen=True, slots=True)
class ErrorVocabulary:
    """The words of one protocol's errors.

    - ``statuses``: its types, and the HTTP status code of each.
    - ``types``: its types by the HTTP status code, for an error that says no more than that.
    - ``client_error``, ``server_error``: its types of any other status, below 500 and from there on.
    - ``kinds``: the type for each kind of error, and a code where the type is not enough.
    - ``read_error``: reads an error's object, with the status and the headers of the answer that it came in.
    - ``write_error``: writes the object that ``read_error`` reads.
    - ``request_id``: the header of an answer that has the request's id.
    - ``type_field``: the field of an error's object that has the type.
    """

    statuses: Mapping[str, int]
    types: Mapping[int, str]
    client_error: str
    server_error: str
    kinds: Mapping[ErrorKind, tuple[str, str | None]]
    read_error: Callable[[JSONObject, int, Headers], StreamError]
    write_error: Callable[[StreamError], JSONObject]
    request_id: str = "x-request-id"
    type_field: str = "type"

    def status_of(self, error_type: str) -> int:
        """The HTTP status code of an error type, of another protocol's too; 500 for one that is not known."""
        if error_type in TYPES_OF_CUTS:
            return TYPES_OF_CUTS[error_type][0]
        own = (
            error_type if error_type in self.statuses else self.kinds.get(kind_of(error_type), ("", None))[0]
        )
        return self.statuses.get(own, _UNKNOWN_STATUS)

    def type_of(self, status: int) -> str:
        """The type of an error that says no more than this status; without one, it says nothing."""
        if status == 0:
            return UNKNOWN_TYPE
        usual = self.client_error if 400 <= status < 500 else self.server_error
        return self.types.get(status, usual)

    def response(self, error: StreamError) -> JSONObject:
        """The body of an HTTP answer that is this error."""
        return rest(self.write_error(self.in_own_words(error)), "outcome")

    def parse(self, status: int, body: bytes, headers: Headers) -> StreamError:
        """What an HTTP answer with a status other than 200 says.

        The words are the body's, whatever form it has (``error_body``).  What it leaves out follows from
        ``status``.  ``retryable`` is what the header ``x-should-retry`` says, else what a known code or type
        says, else what the status says.
        """
        data = error_in(body, headers)
        known = self.read_error(data, status, headers) if data else None
        error = known or error_without_object(status, self.type_of(status))
        heed_headers(error, headers, request_id=self.request_id)
        return error

    def read(
        self,
        error: JSONObject,
        around: JSONObject,
        status: int,
        headers: Headers,
        *,
        delay: float | None = None,
    ) -> StreamError:
        """An error's object as a block event; its text is bounded.

        - ``around``: what stands beside the object, and is kept.
        - ``status``: the answer's HTTP status code, or 0.
        - ``delay``: how long it asks to wait, in seconds, where the protocol has a form of its own for that.

        An error is never refused for its form.  One that has no type is named by its code, else by its
        status; where nothing says what it means, it is unknown, and nothing says that a retry may help.
        A code says more than a type.  One that is a number is no text, and stays in ``extra``.
        """
        extra = {**rest(error, self.type_field, "message"), **around}
        status = status or status_in(error)
        type_ = type_in(error, self.type_field)
        other = take_delay(extra, headers)
        delay = other if delay is None else delay
        code = take(extra, "code", str, None)
        return StreamError(
            self.type_of(status) if type_ is None else type_,
            message_of(error),
            code=code,
            kind=kind_of(code, type_, status=status),
            retryable=take(extra, "retryable", bool, may_pass(code, type_, status=status, delay=delay)),
            retry_after=delay,
            extra=extra,
        )

    def in_own_words(self, error: StreamError, *, translated: bool = False) -> StreamError:
        """``error``, or what this protocol says in its place where it is in another one's words.

        A type that nobody knows may be a new one of its own.

        - ``translated``: the message is known to come in another protocol; then its code and extra fields
          stay behind.
        """
        is_own = error.type in self.statuses or error.type in TYPES_OF_CUTS
        if not translated and (is_own or not is_known(error.type)):
            return error
        type_, code = error.type, None
        if not is_own or error.kind not in {"unknown", kind_of(error.type)}:
            kind = kind_of(error.code, error.type) if error.kind == "unknown" else error.kind
            type_, code = self.kinds.get(kind, (error.type, None))
        return replace(error, type=type_, code=code, extra=beside(error.extra))

    def cut(self, cut: MessageCut) -> JSONObject:
        """The object that reports a cut.

        A stream that just ended would look complete: the providers' clients take a bare end for the end of
        the message, and raise on an error.
        """
        type_, message = CUTS[cut.completeness]
        error = StreamError(type_, message, kind="cut", retryable=TYPES_OF_CUTS[type_][1])
        return {**self.write_error(error), "outcome": cut.completeness}


def error_event(error: StreamError, data: JSONObject, *own: str) -> JSONObject:
    """The object that reports ``error``.

    - ``data``: the error's own object.  It gets the extra fields but ``own``, which it has itself, and
      ``retryable`` where nothing else says it.

    ``outcome`` is our own field: what became of the message.
    """
    data.update(rest(error.extra, *BESIDE, *own))
    if error.retryable != may_pass(error.code, error.type, status=status_in(data), delay=error.retry_after):
        data["retryable"] = error.retryable
    return {"error": data, "outcome": "failed", **beside(error.extra)}
