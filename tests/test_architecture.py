"""docs/architecture.md says what happens: every call on it is made, one within or after the other."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import FrameType

import pytest
import trio

import sse_trio
from sse_relay.config import RelayConfig
from sse_relay.relay import Relay

ROOT = Path(__file__).parents[1]
PAGES = {name: (ROOT / name).read_text("utf-8") for name in ("docs/architecture.md", "CONTRIBUTING.md")}
CHAINS = [
    re.findall(r"^(\S+\.py) +(\S+) ", block, re.MULTILINE)
    for block in re.findall(r"```calls\n(.*?)```", PAGES["docs/architecture.md"], re.DOTALL)
]
BODY = b'{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"x"}]}'
REQUEST = b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
EVENTS = (
    (
        b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message",'
        b'"role":"assistant","model":"m","content":[],"usage":{}}}\n\n'
    ),
    (
        b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
        b'"content_block":{"type":"text","text":""}}\n\n'
    ),
    (
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
        b'"delta":{"type":"text_delta","text":"Hello"}}\n\n'
    ),
)


async def provide(stream: trio.SocketStream) -> None:
    """A provider of one event after the other, which are answers to nothing but the request's end."""
    received = b""
    while not received.endswith(b"}"):
        received += await stream.receive_some()
    await stream.send_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    for event in EVENTS:
        await stream.send_all(b"%x\r\n%b\r\n" % (len(event), event))
        await trio.sleep(0.01)
    await trio.sleep_forever()


async def read_until(stream: trio.SocketStream, text: bytes) -> None:
    received = b""
    while text not in received:
        received += await stream.receive_some()


async def test_every_call_is_made_in_this_order(nursery: trio.Nursery) -> None:
    made: list[str] = []

    def note(frame: FrameType, event: str, argument: object) -> None:  # noqa: ARG001  (the interpreter calls it)
        if event == "call" and "/sse_" in frame.f_code.co_filename:
            made.append(f"{frame.f_code.co_filename} {frame.f_code.co_qualname}")

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, provide, listeners)
    upstream = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
    relay = Relay(RelayConfig(upstream=upstream), new_id=lambda: "a-turn-of-this-test")
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        port: int = await nursery.start(sse_trio.serve, relay)
        async with await trio.open_tcp_stream("127.0.0.1", port) as client:
            await client.send_all(REQUEST)
            await read_until(client, b"Hello")
    finally:
        sys.setprofile(before)
    assert len(CHAINS) == 4
    for chain in CHAINS:
        rest = iter(made)
        for file, name in chain:
            assert any(call.endswith(f"/{file} {name}") for call in rest), f"{name} in {file}"
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("page", PAGES)
def test_every_file_it_points_to_exists(page: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", PAGES[page])
    missing = [
        target
        for target in targets
        if "://" not in target and not (ROOT / page).parent.joinpath(target).exists()
    ]
    assert targets
    assert not missing
