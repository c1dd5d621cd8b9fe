"""What a dialect is: one provider's wire protocol, both ways."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from ..blocks.events import BlockEvent, MessageCut, StreamError
from ..blocks.model import Message
from ..blocks.strict_json import JSONObject
from ..errors import LocalProtocolError
from ..framing import ServerSentEvent
from ..headers import Headers

#: What a request's body has to say to most providers, if the answer is to be a stream.
STREAM = MappingProxyType({"stream": True})
#: Ends that are told of even where events are sent on as they came: the provider has not told of them.
OUR_ENDS = (MessageCut, StreamError)


class EventDecoder(Protocol):
    """Makes block events of one stream's events."""

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        """The block events that ``sse`` stands for.  Events after the message's end give none.

        Raises ``RemoteProtocolError`` for an event that the protocol has no room for.
        """

    def receive_eof(self) -> list[BlockEvent]:
        """The stream has ended: if the message had not, the events of its end.

        That is a ``MessageCut``, or a ``MessageStop`` where the protocol says that the message is whole.
        """


class EventEncoder(Protocol):
    """Makes one stream's events of block events."""

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        """The events that stand for ``event``."""


class EncoderFactory(Protocol):
    """Makes an encoder.

    ``verbatim``: the events come from a decoder of the same dialect, so their ``source`` is sent
    on unchanged where they have one.
    """

    def __call__(self, *, verbatim: bool = False) -> EventEncoder:
        """A new encoder."""


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
    ``delta`` tells which events are a delta of text and nothing else, where that can be told from their
    bytes: see :func:`sse_core.lifecycle.merging.merged`.
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


def cannot_take_back(dialect: str) -> LocalProtocolError:
    """What an encoder raises for a ``MessageReset``, if its protocol has no form for one."""
    return LocalProtocolError(
        f"{dialect} can't take back what was sent: use RetryPolicy(after_output='never') for its readers"
    )
