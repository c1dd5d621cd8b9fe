"""What a dialect is: one provider's wire protocol, both ways."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ..blocks.events import ErrorKind, MessageCut, StreamError
from ..blocks.model import Message
from ..blocks.stop_reasons import StopReason
from ..blocks.strict_json import JSONObject
from ..blocks.token_counts import TokenCounts
from ..errors import LocalProtocolError
from ..headers import Headers
from .event_codec import EncoderFactory, EventDecoder
from .meanings import MeaningDecoder, Meanings

#: What a request's body has to say to most providers, if the answer is to be a stream.
STREAM = MappingProxyType({"stream": True})
#: Ends that are told of even where events are sent on as they came: the provider has not told of them.
OUR_ENDS = (MessageCut, StreamError)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One wire protocol.

    ``Decoder()`` and ``Encoder(verbatim=False)`` make the two directions of one stream.
    ``to_response(message)`` is the provider's own non-streaming response object.
    ``error_response(error)`` is the body of a non-streaming answer that is an error, and
    ``error_status(type)`` the HTTP status code it goes with.
    ``parse_error(status, body, headers)`` reads an answer that is an error.
    ``request_fields`` is what a request's body has to say if the answer is to be a stream;
    ``response_headers`` is what an answer in this protocol needs beside its content type.
    ``stop_reasons`` says what stop reasons of its own mean, ``token_counts`` counts its own usage, and
    ``error_kinds`` says what types and codes of its own errors mean, each where its decoder doesn't say so
    itself.  What none of them says is looked up in the tables of all hosts' words.
    ``delta`` tells which events are a delta of text and nothing else, where that can be told from their
    bytes: see :func:`sse_core.lifecycle.log.merging.merged`.
    """

    name: str
    Decoder: Callable[[], EventDecoder]
    Encoder: EncoderFactory
    to_response: Callable[[Message], JSONObject]
    error_response: Callable[[StreamError], JSONObject]
    error_status: Callable[[str], int]
    parse_error: Callable[[int, bytes, Headers], StreamError]
    request_fields: Mapping[str, object] = field(default_factory=lambda: STREAM)
    response_headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    delta: re.Pattern[bytes] | None = None
    stop_reasons: Mapping[str, StopReason] = field(default_factory=lambda: MappingProxyType({}))
    token_counts: Callable[[JSONObject], TokenCounts] | None = None
    error_kinds: Mapping[str, ErrorKind] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        meanings = Meanings(self.stop_reasons, self.token_counts, self.error_kinds)
        if meanings:
            make, parse = self.Decoder, self.parse_error
            object.__setattr__(self, "Decoder", lambda: MeaningDecoder(make(), meanings))
            object.__setattr__(self, "parse_error", lambda *answer: meanings.explain(parse(*answer)))


def cannot_take_back(dialect: str) -> LocalProtocolError:
    """What an encoder raises for a ``MessageReset``, if its protocol has no form for one."""
    return LocalProtocolError(
        f"{dialect} can't take back what was sent: use RetryPolicy(after_output='never') for its readers"
    )
