"""launchdarkly-eventsource: ``SSEClient`` over a ``ConnectStrategy`` of one's own, as it allows.

The reconnection time is ``next_retry_delay``, in seconds, once the stream has ended: the documentation says
that the initial delay "can be overridden by the stream if the server sends a ``retry:`` line".  The delay
that stands for "not overridden" is one that no vector has.
"""

from __future__ import annotations

from importlib.metadata import version
from logging import Logger

from ld_eventsource import SSEClient
from ld_eventsource.config import ConnectionClient, ConnectionResult, ConnectStrategy, RetryDelayStrategy
from protocol import Run, serve

UNSET = 86_399.0


class Chunks(ConnectStrategy, ConnectionClient):
    """Connects to the run's stream."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def create_client(self, logger: Logger) -> ConnectionClient:
        """Is the client, too: there is one connection."""
        del logger
        return self

    def connect(self, last_event_id: str | None) -> ConnectionResult:
        """The chunks."""
        del last_event_id
        return ConnectionResult(self.run.chunks(), None)


def decode(run: Run) -> None:
    """As its documentation shows it; an error of the stream is raised, and its end is an end."""
    client = SSEClient(
        Chunks(run),
        initial_retry_delay=UNSET,
        retry_delay_strategy=RetryDelayStrategy(),
        last_event_id=run.initial_last_event_id,
    )
    for event in client.events:
        run.event(event.event, event.data, lastEventId=event.last_event_id or "")
    delay = client.next_retry_delay
    run.end(
        lastEventId=client.last_event_id or "",
        reconnectionTime=None if delay == UNSET else round(delay * 1000),
    )


if __name__ == "__main__":
    serve(
        "launchdarkly-eventsource",
        version("launchdarkly-eventsource"),
        ["event.lastEventId", "end.lastEventId", "end.reconnectionTime", "initialLastEventId"],
        decode,
    )
