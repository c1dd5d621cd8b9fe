"""The official SDK gets the same from the relay as from the provider."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from anthropic import Anthropic, APIStatusError

from tests.relay.e2e.support import House

CASES = {
    "text": {},
    "thinking": {"Sim-Thinking": "0.5"},
    "tool": {"Sim-Tool": "1"},
    "all, a byte at a time": {"Sim-Thinking": "0.5", "Sim-Tool": "1", "Sim-Fault": "split=1"},
}
ASK: dict[str, Any] = {
    "model": "claude-test",
    "max_tokens": 1000,
    "messages": [{"role": "user", "content": "Why is the sky blue?"}],
}


@pytest.mark.parametrize("case", CASES)
def test_the_same_events_and_the_same_final_message(house: House, case: str) -> None:
    assert streamed(house.relay, CASES[case]) == streamed(house.provider, CASES[case])


@pytest.mark.parametrize("case", CASES)
def test_the_same_message_without_streaming(house: House, case: str) -> None:
    assert created(house.relay, CASES[case]) == created(house.provider, CASES[case])


def test_the_same_error(house: House) -> None:
    """Both are called with a fault that no retry mends: status, type and message are the same."""
    assert refused(house.relay, "status=401") == refused(house.provider, "status=401")
    assert refused(house.relay, "status=400") == refused(house.provider, "status=400")


def streamed(base: str, headers: dict[str, str]) -> tuple[list[Any], Any]:
    with client(base) as anthropic, anthropic.messages.stream(**ASK, extra_headers=sim(headers)) as stream:
        events = [nameless(event.model_dump_json()) for event in stream]
        assert len(events) > 50
        return events, nameless(stream.get_final_message().model_dump_json())


def created(base: str, headers: dict[str, str]) -> Any:
    with client(base) as anthropic:
        message = anthropic.messages.create(**ASK, extra_headers=sim(headers))
    return nameless(message.model_dump_json())


def refused(base: str, fault: str) -> tuple[int, Any]:
    with client(base) as anthropic, pytest.raises(APIStatusError) as caught:
        anthropic.messages.create(**ASK, extra_headers=sim({"Sim-Fault": fault}))
    body = caught.value.body
    assert isinstance(body, dict)
    return caught.value.status_code, body["error"]


def client(base: str) -> Anthropic:
    return Anthropic(base_url=base, api_key="no-secret", max_retries=0)


def sim(headers: dict[str, str]) -> dict[str, str]:
    return {"Sim-Tokens": "60", "Sim-Rate": "0", "Sim-TTFT": "0.05", **headers}


def nameless(text: str) -> Any:
    """Without the IDs, which the provider makes anew for each request."""
    return json.loads(re.sub(r'"(msg|toolu|req)_[0-9a-zA-Z]+"', '"ID"', text))
