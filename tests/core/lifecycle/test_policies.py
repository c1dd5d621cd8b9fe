"""Deadlines and what follows when the last reader has gone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import ServerSentEvent
from sse_core.lifecycle import (
    Broadcast,
    Deadlines,
    EventSource,
    HTTPRequest,
    OnDisconnect,
    RetryPolicy,
    SourceDeadlines,
    SubscriptionSettings,
    TurnLog,
)


class TestOnDisconnect:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("cancel", OnDisconnect()),
            (" cancel\t", OnDisconnect("cancel")),
            ("detach=0", OnDisconnect("detach", 0.0)),
            ("detach=30", OnDisconnect("detach", 30.0)),
            ("drain=2.5", OnDisconnect("drain", 2.5)),
            ("drain=3600", OnDisconnect("drain", 3600.0)),
        ],
    )
    def test_what_can_be_said(self, text: str, expected: OnDisconnect) -> None:
        assert OnDisconnect.parse(text) == expected

    @pytest.mark.parametrize(
        "text",
        ["", "=", "cancel=", "cancel=5", "detach", "drain", "stop", "detach5", "Cancel", "canceldetach=1"],
    )
    def test_anything_else_gets_an_error_that_says_what_is_expected(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"^expected cancel, detach=SECONDS or drain=SECONDS$"):
            OnDisconnect.parse(text)

    @pytest.mark.parametrize("kind", ["detach", "drain"])
    @pytest.mark.parametrize(
        "number",
        [
            "",
            "-1",
            "-0",
            "+1",
            "nan",
            "inf",
            "1e400",
            "1e2",
            "1_0",
            "٣",
            "\uff11",
            "3600.5",
            "9" * 400,
            "1=2",
            " 1",
        ],
    )
    def test_what_is_no_number_of_seconds(self, kind: str, number: str) -> None:
        """``float()`` would take half of these."""
        with pytest.raises(ValueError, match=r"^expected a number of seconds from 0 to 3600 after the =$"):
            OnDisconnect.parse(f"{kind}={number}")

    def test_the_bound_is_the_callers(self) -> None:
        assert OnDisconnect.parse("detach=7200", max_seconds=7200).seconds == 7200
        with pytest.raises(ValueError, match="from 0 to 10 after"):
            OnDisconnect.parse("detach=10.1", max_seconds=10)

    @given(st.text())
    def test_any_text_is_a_policy_or_a_value_error(self, text: str) -> None:
        try:
            policy = OnDisconnect.parse(text)
        except ValueError:
            return
        assert 0 <= policy.seconds <= 3600

    @pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf])
    def test_seconds_that_can_not_be(self, seconds: float) -> None:
        with pytest.raises(ValueError, match="seconds must be"):
            OnDisconnect("detach", seconds)


@pytest.mark.parametrize("seconds", [0, -1.0, math.nan, math.inf])
def test_a_deadline_is_above_zero_and_finite_or_none(seconds: float) -> None:
    """Zero would be over before it began, and "nan" would never be over, unnoticed."""
    kinds: list[tuple[Callable[..., Any], str]] = [
        (Deadlines, "output_gap"),
        (SourceDeadlines, "idle"),
        (SubscriptionSettings, "heartbeat"),
    ]
    for settings, name in kinds:
        assert getattr(settings(**{name: None}), name) is None
        with pytest.raises(ValueError, match=f"{name} must be a number of seconds above zero, or None"):
            settings(**{name: seconds})


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("lifetime_jitter", -0.1),
        ("lifetime_jitter", 1.1),
        ("lifetime_jitter", math.nan),
        ("merge_after", 0.0),
        ("max_merged_bytes", -1),
    ],
)
def test_what_no_setting_of_a_reader_can_be(setting: str, value: float) -> None:
    settings: Callable[..., Any] = SubscriptionSettings
    with pytest.raises(ValueError, match=f"^{setting}"):
        settings(**{setting: value})


def test_a_heartbeat_has_a_size_or_none() -> None:
    with pytest.raises(ValueError, match="pad_to"):
        SubscriptionSettings(heartbeat_bytes=-1)


@pytest.mark.parametrize(
    ("settings", "arguments", "sentence"),
    [
        (Deadlines, {"connect": "5"}, "connect takes int or float or NoneType, not str"),
        (SourceDeadlines, {"idle": "5"}, "idle takes int or float or NoneType, not str"),
        (SubscriptionSettings, {"heartbeat": "5"}, "heartbeat takes int or float or NoneType, not str"),
        (OnDisconnect, {"kind": "detach", "seconds": "5"}, "seconds takes int or float, not str"),
        (RetryPolicy, {"max_attempts": "3"}, "max_attempts takes int or float, not str"),
        (RetryPolicy, {"initial_delay": None}, "initial_delay takes int or float, not NoneType"),
    ],
)
def test_what_is_no_number_is_explained_in_one_sentence(
    settings: Callable[..., object], arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(TypeError, match=f"^{sentence}$"):
        settings(**arguments)


def test_what_is_no_event_is_not_kept() -> None:
    wrong: Any = "x"
    with pytest.raises(TypeError, match="append takes ServerSentEvent, not str"):
        TurnLog("e").append(wrong)
    with pytest.raises(TypeError, match="append takes ServerSentEvent, not str"):
        Broadcast("e").publish(wrong, 0.0)
    wrong = 7
    with pytest.raises(TypeError, match="append takes ServerSentEvent, not int"):
        TurnLog("e").append(ServerSentEvent("message", "x"), wrong)
    for make in (TurnLog, Broadcast):
        with pytest.raises(TypeError, match="id takes str or NoneType, not int"):
            make(wrong)
    with pytest.raises(TypeError, match="retry takes RetryPolicy or NoneType, not int"):
        EventSource(HTTPRequest("http://server.test/"), retry=wrong)
    with pytest.raises(TypeError, match="deadlines takes SourceDeadlines or NoneType, not int"):
        EventSource(HTTPRequest("http://server.test/"), deadlines=wrong)
