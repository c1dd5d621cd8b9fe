"""All scenarios."""

from __future__ import annotations

from itertools import chain

from ..client_scenario import ClientScenario
from ..server_scenario import ServerScenario
from . import (
    answers,
    application_errors,
    arguments,
    compressed,
    connections,
    deadlines,
    draining,
    end_of_serving,
    failing,
    handler_closing,
    handlers,
    headers,
    kernel,
    memory,
    odd_exceptions,
    posting,
    proxies,
    readers,
    reconnecting,
    redirects,
    requests,
    serving,
    stopping_turns,
    tls_clients,
    tls_servers,
    turns,
    unix_sockets,
    upstreams,
)

CLIENT_SCENARIOS: list[ClientScenario] = [
    *chain(
        reconnecting.SCENARIOS,
        posting.SCENARIOS,
        answers.SCENARIOS,
        compressed.SCENARIOS,
        headers.SCENARIOS,
        redirects.SCENARIOS,
        requests.SCENARIOS,
        deadlines.SCENARIOS,
        failing.SCENARIOS,
        tls_clients.SCENARIOS,
        unix_sockets.SCENARIOS,
        proxies.SCENARIOS,
        turns.SCENARIOS,
        stopping_turns.SCENARIOS,
        handlers.CLIENT_SCENARIOS,
    )
]
SERVER_SCENARIOS: list[ServerScenario] = [
    *chain(
        serving.SCENARIOS,
        connections.SCENARIOS,
        application_errors.SCENARIOS,
        readers.SCENARIOS,
        kernel.SCENARIOS,
        handlers.SCENARIOS,
        handler_closing.SCENARIOS,
        odd_exceptions.SCENARIOS,
        end_of_serving.SCENARIOS,
        draining.SCENARIOS,
        tls_servers.SCENARIOS,
        unix_sockets.SERVER_SCENARIOS,
        upstreams.SCENARIOS,
        memory.SCENARIOS,
        arguments.SCENARIOS,
    )
]
