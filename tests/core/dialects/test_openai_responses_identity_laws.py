"""Whatever a host makes of indexes and ids: each text once, each call once and with its own arguments."""

from __future__ import annotations

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from tests.core.dialects.responses import RESPONSES
from tests.core.dialects.responses_hosts import HOSTS, Told, obeys, read, told
from tests.core.dialects.wrong_responses import DECODERS, WrongDecoder


@pytest.mark.parametrize("name", HOSTS)
@given(data=st.data())
@settings(max_examples=25)
def test_each_text_and_each_call_comes_once(name: str, data: st.DataObject) -> None:
    assert obeys(data.draw(told((name,))))


@given(told(), st.integers(0, 40))
@settings(max_examples=100)
def test_wherever_a_stream_is_cut_nothing_runs(made: Told, cut: int) -> None:
    message = read(made.stream[:cut], RESPONSES.Decoder)
    assert message.executable_tools == []


def broken(decoder: type[WrongDecoder], tries: int) -> Told:
    """A stream of which a decoder tells something twice, or not, or wrongly."""
    return find(
        told(),
        lambda made: not obeys(made, decoder),
        settings=settings(max_examples=tries, database=None, phases=[Phase.generate]),
    )


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_decoder_that_mistakes_an_item_for_another_is_found(decoder: type[WrongDecoder]) -> None:
    broken(decoder, 2000)


def test_what_is_to_be_made_wrong_obeys() -> None:
    with pytest.raises(NoSuchExample):
        broken(WrongDecoder, 100)
