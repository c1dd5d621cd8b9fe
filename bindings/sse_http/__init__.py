"""HTTP/1.1 for the machines of ``sse_core``: pure, over h11, in both roles.

A binding needs :class:`ServerConnection` for each peer it accepts and :class:`ClientExchange` for
each machine that connects; an application is anything that has the face of :class:`Application`.
"""

from sse_core.urls import Target, parse_url

from .application import (
    Application,
    ChecksHeads,
    Drains,
    Exchange,
    Reply,
    Request,
    Stream,
    StreamHead,
    StreamState,
    Waker,
    no_waker,
)
from .client import ClientExchange
from .endpoint import Endpoint
from .event_stream import EVENT_STREAM_HEADERS, READER_STATES, EventStreamHead
from .forward_proxy import ForwardProxy, Proxies, UnusableProxy
from .guard import LOOPBACK_HOSTS, AllowedPeers, Guard
from .handlers import (
    Comment,
    EncodedEvents,
    EventItem,
    EventStreamReply,
    Follow,
    HandlerAnswer,
    HandlerSettings,
    Retry,
)
from .head_hold import HeadHold
from .http1_connection import ConnectionPhase, ServerConnection
from .new_request import Query, QueryValue, new_request
from .problem import GOING_DOWN, Problem, ShapesProblems, problem_reply
from .refusal import Refusal, Refused
from .request_body import BodyBudget
from .route import Route
from .server_settings import ServerSettings
from .tls import TLS
from .tunnel import Channel, Layers, Tunnel

__all__ = [
    "EVENT_STREAM_HEADERS",
    "GOING_DOWN",
    "LOOPBACK_HOSTS",
    "READER_STATES",
    "TLS",
    "AllowedPeers",
    "Application",
    "BodyBudget",
    "Channel",
    "ChecksHeads",
    "ClientExchange",
    "Comment",
    "ConnectionPhase",
    "Drains",
    "EncodedEvents",
    "Endpoint",
    "EventItem",
    "EventStreamHead",
    "EventStreamReply",
    "Exchange",
    "Follow",
    "ForwardProxy",
    "Guard",
    "HandlerAnswer",
    "HandlerSettings",
    "HeadHold",
    "Layers",
    "Problem",
    "Proxies",
    "Query",
    "QueryValue",
    "Refusal",
    "Refused",
    "Reply",
    "Request",
    "Retry",
    "Route",
    "ServerConnection",
    "ServerSettings",
    "ShapesProblems",
    "Stream",
    "StreamHead",
    "StreamState",
    "Target",
    "Tunnel",
    "UnusableProxy",
    "Waker",
    "new_request",
    "no_waker",
    "parse_url",
    "problem_reply",
]
