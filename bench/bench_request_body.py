"""What one client's body costs everybody else: reading it beside ``json.loads``, and the silence of a stream.

Bodies of 32 MiB, the most that the relay takes, each made of another thing that is dear to read.  For each:
milliseconds for ``json.loads`` of it without the collector; milliseconds for all that the relay does before
it asks the provider (counting, decoding, reading, hashing, and ``"stream": true`` put into it), or until it
refuses; and the ratio of the two.  CPU time, the best of three.

``--silence`` also runs ``sse-relay serve``, reads a stream of 100 events a second through it, and posts
each body beside it: the longest time between two reads of the stream, in milliseconds.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import select
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sse_core.headers import Headers
from sse_http import Request
from sse_relay.config import RelayConfig
from sse_relay.turn_request import BadRequest, read_turn_request

SIZE = 32 * 2**20
CONFIG = RelayConfig("http://localhost")
(ROUTE,) = CONFIG.routes
ITEMS = CONFIG.json_bounds.max_json_items
ESCAPES = CONFIG.json_bounds.max_json_escapes
BEGINNING = (
    b'data: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m",'
    b'"content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}\n\n'
    b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
)
DELTA = b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}\n\n'
PROGRAM = Path(sys.executable).with_name("sse-relay")


def text_of(unit: str) -> bytes:
    """A body that is one long string."""
    encoded = unit.encode()
    return b'{"text":"' + encoded * ((SIZE - 20) // len(encoded)) + b'"}'


def list_of(unit: str, count: int | None = None) -> bytes:
    """A body with a list of ``unit``, of the full size, or of ``count`` and an image beside it."""
    encoded = unit.encode()
    if count is None:
        return b'{"list":[' + b",".join([encoded] * ((SIZE - 20) // (len(encoded) + 1))) + b"]}"
    return beside_an_image(b'"list":[' + b",".join([encoded] * count) + b"]")


def beside_an_image(members: bytes) -> bytes:
    """A body with ``members`` and an image, together of the full size."""
    image = b"iVBORw0KGgo/AAAA" * ((SIZE - len(members) - 30) // 16)
    return b'{"image":"' + image + b'",' + members + b"}"


def keys(count: int) -> bytes:
    """Members of different names, so many."""
    return b",".join(b'"name %d":%d' % (number, number) for number in range(count))


BODIES: dict[str, Callable[[], bytes]] = {
    "one image": lambda: text_of("iVBORw0KGgo/AAAA"),
    "prose": lambda: text_of(r"The quick, brown fox \"jumps\" over the [lazy] dog.\n"),
    "Chinese": lambda: text_of("\u4e2d\u6587"),
    "emoji": lambda: text_of("a\U0001f600"),
    "empty objects": lambda: list_of("{}"),
    "arrays 90 deep": lambda: list_of("[" * 90 + "]" * 90),
    "short strings": lambda: list_of('"ab"'),
    "names": lambda: b"{" + keys(1_400_000) + b"}",
    "escapes": lambda: text_of(r"\n"),
    "escaped backslashes": lambda: text_of(r"\\"),
    "a million digits": lambda: list_of("7" * 1_000_000),
    "4,300 digits": lambda: list_of("7" * 4_300),
    "a long fraction": lambda: b'{"number":0.' + b"7" * (SIZE - 20) + b"}",
    "white space": lambda: b"{" + b" " * (SIZE - 2) + b"}",
    "nested without end": lambda: b'{"a":' + b"[" * (SIZE - 10),
    "not UTF-8": lambda: text_of("\u00fc")[:-3] + b"\xff" + b'"}',
    # As much as is let through.
    "objects, at the bound": lambda: list_of("{}", ITEMS // 2 - 4),
    "arrays 90 deep, at the bound": lambda: list_of("[" * 90 + "]" * 90, ITEMS // 91 - 4),
    "short strings, at the bound": lambda: list_of('"ab"', ITEMS - 8),
    "names, at the bound": lambda: beside_an_image(b'"o":{' + keys(ITEMS // 2 - 4) + b"}"),
    "members, at the bound": lambda: beside_an_image(keys(ITEMS // 2 - 4)),
    "duplicates, at the bound": lambda: list_of('{"stream":1,"stream":2}', ITEMS // 5 - 4),
    "escapes, at the bound": lambda: beside_an_image(b'"t":"' + rb"\n" * ESCAPES + b'"'),
    "escaped marks, at the bound": lambda: beside_an_image(b'"t":"' + rb"\"" * (ESCAPES - 4) + rb'\\"'),
}


def milliseconds(work: Callable[[], object]) -> float:
    """CPU time of the best of three."""
    times = []
    for _ in range(3):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times) * 1000


def loads(body: bytes) -> None:
    """The floor, as far as it comes."""
    with contextlib.suppress(ValueError, RecursionError):
        json.loads(body)


def ask(body: bytes) -> str:
    """What the relay does; what became of it."""
    try:
        read_turn_request(Request("POST", ROUTE.path, "", Headers(), body), ROUTE, CONFIG)
    except BadRequest as error:
        return str(error).rpartition("beyond ")[2].rstrip(".")[:40]
    return "taken"


class Provider(socketserver.BaseRequestHandler):
    """Answers any request with a stream of 100 events a second; of a body it reads nothing twice."""

    def handle(self) -> None:
        """Throw away what comes, and write."""
        threading.Thread(target=self._throw_away, daemon=True).start()
        self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + BEGINNING)
        with contextlib.suppress(OSError):
            while True:
                self.request.sendall(DELTA)
                time.sleep(0.01)

    def _throw_away(self) -> None:
        with contextlib.suppress(OSError):
            while self.request.recv(2**20):
                pass


class Stream:
    """A reader of a stream of the relay, in a thread: the longest time between two reads."""

    def __init__(self, port: int) -> None:
        self._longest = 0.0
        self._connection = post(port, b'{"stream":true}')
        threading.Thread(target=self._read, daemon=True).start()
        time.sleep(1)

    def _read(self) -> None:
        last = time.monotonic()
        while self._connection.recv(65536):
            now = time.monotonic()
            self._longest, last = max(self._longest, now - last), now

    def longest(self) -> float:
        """Milliseconds, since the last call."""
        time.sleep(0.3)
        longest, self._longest = self._longest, 0.0
        return longest * 1000


def post(port: int, body: bytes) -> socket.socket:
    """Send a question; the answer is left to the caller."""
    head = f"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(head.encode() + body)
    return connection


@contextlib.contextmanager
def relay(upstream: int) -> Iterator[int]:
    """A relay on a free port, which is given."""
    arguments = ["serve", "--upstream", f"http://127.0.0.1:{upstream}", "--port", "0"]
    running = subprocess.Popen(  # noqa: S603  (this project's own)
        [PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield int((running.stdout or sys.stdin).readline().rstrip("/\n").rpartition(":")[2])
    finally:
        running.terminate()
        running.wait()


@contextlib.contextmanager
def stream() -> Iterator[Callable[[bytes | None], float]]:
    """How long a stream is silent while a body is posted, or none."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Provider) as provider:
        provider.daemon_threads = True
        threading.Thread(target=provider.serve_forever, daemon=True).start()
        with relay(provider.server_address[1]) as port:
            reader = Stream(port)

            def silence(body: bytes | None) -> float:
                reader.longest()
                if body is not None:
                    connection = post(port, body)
                    select.select([connection], [], [], 3.0)
                    connection.close()
                return reader.longest()

            yield silence
        provider.shutdown()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--silence", action="store_true", help="also run the relay, and read a stream")
    parser.add_argument("--only", default="", help="bodies whose names have this in them")
    arguments = parser.parse_args()
    gc.disable()
    print(f"Python {sys.version.split()[0]}, {SIZE // 2**20} MiB; milliseconds")
    with stream() if arguments.silence else contextlib.nullcontext() as silence:
        print(f"{'':<31}{'json.loads':>11}{'relay':>8}{'ratio':>7}{'silence':>9}")
        if silence:
            print(f"{'no body':<57}{silence(None):9.0f}")
        for name, make in BODIES.items():
            if arguments.only in name:
                body = make()
                floor, ours = milliseconds(lambda: loads(body)), milliseconds(lambda: ask(body))  # noqa: B023
                shown = f"{silence(body):9.0f}" if silence else " " * 9
                print(
                    f"{name:<31}{floor:11.0f}{ours:8.0f}{ours / floor:7.2f}{shown}  {ask(body)}", flush=True
                )


if __name__ == "__main__":
    main()
