"""What a stream's harness is told: messages, numbered from 1, each posted by itself."""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import threading
from typing import Any
from urllib.parse import urlsplit

#: Seconds for one of them.
TIMEOUT = 10.0


class Callbacks:
    """Posts messages to a URL, in their order, on a thread of its own: a comment can't wait for an event."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._messages: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._post_all, name="callbacks", daemon=True)
        self._thread.start()

    def send(self, kind: str, **fields: Any) -> None:
        """Post a message of this ``kind``, from any thread."""
        self._messages.put({"kind": kind, **fields})

    def close(self) -> None:
        """Post nothing that comes after this."""
        self._messages.put(None)

    def join(self) -> None:
        """Wait until all is posted."""
        self._thread.join(TIMEOUT)

    def _post_all(self) -> None:
        connection = http.client.HTTPConnection(self._url.netloc, timeout=TIMEOUT)
        number = 0
        while (message := self._messages.get()) is not None:
            number += 1
            # A harness that has gone wants no more of them.
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._post(connection, number, message)
        connection.close()

    def _post(self, connection: http.client.HTTPConnection, number: int, message: dict[str, Any]) -> None:
        body = json.dumps(message).encode()
        connection.request("POST", f"{self._url.path}/{number}", body, {"Content-Type": "application/json"})
        connection.getresponse().read()
