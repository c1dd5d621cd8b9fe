"""What the simulated provider sends, and when."""

from __future__ import annotations

import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import EventStreamDecoder
from sse_http.application import StreamHead, StreamState
from tests.relay.provider.support import (
    QUESTION,
    Event,
    Sim,
    add_up,
    deltas,
    events,
    read,
    timed_events,
)

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures" / "anthropic"


def types(received: list[Event]) -> list[str]:
    """The types of the events, a run of deltas as one."""
    names = [event["type"] for event in received]
    return [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]


def first_time(timed: list[tuple[float, Event]], kind: str) -> float:
    """When the first delta of a kind came."""
    return next(at for at, event in timed if kind in event.get("delta", {}))


class TestShape:
    def test_a_text(self) -> None:
        received = events(Sim().stream("Tokens: 5"))
        assert types(received) == [
            "message_start",
            "content_block_start",
            "ping",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
        assert len(deltas(received, "text")) == 5
        message = add_up(received)
        assert message["model"] == "claude-sim"
        assert message["stop_reason"] == "end_turn"
        assert message["usage"]["output_tokens"] == 5
        assert [block["type"] for block in message["content"]] == ["text"]

    def test_thinking_text_and_a_tool(self) -> None:
        received = events(Sim().stream("Tokens: 5; Thinking: 1; Tool: 1"))
        message = add_up(received)
        assert [block["type"] for block in message["content"]] == ["thinking", "text", "tool_use"]
        assert message["stop_reason"] == "tool_use"
        assert [event["type"] for event in received].count("ping") == 1
        starts = [event["index"] for event in received if event["type"] == "content_block_start"]
        stops = [event["index"] for event in received if event["type"] == "content_block_stop"]
        assert starts == stops == [0, 1, 2]
        made = sum(len(deltas(received, kind)) for kind in ("text", "thinking", "partial_json"))
        assert message["usage"]["output_tokens"] == made - 1  # the tool's first fragment is empty

    @pytest.mark.parametrize(
        ("sim", "kinds"),
        [
            ("Tokens: 0", []),
            ("Tokens: 0; Tool: 1", ["tool_use"]),
            ("Tokens: 0; Thinking: 1", ["thinking"]),
            ("Tokens: 1", ["text"]),
        ],
    )
    def test_whatever_is_not_requested_is_not_there(self, sim: str, kinds: list[str]) -> None:
        received = events(Sim().stream(sim))
        assert [block["type"] for block in add_up(received)["content"]] == kinds
        assert received[-1] == {"type": "message_stop"}

    def test_the_signature_comes_once_just_before_the_block_stops(self) -> None:
        received = events(Sim().stream("Tokens: 1; Thinking: 1"))
        signed = [n for n, event in enumerate(received) if "signature" in event.get("delta", {})]
        assert len(signed) == 1
        assert received[signed[0] + 1] == {"type": "content_block_stop", "index": 0}
        assert len(deltas(received, "signature")[0]) > 40

    def test_tool_arguments_are_cut_in_the_middle_of_things(self) -> None:
        received = events(Sim().stream("Tokens: 1; Tool: 1"))
        fragments = deltas(received, "partial_json")
        assert fragments[0] == ""
        assert all(3 <= len(fragment) <= 12 for fragment in fragments[1:-1])
        text = "".join(fragments)
        assert 120 <= len(text) <= 240
        arguments = json.loads(text)
        assert arguments["location"] == 'München, "Altstadt"'
        assert "\t" in arguments["note"]
        assert "🌦" in arguments["note"]
        assert r"\ud83c\udf26" in text  # a pair of escapes, cut between two fragments:
        assert not any(r"\ud83c\udf26" in fragment for fragment in fragments)
        assert not text.isascii()

    def test_the_tool_is_the_first_of_the_request(self) -> None:
        tools = [{"type": "mcp_toolset"}, {"name": "no such name!"}, {"name": "search"}, {"name": "other"}]
        block = add_up(events(Sim().stream("Tokens: 1; Tool: 1", tools=tools)))["content"][1]
        assert block["name"] == "search"
        assert block["id"].startswith("toolu_")

    @pytest.mark.parametrize("tools", [None, [], "nonsense", [3], [{"name": 3}]])
    def test_without_a_tool_in_the_request_it_is_a_usual_one(self, tools: Any) -> None:
        block = add_up(events(Sim().stream("Tokens: 1; Tool: 1", tools=tools)))["content"][1]
        assert block["name"] == "get_weather"

    @pytest.mark.parametrize("content", [[{"type": "tool_result", "tool_use_id": "t"}], ["no block"]])
    def test_a_call_that_has_its_result_is_not_made_again(self, content: Any) -> None:
        messages = [{"role": "user", "content": content}]
        message = add_up(events(Sim().stream("Tokens: 1; Tool: 1", messages=messages)))
        called = content == ["no block"]
        assert message["stop_reason"] == ("tool_use" if called else "end_turn")
        assert [block["type"] for block in message["content"]] == ["text", *(["tool_use"] if called else [])]

    def test_max_tokens_cuts_the_text_and_no_tool_follows(self) -> None:
        message = add_up(events(Sim().stream("Tokens: 50; Tool: 1", max_tokens=20)))
        assert message["stop_reason"] == "max_tokens"
        assert message["usage"]["output_tokens"] == 20
        assert [block["type"] for block in message["content"]] == ["text"]

    def test_as_many_as_max_tokens_are_no_cut(self) -> None:
        assert add_up(events(Sim().stream("Tokens: 20", max_tokens=20)))["stop_reason"] == "end_turn"

    def test_the_head(self) -> None:
        head = Sim().stream().head
        assert isinstance(head, StreamHead)
        assert head.status == 200
        assert head.headers.get("content-type") == "text/event-stream; charset=utf-8"
        assert head.headers.get("cache-control") == "no-cache"
        assert (head.headers.get("request-id") or "").startswith("req_")

    def test_ids_are_a_token_and_a_counter(self) -> None:
        sim = Sim(token="abc")
        ids = [add_up(events(sim.stream("Tokens: 1")))["id"] for _ in range(2)]
        assert ids == ["msg_abc00000001", "msg_abc00000002"]
        with pytest.raises(ValueError, match="letters and digits"):
            Sim(token="a\r\nb")


class TestBytes:
    def test_each_frame_is_an_event_line_a_data_line_and_a_blank_one(self) -> None:
        data = read(Sim().stream("Tokens: 300; Thinking: 1; Tool: 1; Rate: 0"))
        assert b"\r" not in data
        frames = data.decode().split("\n\n")
        assert frames.pop() == ""
        for text in frames:
            match = re.fullmatch(r"event: (\w+)\ndata: ({.*})", text)
            assert match, text
            assert json.loads(match[2])["type"] == match[1]

    def test_a_ping_is_the_real_ones_to_the_byte(self) -> None:
        ping = b'event: ping\ndata: {"type": "ping"}\n\n'
        assert ping in read(Sim().stream("Tokens: 3"))
        if not FIXTURES.is_dir():
            pytest.skip("shared folder missing: the recordings lie beside the checkout")
        assert sum(ping in path.read_bytes() for path in FIXTURES.glob("*.sse")) > 20

    def test_text_goes_as_utf_8_and_not_as_escapes(self) -> None:
        data = read(Sim().stream("Tokens: 300; Rate: 0"))
        assert b"\\u" not in data
        assert "“".encode() in data

    def test_the_decoder_reads_the_types_from_the_wire(self) -> None:
        decoder = EventStreamDecoder()
        got = decoder.receive_data(read(Sim().stream("Tokens: 3")))
        assert [event.type for event in got] == [json.loads(event.data)["type"] for event in got]

    def test_the_fields_are_those_of_recorded_streams(self) -> None:
        """No event has a field that the real provider was never seen to send, or lacks one of its own."""
        if not FIXTURES.is_dir():
            pytest.skip("shared folder missing: the recordings lie beside the checkout")
        always, ever = recorded_fields()
        received = events(Sim().stream("Tokens: 3; Thinking: 1; Tool: 1"))
        kinds = set()
        for kind, names in (fields for event in received for fields in fields_of(event)):
            kinds.add(kind)
            assert names <= ever[kind], f"{kind} was never seen with {names - ever[kind]}"
            assert names >= always[kind], f"{kind} always has {always[kind] - names}"
        assert {"ping", "message_start.message", "content_block_delta.delta.signature_delta"} <= kinds


def fields_of(event: Event) -> list[tuple[str, set[str]]]:
    """The field names of an event and of the objects in it."""
    found = [(event["type"], set(event))]
    for name in ("message", "content_block", "delta"):
        if name in event:
            kind = event[name].get("type", "message")
            suffix = "" if kind == "message" else f".{kind}"
            found.append((f"{event['type']}.{name}{suffix}", set(event[name])))
    return found


def recorded_fields() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """The names that always, and that ever, came in each kind of object of the recorded streams."""
    always: dict[str, set[str]] = {}
    ever: dict[str, set[str]] = {}
    for path in sorted(FIXTURES.glob("*.sse")):
        for event in EventStreamDecoder().receive_data(path.read_bytes()):
            for kind, names in fields_of(json.loads(event.data)):
                always[kind] = always.get(kind, names) & names
                ever[kind] = ever.get(kind, set()) | names
    return always, ever


class TestTime:
    def test_the_message_and_its_first_block_start_at_once(self) -> None:
        timed = timed_events(Sim().stream("TTFT: 3", now=100.0), now=100.0, until=102.0)
        assert [event["type"] for _, event in timed] == ["message_start", "content_block_start", "ping"]

    def test_the_first_content_comes_at_ttft_and_the_rest_at_the_rate(self) -> None:
        timed = timed_events(Sim().stream("Tokens: 20; TTFT: 0.75; Rate: 10", now=100.0), now=100.0)
        times = [at for at, event in timed if event["type"] == "content_block_delta"]
        assert times == pytest.approx([100.75 + n / 10 for n in range(20)])
        assert timed[-1] == (times[-1], {"type": "message_stop"})

    def test_thinking_begins_at_ttft_and_delays_the_text(self) -> None:
        timed = timed_events(Sim().stream("Tokens: 20; TTFT: 0.5; Thinking: 2; Rate: 10"))
        assert first_time(timed, "thinking") == 0.5
        assert first_time(timed, "signature") == 2.5
        assert first_time(timed, "text") == 2.5
        assert len(deltas([event for _, event in timed], "thinking")) == 20

    def test_at_rate_0_thinking_has_a_pace_and_the_text_has_none(self) -> None:
        timed = timed_events(Sim().stream("Tokens: 500; TTFT: 0; Thinking: 2; Rate: 0"))
        thinking = [at for at, event in timed if "thinking" in event.get("delta", {})]
        assert len(thinking) == 40
        assert thinking[-1] == pytest.approx(1.95)
        assert {at for at, event in timed if "text" in event.get("delta", {})} == {2.0}

    def test_even_a_short_thought_is_one(self) -> None:
        assert len(deltas(events(Sim().stream("Thinking: 0.01; Rate: 1")), "thinking")) == 1

    def test_a_tool_call_follows_at_the_rate(self) -> None:
        timed = timed_events(Sim().stream("Tokens: 10; TTFT: 1; Rate: 10; Tool: 1"))
        assert first_time(timed, "partial_json") == pytest.approx(2.0)
        times = [at for at, event in timed if "partial_json" in event.get("delta", {})]
        assert times[-1] == pytest.approx(2.0 + (len(times) - 2) / 10)

    @given(times=st.lists(st.floats(0, 30), max_size=20), timeouts=st.booleans())
    def test_the_rate_holds_whenever_it_is_polled(self, times: list[float], timeouts: bool) -> None:  # noqa: FBT001
        """Law: by any time, exactly the tokens due by then have come, early, late or many at once."""
        stream = Sim().stream("Tokens: 1000; TTFT: 0.5; Rate: 16")
        decoder = EventStreamDecoder()
        count = 0
        for now in sorted(times):
            if timeouts:
                stream.handle_timeout(now)
            got = decoder.receive_data(stream.data_to_send(now))
            count += sum(event.type == "content_block_delta" for event in got)
            assert count == (0 if now < 0.5 else 1 + int((now - 0.5) * 16))

    def test_an_early_timeout_is_harmless(self) -> None:
        stream = Sim().stream("TTFT: 1")
        stream.data_to_send(0.0)
        stream.handle_timeout(0.5)
        assert stream.data_to_send(0.5) == b""
        assert stream.deadline == 1.0

    def test_a_timeout_wakes_the_reader(self) -> None:
        stream = Sim().stream("TTFT: 1")
        woken = []
        stream.waker = lambda: woken.append(True)
        stream.handle_timeout(1.0)
        assert woken

    def test_the_defaults(self) -> None:
        """200 tokens at 50 a second after half a second."""
        timed = timed_events(Sim().stream())
        times = [at for at, event in timed if event["type"] == "content_block_delta"]
        assert len(times) == 200
        assert (times[0], times[-1]) == pytest.approx((0.5, 0.5 + 199 / 50))


class TestText:
    def test_the_answer_begins_with_the_question(self) -> None:
        assert "".join(deltas(events(Sim().stream()), "text")).startswith(f"You asked: “{QUESTION}”.")

    def test_the_last_question_counts_also_in_blocks(self) -> None:
        messages = [
            {"role": "user", "content": "First?"},
            {"role": "assistant", "content": "Yes."},
            {"role": "user", "content": [{"type": "image"}, "x", {"type": "text", "text": "And\n\n now?"}]},
        ]
        text = "".join(deltas(events(Sim().stream(messages=messages)), "text"))
        assert text.startswith("You asked: “And now?”.")

    @pytest.mark.parametrize("content", ["", " \n", [], [{"type": "image"}]])
    def test_no_question_is_said_to_be_none(self, content: Any) -> None:
        messages = [{"role": "user", "content": content}]
        text = "".join(deltas(events(Sim().stream(messages=messages)), "text"))
        assert text.startswith("You asked nothing.")

    def test_only_an_assistant_has_spoken(self) -> None:
        messages = [{"role": "assistant", "content": "Hello"}]
        text = "".join(deltas(events(Sim().stream(messages=messages)), "text"))
        assert text.startswith("You asked nothing.")

    @given(st.text(st.characters(codec=None), max_size=500))
    def test_any_question_is_shortened_and_harmless(self, content: str) -> None:
        """Law: control characters and halves of surrogate pairs never come back."""
        messages = [{"role": "user", "content": content}]
        text = "".join(deltas(events(Sim().stream("Rate: 0; TTFT: 0", messages=messages)), "text"))
        if not text.startswith("You asked nothing."):
            shown = text.removeprefix("You asked: “")
            shown = shown[: shown.index("”.")]
            assert shown.isprintable()
            assert 0 < len(shown) <= 81
            assert shown == " ".join(shown.split())

    def test_the_same_question_gives_the_same_text_and_another_another(self) -> None:
        first, again = ("".join(deltas(events(Sim().stream()), "text")) for _ in range(2))
        messages = [{"role": "user", "content": "Hm?"}]
        other = "".join(deltas(events(Sim().stream(messages=messages)), "text"))
        assert first == again
        assert first.partition("”.")[2][:200] != other.partition("”.")[2][:200]

    def test_a_long_text_is_varied_prose_with_all_that_prose_has(self) -> None:
        pieces = deltas(events(Sim().stream("Tokens: 30000; Rate: 0")), "text")
        text = "".join(pieces)
        assert 3.0 < len(text) / len(pieces) < 5.0
        sentences = re.split(r"(?<=[.!?])\s+", text)
        assert len(set(sentences)) > len(sentences) * 0.9
        assert {"\n\n", "\n- ", ", ", "é", "🌊", "\u200d", "京"} <= {
            part for part in ("\n\n", "\n- ", ", ", "é", "🌊", "\u200d", "京") if part in text
        }
        assert not re.search(r"\b[Aa] [aeiou]", text)

    def test_a_million_tokens_are_not_made_before_they_are_wanted(self) -> None:
        sim = Sim()
        tracemalloc.start()
        try:
            stream = sim.stream("Tokens: 1000000; Rate: 0; TTFT: 0")
            assert stream.data_to_send(0.0)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 1_000_000
        assert 100 < sim.records()[0]["tokens"] < 1000
        assert stream.state is StreamState.OPEN
