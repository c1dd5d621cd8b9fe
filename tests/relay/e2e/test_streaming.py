"""Events come one by one, at the provider's pace, with the right head."""

from __future__ import annotations

import re
import statistics
import time
from contextlib import closing
from itertools import pairwise

from tests.relay.e2e.support import House


def test_the_gaps_follow_the_providers_rate(house: House) -> None:
    with closing(house.ask(Sim_Tokens="40", Sim_Rate="40", Sim_TTFT="0.1")) as answer:
        moments = [moment for moment, _ in answer.visible()]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert len(moments) == 40
    # The provider sends one each 25 ms; a relay that holds back would make one gap of them all.
    assert 0.015 < statistics.median(gaps) < 0.035
    assert sum(gap > 0.005 for gap in gaps) > 35


def test_the_first_content_comes_within_50_ms_of_the_providers(house: House) -> None:
    def first_content(base: str) -> float:
        began = time.monotonic()
        with closing(house.ask(base=base, Sim_Tokens="3", Sim_Rate="100", Sim_TTFT="0.2")) as answer:
            return next(moment for moment, _ in answer.visible()) - began

    differences = [first_content(house.relay) - first_content(house.provider) for _ in range(5)]
    assert statistics.median(differences) < 0.05


def test_the_head_says_what_proxies_must_know(house: House) -> None:
    with closing(house.ask(Sim_Tokens="1", Sim_TTFT="0")) as answer:
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache, no-transform"
        assert answer.headers["x-accel-buffering"] == "no"
        assert answer.headers["turn-id"]


def test_every_turn_has_one_log_line(house: House) -> None:
    with closing(house.ask(Sim_Tokens="20", Sim_Rate="100", Sim_TTFT="0.1")) as answer:
        turn_id = answer.headers["turn-id"]
        list(answer.events())
    line = house.program.wait_for_log(f"INFO .*turn={turn_id}")
    assert "outcome=completed" in line
    assert "tokens=20" in line
    assert "ttft=0.1" in line
    assert re.search(r"tpot=0\.0(09|1)", line)


def test_a_tools_arguments_are_parsed_once_and_the_log_says_so(house: House) -> None:
    with closing(house.ask(Sim_Tokens="2", Sim_Rate="0", Sim_TTFT="0", Sim_Tool="1")) as answer:
        turn_id = answer.headers["turn-id"]
        events = list(answer.events())
    assert sum('"input_json_delta"' in event.data for event in events) > 5
    house.program.wait_for_log(f"DEBUG .*turn={turn_id} .*parsed once at content_block_stop.*complete")
    assert sum(f"turn={turn_id} tool=" in line for line in house.program.log) == 1
