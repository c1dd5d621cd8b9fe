"""docs/specification.md says what holds: its sentences, the code it names, the vectors it names.

And what it says of the encoder's grammar: whatever is written, is written as section 9.2.5 has it.
"""

from __future__ import annotations

import contextlib
import importlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.cases import load
from conformance.fill import rules
from sse_core import encode_comment, encode_event

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "specification.md").read_text("utf-8")
RULES = rules()
#: The text of each rule's part of the page.
PARTS = {
    match[1]: match[2]
    for match in re.finditer(r"^### `([a-z0-9-]+)`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
}


def citing(rule: str) -> set[str]:
    """The groups that have a case of this rule."""
    return {group.name for group in load() for case in group.cases if case.rule == rule}


def test_the_page_has_every_rule_in_its_order() -> None:
    assert list(PARTS) == sorted(RULES, key=lambda rule: (RULES[rule]["section"], list(RULES).index(rule)))


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_quoted_to_the_letter_with_its_address(rule: str) -> None:
    assert RULES[rule]["sentence"] in PARTS[rule]
    assert f"[Section {RULES[rule]['section']}]({RULES[rule]['url']})" in PARTS[rule]
    assert RULES[rule]["normative"] != ("not normative" in PARTS[rule])


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_met_by_code_that_exists(rule: str) -> None:
    (line,) = re.findall(r"^- Met in: (.*)$", PARTS[rule], re.MULTILINE)
    names = re.findall(r"`([\w.]+)`", line)
    assert names
    for name in names:
        package, module, path = re.fullmatch(r"(sse_core)\.(framing\.\w+)\.([\w.]+)", name).groups()  # type: ignore[union-attr]
        found: object = importlib.import_module(f"{package}.{module}")
        for part in path.split("."):
            found = vars(found)[part]  # vars, so that nothing inherited counts
        assert callable(found) or isinstance(found, property)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_names_the_groups_whose_cases_cite_it(rule: str) -> None:
    (line,) = re.findall(r"^- Vectors: (.*)$", PARTS[rule], re.MULTILINE)
    assert set(re.findall(r"\[`([a-z0-9-]+)`\]", line)) == citing(rule)


def test_rules_without_a_case_say_so_and_are_none_of_the_interpretation() -> None:
    """Every sentence that says how bytes become events has a case."""
    without = {rule for rule in RULES if not citing(rule)}
    assert without == {rule for rule in RULES if "Vectors: none of its own" in PARTS[rule]}
    assert all(RULES[rule]["section"] != "9.2.6" for rule in without)


def test_every_link_of_the_page_leads_somewhere() -> None:
    targets = {
        target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", PAGE) if "://" not in target
    }
    docs = Path(__file__).resolve().parents[2] / "docs"
    assert not [target for target in targets - {""} if not (docs / target).exists()]


# The grammar of 9.2.5, production by production.

END_OF_LINE = r"(?:\r\n|\r|\n)"
ANY_CHAR = r"[^\n\r]"
NAME_CHAR = r"[^\n\r:]"
COMMENT = rf":{ANY_CHAR}*{END_OF_LINE}"
FIELD = rf"{NAME_CHAR}+(?:: ?{ANY_CHAR}*)?{END_OF_LINE}"
EVENT = re.compile(rf"(?:{COMMENT}|{FIELD})*{END_OF_LINE}")

#: Any text at all, surrogates too, and often what could break a line or a field.
anything = st.text() | st.text(st.sampled_from("\r\n\0: a\u2028\ud800\ufeff"))


def test_the_grammar_separates_right_from_wrong() -> None:
    assert EVENT.fullmatch("event: x\r\n: c\rdata\n\n")
    for wrong in ("data: a\n", "data: a\n\ndata: b\n\n", "data: a", ""):
        assert not EVENT.fullmatch(wrong)


@given(data=anything, event=st.none() | anything, id=st.none() | anything, retry=st.none() | st.integers())
def test_an_encoded_event_is_one_event_of_the_grammar(
    data: str, event: str | None, id: str | None, retry: int | None
) -> None:
    with contextlib.suppress(ValueError):  # what a field cannot hold is refused
        assert EVENT.fullmatch(encode_event(data, event=event, id=id, retry=retry).decode("utf-8"))


@given(text=anything)
def test_an_encoded_comment_is_comments_of_the_grammar(text: str) -> None:
    assert re.fullmatch(rf"(?:{COMMENT})+", encode_comment(text).decode("utf-8"))
