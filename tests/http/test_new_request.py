"""Requests by arguments that are named as httpx names them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core.headers import Headers
from sse_core.lifecycle.machine import HTTPRequest
from sse_http import new_request

URL = "http://host/path?old=1#part"


def test_what_is_not_said_is_left_out() -> None:
    assert new_request(URL) == HTTPRequest(URL)


@pytest.mark.parametrize(
    ("content", "body"), [(b"\xff", b"\xff"), ("zwölf", "zwölf".encode()), (b"", b""), ("", b"")]
)
def test_content_is_the_body(content: bytes | str, body: bytes) -> None:
    request = new_request(URL, method="POST", headers={"a": "b"}, content=content)
    assert request == HTTPRequest(URL, "POST", Headers({"a": "b"}), body)


@pytest.mark.parametrize("value", [{"ä": [1, None]}, [], "text", 0, False])
def test_json_is_sent_with_its_type(value: Any) -> None:
    request = new_request(URL, json=value)
    assert json.loads(request.body) == value
    assert b" " not in request.body
    assert request.headers.get_all("content-type") == ["application/json"]


def test_a_type_of_the_callers_own_stands() -> None:
    request = new_request(URL, json={}, headers={"Content-Type": "application/vnd.mine+json"})
    assert request.headers.get_all("content-type") == ["application/vnd.mine+json"]


@pytest.mark.parametrize(
    ("params", "url"),
    [
        ({}, "http://host/path"),
        ("", "http://host/path"),
        ("a=b", "http://host/path?a=b"),
        ("?a=b", "http://host/path?a=b"),
        ({"a": "b c", "d": "&=ä"}, "http://host/path?a=b+c&d=%26%3D%C3%A4"),
        ({"a": [1, 2.5], "b": ()}, "http://host/path?a=1&a=2.5"),
        ({"yes": True, "no": False, "nothing": None}, "http://host/path?yes=true&no=false&nothing="),
        ([("a", "1"), ("a", "2")], "http://host/path?a=1&a=2"),
    ],
)
def test_params_are_the_query(params: Any, url: str) -> None:
    assert new_request(URL, params=params).url == url


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1))))
def test_any_pairs_come_back(pairs: list[tuple[str, str]]) -> None:
    pairs = [
        (name.encode("utf-8", "replace").decode(), value.encode("utf-8", "replace").decode())
        for name, value in pairs
    ]
    url = new_request("http://host/", params=pairs).url
    assert parse_qsl(urlsplit(url).query, keep_blank_values=True) == pairs


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"body": b"x", "json": {}}, TypeError, "give one of them"),
        ({"content": b"", "json": {}}, TypeError, "give one of them"),
        ({"body": b"x", "content": "x"}, TypeError, "give one of them"),
        ({"content": 7}, TypeError, "content takes bytes or str, not int"),
        ({"json": {"a": object()}}, TypeError, "JSON"),
        ({"json": float("nan")}, ValueError, "JSON"),
        ({"params": 7}, TypeError, "params takes Mapping or Iterable, not int"),
        ({"params": {"a": object()}}, TypeError, "a value of params takes"),
    ],
)
def test_what_cannot_be_sent(options: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        new_request(URL, **options)
