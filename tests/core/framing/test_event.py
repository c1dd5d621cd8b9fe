"""ServerSentEvent: a value."""

from __future__ import annotations

import copy
import pickle
from enum import StrEnum
from typing import Any

import pytest

from sse_core import ServerSentEvent


def test_it_is_made_by_position_or_by_keyword() -> None:
    event = ServerSentEvent("delta", "x", "7")
    assert event == ServerSentEvent(last_event_id="7", data="x", type="delta")
    assert (event.type, event.data, event.last_event_id) == ("delta", "x", "7")


def test_defaults_are_those_of_a_message_event() -> None:
    assert ServerSentEvent() == ServerSentEvent("message", "", "")


@pytest.mark.parametrize(
    "other",
    [
        ServerSentEvent("other", "x", "7"),
        ServerSentEvent("delta", "other", "7"),
        ServerSentEvent("delta", "x", "other"),
        ("delta", "x", "7"),
    ],
)
def test_each_of_its_values_distinguishes_it_from_another(other: object) -> None:
    assert ServerSentEvent("delta", "x", "7") != other


def test_equal_events_are_one_member_of_a_set() -> None:
    assert len({ServerSentEvent(data="x"), ServerSentEvent(data="x"), ServerSentEvent(data="y")}) == 2


def test_its_repr_makes_an_equal_event() -> None:
    event = ServerSentEvent("delta", "a\n'b'", "\u2026")
    assert eval(repr(event), {"ServerSentEvent": ServerSentEvent}) == event  # noqa: S307  (that is a repr's promise)


def test_it_can_be_copied_pickled_and_matched() -> None:
    event = ServerSentEvent("delta", "x", "7")
    assert copy.copy(event) == event
    assert pickle.loads(pickle.dumps(event)) == event  # noqa: S301  (made one call ago)
    match event:
        case ServerSentEvent("delta", data, last_event_id):
            assert (data, last_event_id) == ("x", "7")
        case _:
            pytest.fail("an event matches by position")


def test_it_has_no_room_for_anything_else() -> None:
    with pytest.raises(AttributeError):
        ServerSentEvent().retry = 3  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (("message", {"text": "x"}), "data takes str, not dict: json.dumps"),
        (("message", b"x"), "data takes str, not bytes"),
        (("message", "x", 7), "last_event_id takes str, not int"),
        ((None, "x"), "type takes str, not NoneType"),
    ],
)
def test_what_is_not_text_is_explained_in_one_sentence(values: tuple[Any, ...], sentence: str) -> None:
    with pytest.raises(TypeError, match=f"^{sentence}"):
        ServerSentEvent(*values)


def test_text_of_a_class_of_ones_own_is_text() -> None:
    class Kind(StrEnum):
        TICK = "tick"

    assert ServerSentEvent(Kind.TICK, "x") == ServerSentEvent("tick", "x")
