"""JSON in fragments: what is complete, what is known, what is refused and what is too much."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from sse_core import JSONFragmentError, JSONFragments, LimitExceeded, LocalProtocolError, RemoteProtocolError
from sse_core.blocks import strict_json


def fed(*fragments: str, **options: Any) -> JSONFragments:
    reader = JSONFragments(**options)
    feed(reader, fragments)
    return reader


def feed(reader: JSONFragments, fragments: Iterable[str]) -> None:
    for fragment in fragments:
        reader.receive(fragment)


def values(fragments: Iterable[str]) -> Any:
    """What is known after each fragment."""
    reader = JSONFragments()
    for fragment in fragments:
        reader.receive(fragment)
        yield copy.deepcopy(reader.value)


class TestComplete:
    def test_a_value_is_reported_with_its_path_as_soon_as_it_is_complete(self) -> None:
        reader = JSONFragments()
        assert reader.receive('{"a": [1, "x') == [(("a", 0), 1)]
        assert reader.receive("y") == []
        assert reader.receive('"') == [(("a", 1), "xy")]
        assert reader.receive("]") == [(("a",), [1, "xy"])]
        assert reader.receive("} ") == [((), {"a": [1, "xy"]})]
        assert reader.finish() == reader.value == {"a": [1, "xy"]}

    def test_the_document_is_complete_with_its_last_character(self) -> None:
        reader = JSONFragments()
        complete = []
        for character in '{"":[]} ':
            reader.receive(character)
            complete.append(reader.complete)
        assert complete == [False] * 6 + [True] * 2

    def test_several_in_one_fragment_come_in_the_order_of_their_ends(self) -> None:
        assert JSONFragments().receive('{"a":{"b":[[],{}]},"c":null}') == [
            (("a", "b", 0), []),
            (("a", "b", 1), {}),
            (("a", "b"), [[], {}]),
            (("a",), {"b": [[], {}]}),
            (("c",), None),
            ((), {"a": {"b": [[], {}]}, "c": None}),
        ]

    @pytest.mark.parametrize("literal", ["true", "false", "null"])
    def test_a_literal_is_complete_with_its_last_letter(self, literal: str) -> None:
        reader = JSONFragments()
        assert [len(reader.receive(letter)) for letter in literal] == [0] * (len(literal) - 1) + [1]

    @pytest.mark.parametrize("number", ["1", "-0", "12", "1.5", "1e5", "-12.25E-2", "0.5e+07", "0e1"])
    def test_a_number_is_complete_only_with_what_follows_it(self, number: str) -> None:
        for fragments in [[f"[{number}"], ["[", number], ["[", *number]]:
            reader = fed(*fragments)
            assert reader.value == []
            assert reader.receive(",") == [((0,), float(number))]
            assert type(reader.value[0]) is (int if number.lstrip("-").isdigit() else float)

    def test_a_number_alone_is_complete_at_the_end_only(self) -> None:
        reader = fed("1")
        assert (reader.value, reader.complete) == (None, False)
        assert reader.receive("2") == []
        assert reader.finish() == 12
        assert (reader.value, reader.complete) == (12, True)
        assert fed("1 ").complete

    def test_of_equal_keys_the_last_counts_as_in_json_loads(self) -> None:
        reader = JSONFragments()
        assert reader.receive('{"a":1,"a":"x') == [(("a",), 1)]
        assert reader.value == {"a": "x"}
        assert reader.receive('"}') == [(("a",), "x"), ((), {"a": "x"})]


class TestKnown:
    def test_an_unfinished_string_is_known_as_far_as_it_is(self) -> None:
        assert list(values(['{"a', '":', ' "', "x", "yz", '",'])) == [
            {},
            {},
            {"a": ""},
            {"a": "x"},
            {"a": "xyz"},
            {"a": "xyz"},
        ]

    def test_arrays_and_objects_are_the_same_ones_all_along(self) -> None:
        reader = fed('{"a": [')
        value = reader.value
        items = value["a"]
        for fragment in ["1,", '"x', 'y"', "]}"]:
            reader.receive(fragment)
            assert reader.value is value
            assert value["a"] is items
        assert value == {"a": [1, "xy"]}

    def test_nothing_is_known_before_the_first_value(self) -> None:
        assert fed(" \n").value is None
        assert fed("tru").value is None
        assert list(values(['"', "a"])) == ["", "a"]

    def test_where_the_unfinished_string_is(self) -> None:
        reader = JSONFragments()
        paths = []
        for fragment in ['{"a', '":["x', "y", '","', '"', ",1", ']} "'[:2]]:
            reader.receive(fragment)
            paths.append(reader.unfinished_path)
        assert paths == [None, ("a", 0), ("a", 0), ("a", 1), None, None, None]
        assert fed('"a').unfinished_path == ()

    @pytest.mark.parametrize(
        ("text", "known"),
        [
            (r"x\n", ["x", "x", "x\n"]),
            (r"\u00e9", ["", "", "", "", "", "", "é"]),
            (r"\ud83d\ude00", [""] * 12 + ["😀"]),
            (r"\ud83dx", [""] * 7 + ["\ud83dx"]),
            (r"\ud83d\n", [""] * 7 + ["", "\ud83d\n"]),
            (r"\ud83d\u0041", [""] * 12 + ["\ud83dA"]),
            (r"\ud83d\ud83d\ude00", [""] * 12 + ["\ud83d"] * 6 + ["\ud83d😀"]),
            (r"\ude00", [""] * 6 + ["\ude00"]),
            ("\ud83d\ude00", ["", "", "😀"]),
            ("a\ud83db", ["", "a", "a", "a\ud83db"]),
        ],
    )
    def test_what_may_yet_become_another_character_is_held_back(self, text: str, known: list[str]) -> None:
        got = list(values(['"', *text]))
        assert got[-len(known) :] == known[-len(got) :]
        assert fed(f'"{text}').value == known[-1]

    def test_half_a_pair_at_the_end_of_a_string_stays_half(self) -> None:
        assert fed(r'"\ud83d', '"').finish() == "\ud83d"
        assert fed('"\ud83d', '"').finish() == "\ud83d"

    def test_keys_are_read_as_strings_are(self) -> None:
        text = r'{ "\u0061\ud83d\ude00\"" : 1 , "b" : {"":2}}'
        expected = {'a😀"': 1, "b": {"": 2}}
        assert fed(text).finish() == fed(*text).finish() == expected

    def test_a_string_in_many_pieces_is_whole(self) -> None:
        text = "".join(map(chr, range(32, 5000))).replace('"', "").replace("\\", "")
        reader = fed('["', *text)
        assert reader.value == [text]
        for character in text:
            reader.receive(character)
        assert reader.receive('"') == [((0,), text + text)]

    def test_who_keeps_an_unfinished_string_keeps_it_as_it_was(self) -> None:
        reader = fed('["')
        kept = []
        for _ in range(100):
            reader.receive("abc")
            kept.append(reader.value[0])
        assert kept == ["abc" * count for count in range(1, 101)]


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "offset", "message"),
        [
            ('{"a": tree}', 6, "'t' where a value should be"),
            ("  x", 2, "'x' where a value should be"),
            ("[1,]", 3, "']' where a value should be"),
            ("[,", 1, "',' where a value or ']' should be"),
            ("[1 2]", 3, "'2' where ',' or ']' should be"),
            ("[1}", 2, "'}' where ',' or ']' should be"),
            ("{1:2}", 1, "'1' where a key in double quotes or '}' should be"),
            ('{"a":1,}', 7, "'}' where a key in double quotes should be"),
            ('{"a" 1}', 5, "'1' where ':' should be"),
            ('{"a":1 "b":2}', 7, "'\"' where ',' or '}' should be"),
            ("1 2", 2, "'2' where nothing more should be"),
            ("[01]", 2, "'1' where ',' or ']' should be"),
            ("[-]", 2, "']' where the rest of a number should be"),
            ("[1.]", 3, "']' where the rest of a number should be"),
            ("[1.e5]", 3, "'e' where the rest of a number should be"),
            ("[1e+-1]", 4, "'-' where the rest of a number should be"),
            ("[1.2.3]", 4, "'.' where ',' or ']' should be"),
            ("[NaN]", 1, "'N' where a value or ']' should be"),
            ("[-Infinity]", 2, "'I' where the rest of a number should be"),
            ('"a\n"', 2, r"'\n' where the rest of a string should be"),
            ('{"a\x00', 3, r"'\x00' where the rest of a key should be"),
            (r'"\x"', 1, r"'\\' where the rest of a string should be"),
            (r'"\u12G4"', 1, r"'\\' where the rest of a string should be"),
            (r'"\ud83d\u12G4"', 7, r"'\\' where the rest of a string should be"),
            ("\ufeff1", 0, r"'\ufeff' where a value should be"),
            ("[\ud83d1", 1, r"'\ud83d' where a value or ']' should be"),
            ('["😀\ud83d\ude00",\u00e9', 6, r"'\xe9' where a value should be"),
        ],
    )
    def test_what_is_no_json_is_refused_as_soon_as_it_shows(
        self, text: str, offset: int, message: str
    ) -> None:
        for fragments in [[text], list(text), [text[:offset], text[offset:]]]:
            reader = JSONFragments()
            with pytest.raises(JSONFragmentError) as caught:
                feed(reader, fragments)
            assert str(caught.value) == f"not JSON at offset {offset}: {message}"
            assert caught.value.offset == offset
            assert not caught.value.incomplete
            with pytest.raises(LocalProtocolError):
                reader.receive("")
            with pytest.raises(JSONFragmentError) as again:
                reader.finish()
            assert again.value is caught.value

    def test_it_is_the_peers_fault_and_a_value_error(self) -> None:
        with pytest.raises(ValueError, match="not JSON") as caught:
            JSONFragments().receive("}")
        assert isinstance(caught.value, RemoteProtocolError)
        assert caught.value.status == 502

    @pytest.mark.parametrize(
        ("text", "where"),
        [
            ("", "a value"),
            (" ", "a value"),
            ("tru", "a value"),
            ("-", "the rest of a number"),
            ("1.", "the rest of a number"),
            ("[1", "the rest of a number"),
            ("[", "a value or ']'"),
            ("[1,", "a value"),
            ('{"a"', "':'"),
            ('{"a":[]', "',' or '}'"),
            ('"abc', "the rest of a string"),
            (r'"abc\ud83d\u', "the rest of a string"),
            ('"abc\ud83d', "the rest of a string"),
            ('{"abc\ud83d', "the rest of a key"),
        ],
    )
    def test_what_is_not_all_is_refused_at_the_end(self, text: str, where: str) -> None:
        for fragments in [[text], list(text)]:
            reader = fed(*fragments)
            known = reader.value
            with pytest.raises(JSONFragmentError) as caught:
                reader.finish()
            assert str(caught.value) == f"the JSON ends at offset {len(text)}, where {where} should be"
            assert caught.value.incomplete
            assert caught.value.offset == len(text)
            assert reader.value == known

    def test_what_was_known_before_the_fault_stays(self) -> None:
        reader = JSONFragments()
        with pytest.raises(JSONFragmentError):
            reader.receive('{"a": [1, "b"], "c": ?')
        assert reader.value == {"a": [1, "b"]}

    def test_nothing_comes_after_the_end(self) -> None:
        reader = fed("[]")
        assert reader.finish() == reader.finish() == []
        with pytest.raises(LocalProtocolError):
            reader.receive(" ")


class TestNumbers:
    def test_what_python_cannot_read_is_refused(self) -> None:
        """As in ``json.loads``: the conversion of so many digits costs more than linear time."""
        long = "1" * 5000
        for fragments in [[f"[-{long} ]"], [*f"[-{long}", "]"]]:
            with pytest.raises(JSONFragmentError, match=r"^the number at offset 1 can't be read$") as caught:
                fed(*fragments)
            assert caught.value.offset == 1
        reader = fed(long)
        with pytest.raises(JSONFragmentError, match="offset 0"):
            reader.finish()

    @pytest.mark.parametrize("fragments", [["[1e999]"], ["[-1e", "400", ",1]"], ["[1", "0" * 400, ".5]"]])
    def test_beyond_a_double_is_refused_unless_said_otherwise(self, fragments: list[str]) -> None:
        """What is read can be written, and is what a tool's arguments would be."""
        with pytest.raises(JSONFragmentError, match="at offset 1 can't be read"):
            fed(*fragments)
        with pytest.raises(ValueError, match="beyond the range of a double"):
            strict_json.loads("".join(fragments))
        assert fed("[1e999]", parse_float=float).finish() == [float("inf")]
        assert fed("[1", "0" * 400, "]").finish() == [10**400]
        assert fed("[1e999, 1]", parse_float=Decimal).finish() == [Decimal("1e999"), 1]

    def test_the_users_own_parser_may_refuse(self) -> None:
        with pytest.raises(JSONFragmentError, match="offset 1"):
            fed("[1e9999999999999999999]", parse_float=Decimal)

        def finite(number: str) -> float:
            raise ValueError(number)

        with pytest.raises(JSONFragmentError, match="offset 4"):
            fed("[1, 1.5", "]", parse_float=finite)


