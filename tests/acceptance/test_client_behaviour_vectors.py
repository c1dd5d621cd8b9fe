"""What other projects' suites, the web platform tests first, expect of a client of event streams.

Each scenario is played to the machines themselves.  Those that the specification settles are played
to an event source by its letter (``BROWSER_RETRY``); the others to one as it comes; those of LLMs'
clients to a turn, or to a source that connects once, as their streams do.  What we do otherwise is in
``client_behaviour_differences.json``, with the reason and with what we do in its place.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sse_core.headers import Headers
from sse_core.lifecycle import BROWSER_RETRY, NO_RETRY, HTTPRequest, RetryPolicy, Upstream
from tests.acceptance.client_script import PORTS, Seen, Server, SourceUser, TurnUser, with_ports

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "client_behaviour.json"

if not VECTORS.exists():
    pytest.skip("shared folder missing: the vectors lie beside the checkout", allow_module_level=True)

SCENARIOS: list[dict[str, Any]] = json.loads(VECTORS.read_text())
DIFFERENCES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("client_behaviour_differences.json").read_text()
)
OURS: dict[str, dict[str, Any]] = {
    scenario["name"]: scenario["ours"] for group in DIFFERENCES for scenario in group["scenarios"]
}

Found = dict[str, Any]


def found_in(scenario: dict[str, Any]) -> Found:
    """What a user finds, under the names that the scenarios give it."""
    if "deltas" in scenario["expected"]:
        return found_by_turns(scenario)
    client = scenario.get("client", {})
    found: Found = {}
    for url in client.get("urls", [url_for(client)]):
        found = found_at(url, scenario)
    return found


def url_for(client: dict[str, Any]) -> str:
    userinfo = f"{client['url_userinfo']}@" if "url_userinfo" in client else ""
    return with_ports(f"http://{userinfo}127.0.0.1:{{PORT}}/")


def found_at(url: str, scenario: dict[str, Any]) -> Found:
    client = scenario.get("client", {})
    request = HTTPRequest(url, headers=Headers(client.get("headers", {})))
    server = Server(scenario["server_script"])
    try:
        user = SourceUser(request, server, client.get("close_on"), retry=retry_for(scenario))
    except ValueError:
        # A browser makes the object and closes it; ours is not even made.
        refused = {"raises": 1, "error": True, "final_state": "CLOSED", "events": [], "requests": 0}
        return {**refused, "steps_left": server.steps_left}
    user.play()
    if (watched := scenario["expected"].get("within_ms")) is not None:
        user.now += watched / 1000
        user.source.handle_timeout(user.now)
        user.play()
    if "response_closed" in scenario["expected"]:
        user.leave()
        user.play()
    return {
        **common(user.seen, server),
        "within_ms": watched,
        "opens": len(user.seen.opened_at),
        "events": user.seen.events,
        "states": user.seen.states,
        "final_state": user.seen.states[-1],
        "error": bool(user.seen.error_states),
        "error_states": user.seen.error_states,
        "origin": user.source.origin,
        "url_property": "unchanged" if user.source.url == url else user.source.url,
        "response_closed": not user.is_open,
    }


def retry_for(scenario: dict[str, Any]) -> RetryPolicy:
    if scenario["status"] != "beyond-spec":
        return BROWSER_RETRY
    return NO_RETRY if scenario["name"].startswith("LLM") else RetryPolicy()


def found_by_turns(scenario: dict[str, Any]) -> Found:
    """One turn after another, each when the one before it has ended.

    Where connections are counted there is one turn more than the script names, if it names
    one only: it shows whether the first one's connection is free for it.
    """
    server, seen, now = Server(scenario["server_script"]), Seen(), 0.0
    retries = scenario.get("client", {}).get("max_retries", 2)
    upstream = Upstream(
        url_for({}), dialect="openai-chat", retry=RetryPolicy(max_attempts=1 + retries, initial_delay=0.0)
    )
    counted = "tcp_connections" in scenario["expected"]
    for _ in range(2 if counted else 1):
        user = TurnUser(upstream.turn({"model": "any", "messages": []}), server, seen, now)
        user.play()
        now = user.now
    found = {**common(seen, server), "deltas": seen.deltas}
    # A request is sent on a connection of its own, whether the script answers it or not.
    return {**found, "tcp_connections": len(seen.request_paths)} if counted else found


def common(seen: Seen, server: Server) -> Found:
    return {
        "steps_left": server.steps_left,
        "requests": len(seen.request_paths),
        "attempts_min": len(seen.request_paths),
        "request_paths": seen.request_paths,
        "raises": seen.raised,
        "reconnect_delay_ms": [delay * 1000 for delay in seen.delays],
        "spacing": [delay * 1000 for delay in seen.delays],
        "open_to_open_ms": [(after - before) * 1000 for before, after in pairwise(seen.opened_at)],
        "post_done_ms_max": (seen.closed_at - seen.said_at) * 1000,
    }


def within(bounds: Any, got: list[float]) -> bool:
    # Where the time is left to us, the specification says "a few seconds".
    lowest, highest = bounds if isinstance(bounds, list) else (1000, 10_000)
    return bool(lowest <= got[0] <= highest)


def as_far_as_asserted(expected: list[dict[str, str]], got: list[dict[str, str]]) -> bool:
    asserted = [{key: event[key] for key in keys} for event, keys in zip(got, expected, strict=False)]
    return len(got) == len(expected) and asserted == expected


def same(expected: Any, got: Any) -> bool:
    return bool(got == expected)


#: How an expectation is met that isn't met by its like.
CHECKS: dict[str, Callable[[Any, Any], bool]] = {
    "attempts_min": lambda least, got: bool(got >= least),
    "events": as_far_as_asserted,
    "open_to_open_ms": within,
    "origin": lambda origin, got: bool(got == with_ports(origin)),
    "post_done_ms_max": lambda most, got: bool(got <= most),
    "raises": lambda error, got: bool(got == (1 if error else 0)),
    "reconnect_delay_ms": within,
    "spacing": lambda _, got: len(got) > 1 and min(got) >= BROWSER_RETRY.initial_delay * 1000,
}


def agrees(name: str, expected: Any, found: Found) -> bool:
    """Whether one expectation of a scenario is met."""
    return CHECKS.get(name, same)(expected, found[name])


def missed(expected: dict[str, Any], found: Found) -> set[str]:
    """The expectations that are not met."""
    return {name for name, value in expected.items() if not agrees(name, value, found)}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario["name"] for scenario in SCENARIOS])
def test_a_client_does_what_others_expect(scenario: dict[str, Any]) -> None:
    ours = OURS.get(scenario["name"], {})
    expected = {"steps_left": 0, **scenario["expected"]}
    found = found_in(scenario)
    assert missed({**expected, **ours}, found) == set(), found
    assert missed(expected, found) == set(ours) & set(expected), "what differs, and nothing else, is listed"


def test_only_what_the_specification_leaves_open_or_settles_otherwise_is_done_otherwise() -> None:
    statuses = {scenario["name"]: scenario["status"] for scenario in SCENARIOS}
    assert {statuses[name] for name in OURS} <= {"beyond-spec", "conflicts"}
    # They take it for a conflict with HTML's "if res's `Content-Type` is not `text/event-stream`"; but HTML
    # means Fetch's "extract a MIME type", by which the last valid one of a list counts.
    read = {"Content-Type list containing text/event-stream is accepted"}
    assert {name for name, status in statuses.items() if status == "conflicts"} - read <= set(OURS)
    assert all(group["reason"] for group in DIFFERENCES)
    assert all(OURS.values())


def test_the_names_are_names_of_one_scenario_each() -> None:
    assert len({scenario["name"] for scenario in SCENARIOS}) == len(SCENARIOS) == 62
    assert all(port not in json.dumps(SCENARIOS) for port in PORTS.values())
