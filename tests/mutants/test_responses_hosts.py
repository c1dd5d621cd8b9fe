"""The law of hosts of Responses finds each decoder that takes an item for another."""

from __future__ import annotations

import pytest
from hypothesis import Phase, find, settings
from hypothesis.errors import NoSuchExample

from tests.core.dialects.responses_hosts import HostStream, host_streams, obeys
from tests.mutants.wrong_responses import DECODERS, WrongDecoder


def broken(decoder: type[WrongDecoder], tries: int) -> HostStream:
    """A stream of which a decoder gives something twice, or not, or wrongly."""
    return find(
        host_streams(),
        lambda made: not obeys(made, decoder),
        settings=settings(max_examples=tries, database=None, phases=[Phase.generate]),
    )


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_decoder_that_mistakes_an_item_for_another_is_found(decoder: type[WrongDecoder]) -> None:
    broken(decoder, 2000)


def test_what_is_to_be_made_wrong_obeys() -> None:
    with pytest.raises(NoSuchExample):
        broken(WrongDecoder, 100)
