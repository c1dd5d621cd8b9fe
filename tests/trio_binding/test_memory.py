"""A connection that is over holds nothing: its objects go at once, not when the collector happens to run."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import h11
import pytest
import trio

from sse_http import Reply, Request, ServerConnection, ServerSettings
from sse_http.request_body import RequestBody
from sse_http.request_reader import RequestReader
from sse_io.server_pump import ServerPump
from sse_io.transport import Transport
from tests.trio_binding.conftest import Certificates
from tests.trio_binding.support import GET, Feeds, client_of, fetch, serving

OURS = (ServerConnection, RequestReader, RequestBody, ServerPump, Transport, h11.Connection)
HALF = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n" + b"x" * 900_000
REQUESTS = {
    "late": HALF[:1000],
    "refused": HALF.replace(b"1000000", b"9000000"),
    "whole": GET % b"",
}


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def alive() -> Counter[str]:
    return Counter(type(thing).__name__ for thing in gc.get_objects() if type(thing) in OURS)


class Held:
    """What is held beyond what was there before, of other tests."""

    def __init__(self) -> None:
        self._before = alive()

    async def in_the_end(self) -> Counter[str]:
        """What is still held when all had the time to go."""
        for _ in range(100):
            if not alive() - self._before:
                break
            await trio.sleep(0.01)
        return alive() - self._before


async def stream(request: Request) -> AsyncIterator[str]:
    yield request.path
    await trio.sleep_forever()


def ok(request: Request) -> Reply:
    return Reply.json(200, {"path": request.path})


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("served", [Feeds(ok), stream], ids=["application", "handler"])
@pytest.mark.parametrize("end", ["close", "reset", "late", "refused", "whole"])
async def test_nothing_is_held(served: Any, end: str) -> None:
    held = Held()
    settings = ServerSettings(request_timeout=0.05 if end == "late" else 30.0, linger=0.01)
    async with serving(served, settings=settings) as server:
        for _ in range(3):
            request = REQUESTS.get(end, HALF)
            async with client_of(server, request) as client:
                if end == "late":
                    await client.read_until(b"408")
                elif end == "refused":
                    await client.read_until(b"413")
                elif end == "whole":
                    await client.read_until(b"200 OK")
                else:
                    await trio.sleep(0.02)
                if end == "reset":
                    client.reset()
        assert not await held.in_the_end()


@pytest.mark.usefixtures("no_collector")
async def test_nor_over_tls(certificates: Certificates) -> None:
    held = Held()
    async with serving(Feeds(ok), tls=certificates.server) as server:
        tcp = await trio.open_tcp_stream(server.host, server.port)
        client = trio.SSLStream(tcp, certificates.client, server_hostname="localhost")
        async with tcp:
            await client.send_all(HALF)
        assert not await held.in_the_end()


@pytest.mark.usefixtures("no_collector")
async def test_nor_after_many_whole_requests() -> None:
    held = Held()
    async with serving(Feeds(ok)) as server:
        for _ in range(5):
            assert b"200 OK" in await fetch(server)
        assert not await held.in_the_end()
