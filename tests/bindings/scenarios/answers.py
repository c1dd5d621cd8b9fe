"""What ``connect`` shows of an answer, and of a refusal."""

from __future__ import annotations

import gzip
import json
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from sse_core import encode_event
from sse_core.errors import LimitExceeded, RemoteProtocolError, TransportError
from sse_core.lifecycle import NO_RETRY, SourceDeadlines
from sse_http import Reply

from ..applications import Feeds, Served, provider
from ..client_scenario import BODY, ClientScenario, Connect, Error
from ..client_steps import Pause, Stage, Take, TakeUntil
from ..peers import Act, Head, Send, Silence, answer, scripted, unfinished
from .reconnecting import AT_ONCE

STREAMED = json.dumps({**BODY, "stream": True}).encode()
KEY_EXPIRED = b'{"error":"key expired!"}'


def refused(name: str, *acts: Act, error: Error, **options: object) -> ClientScenario:
    """A server whose answer is no stream: nothing is tried again."""
    return ClientScenario(
        name=name,
        peers={"server": scripted(Head(), *acts)},
        calls=[
            Connect(
                options={"retry": AT_ONCE, **options},
                do=[Take(1)],
                errors=[error],
                stream={"reconnects": 0},
                seconds=(0, 1.5),
            )
        ],
        connections=(1, 1),
    )


def remote(status: int, words: str, **attributes: object) -> Error:
    return Error(RemoteProtocolError, words, {"status": status, **attributes})


def has_session(stage: Stage) -> None:
    assert stage.stream.response_headers.get("mcp-session-id") == "s1"


def has_request_id(stage: Stage) -> None:
    [error] = stage.errors
    assert isinstance(error, RemoteProtocolError)
    assert error.headers.get("x-request-id") == "r1"


def at_its_rate(stage: Stage) -> None:
    arrived = [
        when
        for when, event in zip(stage.arrived, stage.events, strict=True)
        if event.type == "content_block_delta"
    ]
    assert len(arrived) == 20
    assert arrived[-1] - arrived[0] == pytest.approx(0.19, abs=0.1)
    gaps = [later - earlier for earlier, later in pairwise(arrived)]
    assert sum(gap > 0.003 for gap in gaps) >= 12, "most come on their own, not in heaps"


def is_the_last(event: Any) -> bool:
    return bool(event.type == "message_stop")


SCENARIOS = [
    *(
        ClientScenario(
            name=f"a provider's tokens come at its rate{' over TLS' if tls else ''}",
            peers={"server": Served(partial(provider, rate=100), tls=tls)},
            calls=[
                Connect(
                    url="{server}v1/messages",
                    options={"method": "POST", "body": STREAMED},
                    trust=trust,
                    do=[TakeUntil(is_the_last)],
                    check=at_its_rate,
                )
            ],
        )
        for tls, trust in ((None, None), ("server", "client"))
    ),
    refused("401", answer(b"{}", "401 Unauthorized"), error=remote(401, "status 401")),
    refused("301 without a place", answer(b"", "301 Moved Permanently"), error=remote(301, "status 301")),
    refused("a page", answer(b"<html>", content_type="text/html"), error=remote(502, "text/html")),
    refused(
        "a compressed refusal is decoded",
        answer(gzip.compress(KEY_EXPIRED), "401 Unauthorized", content_encoding="gzip"),
        error=remote(401, "key expired!", excerpt=KEY_EXPIRED.decode()),
    ),
    refused(
        "a refusal whose body never ends",
        unfinished(b"no", "403 Forbidden"),
        Silence(),
        error=remote(403, "403: 'no'"),
        deadlines=SourceDeadlines(refusal=0.05),
    ),
    ClientScenario(
        name="why it was refused, and the fields beside it",
        peers={
            "server": scripted(
                Head(), answer(KEY_EXPIRED, "401 Unauthorized", "application/json", x_request_id="r1")
            )
        },
        calls=[
            Connect(
                do=[Take(1)],
                errors=[remote(401, "status 401: .*key expired!", excerpt=KEY_EXPIRED.decode())],
                check=has_request_id,
            )
        ],
    ),
    ClientScenario(
        name="JSON from an address of IPv6",
        peers={"server": Served(lambda _: Feeds(lambda _: Reply.json(200, {})), options={"host": "::1"})},
        calls=[Connect(do=[Take(1)], errors=[Error(RemoteProtocolError, "application/json")])],
    ),
    ClientScenario(
        name="a server that does not speak HTTP",
        peers={"server": scripted(Send(b"220 mail.example.org ESMTP\r\n"), Silence())},
        calls=[Connect(options={"retry": NO_RETRY}, do=[Take(1)], errors=[Error(TransportError)])],
        left_within=1.0,
    ),
    ClientScenario(
        name="the status and the fields of what was accepted",
        peers={"server": scripted(Head(), answer(encode_event("x"), mcp_session_id="s1"))},
        calls=[
            Connect(do=[Pause(0.0)], stream={"status": None}),
            Connect(do=[Take(1)], stream={"status": 200}, check=has_session),
        ],
    ),
    ClientScenario(
        name="comments come in their place",
        peers={"server": scripted(Head(), answer(b": hello\ndata: 1\n\n: between\n\ndata: 2\n\n: behind\n"))},
        calls=[Connect(options={"retry": NO_RETRY}, trace=[": hello", "1", ": between", "2", ": behind"])],
    ),
    *(
        ClientScenario(
            name=f"the bounds are yours: {limit}",
            peers={"server": scripted(Head(), answer(b"data: " + b"x" * 200 + b"\n\n"))},
            calls=[
                Connect(
                    options={limit: 100}, do=[Take(1)], errors=[Error(LimitExceeded, limit, {"bound": 100})]
                )
            ],
        )
        for limit in ("max_line_bytes", "max_event_bytes")
    ),
]
