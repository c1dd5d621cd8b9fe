"""Block events to the events of a UI message stream.

Source: https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ...blocks import strict_json
from ...blocks.events import BlockEvent, MessageCut, MessageReset, Ping, StreamError
from ...blocks.strict_json import JSONObject
from ...errors import LocalProtocolError
from ...framing import ServerSentEvent
from ..fields import json_object
from .chunks import Chunks
from .vocabulary import DONE

#: What the answer's header has to say.  The browser's side knows the protocol by the third; the fourth
#: keeps a proxy from collecting the stream before it sends it on.
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "content-type": "text/event-stream",
        "cache-control": "no-cache",
        "x-vercel-ai-ui-message-stream": "v1",
        "x-accel-buffering": "no",
    }
)
#: What is written even where events are sent on as they came: the other side did not send it.
_OURS = (MessageCut, MessageReset, StreamError)


class Encoder:
    """Block events to the events of a UI message stream.  One for each stream.

    - ``verbatim``: the block events come from a decoder of this dialect; where one has a ``source``, that is
      sent on as it is, and what else was made of it is not sent again.
    - ``max_held_bytes``: bounds what is kept: the arguments of calls until they are sent, and which calls and
      sources there are.
    """

    def __init__(self, *, verbatim: bool = False, max_held_bytes: int = 64 * 2**20) -> None:
        self._verbatim = verbatim
        self._sent_error = False  # as it came: the decoder reports it at the stream's end
        self._chunks = Chunks(began=verbatim, max_held_bytes=max_held_bytes)

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        """The events that stand for ``event``; none for what has no form here, and after the end.

        A ``MessageReset`` takes back everything that was sent of the message but its start, whose id it
        keeps.

        Raises ``LocalProtocolError`` for what is no block event, ``LimitExceeded`` (status 502) beyond
        ``max_held_bytes``.
        """
        if self._verbatim and isinstance(event, BlockEvent):
            if event.source is not None:
                self._sent_error = self._sent_error or _is_error(event)
                return [event.source]
            if self._sent_error and isinstance(event, StreamError):
                return [ServerSentEvent("message", DONE)]  # only the end is missing
            if not isinstance(event, _OURS):
                return []
        chunks = self._chunks.write(event)
        if chunks is None:
            raise LocalProtocolError(f"{type(event).__name__} is no block event")
        events = [_event(chunk) for chunk in chunks]
        return [*events, ServerSentEvent("message", DONE)] if chunks and self._chunks.ended else events


def _is_error(event: BlockEvent) -> bool:
    """Whether what is sent on is an error: the decoder makes nothing else of it at once."""
    source = event.source if isinstance(event, Ping) else None
    return source is not None and json_object(source.data.encode(errors="replace")).get("type") == "error"


def _event(chunk: JSONObject) -> ServerSentEvent:
    return ServerSentEvent("message", strict_json.dumps(chunk))