class TestBounds:
    def test_depth(self) -> None:
        assert fed("[[", "]]", max_depth=2).finish() == [[]]
        reader = fed('[[],{"a":', max_depth=2)
        with pytest.raises(LimitExceeded) as caught:
            reader.receive("[")
        assert (caught.value.limit, caught.value.bound, caught.value.status) == ("max_depth", 2, 502)
        with pytest.raises(LimitExceeded):
            reader.finish()
        with pytest.raises(LocalProtocolError):
            reader.receive("]")

    def test_depth_by_default(self) -> None:
        fed("[" * 512 + "]" * 512).finish()
        with pytest.raises(LimitExceeded):
            fed("[" * 100_000)

    def test_depth_by_default_is_that_of_a_tools_arguments(self) -> None:
        deep = "[" * strict_json.MAX_DEPTH + "]" * strict_json.MAX_DEPTH
        assert fed(deep).finish() == strict_json.loads(deep)
        with pytest.raises(LimitExceeded):
            fed(f"[{deep}]")
        with pytest.raises(ValueError, match="nested too deeply"):
            strict_json.loads(f"[{deep}]")

    def test_length(self) -> None:
        assert fed('["', "é😀", '"]', max_chars=6).finish() == ["é😀"]
        reader = fed(*'["\\u12', max_chars=8)
        with pytest.raises(LimitExceeded) as caught:
            reader.receive("345")
        assert (caught.value.limit, caught.value.bound) == ("max_chars", 8)

    def test_length_by_default(self) -> None:
        reader = fed('"', "x" * (16 * 2**20 - 1))
        with pytest.raises(LimitExceeded):
            reader.receive('"')

    def test_paths(self) -> None:
        assert fed("[[1,2]]", max_path_keys=5).finish() == [[1, 2]]
        with pytest.raises(LimitExceeded) as caught:
            fed("[[1,2", ",", max_path_keys=4)
        assert (caught.value.limit, caught.value.bound) == ("max_path_keys", 4)
