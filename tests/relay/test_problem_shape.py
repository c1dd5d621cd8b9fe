"""The server's own refusals, as Anthropic's API and its SDKs have errors: byte for byte."""

from __future__ import annotations

import pytest

from sse_core.headers import Headers
from sse_http import Problem, ServerConnection
from sse_relay.routes.anthropic import ROUTE
from tests.relay.support import World


@pytest.mark.parametrize(
    ("kind", "error_type"),
    [
        ("invalid_request", "invalid_request_error"),
        ("authentication", "authentication_error"),
        ("permission", "permission_error"),
        ("misdirected", "misdirected_request_error"),
        ("not_found", "not_found_error"),
        ("timeout", "timeout_error"),
        ("too_large", "request_too_large"),
        ("server", "api_error"),
        ("overloaded", "overloaded_error"),
    ],
)
def test_the_shape(kind: str, error_type: str) -> None:
    reply = ROUTE.problem_reply(Problem(503, kind, 'No "x".', Headers({"retry-after": "1"})))
    error = f'{{"type":"{error_type}","message":"No \\"x\\"."}}'
    assert reply.body.decode() == f'{{"type":"error","error":{error}}}\n'
    assert [*reply.headers] == [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("retry-after", "1"),
    ]
    assert (reply.status, reply.reason) == (503, 'No "x".')


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"rubbish\r\n\r\n", b'"invalid_request_error","message":"The request is not valid HTTP/1.1."'),
        (
            b"GET / HTTP/1.1\r\nhost: evil.example\r\n\r\n",
            b'"misdirected_request_error","mess',
        ),
        (
            b"GET / HTTP/1.1\r\nhost: localhost\r\norigin: null\r\n\r\n",
            b'"permission_error","message":',
        ),
    ],
)
def test_the_relay_has_it_on_all_routes(data: bytes, error: bytes) -> None:
    connection = ServerConnection(World().relay, 0.0)
    connection.receive_data(data, 0.0)
    assert b'{"type":"error","error":{"type":' + error in connection.data_to_send(0.0)
