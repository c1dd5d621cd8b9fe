"""What a dialect is: one provider's wire protocol, both ways."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from ..blocks import Message
from ..blocks.events import ErrorKind, MessageCut, StreamError
from ..blocks.stop_reasons import StopReason
from ..blocks.strict_json import JSONObject
from ..blocks.token_counts import TokenCounts
from ..errors import LocalProtocolError
from ..headers import Headers
from .event_codec import EncoderFactory, EventDecoder
from .meanings import MeaningDecoder, Meanings

#: What a request's body has to say to most providers, if the answer is to be a stream.
STREAM = MappingProxyType({"stream": True})
#: Ends that are written even where events are sent on as they came: the provider has not sent them.
OUR_ENDS = (MessageCut, StreamError)

#: How an event fits a dialect by its shape: as none but the dialect's own events do, or as events of any
#: host may.
Fit = Literal["certain", "possible"]


@dataclass(frozen=True, slots=True)
class Credential:
    """Where a request has the key that the provider knows its sender by.

    ``header`` is the name of the header field.  ``scheme`` stands before the key in its value, as
    ``Bearer`` does (RFC 6750 section 2.1); empty where the key stands alone.
    """

    header: str
    scheme: str = ""

    def field(self, key: str) -> tuple[str, str]:
        """The header field that has ``key``: its name and its value."""
        return self.header, f"{self.scheme} {key}" if self.scheme else key


@dataclass(frozen=True, slots=True)
class Dialect:
    """One wire protocol, and all that is its own.

    - ``name``: what it is called, in :func:`sse_core.dialects.get` and as ``Message.dialect``.
    - ``Decoder``, ``Encoder``: make the two directions of one stream, ``Encoder(verbatim=False)``.
    - ``to_response``: makes the provider's own non-streaming response of a message.
    - ``error_response``: makes the body of a non-streaming answer that is an error.
    - ``error_status``: the HTTP status code that goes with an error type.
    - ``parse_error``: reads an answer that is an error, of its status, body and headers.
    - ``request_path``: path and query of the address that a streaming request goes to, below the provider's
      own; ``{model}`` stands for the model's name, where the address has it.
    - ``credential``: where a request has its key; ``None`` where the protocol doesn't say.
    - ``request_fields``: what a request's body has to say if the answer is to be a stream.
    - ``response_headers``: what an answer in this protocol needs beside its content type.
    - ``comments_are_safe``: whether its clients ignore comments, as they should.
    - ``shape``: how an event fits it, by its type (its name, where the data has none) and its data; ``None``
      for an event that doesn't.
    - ``delta``: which events are a delta of text and nothing else, where that shows in their bytes: see
      :func:`sse_core.lifecycle.log.delta_merge.merged`.
    - ``stop_reasons``: what stop reasons of its own mean.
    - ``token_counts``: counts its own usage.
    - ``error_kinds``: what types and codes of its own errors mean.

    The last three are for what its decoder doesn't say itself.  What none of them says is looked up in the
    tables of all hosts' words.
    """

    name: str
    Decoder: Callable[[], EventDecoder]
    Encoder: EncoderFactory
    to_response: Callable[[Message], JSONObject]
    error_response: Callable[[StreamError], JSONObject]
    error_status: Callable[[str], int]
    parse_error: Callable[[int, bytes, Headers], StreamError]
    request_path: str = ""
    credential: Credential | None = None
    request_fields: Mapping[str, object] = field(default_factory=lambda: STREAM)
    response_headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    comments_are_safe: bool = True
    shape: Callable[[str, JSONObject], Fit | None] | None = None
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
